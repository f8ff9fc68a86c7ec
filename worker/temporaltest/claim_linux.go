package temporaltest

import (
	"io"
	"net"
	"strconv"
)

// claim tells all tests and labs of this machine that a port is taken, until the
// claim is closed or the process ends. The name, which only one process can
// have, is the lab's own; an abstract Unix socket leaves no file behind.
func claim(port int) (io.Closer, error) {
	return net.Listen("unix", "@temporal-sre-copilot/lab/port/"+strconv.Itoa(port))
}
