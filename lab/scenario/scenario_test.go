package scenario

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Every scenario of the repository can be played, and is called like its file.
func TestRepositoryScenarios(t *testing.T) {
	files, err := filepath.Glob("../scenarios/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		s, err := Read(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := strings.TrimSuffix(filepath.Base(file), ".yaml"); s.Name != want {
			t.Errorf("%s is called %s", file, s.Name)
		}
		if s.Name != "game-day" && s.Duration.Value() > 20*time.Minute {
			t.Errorf("%s plays for %s: only the game day may take longer than 20m", file, s.Duration)
		}
	}
}

// Everything that is wrong is told at once, with field, value and remedy.
func TestBadScenario(t *testing.T) {
	_, err := Parse([]byte(`
name: Bad Name
duraton: 5m
duration: 10m
step: abc
workload: {rate: -1, shape: x}
topology: {servers: two, scrape_interval: 1s}
faults:
  - {at: 1m, for: 40s, kind: workers_kiled}
  - {at: 1m, for: 40m, kind: workers_killed, queues: [payroll]}
  - {at: 2m, for: 1m, until: 4m, kind: traffic, how: refuse}
  - {at: 2m, for: 1m, kind: workers_restarted}
  - {at: 2m, for: 1m, kind: database_conflicts, share: 30}
  - {at: 2m, for: 1m, kind: database_conflicts}
truth:
  - {from: 3m, to: 2m, states: [sad], bottleneck: [nobody], impaired: [{queue: payroll}]}
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"name: Bad Name: use lower-case letters",
		"duraton (line 3): duraton is not a field",
		`step (line 5): "abc" is no duration: write it like 90s`,
		"workload.rate: -1: use 0 to 1000",
		"workload (line 6): shape is not a field",
		"topology (line 7): two: write a whole number",
		"topology.scrape_interval: 1s: use 5s to 1m0s",
		"description is missing",
		"faults[0].kind: workers_kiled: use one of workers_stopped",
		"faults[1].until: 41m0s: the fault has to end after 1m0s and not after 10m0s",
		"faults[1].queues: payroll: use orders",
		"faults[2].until: 4m0s: give for or until, not both",
		"faults[2].how: given: traffic does not take it",
		"faults[2].rate is missing: traffic needs rate or failure_ratio",
		"faults[3].for: given: workers_restarted is over by itself",
		"faults[4].share: 30: use a number above 0 and up to 1",
		"faults[5].share is missing: database_conflicts needs it",
		"truth[0].to: 2m0s: it has to lie after 3m0s",
		"truth[0].states: sad: use happy, stressed or critical",
		"truth[0].bottleneck: nobody: use healthy",
		"truth[0].impaired[0].queue: payroll: use orders",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("told:\n%v", err)
	}
}

func TestUnreadable(t *testing.T) {
	for content, want := range map[string]string{
		"":            "the file is empty",
		"a: [":        "did not find",
		"--- {}\n---": "several documents",
	} {
		if _, err := Parse([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %s", content, err, want)
		}
	}
}

// The truth covers the whole play: what no interval says is happy.
func TestTruth(t *testing.T) {
	s, err := Parse([]byte(`
name: one
description: One queue stops.
duration: 10m
faults: [{at: 5m, for: 2m, kind: workers_killed, queues: [billing]}]
truth:
  - {from: 5m, to: 7m, states: [stressed], transition: 3, bottleneck: [worker_limited], impaired: [{queue: billing}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	begin := instant.FromUnix(1_800_000_000)
	truth := s.TruthAt(begin, "")
	if truth.Step() != 15*time.Second || !truth.To.Equal(begin.Add(10*time.Minute)) {
		t.Errorf("step %s, end %s", truth.Step(), truth.To)
	}
	if len(truth.Intervals) != 3 {
		t.Fatalf("%d intervals", len(truth.Intervals))
	}
	last := begin
	for i, want := range []health.State{health.Happy, health.Stressed, health.Happy} {
		interval := truth.Intervals[i]
		if interval.From != last || !slices.Equal(interval.States, []health.State{want}) {
			t.Errorf("interval %d from %s is %v, want %s from %s", i, interval.From, interval.States, want, last)
		}
		last = interval.To
	}
	if part := (*truth.Intervals[1].Impaired)[0]; part.Namespace != "default" || part.Name != "billing" || part.Kind != health.KindTaskQueue {
		t.Errorf("impaired is %+v", part)
	}
	if truth.Intervals[0].Transition != 2 || truth.Intervals[1].Transition != 3 {
		t.Error("transitions are not 2 and 3")
	}
}
