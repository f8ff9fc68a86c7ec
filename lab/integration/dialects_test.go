package integration

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/prometheus"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	observer "github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// exporter serves metrics that grow at known rates, spelled in a naming.
type exporter struct {
	naming signals.Naming
	// rewrite tells whether label values are sanitised; labels are put on every
	// series.
	rewrite bool
	labels  string
	// renamed tells that the targets have a label "namespace" of their own, so
	// that Prometheus calls the exporter's by another name.
	renamed bool
	// late is how old the samples are.
	late  time.Duration
	begun time.Time
	write func(e *page)
}

// page is one answer of an exporter.
type page struct {
	*exporter
	strings.Builder
	seconds float64
	stamp   string
}

func (e *exporter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	p := &page{exporter: e, seconds: now.Sub(e.begun).Seconds() + 60}
	if e.late > 0 {
		p.stamp = " " + strconv.FormatInt(now.Add(-e.late).UnixMilli(), 10)
	}
	e.write(p)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprint(w, p.String())
}

// gauge writes one series; labels are "key=value".
func (p *page) gauge(name string, value float64, labels ...string) {
	parts := []string{}
	if p.labels != "" {
		parts = append(parts, p.labels)
	}
	for _, label := range labels {
		key, text, _ := strings.Cut(label, "=")
		if p.renamed && key == "namespace" {
			key = signals.ExportedNamespace
		}
		if p.rewrite && key != "le" {
			text = signals.Sanitize(text)
		}
		parts = append(parts, fmt.Sprintf("%s=%q", key, text))
	}
	fmt.Fprintf(p, "%s{%s} %g%s\n", name, strings.Join(parts, ","), value, p.stamp)
}

func (p *page) counter(name string, rate float64, labels ...string) {
	p.gauge(name+p.naming.Counter, math.Floor(rate*p.seconds), labels...)
}

// histogram writes observations that all have one value.
func (p *page) histogram(name string, rate, value float64, bounds []float64, labels ...string) {
	count := math.Floor(rate * p.seconds)
	for _, bound := range bounds {
		below := 0.0
		if value <= bound {
			below = count
		}
		p.gauge(name+"_bucket", below, slices.Concat(labels, []string{fmt.Sprintf("le=%g", bound)})...)
	}
	p.gauge(name+"_bucket", count, slices.Concat(labels, []string{"le=+Inf"})...)
	p.gauge(name+"_count", count, labels...)
	p.gauge(name+"_sum", count*value, labels...)
}

// timer writes durations given in seconds, also their bounds.
func (p *page) timer(name string, rate, seconds float64, bounds []float64, labels ...string) {
	unit := 1000 / p.naming.Millis
	scaled := make([]float64, 0, len(bounds))
	for _, bound := range bounds {
		scaled = append(scaled, bound*unit)
	}
	p.histogram(name+p.naming.Timer, rate, seconds*unit, scaled, labels...)
}

// The bucket bounds of Temporal's programs, in seconds.
var (
	tallyBounds = []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10}
	otelBounds  = []float64{0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000}
	coreBounds  = map[string][]float64{
		"workflow_task_execution":         {0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1},
		"activity_execution":              {0.05, 0.1, 0.5, 1, 5, 10, 60},
		"workflow_task_schedule_to_start": {0.1, 0.5, 1, 5, 10, 100, 1000},
		"activity_schedule_to_start":      {0.1, 0.5, 1, 5, 10, 100, 1000},
	}
)

