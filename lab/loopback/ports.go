// Package loopback hands out ports on the loopback interface, where everything
// in the lab listens.
package loopback

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
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

// Ports hands out ports. What one lab was given no other lab on the machine
// gets until Close, also while nobody listens on it: a server finds its port
// free when it starts, and again after it was stopped. The zero value is ready
// for use.
type Ports struct {
	mu     sync.Mutex
	claims map[int]io.Closer // by port
}

// Pick returns the preferred port if it is free, and otherwise any free one. 0
// prefers none.
func (p *Ports) Pick(preferred int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
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

// Close gives up all ports.
func (p *Ports) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, claim := range p.claims {
		claim.Close()
	}
	p.claims = nil
}

// take claims a port if neither a lab has claimed it nor a program listens.
func (p *Ports) take(port int) bool {
	if p.claims[port] != nil {
		return false
	}
	claimed, err := claim(port)
	if err != nil {
		return false
	}
	listener, err := net.Listen("tcp", Address(port))
	if err != nil {
		claimed.Close()
		return false
	}
	listener.Close()
	if p.claims == nil {
		p.claims = make(map[int]io.Closer)
	}
	p.claims[port] = claimed
	return true
}
