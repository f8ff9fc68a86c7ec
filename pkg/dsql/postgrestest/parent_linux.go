package postgrestest

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets the kernel end the server (an immediate shutdown, which
// takes its backends along) when this program dies without calling Stop, and
// keeps an interrupt typed at the terminal from it: whoever started the server
// decides when it stops.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	cmd.SysProcAttr.Setpgid = true
}
