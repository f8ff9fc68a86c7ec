package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// The JSON has the names that programs rely on (R6.2), and a signal without a
// value is null there, never 0.
func TestStatusJSON(t *testing.T) {
	value := 182.0
	now := instant.FromUnix(1_764_000_000)
	status := NewStatus(health.Assessment{
		Cluster: "prod", At: now, State: health.Stressed, IntervalSec: 30,
		Actions: []health.Action{{Action: "scale history", Confidence: 0.71}},
	}, health.Observation{Cluster: "prod", At: now, Measurements: []health.Measurement{
		{Signal: health.StateTransitions, Class: health.Primary, Status: health.OK, Value: &value},
		{Signal: health.BacklogAge, Class: health.Primary, Status: health.OK},
		{Signal: health.PersistenceLatency, Class: health.Amplifier, Status: health.Failed, Value: &value},
	}})
	status.Aged(now.Add(3 * time.Minute))
	data, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	var fields struct {
		HealthState string              `json:"health_state"`
		Primary     map[string]*float64 `json:"primary_signals"`
		Amplifiers  map[string]*float64 `json:"amplifiers"`
		Patterns    []any               `json:"log_patterns"`
		Actions     []struct {
			Action     string  `json:"action"`
			Confidence float64 `json:"confidence"`
		} `json:"recommended_actions"`
		Stale bool `json:"stale"`
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	if fields.HealthState != "stressed" || *fields.Primary["state_transitions_per_sec"] != 182 || !fields.Stale {
		t.Errorf("got %s", data)
	}
	for name, v := range map[string]*float64{"backlog_age_sec": fields.Primary["backlog_age_sec"], "dsql_latency_ms": fields.Amplifiers["dsql_latency_ms"]} {
		if v != nil {
			t.Errorf("%s has no value and is %v", name, *v)
		}
	}
	if len(fields.Actions) != 1 || fields.Actions[0].Action != "scale history" || fields.Actions[0].Confidence != 0.71 {
		t.Errorf("actions are %v", fields.Actions)
	}
}

// A verdict in short names task queues as a whole.
func TestVerdictNamesQueuesAsAWhole(t *testing.T) {
	queue := health.TaskQueueScope("default", "billing")
	v := NewVerdict(&health.Assessment{State: health.Stressed, Scopes: []health.ScopeVerdict{
		{Scope: queue, State: health.Critical},
		{Scope: queue.Of(health.WorkflowTasks), State: health.Critical},
		{Scope: health.NamespaceScope("default"), State: health.Happy},
	}})
	if len(v.Impaired) != 1 || v.Impaired[0].Name != "billing" || v.Impaired[0].Kind != health.KindTaskQueue {
		t.Errorf("impaired: %+v", v.Impaired)
	}
}

// How old a verdict may be follows from how often one is made.
func TestAged(t *testing.T) {
	now := instant.FromUnix(1_764_000_000)
	for _, c := range []struct {
		interval float64
		age      time.Duration
		stale    bool
	}{
		{30, 2 * time.Minute, false},
		{30, 121 * time.Second, true},
		{300, 19 * time.Minute, false},
		{300, 21 * time.Minute, true},
	} {
		status := Status{ObservedAt: now, IntervalSec: c.interval}
		status.Aged(now.Add(c.age))
		if status.Stale != c.stale || status.AgeSec != c.age.Seconds() {
			t.Errorf("every %g s, %s old: stale is %v, age %g", c.interval, c.age, status.Stale, status.AgeSec)
		}
	}
}
