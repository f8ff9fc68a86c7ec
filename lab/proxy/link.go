package proxy

import (
	"net"
	"sync"
)

// link is one client's connection through the proxy.
type link struct {
	client net.Conn

	mu     sync.Mutex
	server net.Conn // nil until the server has answered
	closed bool
}

// connect adds the server's side. It returns false if the link has ended in
// the meantime.
func (l *link) connect(server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		server.Close()
		return false
	}
	l.server = server
	return true
}

// close ends both sides in order: what was written still arrives.
func (l *link) close() { l.end(false) }

// reset ends both sides at once, as if the other end had crashed.
func (l *link) reset() { l.end(true) }

func (l *link) end(abruptly bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	for _, side := range []net.Conn{l.client, l.server} {
		if side == nil {
			continue
		}
		if tcp, ok := side.(*net.TCPConn); ok && abruptly {
			_ = tcp.SetLinger(0) // a reset instead of a farewell
		}
		_ = side.Close()
	}
}
