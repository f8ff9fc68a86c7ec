// Package loki runs a real Loki that the lab's logs are pushed to.
package loki

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/temporal-sre/copilot/lab/binary"
	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/supervise"
)

// BinaryEnv names the environment variable that holds the path of the Loki to
// run.
const BinaryEnv = "COPILOT_LAB_LOKI"

// ErrNoBinary reports that there is no Loki to run.
var ErrNoBinary = errors.New("no Loki binary found")

// Find returns the path of the Loki to run; see binary.Program.
func Find(given string) (string, error) {
	return binary.Program{Name: "loki", Env: BinaryEnv, Target: "build:loki", Missing: ErrNoBinary}.Find(given)
}

// Config describes a Loki: one process that does everything, with its data in
// files, for one tenant.
type Config struct {
	Binary string
	// Port is that of its HTTP API, GRPCPort that on which it talks to itself.
	Port, GRPCPort int
	// Dir is an existing directory for its configuration and data.
	Dir     string
	LogFile string
}

// URL is the base of the HTTP API.
func (cfg Config) URL() string { return "http://" + loopback.Address(cfg.Port) }

// ReadyURL answers 200 when everything can be pushed and queried.
func (cfg Config) ReadyURL() string { return cfg.URL() + "/ready" }

// Start starts a Loki. It is ready when it answers GET ReadyURL with 200.
func Start(cfg Config) (*supervise.Process, error) {
	content, err := json.MarshalIndent(cfg.file(), "", "  ") // JSON is YAML
	if err != nil {
		return nil, fmt.Errorf("configure Loki: %w", err)
	}
	file := filepath.Join(cfg.Dir, "loki.yaml")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return nil, fmt.Errorf("configure Loki: %w", err)
	}
	return supervise.Start(supervise.Spec{
		Name:    "Loki",
		Path:    cfg.Binary,
		Args:    []string{"-config.file=" + file},
		LogFile: cfg.LogFile,
	})
}