// aServer is a server that takes ten workflows a second, each with two
// activities.
func aServer(p *page) {
	const team, queue = "namespace=team-a", "taskqueue=my-queue"
	bounds := slices.Concat(tallyBounds, []float64{20, 50, 100, 200, 500, 1000})
	for _, service := range []string{"frontend", "history", "matching"} {
		p.gauge("restarts"+p.naming.Counter, 1, "service_name="+service)
	}
	for operation, rate := range map[string]float64{"StartWorkflowExecution": 10, "RespondWorkflowTaskCompleted": 20, "PollWorkflowTaskQueue": 40} {
		p.counter("service_requests", rate, "service_name=frontend", team, "operation="+operation)
		p.timer("service_latency", rate, 0.004, bounds, "service_name=frontend", team, "operation="+operation)
	}
	p.counter("service_errors_resource_exhausted", 2, "service_name=frontend", team, "operation=PollWorkflowTaskQueue", "resource_exhausted_cause=RpsLimit")
	p.histogram("state_transition_count"+p.naming.Histogram, 94, 5, []float64{1, 10, 100}, "service_name=history", team)
	p.counter("workflow_tasks_completed", 20, "service_name=history", team)
	p.counter("activity_success", 20, "service_name=history", team, queue)
	p.counter("workflow_success", 10, "service_name=history", team, queue, "workflowType=Flow")
	p.timer("persistence_latency", 100, 0.03, bounds, "service_name=history", "operation=UpdateWorkflowExecution")
	p.counter("persistence_requests", 100, "service_name=history", "operation=UpdateWorkflowExecution")
	p.histogram("pending_tasks"+p.naming.Histogram, 1, 7, []float64{1, 10, 100}, "service_name=history", "operation=TransferQueueProcessor")
	for _, kind := range []string{"task_type=Workflow", "task_type=Activity"} {
		at := []string{"service_name=matching", team, queue, kind}
		p.counter("tasks_added", 20, append(at, "task_add_result=sync_match")...)
		p.counter("poll_success", 20, at...)
		p.counter("poll_success_sync", 19, at...)
		p.timer("task_schedule_to_start_latency", 20, 0.003, bounds, "service_name=history", team, queue, kind)
		p.gauge("approximate_backlog_count", 0, append(at, "partition=0")...)
		p.gauge("approximate_backlog_age_seconds", 0, append(at, "partition=0")...)
		p.gauge("pending_polls", 5, append(at, "partition=0")...)
	}
	p.gauge("pending_polls", 4, "service_name=matching", "namespace=temporal-system", "taskqueue=temporal-sys-history-scanner", "task_type=Workflow", "partition=0")
	// The server's own worker is no worker of the users'.
	p.gauge("temporal_num_pollers", 4, "service_name=worker", "namespace=temporal-system", "task_queue=temporal-sys-history-scanner", "poller_type=workflow_task")
	p.gauge("temporal_worker_start"+p.naming.Counter, 1, "service_name=worker", "namespace=temporal-system", "task_queue=temporal-sys-history-scanner")
}

// workers returns a share of the fleet that serves it.
func workers(share float64, bounds func(timer string) []float64) func(p *page) {
	return func(p *page) {
		team, at := "namespace=team-a", []string{"namespace=team-a", "task_queue=my-queue"}
		for kind, names := range map[string][2]string{"workflow_task": {"workflow_task", "WorkflowWorker"}, "activity": {"activity_task", "ActivityWorker"}} {
			p.timer("temporal_"+kind+"_execution_latency", 20*share, 0.015, bounds(kind+"_execution"), at...)
			p.timer("temporal_"+kind+"_schedule_to_start_latency", 20*share, 0.3, bounds(kind+"_schedule_to_start"), at...)
			p.gauge("temporal_num_pollers", 5*share, append(at, "poller_type="+names[0])...)
			p.gauge("temporal_worker_task_slots_used", 10*share, append(at, "worker_type="+names[1])...)
			p.gauge("temporal_worker_task_slots_available", 90*share, append(at, "worker_type="+names[1])...)
		}
		p.gauge("temporal_sticky_cache_size", 100*share, at...)
		p.counter("temporal_sticky_cache_hit", 18*share, at...)
		p.counter("temporal_sticky_cache_miss", 2*share, at...)
		p.counter("temporal_sticky_cache_total_forced_eviction", 2*share, at...)
		p.counter("temporal_long_request_failure", 2*share, team, "operation=PollWorkflowTaskQueue", "task_queue=none")
		p.timer("temporal_long_request_latency", 10*share, 2, otelBounds, team, "operation=PollWorkflowTaskQueue", "task_queue=none")
	}
}

// aCloud is Temporal Cloud with the same load, and a backlog that grows by two
// activity tasks a second.
func aCloud(p *page) {
	value := func(name string, value float64, labels ...string) {
		p.gauge("temporal_cloud_v1_"+name, value, append(labels, "temporal_namespace=team-a", "temporal_account=a2dd6", "region=aws-eu-west-1")...)
	}
	for operation, rate := range map[string]float64{
		"StartWorkflowExecution": 10, "RespondWorkflowTaskCompleted": 20, "RespondActivityTaskCompleted": 20, "PollWorkflowTaskQueue": 40,
	} {
		value("service_request_count", rate, "operation="+operation)
		value("service_latency_p99", 0.004, "operation="+operation)
	}
	value("service_request_throttled_count", 2, "operation=PollWorkflowTaskQueue")
	value("total_action_count", 60, "is_background=false")
	const queue = "temporal_task_queue=my-queue"
	for kind, growth := range map[string]float64{"task_type=workflow": 0, "task_type=activity": 2} {
		value("poll_success_count", 20, queue, kind, "operation=TaskQueueMgr")
		value("poll_success_sync_count", 19, queue, kind, "operation=TaskQueueMgr")
		value("approximate_backlog_count", growth*p.seconds, queue, kind, "task_priority=3")
	}
	value("activity_success_count", 20, queue, "temporal_workflow_type=Flow")
	value("workflow_success_count", 10, queue, "temporal_workflow_type=Flow")
}

