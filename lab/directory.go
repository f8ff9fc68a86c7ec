package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// directoryPrefix begins the name of every directory that the lab makes for
// itself.
const directoryPrefix = "temporal-sre-lab-"

// directory is where one lab keeps its logs and data.
type directory struct {
	path      string
	temporary bool
}

// openDirectory makes the directory of a new lab: the one that the user chose,
// which stays, or a temporary one, which goes with the lab.
func openDirectory(chosen string) (directory, error) {
	if chosen == "" {
		if err := sweep(os.TempDir()); err != nil {
			return directory{}, err
		}
		path, err := os.MkdirTemp("", directoryPrefix+strconv.Itoa(os.Getpid())+"-")
		if err != nil {
			return directory{}, fmt.Errorf("make a directory for the lab: %w", err)
		}
		return directory{path: path, temporary: true}.prepare()
	}
	path, err := filepath.Abs(chosen)
	if err != nil {
		return directory{}, fmt.Errorf("data directory %s: %w", chosen, err)
	}
	return directory{path: path}.prepare()
}

func (d directory) prepare() (directory, error) {
	for _, path := range []string{d.path, d.logs(), d.prometheus()} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return d, fmt.Errorf("make the lab's directory: %w", err)
		}
	}
	// PostgreSQL may have to run as another user, who must be able to enter.
	if err := os.Chmod(d.path, 0o755); err != nil {
		return d, fmt.Errorf("make the lab's directory: %w", err)
	}
	return d, nil
}

func (d directory) logs() string       { return filepath.Join(d.path, "logs") }
func (d directory) prometheus() string { return filepath.Join(d.path, "prometheus") }
func (d directory) loki() string       { return filepath.Join(d.path, "loki") }

// log returns the log file of a part of the lab.
func (d directory) log(part string) string {
	return filepath.Join(d.logs(), fileName(part)+".log")
}

// fileName is what a part is called where names hold no spaces.
func fileName(part string) string { return strings.ReplaceAll(strings.ToLower(part), " ", "-") }

// close removes a temporary directory.
func (d directory) close() error {
	if !d.temporary {
		return nil
	}
	return os.RemoveAll(d.path)
}

// sweep removes what labs left behind that were killed and could not remove it
// themselves. The process id in a directory's name tells whether its lab is
// still there.
func sweep(parent string) error {
	left, err := filepath.Glob(filepath.Join(parent, directoryPrefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), directoryPrefix), "-")
		pid, err := strconv.Atoi(number)
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		// Another user's leavings are another user's to remove.
		if err := os.RemoveAll(path); err != nil && !errors.Is(err, os.ErrPermission) {
			return fmt.Errorf("remove what a killed lab left behind: %w", err)
		}
	}
	return nil
}
