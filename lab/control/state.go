// Package control is how other programs, and people at another terminal, talk
// to a running lab: a small HTTP API on the loopback interface, a client for
// it, and the file that says where it is.
package control

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// State says what a running lab consists of and where its parts are.
type State struct {
	// PID is the process id of the lab itself.
	PID       int             `json:"pid"`
	StartedAt instant.Instant `json:"started_at"`
	// DataDir holds logs and data. It goes away with the lab unless the user
	// chose it.
	DataDir string `json:"data_dir"`
	// Temporal is the server that is watched.
	Temporal Temporal `json:"temporal"`
	// CopilotTemporal is where the copilot's own workflows live, if the lab has
	// a second server.
	CopilotTemporal *Temporal `json:"copilot_temporal,omitempty"`
	Prometheus      Endpoint  `json:"prometheus"`
	// Loki is where the logs are, if the lab has one.
	Loki *Endpoint `json:"loki,omitempty"`
	// Postgres is the empty database for the copilot's store. Its URL holds
	// the password.
	Postgres Endpoint `json:"postgres"`
	Control  Endpoint `json:"control"`
	Workers  []Worker `json:"workers"`
	// Load is absent if the lab runs without a load generator.
	Load *Load `json:"load,omitempty"`
}

// Temporal is a Temporal server of the lab.
type Temporal struct {
	Address   string `json:"address"` // host:port of the frontend
	Namespace string `json:"namespace"`
	// MetricsURL is empty for a server that is not scraped.
	MetricsURL string `json:"metrics_url,omitempty"`
	PID        int    `json:"pid"`
}

// Endpoint is something that has a URL.
type Endpoint struct {
	URL string `json:"url"`
}

// Worker is the worker process of one task queue.
type Worker struct {
	Queue      string `json:"queue"`
	Running    bool   `json:"running"`
	PID        int    `json:"pid,omitempty"` // only while running
	MetricsURL string `json:"metrics_url"`
}

// Load is the load generator.
type Load struct {
	PerSecond    float64 `json:"per_second"`
	FailureRatio float64 `json:"failure_ratio"`
	PID          int     `json:"pid"`
}

// DefaultFile is where a lab says where it is, for the commands that look for
// one: below the user's cache directory.
func DefaultFile() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w; give --control", err)
	}
	return filepath.Join(dir, "temporal-sre-copilot", "lab.json"), nil
}

// WriteFile writes the state for other programs to read, all at once, so that
// a reader never sees half of it. It holds a password: only the user may read
// it.
func (s State) WriteFile(path string) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".lab-*.json")
	if err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	_, err = temporary.Write(append(content, '\n'))
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		os.Remove(temporary.Name())
		return fmt.Errorf("write the lab's state: %w", err)
	}
	return nil
}

// ReadFile reads a state that WriteFile wrote.
func ReadFile(path string) (State, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return State{}, err
	}
	var state State
	if err := json.Unmarshal(content, &state); err != nil {
		return State{}, fmt.Errorf("%s is not a lab's state: %w", path, err)
	}
	return state, nil
}

// RemoveFile removes the state file of the lab with the given process id. A
// file that another lab has written since is left alone.
func RemoveFile(path string, pid int) error {
	state, err := ReadFile(path)
	if err != nil || state.PID != pid {
		return nil //nolint:nilerr // no readable file of ours: nothing to remove
	}
	return os.Remove(path)
}
