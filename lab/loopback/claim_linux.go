package loopback

import (
	"io"
	"net"
	"strconv"
)

// claim tells all labs of this machine that a port is taken, until the claim is
// closed or the process ends. It listens under a name that only one process can
// have: an abstract Unix socket, which leaves no file behind.
func claim(port int) (io.Closer, error) {
	return net.Listen("unix", "@temporal-sre-copilot/lab/port/"+strconv.Itoa(port))
}
