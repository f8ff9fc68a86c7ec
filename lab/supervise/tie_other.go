//go:build !linux

package supervise

import "os/exec"

// tieToParent does nothing where the kernel has no such service. Our own
// programs notice the end of their standard input instead; others, such as
// Prometheus, outlive a parent that was killed and so could not stop them.
func tieToParent(*exec.Cmd) {}
