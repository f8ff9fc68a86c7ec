package verdict_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/explain"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/verdict"
)

const step = 30 * time.Second

var start = instant.FromUnix(1_764_000_000)

// observation is of a cluster that is asked for work and serves a share of it.
func observation(n int, serves float64) health.Observation {
	at := start.Add(time.Duration(n) * step)
	measure := func(id health.SignalID, class health.Class, value float64, scope health.Scope) health.Measurement {
		return health.Measurement{
			Signal: id, Class: class, Unit: "1/s", Status: health.OK, Value: &value, Samples: []health.Sample{{Scope: scope, Value: value}},
		}
	}
	o := health.Observation{Cluster: "prod", At: at, Measurements: []health.Measurement{
		measure(health.ServerUp, health.Telemetry, 1, health.Scope{Kind: health.KindReplica, Name: "a", Service: "history"}),
		measure(health.StateTransitions, health.Primary, 10*serves, health.ClusterScope()),
		measure(health.Arrivals, health.Primary, 5, health.NamespaceScope("default")),
		measure(health.WorkflowTasksCompleted, health.Primary, 5*serves, health.NamespaceScope("default")),
	}}
	o.Normalize()
	return o
}

// withLogs adds lines of a database that is away.
func withLogs(o health.Observation, lines int64) health.Observation {
	o.Logs = &health.LogReading{Windows: []health.LogWindow{{From: o.At.Add(-step), To: o.At, Counts: []health.LogCount{{
		LogTemplate: health.LogTemplate{
			Service: "history", Level: "error", Message: "Persistent store operation Failure", Error: "dial tcp <*>: connect: connection refused",
		},
		Lines: lines,
	}}}}}
	return o
}

// Without logs a verdict is that of the rules in the rules' words.
func TestWithoutLogs(t *testing.T) {
	var memory verdict.Memory
	var window health.Window
	for n := range 20 {
		var got, want health.Assessment
		got, memory = verdict.Judge(memory, observation(n, 1))
		want, window = health.Evaluate(window, observation(n, 1))
		want.Explanation = explain.Rules(&want)
		if !reflect.DeepEqual(got, want) || got.Logs != nil {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
	}
}

// An outage that the logs tell of, too: the state is that of the rules alone, and
// its explanation has both.
func TestLogsExplainAndDecideNothing(t *testing.T) {
	var with, without verdict.Memory
	var told bool
	for n := range 60 {
		serves, lines := 1.0, int64(0)
		if n >= 40 {
			serves, lines = 0, 500
		}
		var a, b health.Assessment
		a, with = verdict.Judge(with, withLogs(observation(n, serves), lines))
		b, without = verdict.Judge(without, observation(n, serves))
		if a.State != b.State || a.Confidence != b.Confidence || a.Bottleneck != b.Bottleneck || !reflect.DeepEqual(a.Gates, b.Gates) {
			t.Fatalf("%s: %s with logs, %s without", a.At, a.State, b.State)
		}
		told = told || a.State == health.Critical && len(a.Explanation.Logs) > 0
	}
	if !told {
		t.Error("the explanation of the outage says nothing of the logs")
	}
}

// A verdict follows from memory and observation alone, and leaves both as they
// were: a workflow that is replayed judges again.
func TestJudgingAgainGivesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var memory verdict.Memory
		for n := range rapid.IntRange(1, 50).Draw(t, "ticks") {
			serves := rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "serves")
			o := withLogs(observation(n, serves), rapid.Int64Range(0, 100).Draw(t, "lines"))
			before := text(t, memory)
			first, next := verdict.Judge(memory, o)
			// Whoever asks for examples changes what it was given, not what was.
			next.Logs.Wanted()
			again, _ := verdict.Judge(memory, o)
			if text(t, first) != text(t, again) || text(t, memory) != before {
				t.Fatalf("judged again: %s\nfirst: %s", text(t, again), text(t, first))
			}
			memory = next
		}
	})
}

func text(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