// inKubernetes marks a deployment that the Prometheus Operator scrapes.
const inKubernetes = " in Kubernetes"

// The same load gives the same values and the same verdict, in whatever words
// it is told (property H12). A real Prometheus evaluates the queries.
func TestDialects(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	fromTally := func(string) []float64 { return tallyBounds }
	fromCore := func(timer string) []float64 { return coreBounds[timer] }
	fromOTel := func(string) []float64 { return otelBounds }
	core := signals.Naming{Millis: 1}
	scoped := `otel_scope_name="temporal"`
	begun := time.Now()
	deployments := map[string][]*exporter{
		"server=tally workers=prometheus": {
			{naming: signals.TallyServer, rewrite: true, write: aServer},
			{naming: signals.GoSDK, write: workers(1, fromTally)},
		},
		"server=tally workers=prometheus" + inKubernetes: {
			{naming: signals.TallyServer, rewrite: true, renamed: true, labels: `namespace="temporal"`, write: aServer},
			{naming: signals.GoSDK, renamed: true, labels: `namespace="shop"`, write: workers(1, fromTally)},
		},
		"server=opentelemetry workers=prometheus": {
			{naming: signals.OTelServer, labels: scoped, write: aServer},
			{naming: signals.GoSDK, write: workers(1, fromTally)},
		},
		"server=opentelemetry workers=prometheus names=sanitized": {
			{naming: signals.OTelServer, labels: scoped, write: aServer},
			{naming: signals.GoSDK, rewrite: true, write: workers(1, fromTally)},
		},
		"server=counters:none,timers:none/ms,histograms:none workers=counters:none,timers:none/ms,histograms:none names=raw": {
			{naming: core, labels: scoped, write: aServer},
			{naming: core, write: workers(1, fromCore)},
		},
		"server=counters:_total,timers:none/s,histograms:none workers=counters:none,timers:_seconds,histograms:none": {
			{naming: signals.Naming{Counter: "_total", Millis: 1000}, write: aServer},
			{naming: signals.Naming{Timer: "_seconds", Millis: 1000}, labels: scoped, write: workers(1, fromOTel)},
		},
		"server=opentelemetry workers=counters:none,timers:none/ms,histograms:none+prometheus": {
			{naming: signals.OTelServer, write: aServer},
			{naming: signals.GoSDK, write: workers(0.5, fromTally)},
			{naming: core, write: workers(0.5, fromCore)},
		},
		"server=cloud workers=prometheus": {
			{write: aCloud, late: 3 * time.Minute},
			{naming: signals.GoSDK, write: workers(1, fromTally)},
		},
	}
	names := slices.Sorted(maps.Keys(deployments))
	jobs := make([]prometheus.Job, 0, len(names))
	for i, name := range names {
		job := prometheus.Job{Name: fmt.Sprintf("deployment-%d", i)}
		for _, e := range deployments[name] {
			e.begun = begun
			server := httptest.NewServer(e)
			t.Cleanup(server.Close)
			job.Targets = append(job.Targets, strings.TrimPrefix(server.URL, "http://"))
		}
		jobs = append(jobs, job)
	}
	url := scraping(t, jobs)
	// Rates are taken over half a minute, and a busy machine scrapes late.
	time.Sleep(40 * time.Second)
	deadline := time.Now().Add(time.Minute)
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			o, err := observer.New(observer.Config{URL: url, Selector: fmt.Sprintf("job=%q", jobs[i].Name)})
			if err != nil {
				t.Fatal(err)
			}
			e := expected(name)
			var observation health.Observation
			for {
				now := instant.System.Now().Truncate(time.Second)
				observations, err := o.Observe(t.Context(), now, now, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				observation = observations[0]
				wrong := differences(&observation, e)
				if len(wrong) == 0 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("in %s:\n%s", observation.Source.Dialect, strings.Join(wrong, "\n"))
				}
				time.Sleep(2 * time.Second)
			}
			if observation.Source.Dialect != strings.TrimSuffix(name, inKubernetes) {
				t.Errorf("the dialect is taken for %s", observation.Source.Dialect)
			}
			// The server's queue is the workers' queue.
			asked, used := observation.Signal(health.TasksAdded).Samples, observation.Signal(health.SlotsUsed).Samples
			if len(asked) != 2 || len(used) != 2 || asked[0].Scope != used[0].Scope || asked[1].Scope != used[1].Scope {
				t.Errorf("the server speaks of %v, the workers of %v", asked, used)
			}
			a, _ := health.Evaluate(health.Window{}, observation)
			if a.Blind || a.State != health.Happy {
				t.Errorf("the cluster is %s, blind for %q: %v", a.State, a.BlindReason, a.Gates)
			}
		})
	}
}

