package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleEnv makes the test program play a child or a parent instead of running
// its tests.
const roleEnv = "SUPERVISE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "child":
		playChild()
	case "parent":
		playParent()
	default:
		os.Exit(m.Run())
	}
}

// playChild prints what it is told until it is stopped.
func playChild() {
	var configuration string
	child, err := NewChild(os.Stdin, &configuration)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("configured", configuration)
	ctx, cancel := child.Context(context.Background(), func(message json.RawMessage) {
		fmt.Println("message", string(message))
	})
	defer cancel()
	<-ctx.Done()
	if errors.Is(context.Cause(ctx), ErrParentGone) {
		fmt.Println("orphaned")
		return
	}
	fmt.Println("stopped")
}

// playParent starts a child, tells its process id, and waits to be killed.
func playParent() {
	os.Setenv(roleEnv, "child")
	child, err := Start(childSpec(os.Args[1]))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(child.PID())
	select {}
}

func childSpec(logFile string) Spec {
	return Spec{Name: "child", Path: os.Args[0], LogFile: logFile, Configuration: "for testing"}
}

func startChild(t *testing.T) (process *Process, logFile string) {
	t.Helper()
	t.Setenv(roleEnv, "child")
	logFile = filepath.Join(t.TempDir(), "child.log")
	process, err := Start(childSpec(logFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Kill(); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, "the child's greeting", func() bool {
		return strings.Contains(LastLines(logFile, 10), "configured for testing")
	})
	return process, logFile
}

func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !happened() {
		select {
		case <-deadline:
			t.Fatalf("waited a minute for %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestMessagesReachTheChildAndStopIsOrderly(t *testing.T) {
	process, logFile := startChild(t)
	if err := process.Send(map[string]int{"per_second": 5}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the message", func() bool {
		return strings.Contains(LastLines(logFile, 10), `message {"per_second":5}`)
	})
	if process.Expected() {
		t.Error("nobody has asked the process to end yet")
	}
	if err := process.Stop(time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := LastLines(logFile, 1); got != "stopped" {
		t.Errorf("the child's last word = %q, want stopped", got)
	}
	if !process.Expected() || process.Running() {
		t.Errorf("after Stop: expected %v, running %v", process.Expected(), process.Running())
	}
}

func TestUnexpectedEndIsTold(t *testing.T) {
	process, _ := startChild(t)
	if err := syscall.Kill(process.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-process.Exited()
	if process.Expected() {
		t.Error("an end that nobody asked for counts as expected")
	}
	if got := process.Outcome(); !strings.Contains(got, "killed") || !strings.Contains(got, "configured for testing") {
		t.Errorf("Outcome() = %q, want the signal and the last lines", got)
	}
}

func TestClosedPipeTellsTheChild(t *testing.T) {
	process, logFile := startChild(t)
	if err := process.input.Close(); err != nil {
		t.Fatal(err)
	}
	<-process.Exited()
	if got := LastLines(logFile, 1); got != "orphaned" {
		t.Errorf("the child's last word = %q, want orphaned", got)
	}
}

func TestChildDiesWithAKilledParent(t *testing.T) {
	t.Setenv(roleEnv, "parent")
	dir := t.TempDir()
	parentLog := filepath.Join(dir, "parent.log")
	parent, err := Start(Spec{Name: "parent", Path: os.Args[0], Args: []string{filepath.Join(dir, "child.log")}, LogFile: parentLog})
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	waitFor(t, "the child's process id", func() bool {
		pid, err = strconv.Atoi(LastLines(parentLog, 1))
		return err == nil
	})
	if err := parent.Kill(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the child's end", func() bool {
		return !alive(pid)
	})
}

// alive reports whether a process exists and has not become a zombie, which a
// container without an init process never reaps.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
