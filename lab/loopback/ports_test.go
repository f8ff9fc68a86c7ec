package loopback

import (
	"net"
	"testing"
)

func TestPortsAreHandedOutOnce(t *testing.T) {
	var ports Ports
	first, err := ports.Pick(0)
	if err != nil {
		t.Fatal(err)
	}
	if first < firstPort || first > lastPort {
		t.Errorf("port %d is outside %d to %d", first, firstPort, lastPort)
	}
	second, err := ports.Pick(first)
	if err != nil {
		t.Fatal(err)
	}
	if second == first {
		t.Errorf("port %d was handed out twice", first)
	}
}

func TestReservedPortIsFoundAgain(t *testing.T) {
	var mine, others Ports
	defer mine.Close()
	port, err := mine.Reserve(0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a server comes, goes, and comes again
		if _, err := net.Dial("tcp", Address(port)); err == nil {
			t.Error("a connection was accepted though nobody listens")
		}
		if other, err := others.Pick(port); err != nil || other == port {
			t.Errorf("others got port %d (%v), which is reserved", other, err)
		}
		listener, err := Listen(t.Context(), Address(port))
		if err != nil {
			t.Fatalf("listen on a reserved port: %v", err)
		}
		connection, err := net.Dial("tcp", Address(port))
		if err != nil {
			t.Fatalf("connect to a reserved port that is listened on: %v", err)
		}
		connection.Close()
		listener.Close()
	}
	mine.Close()
	if other, err := others.Pick(port); err != nil || other != port {
		t.Errorf("after Close others got port %d (%v), want %d", other, err, port)
	}
}
