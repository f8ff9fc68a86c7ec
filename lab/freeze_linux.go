package lab

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// freezeEvery is how often the database is looked at for new backends.
const freezeEvery = 10 * time.Millisecond

// freeze keeps PostgreSQL's backends stopped: connections stay open, are even
// accepted, and nothing is ever answered, as on a machine whose disk hangs.
// The main process goes on, so that it can end its backends if the lab dies.
type freeze struct {
	postmaster int
	stop       chan struct{}
	stopped    chan struct{}
}

// startFreeze freezes all present and future children of a process.
func startFreeze(postmaster int) *freeze {
	f := &freeze{postmaster: postmaster, stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(f.stopped)
		ticks := time.NewTicker(freezeEvery)
		defer ticks.Stop()
		for {
			f.signal(syscall.SIGSTOP)
			select {
			case <-ticks.C:
			case <-f.stop:
				f.signal(syscall.SIGCONT)
				return
			}
		}
	}()
	return f
}

// end lets everything go on.
func (f *freeze) end() {
	select {
	case <-f.stop:
	default:
		close(f.stop)
	}
	<-f.stopped
}

func (f *freeze) signal(signal syscall.Signal) {
	for _, pid := range children(f.postmaster) {
		// One that has just ended needs no signal.
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return
		}
	}
}

// children lists a process's children.
func children(pid int) []int {
	content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(pid) + "/children")
	if err != nil {
		return nil // the process has ended
	}
	var pids []int
	for field := range strings.FieldsSeq(string(content)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}
