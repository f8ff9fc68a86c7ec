package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// patience is how long an answer may take that comes at once on an idle machine.
const patience = 30 * time.Second

// echo starts a server that answers each line with its name and the line.
func echo(t *testing.T, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				lines := bufio.NewScanner(connection)
				for lines.Scan() {
					fmt.Fprintf(connection, "%s %s\n", name, lines.Text())
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func start(t *testing.T, servers ...string) *Proxy {
	t.Helper()
	p, err := Listen(t.Context(), "127.0.0.1:0", servers...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// talker asks over one connection.
type talker struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *Proxy) *talker {
	t.Helper()
	connection, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return &talker{Conn: connection, lines: bufio.NewReader(connection)}
}

func (c *talker) ask(what string, patience time.Duration) (string, error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(c, what); err != nil {
		return "", err
	}
	answer, err := c.lines.ReadString('\n')
	return strings.TrimSpace(answer), err
}

func TestForwardsInTurn(t *testing.T) {
	p := start(t, echo(t, "one"), echo(t, "two"))
	seen := map[string]bool{}
	for range 2 {
		answer, err := dial(t, p).ask("hello", patience)
		if err != nil {
			t.Fatal(err)
		}
		seen[answer] = true
	}
	if !seen["one hello"] || !seen["two hello"] {
		t.Errorf("answers are %v", seen)
	}
}

func TestPassesOverADeadServer(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	p := start(t, dead.Addr().String(), echo(t, "two"))
	for range 2 {
		if answer, err := dial(t, p).ask("hello", patience); err != nil || answer != "two hello" {
			t.Errorf("answer is %q (%v)", answer, err)
		}
	}
}

func TestLatencyDelaysAnswers(t *testing.T) {
	p := start(t, echo(t, "one"))
	client := dial(t, p)
	p.Disturb(Disturbance{Latency: 100 * time.Millisecond})
	begin := time.Now()
	if _, err := client.ask("hello", patience); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("the answer took %v", took)
	}
}

func TestBandwidthBoundsAnswers(t *testing.T) {
	p := start(t, echo(t, "one"))
	client := dial(t, p)
	p.Disturb(Disturbance{BytesPerSecond: 1000})
	begin := time.Now()
	if _, err := client.ask(strings.Repeat("x", 200), patience); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("200 bytes at 1000 a second took %v", took)
	}
}

func TestRefuseResetsOldAndNew(t *testing.T) {
	p := start(t, echo(t, "one"))
	old := dial(t, p)
	if _, err := old.ask("hello", patience); err != nil {
		t.Fatal(err)
	}
	p.Disturb(Disturbance{Refuse: true})
	if answer, err := old.ask("hello", patience); err == nil {
		t.Errorf("an old connection answers %q", answer)
	}
	// The reset may come before the client has seen its connection open.
	if connection, err := net.Dial("tcp", p.Address()); err == nil {
		client := &talker{Conn: connection, lines: bufio.NewReader(connection)}
		if answer, err := client.ask("hello", patience); err == nil {
			t.Errorf("a new connection answers %q", answer)
		}
		connection.Close()
	}
	p.Disturb(Disturbance{})
	if _, err := dial(t, p).ask("hello", patience); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestBlackHoleKeepsConnectionsOpen(t *testing.T) {
	p := start(t, echo(t, "one"))
	client := dial(t, p)
	p.Disturb(Disturbance{BlackHole: true})
	if answer, err := client.ask("hello", 200*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("answer is %q (%v), want none in time", answer, err)
	}
	p.Disturb(Disturbance{})
	// What was swallowed arrives late, as after lost packets.
	if err := client.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if answer, err := client.lines.ReadString('\n'); err != nil || answer != "one hello\n" {
		t.Errorf("answer is %q (%v)", answer, err)
	}
}
