package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestSweepRemovesOnlyWhatKilledLabsLeft(t *testing.T) {
	// A process that has ended, and whose id is therefore free.
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	dead := directoryPrefix + strconv.Itoa(ended.Process.Pid) + "-1"
	alive := directoryPrefix + strconv.Itoa(os.Getpid()) + "-2"
	strange := directoryPrefix + "notes"
	for _, name := range []string{dead, alive, strange, "other"} {
		if err := os.MkdirAll(filepath.Join(parent, name, "logs"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweep(parent); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{dead: false, alive: true, strange: true, "other": true} {
		if _, err := os.Stat(filepath.Join(parent, name)); (err == nil) != stays {
			t.Errorf("%s: stays %v, want %v", name, err == nil, stays)
		}
	}
}

func TestChosenDirectoryStays(t *testing.T) {
	chosen := filepath.Join(t.TempDir(), "kept")
	dir, err := openDirectory(chosen)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir.log("worker billing")); !os.IsNotExist(err) {
		t.Errorf("a log that nobody wrote: %v", err)
	}
	if _, err := os.Stat(dir.logs()); err != nil {
		t.Errorf("the directory that the user chose is gone: %v", err)
	}
}
