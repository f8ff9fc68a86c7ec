// Package proxy is a TCP proxy that can be told to disturb what passes through
// it: to delay it, to let little of it through, to refuse connections, to
// swallow everything as a broken network does, or to make commits fail. The parts of the lab talk
// through it where a scenario wants to break the line between them.
package proxy

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Disturbance is what a proxy does to the traffic. The zero value is none.
type Disturbance struct {
	// Latency is added to every answer: to what flows from the server to the
	// client, so that each round trip takes this much longer.
	Latency time.Duration
	// BytesPerSecond bounds what flows from the server to the clients, over
	// all connections. 0 does not bound it.
	BytesPerSecond int
	// Refuse resets every connection, old and new.
	Refuse bool
	// BlackHole keeps connections open and moves nothing, in either direction.
	BlackHole bool
	// Conflicts is the share, 0 to 1, of the commits that fail as they do in
	// Aurora DSQL when another transaction was faster: nothing is stored, and
	// the client gets SQLSTATE 40001. It needs a proxy of ListenPostgres.
	Conflicts float64
}

// Proxy forwards TCP connections to one of its servers.
type Proxy struct {
	listener net.Listener
	servers  []string
	postgres bool // the connections speak PostgreSQL's protocol
	done     chan struct{}

	mu          sync.Mutex
	disturbance Disturbance
	changed     chan struct{} // closed at every change
	links       map[*link]bool
	turn        int
	dice        *rand.Rand // decides which commits fail
	free        time.Time  // when the bounded line has sent what it was given
}

// Listen starts a proxy on an address before one or more servers, to which it
// gives connections in turn, passing over those that do not answer.
func Listen(ctx context.Context, address string, servers ...string) (*Proxy, error) {
	return listen(ctx, address, servers, false)
}

// ListenPostgres is Listen before a PostgreSQL, whose transactions can then be
// made to fail. Which of them do is as good as random and the same in every
// run.
func ListenPostgres(ctx context.Context, address, server string) (*Proxy, error) {
	return listen(ctx, address, []string{server}, true)
}

func listen(ctx context.Context, address string, servers []string, postgres bool) (*Proxy, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start a proxy: %w", err)
	}
	p := &Proxy{
		listener: listener,
		servers:  servers,
		postgres: postgres,
		done:     make(chan struct{}),
		changed:  make(chan struct{}),
		links:    make(map[*link]bool),
		dice:     rand.New(rand.NewPCG(1, 1)),
	}
	go p.accept()
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Disturb replaces what the proxy does to the traffic.
func (p *Proxy) Disturb(d Disturbance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.disturbance = d
	close(p.changed)
	p.changed = make(chan struct{})
	if d.Refuse {
		for link := range p.links {
			link.reset()
		}
	}
}

// Close ends the proxy and all connections through it.
func (p *Proxy) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return nil
	default:
	}
	close(p.done)
	for link := range p.links {
		link.reset()
	}
	return p.listener.Close()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		go p.serve(client)
	}
}

// current returns the disturbance and what tells that it has changed.
func (p *Proxy) current() (Disturbance, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disturbance, p.changed
}

// serve forwards one connection until either side ends it.
func (p *Proxy) serve(client net.Conn) {
	l := &link{client: client}
	if !p.add(l) {
		l.reset()
		return
	}
	defer p.remove(l)
	if !p.pass() {
		return
	}
	server, err := p.dial()
	if err != nil {
		l.reset()
		return
	}
	if !l.connect(server) {
		return
	}
	asked, answered := unchanged, unchanged
	if p.postgres {
		c := newConversation(p.conflicts)
		asked, answered = c.fromClient, c.fromServer
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(l, server, client, false, asked) })
	both.Go(func() { p.pump(l, client, server, true, answered) })
	both.Wait()
}

// unchanged passes on traffic as it came.
func unchanged(data []byte) []byte { return data }

// conflicts decides whether a commit fails.
func (p *Proxy) conflicts() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disturbance.Conflicts > 0 && p.dice.Float64() < p.disturbance.Conflicts
}

// add registers a connection, unless connections are refused.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return false
	default:
	}
	if p.disturbance.Refuse {
		return false
	}
	p.links[l] = true
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
	l.close()
}

// pass waits for the end of a black hole. It returns false if the proxy ends.
func (p *Proxy) pass() bool {
	for {
		disturbance, changed := p.current()
		if !disturbance.BlackHole {
			return true
		}
		select {
		case <-changed:
		case <-p.done:
			return false
		}
	}
}

// dial connects to the server whose turn it is, or to the next that answers.
func (p *Proxy) dial() (net.Conn, error) {
	p.mu.Lock()
	first := p.turn
	p.turn++
	p.mu.Unlock()
	var err error
	for i := range p.servers {
		var server net.Conn
		server, err = net.DialTimeout("tcp", p.servers[(first+i)%len(p.servers)], 2*time.Second)
		if err == nil {
			return server, nil
		}
	}
	return nil, err
}

// chunk is a piece of traffic and when it came.
type chunk struct {
	data []byte
	came time.Time
}

// pump moves what one side sends to the other. Reading and writing are apart,
// so that latency delays traffic without narrowing the line.
func (p *Proxy) pump(l *link, to, from net.Conn, answers bool, change func([]byte) []byte) {
	line := make(chan chunk, 64)
	go func() {
		defer close(line)
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				select {
				case line <- chunk{data: bytes.Clone(buffer[:n]), came: time.Now()}:
				case <-p.done:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range line {
		if !p.pass() {
			break
		}
		if answers {
			p.delay(c)
		}
		if _, err := to.Write(change(c.data)); err != nil {
			break
		}
	}
	l.close()
	for range line { // lets the reader end
	}
}

// delay waits until the disturbed line has carried a chunk.
func (p *Proxy) delay(c chunk) {
	p.mu.Lock()
	disturbance := p.disturbance
	due := c.came.Add(disturbance.Latency)
	if disturbance.BytesPerSecond > 0 {
		begin := p.free
		if begin.Before(due) {
			begin = due
		}
		due = begin.Add(time.Duration(float64(len(c.data)) / float64(disturbance.BytesPerSecond) * float64(time.Second)))
		p.free = due
	}
	p.mu.Unlock()
	if wait := time.Until(due); wait > 0 {
		select {
		case <-time.After(wait):
		case <-p.done:
		}
	}
}
