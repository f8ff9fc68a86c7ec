package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
)

// exit codes of "copilot check"
const (
	happy = iota
	stressed
	critical
	unknown
)

// The line as its users see it: a real cluster under load, what check says of
// it, and what a real worker stores, while a queue's workers stop and then all.
// What Grafana shows of a real worker's store is tested in ../../plugin.
func TestLine(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	p := startPlace(t)
	p.awaitMetrics(t)
	p.startWorker(t)

	// The fault comes after enough has been seen to know what is usual.
	p.awaitCheck(t, happy, 2*time.Minute)
	time.Sleep(20 * time.Second)
	p.awaitCheck(t, happy, 2*time.Minute) // a busy machine may be slow now and then
	status, _ := p.check1(t)
	wantContract(t, status)

	queue := "billing"
	if err := p.lab.StopWorkers(t.Context(), queue, true); err != nil {
		t.Fatal(err)
	}
	p.awaitCheck(t, stressed, time.Minute)
	p.await(t, "the stopped queue to be named", 2*time.Minute, func() bool {
		status, code := p.check1(t)
		return code == stressed && slices.ContainsFunc(status["scopes"].([]any), func(s any) bool {
			scope := s.(map[string]any)
			return scope["kind"] == "task_queue" && scope["name"] == queue && scope["state"] == "critical"
		})
	})
	for _, queue := range workload.Queues() {
		if queue == "billing" {
			continue
		}
		if err := p.lab.StopWorkers(t.Context(), queue, true); err != nil {
			t.Fatal(err)
		}
	}
	p.awaitCheck(t, critical, 3*time.Minute)

	t.Run("nothing usable is unknown", func(t *testing.T) {
		for name, url := range map[string]string{
			"nobody listens":            "http://127.0.0.1:1",
			"no Prometheus":             "http://" + p.lab.State().CopilotTemporal.Address,
			"Prometheus without a path": p.prometheusURL + "/nowhere",
		} {
			out, code := run(t, p.binary, "check", "--prometheus-url", url, "--prometheus-timeout", "3s")
			if code != unknown || strings.Contains(out, "goroutine") || strings.Contains(strings.ToLower(out), "● happy") {
				t.Errorf("%s: exit %d\n%s", name, code, out)
			}
		}
		out, code := run(t, p.binary, "check", "--prometheus-url", p.prometheusURL, "--selector", `cluster="nobody"`)
		if code != unknown || !strings.Contains(out, "holds no metrics of a Temporal server") {
			t.Errorf("a selector that fits nothing: exit %d\n%s", code, out)
		}
	})
	t.Run("status", func(t *testing.T) { p.wantStoredStatus(t) })
}

// run runs the program and returns all that it said with its exit code.
func run(t *testing.T, program string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// check1 runs check once and returns its JSON and its exit code.
func (p *place) check1(t *testing.T) (map[string]any, int) {
	t.Helper()
	out, code := run(t, p.binary, "check", "--prometheus-url", p.prometheusURL, "--selector", selector, "--step", "2s", "-o", "json")
	var status map[string]any
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		t.Fatalf("check says no JSON: %v\n%s", err, out)
	}
	return status, code
}

// await waits until something holds.
func (p *place) await(t *testing.T, what string, within time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(2 * time.Second) {
		if time.Now().After(deadline) {
			status, code := p.check1(t)
			t.Fatalf("waited %s in vain for %s; check exits %d: %v", within, what, code, status["summary"])
		}
	}
}

func (p *place) awaitCheck(t *testing.T, code int, within time.Duration) {
	t.Helper()
	p.await(t, fmt.Sprintf("check to exit %d", code), within, func() bool {
		_, got := p.check1(t)
		return got == code
	})
}

// wantContract looks for the fields that programs rely on (R6.2 and the rest
// of the contract).
func wantContract(t *testing.T, status map[string]any) {
	t.Helper()
	for _, field := range []string{
		"health_state", "primary_signals", "amplifiers", "log_patterns", "recommended_actions",
		"observed_at", "confidence", "coverage", "bottleneck", "gates", "scopes", "issues", "summary",
	} {
		if _, there := status[field]; !there {
			t.Errorf("check's JSON has no %s", field)
		}
	}
	primaries, _ := status["primary_signals"].(map[string]any)
	amplifiers, _ := status["amplifiers"].(map[string]any)
	if v, ok := primaries["state_transitions_per_sec"].(float64); !ok || v <= 0 {
		t.Errorf("state_transitions_per_sec is %v", primaries["state_transitions_per_sec"])
	}
	if _, there := primaries["backlog_age_sec"]; !there {
		t.Error("backlog_age_sec is not there")
	}
	if v, ok := amplifiers["dsql_latency_ms"].(float64); !ok || v <= 0 {
		t.Errorf("dsql_latency_ms is %v", amplifiers["dsql_latency_ms"])
	}
	if v, there := amplifiers["occ_conflicts_per_sec"]; !there || v != nil {
		t.Errorf("occ_conflicts_per_sec is %v on a database that has none; want null", v)
	}
}

