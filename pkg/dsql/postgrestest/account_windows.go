package postgrestest

import (
	"os"
	"os/exec"
)

// account is not needed on Windows, where PostgreSQL gives up administrator
// rights by itself. Every method is called on nil.
type account struct{ name string }

func serverAccount() (*account, error) { return nil, nil }

func (*account) own(string) error      { return nil }
func (*account) apply(*exec.Cmd)       {}
func (*account) canReach(string) error { return nil }

// requestStop has no gentler way to offer: Windows processes take no signals.
func requestStop(process *os.Process, _ bool) error { return process.Kill() }
