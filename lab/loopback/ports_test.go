package loopback

import (
	"net"
	"runtime"
	"testing"
)

func TestFreePortIsInRange(t *testing.T) {
	var ports Ports
	defer ports.Close()
	port, err := ports.Pick(0)
	if err != nil {
		t.Fatal(err)
	}
	if port < firstPort || port > lastPort {
		t.Errorf("port %d is outside %d to %d", port, firstPort, lastPort)
	}
}

func TestPortStaysWithItsLab(t *testing.T) {
	var mine, others Ports
	defer mine.Close()
	defer others.Close()
	port, err := mine.Pick(0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := mine.Pick(port)
	if err != nil || again == port {
		t.Errorf("port %d was handed out twice (%v)", port, err)
	}
	if runtime.GOOS != "linux" {
		return // elsewhere labs cannot tell one another
	}
	for range 2 { // a server comes, goes, and comes again
		if other, err := others.Pick(port); err != nil || other == port {
			t.Errorf("another lab got port %d (%v), too", other, err)
		}
		listener, err := net.Listen("tcp", Address(port))
		if err != nil {
			t.Fatalf("listen on the lab's own port: %v", err)
		}
		listener.Close()
	}
	mine.Close()
	if other, err := others.Pick(port); err != nil || other != port {
		t.Errorf("after Close another lab got port %d (%v), want %d", other, err, port)
	}
}

func TestPortThatSomebodyListensOnIsLeftAlone(t *testing.T) {
	listener, err := net.Listen("tcp", Address(0))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port
	var ports Ports
	defer ports.Close()
	if port, err := ports.Pick(taken); err != nil || port == taken {
		t.Errorf("got port %d (%v), on which somebody listens", port, err)
	}
}