// wantStoredStatus compares what status says with what the worker stored.
func (p *place) wantStoredStatus(t *testing.T) {
	p.await(t, "the worker to store a critical verdict", time.Minute, func() bool {
		out, code := run(t, p.binary, "status", "--database-url", p.lab.State().Postgres.URL, "--cluster", cluster, "-o", "json")
		var status map[string]any
		if json.Unmarshal([]byte(out), &status) != nil {
			t.Fatalf("status exits %d: %s", code, out)
		}
		return status["health_state"] == "critical" && status["stale"] == false && code == 2
	})
	out, code := run(t, p.binary, "status", "--database-url", p.lab.State().Postgres.URL, "--cluster", "nobody")
	if code == 0 || !strings.Contains(out, `cluster "nobody" is not known; the store holds: lab`) || strings.Count(out, "\n") != 1 {
		t.Errorf("an unknown cluster: exit %d\n%s", code, out)
	}
}

// publicDir is a temporary directory that other users may enter: PostgreSQL
// runs as another one when the test runs as root, and t.TempDir is private.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "copilot-integration-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Every query of the catalogue is understood by a real Prometheus, and those
// that should have data on a healthy cluster under load have it, in both
// dialects of the server.
func TestCatalogueOnRealMetrics(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	// What a healthy cluster on PostgreSQL does not have, and why.
	const never = "not a healthy cluster's"
	without := map[health.SignalID]string{
		health.OCCConflicts:            "only on Aurora DSQL",
		health.RequestsRefused:         never,
		health.PersistenceErrors:       never,
		health.Throttled:               never,
		health.ShardChurn:              never,
		health.WorkflowsFailed:         never,
		health.TasksBacklogged:         never,
		health.StickyCacheMisses:       never,
		health.PollFailures:            never,
		health.WorkflowTaskFailures:    never,
		health.PollsThrottled:          never,
		health.ThrottledByRate:         never,
		health.ThrottledByConcurrency:  never,
		health.ThrottledByPersistence:  never,
		health.ThrottledByOverload:     never,
		health.ThrottledByBusyWorkflow: never,
		health.PersistenceThrottled:    never,
		health.StickyCacheEvictions:    never,
		health.PoolWaits:               "only on Aurora DSQL",
		health.ReservoirFill:           "only on Aurora DSQL",
		health.ReservoirEmpty:          "only on Aurora DSQL",
		health.ConnectionFailures:      "only on Aurora DSQL",
		health.HistoryBacklogAge:       "this server does not export it yet",
		health.ServerRestarts:          "nothing is known of ten minutes ago",
		health.MembershipChanges:       "one server has no changes to notice",
		// The server refreshes these once a minute, which is longer than the test.
		health.BacklogCount:    "refreshed once a minute",
		health.BacklogAge:      "refreshed once a minute",
		health.PoolUtilization: "refreshed once a minute",
	}
	dir := publicDir(t)
	build(t, "..", filepath.Join(dir, "lab"), "./cmd/lab")
	for _, dialect := range []string{temporal.Tally, temporal.OpenTelemetry} {
		t.Run(dialect, func(t *testing.T) {
			l, err := lab.Up(t.Context(), lab.Options{
				Program: filepath.Join(dir, "lab"), DataDir: filepath.Join(dir, dialect),
				ScrapeInterval: time.Second, ServerMetrics: dialect, Rate: workload.Rate{PerSecond: 10},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}()
			observer, err := prometheus.New(prometheus.Config{URL: l.State().Prometheus.URL, Cluster: cluster, Selector: selector})
			if err != nil {
				t.Fatal(err)
			}
			var observation health.Observation
			empty := func() []string {
				now := instant.System.Now().Truncate(time.Second)
				observations, err := observer.Observe(t.Context(), now, now, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				observation = observations[0]
				var names []string
				for i := range observation.Measurements {
					m := &observation.Measurements[i]
					if _, excused := without[m.Signal]; !excused && (m.Status != health.OK || len(m.Samples) == 0) {
						names = append(names, fmt.Sprintf("%s is %s (%s)", m.Signal, m.Status, m.Reason))
					}
				}
				return names
			}
			deadline := time.Now().Add(3 * time.Minute)
			for missing := empty(); len(missing) > 0; missing = empty() {
				if time.Now().After(deadline) {
					t.Fatalf("no data in %s:\n%s", observation.Source.Dialect, strings.Join(missing, "\n"))
				}
				time.Sleep(2 * time.Second)
			}
			for i := range observation.Measurements {
				if m := &observation.Measurements[i]; m.Status == health.Failed {
					t.Errorf("%s: %s", m.Signal, m.Reason)
				}
			}
			if !strings.HasPrefix(observation.Source.Dialect, "server="+dialect) {
				t.Errorf("the dialect was taken for %s", observation.Source.Dialect)
			}
			if m := observation.Signal(health.PersistenceLatency); m.Value == nil || *m.Value < 0.1 || *m.Value > 60_000 {
				t.Errorf("persistence latency is %v ms", m.Value)
			}
		})
	}
}
