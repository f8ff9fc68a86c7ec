//go:build !linux

package postgrestest

import "os/exec"

// dieWithParent does nothing where the kernel has no such service: there a
// server outlives a program that was killed before it could call Stop.
func dieWithParent(*exec.Cmd) {}
