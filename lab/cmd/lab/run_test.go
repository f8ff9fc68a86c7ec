package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/lab/logs"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/loki/lokitest"
	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/lab/scenario"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
)

// everything does each kind of fault once, for some seconds. What the verdicts
// are then says nothing; that a cluster survives it and a recording comes of
// it does.
const everything = `
name: everything
description: Each kind of fault, for some seconds.
duration: 80s
step: 5s
workload: {rate: 5}
workers:
  billing: {cached_workflows: 50}
topology: {servers: 2, history_shards: 8, scrape_interval: 5s, logs: FORMAT}
faults:
  - {at: 5s, for: 5s, kind: traffic, rate: 15, failure_ratio: 0.5}
  - {at: 5s, for: 10s, kind: activities_slow, queues: [orders], takes: 1s}
  - {at: 10s, for: 5s, kind: deletion_storm, per_second: 20}
  - {at: 10s, for: 5s, kind: namespace_limit, rps: 10}
  - {at: 12s, for: 5s, kind: workers_misconfigured, queues: [billing], worker: {pollers: 1, activity_slots: 1}}
  - {at: 15s, for: 4s, kind: database_conflicts, share: 0.3}
  - {at: 15s, for: 5s, kind: workflow_tasks_fail, queues: [shipping]}
  - {at: 15s, for: 5s, kind: activities_panic, queues: [sessions]}
  - {at: 20s, for: 5s, kind: database_slow, latency: 20ms, bytes_per_second: 1000000}
  - {at: 26s, for: 3s, kind: database_cut_off, how: refuse}
  - {at: 30s, for: 3s, kind: database_cut_off, how: black_hole}
  - {at: 34s, for: 3s, kind: database_frozen}
  - {at: 38s, kind: workers_restarted, queues: [shipping], pause: 1s}
  - {at: 40s, for: 5s, kind: workers_stopped, queues: [sessions]}
  - {at: 40s, for: 5s, kind: workers_killed, queues: [billing]}
  - {at: 46s, kind: servers_restarted, servers: [1], pause: 1s}
  - {at: 52s, for: 4s, kind: servers_killed, servers: [2]}
  - {at: 58s, for: 3s, kind: servers_stopped, servers: [1]}
  - {at: 62s, for: 6s, kind: scrape_gap, jobs: [worker]}
  - {at: 62s, for: 6s, kind: targets_down, jobs: [server]}
  - {at: 69s, for: 4s, kind: prometheus_stopped}
truth:
  - {from: 0s, to: 80s, states: [happy, stressed, critical], transition: 5}
`

func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("plays for 80 seconds")
	}
	format := temporal.LogJSON
	if _, err := loki.Find(""); err != nil {
		t.Logf("plays without logs: %v", err)
		format = scenario.NoLogs
	}
	everything := strings.Replace(everything, "FORMAT", format, 1)
	play, err := scenario.Parse([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range scenario.Kinds() {
		if !strings.Contains(everything, "kind: "+string(kind)+",") && !strings.Contains(everything, "kind: "+string(kind)+"}") {
			t.Errorf("%s is not played", kind)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "everything.yaml")
	if err := os.WriteFile(file, []byte(everything), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "recording")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "run", file, "--out", out)
	cmd.Env = append(os.Environ(), asLabEnv+"=1", "NO_COLOR=1")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("lab run: %v\n%s", err, said)
	}
	for _, f := range play.Faults {
		if !strings.Contains(string(said), string(f.Kind)) {
			t.Errorf("nothing is said of %s", f.Kind)
		}
	}
	for _, name := range []string{recording.ScenarioFile, recording.TruthFile, recording.MetricsFile, recording.VerdictsFile} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if format != scenario.NoLogs {
		replaysItsLogs(t, out)
	}
	if t.Failed() {
		t.Logf("lab run said:\n%s", said)
	}
}

// linesOfEach counts the lines of each process in the last half hour.
const linesOfEach = `sum by (instance) (count_over_time({cluster="lab"}[30m]))`

// replaysItsLogs fails unless a Loki that serves a recording has as many lines
// of each process as were recorded, and each process logged something.
func replaysItsLogs(t *testing.T, dir string) {
	t.Helper()
	want := map[string]int{}
	err := logs.ReadArchive(filepath.Join(dir, recording.LogsFile), func(entries []logs.Entry) error {
		for _, entry := range entries {
			want[entry.Labels["instance"]]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if parts := 2 + len(workload.Queues()); len(want) != parts {
		t.Errorf("%d processes logged, want %d: %v", len(want), parts, want)
	}
	server, err := recording.Serve(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if got := lokitest.Count(t, server.LokiURL, linesOfEach, server.Truth.To); !maps.Equal(got, want) {
		t.Errorf("Loki has %v lines, %v were recorded", got, want)
	}
}

func TestRunRefusesABadScenario(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(file, []byte("name: bad\nduration: soon\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if code := run([]string{"run", file, "--out", out}); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a bad scenario leaves a directory behind")
	}
}
