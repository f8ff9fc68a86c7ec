// Package loopback hands out ports on the loopback interface, where everything
// in the lab listens.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

// Host is the IPv4 loopback address.
const Host = "127.0.0.1"

// Address is the host:port of a loopback port.
func Address(port int) string { return net.JoinHostPort(Host, strconv.Itoa(port)) }

// Free ports are looked for in a range that no system takes for outgoing
// connections (Linux uses 32768 and up, others 49152 and up), so that none is
// taken between the choice and its use by the many connections of a Temporal
// server.
const (
	firstPort = 20000
	lastPort  = 29999
)

// Ports hands out ports, none twice. The zero value is ready for use.
type Ports struct {
	mu       sync.Mutex
	used     map[int]bool
	reserved []*os.File
}

// Pick returns the preferred port if it is free, and otherwise any free one. 0
// prefers none.
func (p *Ports) Pick(preferred int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pick(preferred)
}

// Reserve picks a port and keeps it from others until Close, also while nobody
// listens on it: a server that is stopped finds its port again. The server has
// to listen with Listen. While it does not, connections are refused, as they
// are on any port that nobody listens on.
func (p *Ports) Reserve(preferred int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	port, err := p.pick(preferred)
	if err != nil {
		return 0, err
	}
	socket, err := reserve(port)
	if err != nil {
		return 0, fmt.Errorf("reserve port %d: %w", port, err)
	}
	p.reserved = append(p.reserved, socket)
	return port, nil
}

// Close gives up the reserved ports.
func (p *Ports) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, socket := range p.reserved {
		socket.Close()
	}
	p.reserved = nil
}

func (p *Ports) pick(preferred int) (int, error) {
	if p.used == nil {
		p.used = make(map[int]bool)
	}
	if preferred != 0 && p.take(preferred) {
		return preferred, nil
	}
	for range 1000 {
		if port := firstPort + rand.N(lastPort-firstPort+1); p.take(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d on %s", firstPort, lastPort, Host)
}

func (p *Ports) take(port int) bool {
	if p.used[port] {
		return false
	}
	listener, err := net.Listen("tcp", Address(port))
	if err != nil {
		return false
	}
	listener.Close()
	p.used[port] = true
	return true
}
