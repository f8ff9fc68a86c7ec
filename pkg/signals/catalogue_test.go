package signals

import (
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestCatalogueIsComplete(t *testing.T) {
	seen := map[health.SignalID]bool{}
	for _, d := range Catalogue() {
		if seen[d.ID] {
			t.Errorf("%s stands in the catalogue twice", d.ID)
		}
		seen[d.ID] = true
		for name, text := range map[string]string{
			"class": string(d.Class), "origin": string(d.Origin), "scope": string(d.Scope), "unit": d.Unit,
			"rollup": string(d.Rollup), "title": d.Title, "meaning": d.Meaning, "source": d.Source,
		} {
			if text == "" {
				t.Errorf("%s has no %s", d.ID, name)
			}
		}
	}
	// R1.3, R1.4 and R14.1 name these.
	for _, id := range []health.SignalID{
		health.StateTransitions, health.WorkflowTasksCompleted, health.ActivityTasksCompleted, health.BacklogAge,
		health.PersistenceLatency, health.OCCConflicts, health.PoolUtilization, health.ShardChurn,
		health.WorkerScheduleToStart, health.SlotsAvailable, health.SlotsUsed, health.WorkerPollers,
		health.StickyCacheSize, health.StickyCacheHits, health.StickyCacheMisses, health.StickyCacheEvictions,
		health.PollFailures, health.LongPollLatency, health.PollersPerSlot,
	} {
		if !seen[id] {
			t.Errorf("%s is not in the catalogue", id)
		}
	}
}

// Every query carries the selector in every series, in every dialect, so that
// no cluster ever sees another's metrics.
func TestEverySeriesCarriesTheSelector(t *testing.T) {
	const selector = `cluster="prod"`
	for _, d := range []Dialect{
		{Server: TallyServer, Workers: []Naming{GoSDK}},
		{Server: OTelServer, Workers: []Naming{{Counter: "", Timer: "_milliseconds", Millis: 1}, GoSDK}},
		{Server: CloudServer, Workers: []Naming{GoSDK}},
	} {
		for _, r := range Requests(d, selector, Windows{Server: time.Minute, Workers: time.Minute}) {
			if r.Query == "" && r.Absent != "" && d.Server.Cloud {
				continue
			}
			if series, selected := strings.Count(r.Query, "{"), strings.Count(r.Query, selector); series != selected || series == 0 {
				t.Errorf("%s in %s: %d series, %d selected: %s", r.ID, d, series, selected, r.Query)
			}
			if strings.Count(r.Query, "(") != strings.Count(r.Query, ")") {
				t.Errorf("%s: unbalanced: %s", r.ID, r.Query)
			}
		}
	}
}

func TestNamingFollowsTheDialect(t *testing.T) {
	query := func(d Dialect, id health.SignalID) string {
		for _, r := range Requests(d, "", Windows{Server: time.Minute, Workers: time.Minute}) {
			if r.ID == id {
				return r.Query
			}
		}
		t.Fatalf("no query for %s", id)
		return ""
	}
	tally := Dialect{Server: TallyServer, Workers: []Naming{GoSDK}}
	otel := Dialect{Server: OTelServer}
	for _, c := range []struct {
		query, want string
	}{
		{query(tally, health.StateTransitions), "state_transition_count_count{"},
		{query(otel, health.StateTransitions), "state_transition_count_ratio_count{"},
		{query(tally, health.PersistenceLatency), "1000 * histogram_quantile(0.99, sum by (le) (rate(persistence_latency_bucket{"},
		{query(otel, health.PersistenceLatency), "1 * histogram_quantile(0.99, sum by (le) (rate(persistence_latency_milliseconds_bucket{"},
		{query(otel, health.TasksBacklogged), "tasks_added_total{"},
		{query(tally, health.WorkerTasksCompleted), "temporal_workflow_task_execution_latency_seconds_count{"},
	} {
		if !strings.Contains(c.query, c.want) {
			t.Errorf("want %s in %s", c.want, c.query)
		}
	}
	if q := query(otel, health.SlotsUsed); q != "" {
		t.Errorf("without workers there is a query for their slots: %s", q)
	}
}

// A fleet of several namings is asked for in each, and joined as the parts of
// a cluster are.
func TestSeveralNamingsAreJoined(t *testing.T) {
	fleet := Dialect{Server: TallyServer, Workers: []Naming{{Millis: 1}, GoSDK}}
	for _, r := range Requests(fleet, "", Windows{Server: time.Minute, Workers: time.Minute}) {
		for _, c := range []struct {
			id   health.SignalID
			want []string
		}{
			{health.WorkerTasksCompleted, []string{"sum without (part)", "temporal_workflow_task_execution_latency_count{", "temporal_workflow_task_execution_latency_seconds_count{"}},
			{health.WorkerScheduleToStart, []string{"max without (part)", "1 * histogram_quantile", "1000 * histogram_quantile"}},
			{health.StickyCacheMisses, []string{"sum without (part)", "temporal_sticky_cache_miss{", "temporal_sticky_cache_miss_total{"}},
		} {
			for _, want := range c.want {
				if r.ID == c.id && !strings.Contains(r.Query, want) {
					t.Errorf("%s has no %s: %s", r.ID, want, r.Query)
				}
			}
		}
		// Gauges have one name, and must not count twice.
		if r.ID == health.SlotsUsed && strings.Count(r.Query, "temporal_worker_task_slots_used") != 1 {
			t.Errorf("a gauge is asked for twice: %s", r.Query)
		}
	}
}

// What Temporal Cloud does not export says so, and the signals without which
// nobody is acquitted are there.
func TestCloud(t *testing.T) {
	requests := map[health.SignalID]Request{}
	for _, r := range Requests(Dialect{Server: CloudServer}, "", Windows{}) {
		requests[r.ID] = r
		if (r.Query == "") == (r.Absent == "") {
			t.Errorf("%s has the query %q and the reason %q", r.ID, r.Query, r.Absent)
		}
		if r.Query != "" && r.Service != "" {
			t.Errorf("%s waits for the %s service, which Cloud does not show", r.ID, r.Service)
		}
	}
	for _, id := range []health.SignalID{health.StateTransitions, health.TasksAdded, health.TasksStarted, health.ServerTelemetryAge} {
		if !strings.Contains(requests[id].Query, "temporal_cloud_v1_") {
			t.Errorf("%s is asked for by %q", id, requests[id].Query)
		}
	}
	if r := requests[health.BacklogAge]; r.Absent != notInCloud {
		t.Errorf("the backlog's age is absent for %q", r.Absent)
	}
	for _, d := range Catalogue() {
		if r := requests[d.ID]; d.Origin != FromWorkers && (r.Query != "") != d.InCloud() {
			t.Errorf("%s: InCloud is %v and the query %q", d.ID, d.InCloud(), r.Query)
		}
	}
}

func TestSanitize(t *testing.T) {
	if got := Sanitize("my-queue.v2/eu_ü"); got != "my_queue_v2_eu__" {
		t.Errorf("got %q", got)
	}
}

// Where Prometheus has renamed Temporal's namespace label, the queries use its
// new name, and the user's selector keeps the old.
func TestExportedNamespace(t *testing.T) {
	d := Dialect{Server: TallyServer, Workers: []Naming{GoSDK}, ServerExported: true, WorkersExported: true}
	plain := d
	plain.ServerExported, plain.WorkersExported = false, false
	const selector = `namespace="monitoring"`
	windows := Windows{Server: time.Minute, Workers: time.Minute}
	before := Requests(plain, selector, windows)
	for i, r := range Requests(d, selector, windows) {
		rest := strings.ReplaceAll(r.Query, selector, "")
		if strings.Contains(strings.ReplaceAll(rest, ExportedNamespace, ""), "namespace") {
			t.Errorf("%s asks for the target's namespace: %s", r.ID, r.Query)
		}
		if strings.Count(r.Query, selector) != strings.Count(before[i].Query, selector) {
			t.Errorf("%s lost the selector: %s", r.ID, r.Query)
		}
	}
}
