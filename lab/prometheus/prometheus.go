// Package prometheus runs a real Prometheus that scrapes the lab.
package prometheus

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/temporal-sre/copilot/lab/binary"
	"github.com/temporal-sre/copilot/lab/supervise"
)

// BinaryEnv names the environment variable that holds the path of the
// Prometheus to run.
const BinaryEnv = "COPILOT_LAB_PROMETHEUS"

// ErrNoBinary reports that there is no Prometheus to run.
var ErrNoBinary = errors.New("no Prometheus binary found")

// Find returns the path of the Prometheus to run; see binary.Program.
func Find(given string) (string, error) {
	return binary.Program{Name: "prometheus", Env: BinaryEnv, Target: "build:prometheus", Missing: ErrNoBinary}.Find(given)
}

// Job is a group of targets that are scraped alike.
type Job struct {
	Name    string
	Targets []string // host:port, each serving /metrics
}

// Config describes a Prometheus.
type Config struct {
	Binary string
	// Address is the host:port of its HTTP API.
	Address string
	// Dir is an existing directory for its configuration and data.
	Dir     string
	LogFile string
	// ScrapeInterval is at least a second.
	ScrapeInterval time.Duration
	// Labels are put on every series, such as the name of the cluster.
	Labels map[string]string
	Jobs   []Job
	// Retention is how long samples are kept, as Prometheus writes durations.
	// Empty: longer than a lab lives.
	Retention string
}

// DataDir is where a Prometheus with the given Config.Dir keeps its data.
func DataDir(dir string) string { return filepath.Join(dir, "data") }

// Reload makes a running Prometheus take another configuration. What it no
// longer scrapes ends with stale markers, as in production.
func Reload(process *supervise.Process, cfg Config) error {
	if _, err := cfg.write(); err != nil {
		return err
	}
	if err := syscall.Kill(process.PID(), syscall.SIGHUP); err != nil {
		return fmt.Errorf("reload the configuration of Prometheus: %w", err)
	}
	return nil
}

// write writes the configuration file and returns its path.
func (cfg Config) write() (string, error) {
	file := filepath.Join(cfg.Dir, "prometheus.yml")
	content, err := cfg.file()
	if err != nil {
		return "", fmt.Errorf("configure Prometheus: %w", err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return "", fmt.Errorf("configure Prometheus: %w", err)
	}
	return file, nil
}

// Start starts a Prometheus. It is ready when it answers GET /-/ready with 200.
func Start(cfg Config) (*supervise.Process, error) {
	file, err := cfg.write()
	if err != nil {
		return nil, err
	}
	return supervise.Start(supervise.Spec{
		Name: "Prometheus",
		Path: cfg.Binary,
		Args: []string{
			"--config.file=" + file,
			"--storage.tsdb.path=" + DataDir(cfg.Dir),
			"--storage.tsdb.retention.time=" + cmp.Or(cfg.Retention, "7d"),
			"--web.listen-address=" + cfg.Address,
		},
		LogFile: cfg.LogFile,
	})
}

// file returns the configuration file. JSON is YAML.
func (cfg Config) file() ([]byte, error) {
	type target struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	type job struct {
		Name    string   `json:"job_name"`
		Targets []target `json:"static_configs"`
	}
	jobs := []job{}
	for _, j := range cfg.Jobs {
		jobs = append(jobs, job{Name: j.Name, Targets: []target{{Targets: j.Targets, Labels: cfg.Labels}}})
	}
	seconds := fmt.Sprintf("%ds", max(1, int(cfg.ScrapeInterval.Seconds())))
	return json.MarshalIndent(map[string]any{
		"global":         map[string]any{"scrape_interval": seconds, "scrape_timeout": seconds},
		"scrape_configs": jobs,
	}, "", "  ")
}
