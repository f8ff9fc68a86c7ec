// Package supervise runs child processes for a parent that must never leave
// one behind: each writes to a log file of its own, is stopped by its own
// process id, and dies with its parent, however that ends.
//
// The parent's pipe to a child's standard input carries the child's
// configuration and later messages as JSON values; the end of that pipe tells
// the child that its parent is gone. See Child for the other end.
package supervise

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Spec describes a child process.
type Spec struct {
	// Name says to people what the process is, for example "worker billing".
	Name string
	// Path of the program and its arguments. The child's working directory is
	// that of its log file, so a relative path among the arguments is wrong.
	Path string
	Args []string
	// LogFile receives standard output and standard error. It is appended to.
	LogFile string
	// Configuration is sent to the child's standard input as JSON. Nil for
	// programs that are not ours: their standard input is empty.
	Configuration any
}

// Process is a child process that has been started.
type Process struct {
	spec     Spec
	command  *exec.Cmd
	exited   chan struct{}
	expected atomic.Bool // Stop or Kill was called

	inputMu sync.Mutex
	input   io.WriteCloser // nil if the child takes no messages
}

// Start starts a child process. The caller must call Stop or Kill.
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	defer log.Close()

	path, err := filepath.Abs(spec.Path)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	p := &Process{spec: spec, command: exec.Command(path, spec.Args...), exited: make(chan struct{})}
	// The user's working directory may go away under a child's feet.
	p.command.Dir = filepath.Dir(spec.LogFile)
	p.command.Stdout, p.command.Stderr = log, log
	tieToParent(p.command)
	if spec.Configuration != nil {
		if p.input, err = p.command.StdinPipe(); err != nil {
			return nil, fmt.Errorf("start %s: %w", spec.Name, err)
		}
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	go func() {
		// The outcome stays in the command's ProcessState, where Outcome
		// reads it.
		_ = p.command.Wait()
		close(p.exited)
	}()
	if spec.Configuration != nil {
		if err := p.Send(spec.Configuration); err != nil {
			return nil, errors.Join(err, p.Kill())
		}
	}
	return p, nil
}

// Send passes a message to the child. It fails if the child has ended or takes
// no messages.
func (p *Process) Send(message any) error {
	p.inputMu.Lock()
	defer p.inputMu.Unlock()
	if p.input == nil {
		return fmt.Errorf("%s takes no messages", p.spec.Name)
	}
	if err := json.NewEncoder(p.input).Encode(message); err != nil {
		return fmt.Errorf("send a message to %s: %w", p.spec.Name, err)
	}
	return nil
}

// Name is the name that the process was started with.
func (p *Process) Name() string { return p.spec.Name }

// PID is the process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Running reports whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Expected reports whether the process was asked to end, by Stop or Kill.
func (p *Process) Expected() bool { return p.expected.Load() }

// Outcome says how an ended process ended and what it wrote last.
func (p *Process) Outcome() string {
	if p.Running() {
		return p.spec.Name + " is running"
	}
	return fmt.Sprintf("%s ended (%v); its last lines, from %s:\n%s",
		p.spec.Name, p.command.ProcessState, p.spec.LogFile, LastLines(p.spec.LogFile, 6))
}

// Stop asks the process to end (SIGTERM) and kills it if it has not done so
// after the grace period. It returns when the process has ended.
func (p *Process) Stop(grace time.Duration) error {
	p.expected.Store(true)
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s (process %d): %w", p.spec.Name, p.PID(), err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(grace):
		return p.Kill()
	}
}

// Kill ends the process at once (SIGKILL): it gets no chance to say goodbye to
// anyone. It returns when the process has ended.
func (p *Process) Kill() error {
	p.expected.Store(true)
	if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s (process %d): %w", p.spec.Name, p.PID(), err)
	}
	<-p.exited
	return nil
}

// LastLines returns the last n lines of a log file, or why they cannot be had.
func LastLines(path string, n int) string {
	const enough = 64 << 10 // log lines with stack traces are long, yet this holds many
	file, err := os.Open(path)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > enough {
		if _, err := file.Seek(-enough, io.SeekEnd); err != nil {
			return "(" + err.Error() + ")"
		}
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
