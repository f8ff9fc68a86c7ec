// Package demo plays a short story on a running lab, with the copilot
// watching: a healthy cluster, one task queue without workers, a cluster
// without any, and its recovery. It checks that the copilot says so.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Health states as the copilot names them in JSON.
const (
	Happy    = "happy"
	Stressed = "stressed"
	Critical = "critical"
)

// Status is what this package reads of the copilot's JSON status.
type Status struct {
	HealthState string          `json:"health_state"`
	Confidence  float64         `json:"confidence"` // 0 to 1
	Bottleneck  string          `json:"bottleneck"`
	Blind       bool            `json:"blind"`
	Summary     string          `json:"summary"`
	ObservedAt  instant.Instant `json:"observed_at"`
	Scopes      []Scope         `json:"scopes"`
}

// Scope is the verdict on a part of the cluster.
type Scope struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	State     string `json:"state"`
}

// Impaired lists the task queues that are not happy, each once, by name. While
// the cluster is happy there are none: a queue that lags for a moment is not
// worth a word.
func (s Status) Impaired() []string {
	if s.HealthState == Happy {
		return nil
	}
	var names []string
	for _, scope := range s.Scopes {
		if scope.Kind == "task_queue" && (scope.State == Stressed || scope.State == Critical) {
			names = append(names, scope.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Copilot runs the copilot's command line.
type Copilot struct {
	Binary          string
	DatabaseURL     string // of its store
	Cluster         string // name of the watched cluster in the store
	PrometheusURL   string
	TemporalAddress string // of the server for its own workflows
	Interval        time.Duration
	// Colour asks for coloured text though a pipe is no terminal.
	Colour bool
}

// callTimeout bounds one call of the command line.
const callTimeout = 15 * time.Second

// SetupSchema creates the tables of the copilot's store.
func (c Copilot) SetupSchema(ctx context.Context) error {
	_, err := c.call(ctx, "db", "setup-schema", "--database-url", c.DatabaseURL)
	return err
}

// Start starts the copilot's worker, which observes the cluster until it is
// stopped.
func (c Copilot) Start(logFile string) (*supervise.Process, error) {
	return supervise.Start(supervise.Spec{
		Name: "copilot worker",
		Path: c.Binary,
		Args: []string{
			"worker",
			"--prometheus-url", c.PrometheusURL,
			"--temporal-address", c.TemporalAddress,
			"--database-url", c.DatabaseURL,
			"--interval", c.Interval.String(),
			"--cluster", c.Cluster,
			"--selector", fmt.Sprintf("cluster=%q", c.Cluster),
		},
		LogFile: logFile,
	})
}

// Status returns the copilot's present verdict. It fails while there is none.
func (c Copilot) Status(ctx context.Context) (Status, error) {
	out, err := c.call(ctx, "status", "--database-url", c.DatabaseURL, "--cluster", c.Cluster, "-o", "json")
	var status Status
	// The exit code may carry the state, so the answer counts, not the code.
	if decodeErr := json.Unmarshal(out, &status); decodeErr != nil {
		return Status{}, errors.Join(err, fmt.Errorf("copilot status answered no JSON: %w", decodeErr))
	}
	if status.HealthState == "" {
		return Status{}, errors.New("copilot status: no verdict yet")
	}
	return status, nil
}

// StatusText returns the copilot's present verdict as a person sees it.
func (c Copilot) StatusText(ctx context.Context) (string, error) {
	out, err := c.call(ctx, "status", "--database-url", c.DatabaseURL, "--cluster", c.Cluster)
	if len(out) > 0 {
		return string(out), nil
	}
	return "", err
}

// call runs one command and returns its standard output, also when it fails.
func (c Copilot) call(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Binary, args...)
	if c.Colour {
		cmd.Env = append(os.Environ(), "CLICOLOR_FORCE=1")
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("copilot %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}
