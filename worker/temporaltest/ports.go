package temporaltest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports are looked for where a Temporal server can keep them, in a column that
// goes no further than 32767, and below what systems take for outgoing
// connections.
const (
	firstPort = 20000
	lastPort  = 32767
)

// FreeAddress returns a host:port on loopback for a program that a test is going
// to start. No other test and no lab of this machine gets it until the test
// ends, also before the program listens there.
func FreeAddress(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePort(t))
}

// freePort returns a port that nobody listens on, claimed until the test ends.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		claimed, err := claim(port)
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			_ = claimed.Close()
			continue
		}
		_ = listener.Close()
		t.Cleanup(func() { _ = claimed.Close() })
		return port
	}
	t.Fatalf("no free port between %d and %d", firstPort, lastPort)
	return 0
}
