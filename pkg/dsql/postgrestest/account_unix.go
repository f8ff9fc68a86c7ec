//go:build unix

package postgrestest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// unprivileged lists the accounts that a server started by root may run as.
// Both have no rights of their own anywhere; "nobody" exists on every system.
var unprivileged = []string{"nobody", "postgres"}

// account is the user that the server runs as. Nil means the present user:
// PostgreSQL refuses to run as root only.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount returns nil for an ordinary user and an unprivileged account
// for root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range unprivileged {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s has id %q: %w", name, found.Uid, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s has group id %q: %w", name, found.Gid, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root and none of the users %v exists; run as an ordinary user", unprivileged)
}

// own gives a file to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// apply makes a command run as the account.
func (a *account) apply(cmd *exec.Cmd) {
	if a == nil {
		return
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// canReach reports the first directory on the way to path that the account may
// not enter. Only the permission bits for everyone are looked at: the accounts
// in question own nothing and belong to no group.
func (a *account) canReach(path string) error {
	if a == nil {
		return nil
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for dir := resolved; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("%s may not enter %s (mode %v)", a.name, dir, info.Mode())
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// requestStop asks for a fast shutdown in order (SIGINT), or an immediate one
// (SIGQUIT).
func requestStop(process *os.Process, inOrder bool) error {
	if inOrder {
		return process.Signal(syscall.SIGINT)
	}
	return process.Signal(syscall.SIGQUIT)
}