// expected are the values that the exporters of a deployment tell.
func expected(deployment string) map[health.SignalID]float64 {
	want := map[health.SignalID]float64{
		health.Arrivals: 10, health.WorkflowStarts: 10, health.WorkflowTasksCompleted: 20, health.ActivityTasksCompleted: 20,
		health.WorkflowsClosed: 10, health.TasksAdded: 40, health.TasksStarted: 40, health.TasksBacklogged: 0, health.BacklogCount: 0,
		health.Requests: 30, health.RequestsRefused: 0, health.RequestLatency: 5, health.PollsThrottled: 2, health.ThrottledByRate: 2,
		health.SyncMatchRatio: 0.95, health.ServerTelemetryAge: 0,
		health.StateTransitions: 94, health.BacklogAge: 0, health.PersistenceLatency: 50, health.PersistenceRequests: 100, health.Pollers: 10,
		health.ScheduleToStart: 5, health.HistoryPendingTasks: 7, health.ServerUp: 3,
		health.WorkerTasksCompleted: 40, health.WorkerScheduleToStart: 500, health.WorkerPollers: 10, health.SlotsUsed: 20, health.SlotsAvailable: 90,
		health.StickyCacheSize: 100, health.StickyCacheHits: 18, health.StickyCacheMisses: 2, health.StickyCacheEvictions: 2,
		health.PollFailures: 2, health.LongPollLatency: 2000, health.PollersPerSlot: 0.05, health.WorkerTelemetryAge: 0,
	}
	switch {
	case strings.HasPrefix(deployment, "server=cloud"):
		// Ten starts, forty answers and forty tasks taken; two more added than taken
		// each second, and one of twenty taken not at once.
		want[health.StateTransitions], want[health.TasksAdded], want[health.TasksBacklogged] = 90, 42, 4
		want[health.Requests], want[health.RequestLatency] = 50, 4
		for _, absent := range []health.SignalID{
			health.BacklogCount, health.BacklogAge, health.PersistenceLatency, health.PersistenceRequests, health.Pollers,
			health.ScheduleToStart, health.HistoryPendingTasks, health.ServerUp,
		} {
			delete(want, absent)
		}
	case strings.Contains(deployment, "+"):
		// Each half of the fleet has half of the slots.
		want[health.SlotsAvailable] = 45
	case strings.Contains(deployment, "timers:_seconds"):
		// The buckets are of no use.
		delete(want, health.WorkerScheduleToStart)
	}
	return want
}

// differences compares an observation with what is expected, with room for
// scrapes that come late and for ages and slopes near zero.
func differences(o *health.Observation, want map[health.SignalID]float64) []string {
	var wrong []string
	for _, id := range slices.Sorted(maps.Keys(want)) {
		m, room := o.Signal(id), 0.1*want[id]
		if want[id] == 0 {
			room = 1.5
		}
		if m.Value == nil || math.Abs(*m.Value-want[id]) > room {
			wrong = append(wrong, fmt.Sprintf("%s is %s (%s %s), want %g", id, shown(m.Value), m.Status, m.Reason, want[id]))
		}
	}
	for i := range o.Measurements {
		if m := &o.Measurements[i]; m.Status == health.Failed {
			wrong = append(wrong, fmt.Sprintf("%s: %s", m.Signal, m.Reason))
		}
	}
	return wrong
}

func shown(v *float64) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%g", *v)
}

// scraping runs a real Prometheus that scrapes the jobs every second, and
// returns its URL.
func scraping(t *testing.T, jobs []prometheus.Job) string {
	t.Helper()
	binary, err := prometheus.Find("")
	if err != nil {
		t.Fatal(err)
	}
	var ports loopback.Ports
	t.Cleanup(ports.Close)
	port, err := ports.Pick(0)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(prometheus.DataDir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	process, err := prometheus.Start(prometheus.Config{
		Binary: binary, Address: loopback.Address(port), Dir: dir, LogFile: filepath.Join(dir, "log"), ScrapeInterval: time.Second, Jobs: jobs,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Stop(5 * time.Second) })
	return "http://" + loopback.Address(port)
}
