package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Free ports are looked for in a range that no system takes for outgoing
// connections (Linux uses 32768 and up, others 49152 and up), so that none is
// taken between the choice and its use by the many connections of a Temporal
// server.
const (
	firstPort = 20000
	lastPort  = 29999
)

// ports hands out loopback ports, none twice.
type ports struct {
	mu   sync.Mutex
	used map[int]bool
}

// pick returns the preferred port if it is free, and otherwise any free one.
// 0 prefers none.
func (p *ports) pick(preferred int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	return 0, fmt.Errorf("no free port between %d and %d on %s", firstPort, lastPort, loopback)
}

func (p *ports) take(port int) bool {
	if p.used[port] {
		return false
	}
	listener, err := net.Listen("tcp", hostPort(port))
	if err != nil {
		return false
	}
	listener.Close()
	p.used[port] = true
	return true
}

func hostPort(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }
