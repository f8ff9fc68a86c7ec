package prometheus

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// library is a Prometheus that knows series by their labels and answers
// look-ups as a real one does. It has no values: how the queries are evaluated
// is tested on a real one, in the lab.
type library []map[string]string

var matcher = regexp.MustCompile(`([a-zA-Z_]+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"`)

// matching returns the series that a selector chooses.
func (l library) matching(selector string) library {
	name, inside, _ := strings.Cut(selector, "{")
	var conditions []func(labels map[string]string) bool
	if name != "" {
		conditions = append(conditions, condition("__name__", "=", name))
	}
	for _, m := range matcher.FindAllStringSubmatch(inside, -1) {
		conditions = append(conditions, condition(m[1], m[2], m[3]))
	}
	var found library
	for _, labels := range l {
		if !slices.ContainsFunc(conditions, func(holds func(map[string]string) bool) bool { return !holds(labels) }) {
			found = append(found, labels)
		}
	}
	return found
}

// condition is one matcher of a selector.
func condition(label, operator, want string) func(labels map[string]string) bool {
	pattern := "^(?:" + want + ")$"
	if !strings.Contains(operator, "~") {
		pattern = "^" + regexp.QuoteMeta(want) + "$"
	}
	matches, wanted := regexp.MustCompile(pattern), operator[0] == '='
	return func(labels map[string]string) bool { return matches.MatchString(labels[label]) == wanted }
}

func (l library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.Header().Set("Content-Type", "application/json")
	reply := func(data any) {
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
	}
	label, isLookup := strings.CutSuffix(r.URL.Path[strings.LastIndex(r.URL.Path, "/label/")+1:], "/values")
	if !isLookup {
		reply(map[string]any{"resultType": "matrix", "result": []any{}})
		return
	}
	values := map[string]bool{}
	for _, labels := range l.matching(r.Form.Get("match[]")) {
		if value := labels[strings.TrimPrefix(label, "label/")]; value != "" {
			values[value] = true
		}
	}
	reply(slices.Sorted(maps.Keys(values)))
}

// family adds series of one metric, with labels as "key=value".
func (l *library) family(name string, labels ...string) {
	series := map[string]string{"__name__": name}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		series[key] = value
	}
	*l = append(*l, series)
}

// buckets adds a histogram with its bucket bounds.
func (l *library) buckets(name string, bounds []string, labels ...string) {
	for _, bound := range append(bounds, "+Inf") {
		l.family(name+"_bucket", append(labels, "le="+bound)...)
	}
	l.family(name+"_count", labels...)
	l.family(name+"_sum", labels...)
}

// The bucket bounds that Temporal's programs have by default.
var (
	serverSeconds = []string{"0.001", "0.002", "0.005", "0.01", "0.1", "1", "10", "100", "1000"}
	serverMillis  = []string{"1", "2", "5", "10", "100", "1000", "10000", "100000", "1e+06"}
	goSeconds     = []string{"0.001", "0.002", "0.005", "0.01", "0.1", "1", "10"}
	otelDefault   = []string{"0", "5", "10", "25", "50", "75", "100", "250", "500", "750", "1000", "2500", "5000", "7500", "10000"}
	coreMillis    = map[string][]string{
		"workflow_task_execution":         {"1", "10", "20", "50", "100", "200", "500", "1000"},
		"activity_execution":              {"50", "100", "500", "1000", "5000", "10000", "60000"},
		"workflow_task_schedule_to_start": {"100", "500", "1000", "5000", "10000", "100000", "1e+06"},
		"activity_schedule_to_start":      {"100", "500", "1000", "5000", "10000", "100000", "1e+06"},
	}
	coreSeconds = map[string][]string{
		"workflow_task_execution":         {"0.001", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"},
		"activity_execution":              {"0.05", "0.1", "0.5", "1", "5", "10", "60"},
		"workflow_task_schedule_to_start": {"0.1", "0.5", "1", "5", "10", "100", "1000"},
		"activity_schedule_to_start":      {"0.1", "0.5", "1", "5", "10", "100", "1000"},
	}
)

// addServer adds what a server exports.
func (l *library) addServer(n signals.Naming, sanitized bool, more ...string) {
	spell := func(name string) string {
		if sanitized {
			return signals.Sanitize(name)
		}
		return name
	}
	bounds := serverSeconds
	if n.Millis == 1 {
		bounds = serverMillis
	}
	for _, service := range []string{"frontend", "history", "matching"} {
		l.family("restarts"+n.Counter, append(more, "service_name="+service)...)
	}
	labels := slices.Concat(more, []string{"namespace=" + spell("team-a")})
	queue := slices.Concat(labels, []string{"service_name=matching", "taskqueue=" + spell("my-queue"), "task_type=Workflow"})
	l.family("service_requests"+n.Counter, append(labels, "service_name=frontend", "operation=StartWorkflowExecution")...)
	l.buckets("service_latency"+n.Timer, bounds, append(labels, "service_name=frontend", "operation=StartWorkflowExecution")...)
	l.buckets("persistence_latency"+n.Timer, bounds, append(more, "service_name=history")...)
	l.buckets("task_schedule_to_start_latency"+n.Timer, bounds, append(labels, "service_name=history", "taskqueue="+spell("my-queue"), "task_type=Workflow")...)
	l.buckets("state_transition_count"+n.Histogram, []string{"1", "10", "100"}, append(labels, "service_name=history")...)
	l.family("tasks_added"+n.Counter, append(queue, "task_add_result=sync_match")...)
	l.family("workflow_success"+n.Counter, append(labels, "service_name=history", "taskqueue="+spell("my-queue"))...)
	l.family("pending_polls", queue...)
	l.family("pending_polls", append(more, "service_name=matching", "namespace="+spell("temporal-system"), "taskqueue="+spell("temporal-sys-history-scanner"))...)
	// The server's own workers look like workers of the Go SDK without suffixes.
	l.family("temporal_worker_start"+n.Counter, append(more, "service_name=worker", "namespace="+spell("temporal-system"), "task_queue="+spell("temporal-sys-history-scanner"))...)
	l.buckets("temporal_workflow_task_execution_latency"+n.Timer, bounds, append(more, "service_name=worker", "task_queue=default-worker-tq")...)
}

// addWorkers adds what workers of a naming export; bounds gives the bucket
// bounds of each timer.
func (l *library) addWorkers(n signals.Naming, bounds func(timer string) []string, queue string) {
	labels := []string{"namespace=team-a", "task_queue=" + queue}
	for _, counter := range []string{"worker_start", "sticky_cache_hit", "sticky_cache_miss", "long_request_failure"} {
		l.family("temporal_"+counter+n.Counter, labels...)
	}
	l.family("temporal_num_pollers", append(labels, "poller_type=workflow_task")...)
	l.family("temporal_worker_task_slots_used", append(labels, "worker_type=WorkflowWorker")...)
	for _, timer := range slices.Sorted(maps.Keys(coreMillis)) {
		l.buckets("temporal_"+timer+"_latency"+n.Timer, bounds(timer), labels...)
	}
}

func same(bounds []string) func(string) []string { return func(string) []string { return bounds } }

func byTimer(bounds map[string][]string) func(string) []string {
	return func(timer string) []string { return bounds[timer] }
}

func metric(label model.LabelName, queue string) model.Metric {
	return model.Metric{"namespace": "default", label: model.LabelValue(queue)}
}

func detect(t *testing.T, l library, cfg Config) (Deployment, error) {
	t.Helper()
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	cfg.URL = server.URL
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return o.Detect(t.Context(), noon, noon)
}

// Every dialect that a server may speak is found out, and whether it rewrites
// names is read from the names, not from the suffixes.
func TestServerDialects(t *testing.T) {
	for _, counter := range []string{"", "_total"} {
		for _, units := range []bool{false, true} {
			for _, seconds := range []bool{false, true} {
				n := signals.Naming{Counter: counter, Millis: 1}
				if seconds {
					n.Millis = 1000
				}
				if units {
					n.Histogram = "_ratio"
					n.Timer = map[bool]string{false: "_milliseconds", true: "_seconds"}[seconds]
				}
				var l library
				l.addServer(n, false, "otel_scope_name=temporal")
				got, err := detect(t, l, Config{})
				if err != nil || got.Dialect.Server != n || got.Dialect.Sanitized || got.Dialect.Workers != nil {
					t.Errorf("want %+v, got %s, %v", n, got.Dialect, err)
				}
			}
		}
	}
	var tally library
	tally.addServer(signals.TallyServer, true)
	got, err := detect(t, tally, Config{})
	if err != nil || got.Dialect.String() != "server=tally workers=none" || !got.Dialect.Sanitized {
		t.Errorf("tally is taken for %s, %v", got.Dialect, err)
	}
	// A collector may drop the scope labels; the names still tell.
	var bare library
	bare.addServer(signals.Naming{Millis: 1000}, false)
	if got, err = detect(t, bare, Config{}); err != nil || got.Dialect.String() != "server=tally workers=none names=raw" {
		t.Errorf("OpenTelemetry without suffixes is taken for %s, %v", got.Dialect, err)
	}
}

// Every naming of a fleet is found out, by any of the SDKs' metrics, and the
// server's own workers are no fleet.
func TestWorkerDialects(t *testing.T) {
	goOTel := signals.Naming{Timer: "_seconds", Millis: 1000}
	for name, c := range map[string]struct {
		add  func(l *library)
		want string
	}{
		"Go, tally":               {func(l *library) { l.addWorkers(signals.GoSDK, same(goSeconds), "my-queue") }, "workers=prometheus"},
		"Go, tally without scope": {func(l *library) { l.addWorkers(signals.TallyServer, same(goSeconds), "my-queue") }, "workers=tally"},
		"Go, OpenTelemetry": {
			func(l *library) { l.addWorkers(goOTel, same(otelDefault), "my-queue") },
			"workers=counters:none,timers:_seconds,histograms:none",
		},
		"Go, OpenTelemetry without units": {func(l *library) { l.addWorkers(signals.TallyServer, same(otelDefault), "my-queue") }, "workers=tally"},
		"Core": {
			func(l *library) { l.addWorkers(signals.Naming{Millis: 1}, byTimer(coreMillis), "my-queue") },
			"workers=counters:none,timers:none/ms,histograms:none",
		},
		"Core with _total": {func(l *library) {
			l.addWorkers(signals.Naming{Counter: "_total", Millis: 1}, byTimer(coreMillis), "my-queue")
		}, "workers=counters:_total,timers:none/ms,histograms:none"},
		"Core with units": {func(l *library) {
			l.addWorkers(signals.Naming{Counter: "_total", Timer: "_milliseconds", Millis: 1}, byTimer(coreMillis), "my-queue")
		}, "workers=counters:_total,timers:_milliseconds,histograms:none"},
		"Core in seconds": {func(l *library) { l.addWorkers(signals.Naming{Millis: 1000}, byTimer(coreSeconds), "my-queue") }, "workers=tally"},
		"Go and Core": {func(l *library) {
			l.addWorkers(signals.GoSDK, same(goSeconds), "my-queue")
			l.addWorkers(signals.Naming{Millis: 1}, byTimer(coreMillis), "other")
		}, "workers=counters:none,timers:none/ms,histograms:none+prometheus"},
		"Go, OpenTelemetry and Core with _total": {func(l *library) {
			l.addWorkers(goOTel, same(otelDefault), "my-queue")
			l.addWorkers(signals.Naming{Counter: "_total", Millis: 1}, byTimer(coreMillis), "other")
		}, "workers=counters:none,timers:none/ms,histograms:none+prometheus"},
		"only workflow tasks, only bounds up to 1000": {func(l *library) {
			l.buckets("temporal_workflow_task_execution_latency", coreMillis["workflow_task_execution"], "task_queue=my-queue")
			l.family("temporal_num_pollers", "task_queue=my-queue")
			l.family("temporal_workflow_completed", "task_queue=my-queue")
		}, "workers=counters:none,timers:none/ms,histograms:none"},
		"without temporal_worker_start": {func(l *library) {
			l.family("temporal_worker_task_slots_available", "task_queue=my-queue", "worker_type=ActivityWorker")
		}, "workers=prometheus"},
		"none": {func(*library) {}, "workers=none"},
	} {
		t.Run(name, func(t *testing.T) {
			var l library
			l.addServer(signals.OTelServer, false)
			c.add(&l)
			got, err := detect(t, l, Config{})
			if want := "server=opentelemetry " + c.want; err != nil || got.Dialect.String() != want {
				t.Errorf("want %s, got %s, %v", want, got.Dialect, err)
			}
		})
	}
}

// What has been executed by nobody yet is asked for again soon.
func TestGuessedNamingsAreNotSettled(t *testing.T) {
	var l library
	l.addServer(signals.TallyServer, true)
	l.family("temporal_num_pollers", "task_queue=my-queue")
	got, err := detect(t, l, Config{})
	if err != nil || got.settled {
		t.Errorf("%s is settled: %v, %v", got.Dialect, got.settled, err)
	}
}

// Names are compared rewritten as soon as either side rewrites them.
func TestNamesMeetAcrossDialects(t *testing.T) {
	for name, c := range map[string]struct {
		server   signals.Naming
		rewrites bool
		queue    string
		want     bool
	}{
		"both as they are":       {signals.OTelServer, false, "my-queue", false},
		"the server rewrites":    {signals.TallyServer, true, "my-queue", true},
		"the workers rewrite":    {signals.OTelServer, false, "my_queue", true},
		"both rewrite":           {signals.TallyServer, true, "my_queue", true},
		"other names altogether": {signals.OTelServer, false, "elsewhere", false},
	} {
		t.Run(name, func(t *testing.T) {
			var l library
			l.addServer(c.server, c.rewrites)
			l.addWorkers(signals.GoSDK, same(goSeconds), c.queue)
			got, err := detect(t, l, Config{})
			if err != nil || got.Dialect.Sanitized != c.want {
				t.Errorf("%s: names are rewritten: %v, %v", got.Dialect, got.Dialect.Sanitized, err)
			}
			server, _ := scopeOf(signals.Definition{Origin: signals.FromServer, Scope: health.KindTaskQueue},
				metric("taskqueue", map[bool]string{true: "my_queue", false: "my-queue"}[c.rewrites]), got.Dialect.Sanitized)
			worker, _ := scopeOf(signals.Definition{Origin: signals.FromWorkers, Scope: health.KindTaskQueue}, metric("task_queue", c.queue), got.Dialect.Sanitized)
			if meets := server == worker; meets != (c.queue != "elsewhere") {
				t.Errorf("the server's %s meets the workers' %s: %v", server, worker, meets)
			}
		})
	}
}

// What is prescribed is not detected; the rest is.
func TestPrescribedDialect(t *testing.T) {
	var l library
	l.addServer(signals.TallyServer, true)
	l.addWorkers(signals.GoSDK, same(goSeconds), "my-queue")
	addCloud(&l)
	for dialect, want := range map[string]string{
		"auto":          "server=tally workers=prometheus",
		"opentelemetry": "server=opentelemetry workers=prometheus names=sanitized",
		"cloud":         "server=cloud workers=prometheus",
		"server=counters:_total,timers:none/ms,histograms:none workers=tally names=raw": "server=counters:_total,timers:none/ms,histograms:none workers=tally",
		"workers=none names=raw": "server=tally workers=none names=raw",
	} {
		got, err := detect(t, l, Config{Dialect: dialect})
		if err != nil || got.Dialect.String() != want {
			t.Errorf("--dialect %q: want %s, got %s, %v", dialect, want, got.Dialect, err)
		}
	}
}

func addCloud(l *library) {
	labels := []string{"temporal_account=a2dd6", "temporal_namespace=team-a.a2dd6", "region=aws-eu-west-1"}
	l.family("temporal_cloud_v1_service_request_count", append(labels, "operation=StartWorkflowExecution")...)
	l.family("temporal_cloud_v1_total_action_count", labels...)
	l.family("temporal_cloud_v1_poll_success_count", append(labels, "temporal_task_queue=my-queue", "task_type=workflow")...)
	l.family("temporal_cloud_v1_approximate_backlog_count", append(labels, "temporal_task_queue=my-queue", "task_type=workflow")...)
}

// Temporal Cloud is found out by its metrics, beside workers that may rewrite
// its names, and two accounts are two clusters.
func TestCloudIsDetected(t *testing.T) {
	var l library
	addCloud(&l)
	l.addWorkers(signals.GoSDK, same(goSeconds), "my_queue")
	// Other programs count restarts too.
	l.family("restarts_total", "job=something")
	got, err := detect(t, l, Config{})
	if err != nil || got.Dialect.String() != "server=cloud workers=prometheus names=sanitized" || got.Windows.Server != 3*cloudInterval {
		t.Errorf("got %s, %+v, %v", got.Dialect, got.Windows, err)
	}
	if _, err := detect(t, l, Config{Dialect: "tally"}); err == nil || !strings.Contains(err.Error(), "no metrics of a Temporal server") {
		t.Errorf("tally is prescribed and not there: %v", err)
	}
	l.family("temporal_cloud_v1_service_request_count", "temporal_account=other")
	if _, err := detect(t, l, Config{}); err == nil || !strings.Contains(err.Error(), `--selector 'temporal_account="a2dd6"'`) {
		t.Errorf("two accounts: %v", err)
	}
}

// In whatever dialect, the queries ask for metrics that are there (property
// H12).
func TestQueriesAskForWhatIsThere(t *testing.T) {
	series := regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\{[^}]*\}`)
	core := signals.Naming{Millis: 1}
	for _, server := range []signals.Naming{
		signals.TallyServer, signals.OTelServer, core, {Counter: "_total", Millis: 1000}, {Timer: "_seconds", Millis: 1000, Histogram: "_ratio"},
	} {
		for _, workers := range [][]signals.Naming{{signals.GoSDK}, {core}, {core, signals.GoSDK}, {{Timer: "_seconds", Millis: 1000}}} {
			var l library
			l.addServer(server, server == signals.TallyServer)
			for _, n := range workers {
				bounds := same(goSeconds)
				if n.Millis == 1 {
					bounds = byTimer(coreMillis)
				}
				l.addWorkers(n, bounds, "my-queue")
			}
			got, err := detect(t, l, Config{})
			if err != nil || got.Dialect.Server != server || fmt.Sprint(got.Dialect.Workers) != fmt.Sprint(workers) {
				t.Errorf("%v %v is taken for %s, %v", server, workers, got.Dialect, err)
				continue
			}
			for _, request := range signals.Requests(got.Dialect, "", got.Windows) {
				if !slices.Contains(verdictRelevant, request.ID) {
					continue
				}
				asked := series.FindAllString(request.Query, -1)
				if !slices.ContainsFunc(asked, func(selector string) bool { return len(l.matching(selector)) > 0 }) {
					t.Errorf("%s: %s asks for nothing that is there: %s", got.Dialect, request.ID, request.Query)
				}
			}
		}
	}
}

// verdictRelevant are signals of each kind of metric, of which the library has
// series.
var verdictRelevant = []health.SignalID{
	health.Arrivals, health.StateTransitions, health.TasksAdded, health.TasksStarted, health.WorkflowsClosed, health.Pollers,
	health.PersistenceLatency, health.RequestLatency, health.ScheduleToStart, health.ServerUp, health.ServerTelemetryAge,
	health.WorkerTasksCompleted, health.WorkerScheduleToStart, health.SlotsUsed, health.StickyCacheMisses, health.PollFailures,
	health.WorkerUp, health.WorkerTelemetryAge,
}
