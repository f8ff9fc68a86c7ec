package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// reserve binds a port without listening on it. SO_REUSEPORT lets Listen bind
// it, too, if the same user calls it; everybody else is told that it is in use.
func reserve(port int) (*os.File, error) {
	// Between its creation and CloseOnExec no child may be started, or it
	// would hold the socket.
	syscall.ForkLock.RLock()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(socket), fmt.Sprintf("port %d", port))
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Listen listens on an address whose port may be reserved.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, connection syscall.RawConn) error {
		var optionErr error
		err := connection.Control(func(socket uintptr) {
			optionErr = unix.SetsockoptInt(int(socket), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		return errors.Join(err, optionErr)
	}}
	return config.Listen(ctx, "tcp", address)
}
