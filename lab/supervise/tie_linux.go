package supervise

import (
	"os/exec"
	"syscall"
)

// tieToParent lets the kernel kill the child when this program dies, and puts
// it in a process group of its own: an interrupt typed at the terminal goes to
// the parent alone, which then stops its children in order.
func tieToParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
