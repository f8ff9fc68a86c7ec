package dsql

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestSignals(t *testing.T) {
	store := newStore(t)
	for i := range 120 {
		save(t, store, "prod", time.Duration(i)*30*time.Second, health.Happy)
	}
	hour := start.Add(time.Hour)

	series, err := store.Signals(t.Context(), SignalQuery{
		Cluster: "prod", Signals: []health.SignalID{"state_transitions_per_sec", "dsql_latency_ms"}, From: start, To: hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(series) != 1 || len(series[0].Points) != 120 || !series[0].Scope.IsCluster() {
		t.Fatalf("got %d series, want the one of the signal that has values, with all its 120 points", len(series))
	}
	if p := series[0].Points[3]; p.At != start.Add(90*time.Second) || p.Value != 90 || p.Max != 90 {
		t.Errorf("point 3 = %+v, want 90 at 1m30s", p)
	}

	thin, err := store.Signals(t.Context(), SignalQuery{
		Cluster: "prod", Signals: []health.SignalID{"state_transitions_per_sec"}, From: start, To: hour, MaxPoints: 13,
	})
	if err != nil {
		t.Fatal(err)
	}
	points := thin[0].Points
	if len(points) > 13 || len(points) < 12 {
		t.Fatalf("%d points, want 12 or 13", len(points))
	}
	// The first five minutes hold 0, 30, … 270.
	if p := points[0]; p.Value != 135 || p.Max != 270 || p.At != start.Add(270*time.Second) {
		t.Errorf("first point = %+v, want mean 135 and greatest 270 at 4m30s", p)
	}

	queues, err := store.Signals(t.Context(), SignalQuery{
		Cluster: "prod", Signals: []health.SignalID{"backlog_age_sec"}, Kind: health.KindTaskQueue, From: start, To: hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	billing := health.TaskQueueScope("default", "billing").Of(health.ActivityTasks)
	if len(queues) != 2 || queues[0].Scope != billing || queues[0].Points[0].Value != 9 || len(queues[1].Points) != 120 {
		t.Errorf("task queues = %+v", queues)
	}
	one, err := store.Signals(t.Context(), SignalQuery{
		Cluster: "prod", Signals: []health.SignalID{"backlog_age_sec"}, Scope: &billing, From: start.Add(time.Minute), To: start.Add(2 * time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != 1 || one[0].Scope != billing || len(one[0].Points) != 2 {
		t.Errorf("one scope, one minute = %+v", one)
	}
	queue := billing.Queue()
	both, err := store.Signals(t.Context(), SignalQuery{
		Cluster: "prod", Signals: []health.SignalID{"backlog_age_sec"}, Scope: &queue, From: start, To: hour,
	})
	if err != nil || len(both) != 1 || both[0].Scope != billing {
		t.Errorf("a queue without a kind of task = %+v, %v; want its activity tasks, which are all there is", both, err)
	}
}

func TestSignalsRefuses(t *testing.T) {
	store := newStore(t)
	signals := []health.SignalID{"backlog_age_sec"}
	var unknown *ErrUnknownCluster
	if _, err := store.Signals(t.Context(), SignalQuery{Cluster: "nobody", Signals: signals, From: start, To: start.Add(time.Hour)}); !errors.As(err, &unknown) {
		t.Errorf("unknown cluster: %v", err)
	}
	var bad *InvalidError
	for name, query := range map[string]SignalQuery{
		"no signal": {Cluster: "prod", From: start, To: start.Add(time.Hour)},
		"no time":   {Cluster: "prod", Signals: signals},
		"backwards": {Cluster: "prod", Signals: signals, From: start.Add(time.Hour), To: start},
		"limit":     {Cluster: "prod", Signals: signals, From: start, To: start.Add(time.Hour), MaxPoints: -1},
	} {
		if _, err := store.Signals(t.Context(), query); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhichSamplesAreStored(t *testing.T) {
	obs := observation("prod", start, 1)
	obs.Measurements = append(obs.Measurements,
		health.Measurement{Signal: "aaa", Class: health.Amplifier, Status: health.OK, Samples: []health.Sample{
			{Scope: health.Scope{Kind: health.KindReplica, Service: "history", Name: "10.0.0.1"}, Value: 1},
			{Scope: health.ServiceScope("history"), Value: 1},
			{Scope: health.TaskQueueScope("default", "billing").Of(health.ActivityTasks), Value: 1},
		}})
	var got []string
	for _, row := range sampleRows(&obs, 6) {
		got = append(got, fmt.Sprint(row.scope, " ", row.signal))
	}
	equal(t, "the six that are kept", got, []string{
		"cluster backlog_age_sec",
		"cluster state_transitions_per_sec",
		"service/history aaa",
		"task_queue/default/billing/activity backlog_age_sec",
		"task_queue/default/orders/activity backlog_age_sec",
		"task_queue/default/billing/activity aaa",
	})
}

func TestScopeKeysDiffer(t *testing.T) {
	long := strings.Repeat("ü", 500)
	seen := map[string]health.Scope{}
	for _, scope := range []health.Scope{
		health.ClusterScope(),
		health.ServiceScope("history"),
		health.NamespaceScope("history"),
		health.TaskQueueScope("default", "a"),
		health.TaskQueueScope("default", "a").Of(health.ActivityTasks),
		health.TaskQueueScope("default", "a/activity"),
		health.TaskQueueScope("default/a", "activity"),
		health.TaskQueueScope("default", "activity"),
		health.TaskQueueScope("", "default").Of(health.ActivityTasks),
		health.TaskQueueScope("default", "a%2Factivity"),
		{Kind: health.KindReplica, Service: "history", Name: "10.0.0.1:7234"},
		{Kind: health.KindReplica, Service: "matching", Name: "10.0.0.1:7234"},
		health.TaskQueueScope(long, long),
		health.TaskQueueScope(long, long+"x"),
	} {
		key := scopeKey(scope)
		if len(key) > maxScopeKey {
			t.Errorf("key of %v has %d bytes", scope, len(key))
		}
		if other, taken := seen[key]; taken {
			t.Errorf("%v and %v have the same key %q", scope, other, key)
		}
		seen[key] = scope
	}
}
