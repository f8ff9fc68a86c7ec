package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// points are measurements so many minutes before noon.
func points(minutes ...int) []dsql.Point {
	list := make([]dsql.Point, len(minutes))
	for i, m := range minutes {
		list[i] = dsql.Point{At: noon.Add(-time.Duration(m) * time.Minute), Value: float64(m), Max: float64(m) + 0.5}
	}
	return list
}

func TestSignals(t *testing.T) {
	st := goodStore()
	st.series = []dsql.Series{
		// Twenty minutes without a value break the line; an age is drawn by its peak.
		{Signal: health.BacklogAge, Points: points(30, 29, 9, 8)},
		{Signal: health.StateTransitions, Points: points(2, 1)},
	}
	golden(t, "signals", ask(t, sourceOf(st), query(t, "signals", map[string]any{"signals": []string{"backlog_age_sec", "state_transitions_per_sec"}})))
	want := dsql.SignalQuery{
		Cluster: "prod", Signals: []health.SignalID{health.BacklogAge, health.StateTransitions}, Scope: &health.Scope{},
		From: noon.Add(-time.Hour), To: noon, MaxPoints: 60,
	}
	got := st.signalQuery
	if got.Cluster != want.Cluster || !slices.Equal(got.Signals, want.Signals) || got.Scope == nil || *got.Scope != *want.Scope ||
		got.From != want.From || got.To != want.To || got.MaxPoints != want.MaxPoints {
		t.Errorf("the store was asked %+v", got)
	}
}

func TestSignalsOfTaskQueues(t *testing.T) {
	st := goodStore()
	queue := health.TaskQueueScope("default", "billing")
	st.series = []dsql.Series{
		{Signal: health.BacklogCount, Scope: queue.Of(health.ActivityTasks), Points: points(1)},
		{Signal: health.BacklogCount, Scope: queue.Of(health.WorkflowTasks), Points: points(1)},
		{Signal: health.BacklogCount, Scope: health.TaskQueueScope("default", "orders").Of(health.WorkflowTasks), Points: points(1)},
	}
	response := ask(t, sourceOf(st), query(t, "signals", map[string]any{
		"signals": []string{"backlog_count"}, "scope": map[string]any{"kind": "task_queue", "name": "billing"},
	}))
	golden(t, "signals_task_queues", response)
	if st.signalQuery.Scope != nil || st.signalQuery.Kind != health.KindTaskQueue {
		t.Errorf("the store was asked %+v", st.signalQuery)
	}
}

func TestSignalsOfOnePlaceAreAskedForDirectly(t *testing.T) {
	for _, test := range []struct {
		scope map[string]any
		want  health.Scope
	}{
		{nil, health.ClusterScope()},
		{map[string]any{"kind": "cluster"}, health.ClusterScope()},
		{map[string]any{"kind": "service", "name": "history"}, health.ServiceScope("history")},
		{map[string]any{"kind": "namespace", "name": "default"}, health.NamespaceScope("default")},
		{map[string]any{"kind": "namespace", "namespace": "default"}, health.NamespaceScope("default")},
		{
			map[string]any{"kind": "task_queue", "namespace": "default", "name": "billing", "task_type": "activity"},
			health.TaskQueueScope("default", "billing").Of(health.ActivityTasks),
		},
		{
			map[string]any{"kind": "replica", "service": "history", "name": "10.0.0.7:7234"},
			health.Scope{Kind: health.KindReplica, Service: "history", Name: "10.0.0.7:7234"},
		},
	} {
		st := goodStore()
		response := ask(t, sourceOf(st), query(t, "signals", map[string]any{"scope": test.scope}))
		if response.Error != nil {
			t.Fatal(response.Error)
		}
		if got := st.signalQuery.Scope; got == nil || *got != test.want {
			t.Errorf("%v: the store was asked for %v", test.scope, got)
		}
	}
}

func TestSignalsThatAreNotNamedAreThePrimaryOnes(t *testing.T) {
	for _, test := range []struct {
		kind health.ScopeKind
		has  health.SignalID
		not  health.SignalID
	}{
		{health.KindCluster, health.StateTransitions, health.PersistenceLatency},
		{health.KindTaskQueue, health.BacklogAge, health.StateTransitions},
		{health.KindReplica, health.PoolUtilization, health.BacklogAge}, // nothing primary there
	} {
		ids := primarySignals(health.Scope{Kind: test.kind})
		if !slices.Contains(ids, test.has) || slices.Contains(ids, test.not) {
			t.Errorf("%s: got %v", test.kind, ids)
		}
	}
}

func TestSignalsThatWereNotMeasured(t *testing.T) {
	st := goodStore()
	response := ask(t, sourceOf(st), query(t, "signals", map[string]any{
		"signals": []string{"state_transitions_per_sec"}, "scope": map[string]any{"kind": "task_queue"},
	}))
	golden(t, "signals_none", response)
}

func TestSignalsAreNotMoreThanAChartHolds(t *testing.T) {
	st := goodStore()
	for i := range maxSeries + 5 {
		st.series = append(st.series, dsql.Series{Signal: health.BacklogCount, Scope: health.TaskQueueScope("default", fmt.Sprint(i)), Points: points(1)})
	}
	response := ask(t, sourceOf(st), query(t, "signals", map[string]any{
		"signals": []string{"backlog_count"}, "scope": map[string]any{"kind": "task_queue"},
	}))
	if len(response.Frames) != maxSeries {
		t.Errorf("%d frames", len(response.Frames))
	}
	if got := notices(response); len(got) != 1 || !strings.HasPrefix(got[0], "There are 205 series") {
		t.Errorf("got %q", got)
	}
}

func TestSignalsHaveADefaultNumberOfPoints(t *testing.T) {
	for asked, want := range map[int64]int{0: defaultMaxPoints, -1: defaultMaxPoints, 7: 7, 1 << 40: 10_000} {
		st := goodStore()
		q := query(t, "signals", nil)
		q.MaxDataPoints = asked
		ask(t, sourceOf(st), q)
		if st.signalQuery.MaxPoints != want {
			t.Errorf("asked for %d points, the store for %d", asked, st.signalQuery.MaxPoints)
		}
	}
}

func TestEverySignalOfTheCatalogueHasAUnitThatGrafanaKnows(t *testing.T) {
	for _, d := range signals.Catalogue() {
		if unit := grafanaUnit(d.Unit); !slices.Contains([]string{"cps", "short", "s", "ms"}, unit) {
			t.Errorf("%s: unit %q", d.ID, unit)
		}
	}
}
