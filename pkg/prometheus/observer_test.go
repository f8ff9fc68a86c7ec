package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metrics "github.com/prometheus/client_golang/prometheus"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// These tests are about what a real Prometheus does only when it is ill. How
// the queries fare on a real one is tested in the lab.

var noon = instant.FromUnix(1_764_000_000)

// standIn speaks Prometheus' HTTP API. The zero value answers like one that
// scrapes a healthy, idle Temporal server in the tally dialect.
type standIn struct {
	clusters []string
	// unreachable is a service whose targets are not scraped.
	unreachable string
	// before may answer a request itself, and then returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
	// values gives the series of a query; nil for none.
	values   func(query string) []map[string]any
	requests atomic.Int64
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if s.before != nil && s.before(w, r) {
		return
	}
	_ = r.ParseForm()
	w.Header().Set("Content-Type", "application/json")
	reply := func(data any) {
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
	}
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/label/__name__/values") && strings.Contains(r.Form.Get("match[]"), `task_queue!=""`):
		reply([]string{"temporal_worker_start_total", "temporal_activity_execution_latency_seconds_bucket"})
	case strings.HasSuffix(path, "/label/__name__/values"):
		reply([]string{"restarts", "service_latency_bucket", "state_transition_count_count"})
	case strings.HasSuffix(path, "/label/cluster/values"):
		reply(s.clusters)
	case strings.Contains(path, "/label/"):
		reply([]string{})
	case strings.HasSuffix(path, "/query"):
		reply(map[string]any{"resultType": "matrix", "result": []any{}})
	case strings.HasSuffix(path, "/query_range"):
		var result []map[string]any
		query := r.Form.Get("query")
		if s.values != nil {
			result = s.values(query)
		}
		if result == nil && strings.HasPrefix(query, "time() - max by (service_name) (timestamp(restarts") {
			for _, service := range []string{"frontend", "history", "matching"} {
				if service != s.unreachable {
					result = append(result, series(r, map[string]string{"service_name": service}, "2"))
				}
			}
		}
		if result == nil && strings.Contains(query, "last_over_time(restarts") {
			result = []map[string]any{series(r, map[string]string{"instance": "a:1", "service_name": "history"}, "1")}
		}
		if result == nil {
			result = []map[string]any{}
		}
		for i := range result {
			if result[i]["values"] == nil {
				result[i] = series(r, result[i]["metric"].(map[string]string), result[i]["value"].(string))
			}
		}
		reply(map[string]any{"resultType": "matrix", "result": result})
	default:
		http.NotFound(w, r)
	}
}

// series repeats a value at every step of the range that is asked for.
func series(r *http.Request, labels map[string]string, value string) map[string]any {
	from, _ := strconv.ParseFloat(r.Form.Get("start"), 64)
	to, _ := strconv.ParseFloat(r.Form.Get("end"), 64)
	step, _ := strconv.ParseFloat(r.Form.Get("step"), 64)
	var values [][]any
	for at := from; at <= to; at += step {
		values = append(values, []any{at, value})
	}
	return map[string]any{"metric": labels, "values": values}
}

func serve(t *testing.T, s *standIn) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func observeOnce(t *testing.T, cfg Config) health.Observation {
	t.Helper()
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	observations, err := o.Observe(t.Context(), noon, noon, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(observations) != 1 {
		t.Fatalf("%d observations of one instant", len(observations))
	}
	return observations[0]
}

// Missing is not zero: a counter that had no event is 0 beside living
// telemetry, a gauge without series is nothing, and without telemetry
// everything is missing.
func TestMissingIsNotZero(t *testing.T) {
	o := observeOnce(t, Config{URL: serve(t, &standIn{})})
	if m := o.Signal(health.TasksAdded); m.Status != health.OK || m.Value == nil || *m.Value != 0 || m.Reason == "" {
		t.Errorf("a counter without events: %+v", m)
	}
	if m := o.Signal(health.BacklogAge); m.Status != health.OK || m.Value != nil {
		t.Errorf("a gauge without series: %+v", m)
	}
	// What a deployment need not have is no gap in what is seen.
	if m := o.Signal(health.OCCConflicts); m.Status != health.OK || m.Value != nil || !strings.Contains(m.Reason, "does not export") {
		t.Errorf("a metric of a database that is not there: %+v", m)
	}
	nan := observeOnce(t, Config{URL: serve(t, &standIn{values: func(query string) []map[string]any {
		if strings.Contains(query, "persistence_latency_bucket") {
			return []map[string]any{{"metric": map[string]string{}, "value": "NaN"}}
		}
		return nil
	}})})
	if m := nan.Signal(health.PersistenceLatency); m.Value != nil {
		t.Errorf("NaN became %v", *m.Value)
	}
	dark := observeOnce(t, Config{URL: serve(t, &standIn{values: func(string) []map[string]any { return []map[string]any{} }})})
	for _, m := range dark.Measurements {
		if m.Status == health.OK {
			t.Errorf("without telemetry %s is %s with %v", m.Signal, m.Status, m.Value)
		}
	}
}

// A rate without series is believed to be zero only beside living telemetry of
// the service that would report it.
func TestAbsenceIsBelievedOfLivingServicesOnly(t *testing.T) {
	o := observeOnce(t, Config{URL: serve(t, &standIn{unreachable: "history"})})
	if m := o.Signal(health.TasksStarted); m.Status != health.Missing || m.Value != nil || !strings.Contains(m.Reason, "history") {
		t.Errorf("history is not scraped, and tasks started are %s %v (%s)", m.Status, m.Value, m.Reason)
	}
	if m := o.Signal(health.TasksAdded); m.Status != health.OK || m.Value == nil {
		t.Errorf("matching is scraped, and tasks added are %s", m.Status)
	}
}

// A namespace is found as the server spells it, and one that is nowhere is
// missing, not idle.
func TestNamespace(t *testing.T) {
	added := func(query string) []map[string]any {
		if !strings.Contains(query, `task_add_result=~"sync_match|backlog"`) {
			return nil
		}
		return []map[string]any{
			{"metric": map[string]string{"namespace": "my_team", "taskqueue": "orders", "task_type": "Workflow"}, "value": "5"},
			{"metric": map[string]string{"namespace": "other", "taskqueue": "orders", "task_type": "Workflow"}, "value": "7"},
		}
	}
	url := serve(t, &standIn{values: added})
	o := observeOnce(t, Config{URL: url, Namespace: "my-team"})
	if m := o.Signal(health.TasksAdded); m.Value == nil || *m.Value != 5 {
		t.Errorf("my-team adds %v tasks", m.Value)
	}
	o = observeOnce(t, Config{URL: url, Namespace: "nobody"})
	if m := o.Signal(health.TasksAdded); m.Status != health.Missing || !strings.Contains(m.Reason, `"nobody"`) {
		t.Errorf("a namespace that is nowhere is %s: %s", m.Status, m.Reason)
	}
}

// A Prometheus that cannot be asked gives an observation that says why, in
// one line without the password, and never a value.
func TestIllnessIsToldInTheObservation(t *testing.T) {
	slow := make(chan struct{})
	t.Cleanup(func() { close(slow) })
	for name, c := range map[string]struct {
		before func(w http.ResponseWriter, r *http.Request) bool
		want   string
	}{
		"5xx": {func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "upstream is away", http.StatusServiceUnavailable)
			return true
		}, "server_error"},
		"not Prometheus": {func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, "<html>welcome</html>")
			return true
		}, "does not answer like a Prometheus API"},
		"404": {func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "no such page", http.StatusNotFound)
			return true
		}, "client_error"},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "who are you", http.StatusForbidden)
			return true
		}, "403"},
		"slow": {func(_ http.ResponseWriter, r *http.Request) bool {
			select {
			case <-slow:
			case <-r.Context().Done():
			}
			return true
		}, "no answer from Prometheus"},
		"huge": {func(w http.ResponseWriter, _ *http.Request) bool {
			chunk := []byte(strings.Repeat("x", 1<<20))
			for range maxAnswers>>20 + 2 {
				if _, err := w.Write(chunk); err != nil {
					break
				}
			}
			return true
		}, "larger than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, &standIn{before: c.before})
			timeout := time.Minute // nobody else is to be cut short, however busy the machine is
			if name == "slow" {
				timeout = time.Second
			}
			o := observeOnce(t, Config{URL: strings.Replace(url, "http://", "http://me:secret@", 1), Timeout: timeout})
			m := o.Signal(health.StateTransitions)
			if m.Status != health.Failed || m.Value != nil || !strings.Contains(m.Reason, c.want) {
				t.Errorf("want a failure with %q, got %s %v %q", c.want, m.Status, m.Value, m.Reason)
			}
			if strings.Contains(m.Reason, "secret") || strings.Contains(m.Reason, "\n") {
				t.Errorf("the reason is not one line without secrets: %q", m.Reason)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		o := observeOnce(t, Config{URL: server.URL, Timeout: time.Minute})
		if m := o.Signal(health.ServerUp); m.Status != health.Failed || !strings.Contains(m.Reason, "cannot reach Prometheus") {
			t.Errorf("got %s %q", m.Status, m.Reason)
		}
	})
}

// zeros is an answer of a size.
type zeros int64

// RoundTrip implements http.RoundTripper.
func (z zeros) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.LimitReader(zero{}, int64(z)))}, nil
}

// zero reads as zeros without end.
type zero struct{}

// Read implements io.Reader.
func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// answered is the body of an answer.
func answered(t *testing.T, p *polite) io.ReadCloser {
	t.Helper()
	response, err := p.RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	return response.Body
}

// read reads a body to its end.
func read(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

// Answers that are read at the same time share one bound, and what was read
// before does not count.
func TestAnswersUnderWayAreBoundedTogether(t *testing.T) {
	p := &polite{next: zeros(maxAnswers / 2), all: new(atomic.Int64)}
	ask := func() io.ReadCloser { return answered(t, p) }
	first, second, third := ask(), ask(), ask()
	if err := errors.Join(read(first), read(second)); err != nil {
		t.Fatalf("two halves: %v", err)
	}
	if err := read(third); !errors.Is(err, errTooLarge) {
		t.Fatalf("a third half: %v", err)
	}
	for _, body := range []io.Closer{first, first, second, third} {
		body.Close()
	}
	for range 5 {
		body := ask()
		if err := read(body); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		body.Close()
	}
	if own, all := p.own.Load(), p.all.Load(); own != 0 || all != 0 {
		t.Errorf("%d and %d bytes are held by nobody", own, all)
	}
}

// So do those of all observers of the process, but whoever has little to read
// may always do so.
func TestAnswersToAllObserversAreBounded(t *testing.T) {
	all := new(atomic.Int64)
	var mad []io.ReadCloser
	for range maxAnswersOfAll / maxAnswers {
		body := answered(t, &polite{next: zeros(maxAnswers), all: all})
		if err := read(body); err != nil {
			t.Fatal(err)
		}
		mad = append(mad, body)
	}
	large := answered(t, &polite{next: zeros(fairAnswers + 1), all: all})
	if err := read(large); !errors.Is(err, errCrowded) || !passing(err) {
		t.Errorf("one more large answer: %v", err)
	}
	large.Close()
	small := answered(t, &polite{next: zeros(fairAnswers), all: all})
	if err := read(small); err != nil {
		t.Errorf("a small answer: %v", err)
	}
	small.Close()
	for _, body := range mad {
		body.Close()
	}
	large = answered(t, &polite{next: zeros(maxAnswers), all: all})
	if err := read(large); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	large.Close()
	if held := all.Load(); held != 0 {
		t.Errorf("%d bytes are held by nobody", held)
	}
}

// What passes by itself is tried again; what does not is not.
func TestRetries(t *testing.T) {
	var failed atomic.Int64
	s := &standIn{before: func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/label/__name__/values") && failed.Add(1) == 1 {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return true
		}
		return false
	}}
	o := observeOnce(t, Config{URL: serve(t, s)})
	if m := o.Signal(health.ServerUp); m.Status != health.OK {
		t.Errorf("one failure was not survived: %s %q", m.Status, m.Reason)
	}
	bad := &standIn{before: func(w http.ResponseWriter, r *http.Request) bool {
		http.Error(w, "no", http.StatusUnauthorized)
		return true
	}}
	observeOnce(t, Config{URL: serve(t, bad)})
	if n := bad.requests.Load(); n != 1 {
		t.Errorf("a refusal was asked for %d times", n)
	}
}

// One failing query costs its own signal only.
func TestOneFailingQueryCostsOneSignal(t *testing.T) {
	s := &standIn{}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		_ = r.ParseForm()
		if strings.Contains(r.Form.Get("query"), "approximate_backlog_age_seconds") {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"many-to-many matching"}`)
			return true
		}
		return false
	}
	o := observeOnce(t, Config{URL: serve(t, s)})
	if m := o.Signal(health.BacklogAge); m.Status != health.Failed || !strings.Contains(m.Reason, "many-to-many") {
		t.Errorf("got %s %q", m.Status, m.Reason)
	}
	if m := o.Signal(health.ServerUp); m.Status != health.OK {
		t.Errorf("another signal suffered: %s %q", m.Status, m.Reason)
	}
}

// When the age of the telemetry could not be asked, no sample says nothing: it
// has failed to be seen, and is not missing from what there is.
func TestWithoutTheAgeOfTelemetryAbsenceIsAFailure(t *testing.T) {
	s := &standIn{}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		_ = r.ParseForm()
		if strings.HasPrefix(r.Form.Get("query"), "time() - max by (service_name)") {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples"}`)
			return true
		}
		return false
	}
	o := observeOnce(t, Config{URL: serve(t, s)})
	for _, signal := range []health.SignalID{health.TasksAdded, health.BacklogAge, health.OCCConflicts} {
		if m := o.Signal(signal); m.Status != health.Failed || m.Value != nil || !strings.Contains(m.Reason, "too many samples") {
			t.Errorf("%s without samples: %s %v %q", signal, m.Status, m.Value, m.Reason)
		}
	}
	if m := o.Signal(health.ServerUp); m.Status != health.OK {
		t.Errorf("a signal with samples: %s %q", m.Status, m.Reason)
	}
	// The workers' telemetry was asked for, and is not there.
	if m := o.Signal(health.WorkerTelemetryAge); m.Status != health.Missing {
		t.Errorf("the age of other telemetry: %s %q", m.Status, m.Reason)
	}
}

// Several clusters without a choice are an error that lists the selectors.
func TestSeveralClustersMustBeChosenFrom(t *testing.T) {
	o, err := New(Config{URL: serve(t, &standIn{clusters: []string{"eu", "us"}})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Observe(t.Context(), noon, noon, time.Minute)
	var several *SeveralClustersError
	if !errors.As(err, &several) || !strings.Contains(err.Error(), `--selector 'cluster="eu"'`) {
		t.Fatalf("got %v", err)
	}
}

// Who asks, for whom and with what reaches the server.
func TestAuthentication(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		want func(r *http.Request) bool
	}{
		"basic": {Config{Username: "me", Password: "pw"}, func(r *http.Request) bool {
			user, password, ok := r.BasicAuth()
			return ok && user == "me" && password == "pw"
		}},
		"bearer": {Config{BearerToken: "token"}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer token" }},
		"tenant": {Config{Tenant: "team-a"}, func(r *http.Request) bool { return r.Header.Get("X-Scope-OrgID") == "team-a" }},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong atomic.Int64
			c.cfg.URL = serve(t, &standIn{before: func(_ http.ResponseWriter, r *http.Request) bool {
				if !c.want(r) {
					wrong.Add(1)
				}
				return false
			}})
			observeOnce(t, c.cfg)
			if n := wrong.Load(); n > 0 {
				t.Errorf("%d requests came without it", n)
			}
		})
	}
	t.Run("SigV4", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
		var signed atomic.Int64
		s := &standIn{before: func(_ http.ResponseWriter, r *http.Request) bool {
			if auth := r.Header.Get("Authorization"); strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") && strings.Contains(auth, "/eu-west-1/aps/aws4_request") {
				signed.Add(1)
			}
			return false
		}}
		observeOnce(t, Config{URL: serve(t, s), SigV4: true, Region: "eu-west-1"})
		if signed.Load() != s.requests.Load() {
			t.Errorf("%d of %d requests were signed for aps", signed.Load(), s.requests.Load())
		}
	})
}

// An outage of the source of credentials fails requests and no configuration,
// and they are signed as soon as it is over.
func TestCredentialsAreFetchedByRequests(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	var away atomic.Bool
	var asked atomic.Int64
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if away.Load() {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `{"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"example","Token":"t","Expiration":"2100-01-01T00:00:00Z"}`)
	}))
	t.Cleanup(source.Close)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", source.URL)

	away.Store(true)
	s := &standIn{}
	o, err := New(Config{URL: serve(t, s), SigV4: true, Region: "eu-west-1"})
	if err != nil || asked.Load() != 0 {
		t.Fatalf("configuring asked %d times for credentials: %v", asked.Load(), err)
	}
	see := func() *health.Measurement {
		observations, err := o.Observe(t.Context(), noon, noon, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return observations[0].Signal(health.ServerUp)
	}
	if m := see(); m.Status != health.Failed || !strings.Contains(m.Reason, "no AWS credentials") || strings.Contains(m.Reason, "\n") {
		t.Errorf("without credentials: %s %q", m.Status, m.Reason)
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("%d requests went out unsigned", n)
	}
	away.Store(false)
	if m := see(); m.Status != health.OK {
		t.Errorf("with credentials again: %s %q", m.Status, m.Reason)
	}

	// What nobody has to be asked for is checked at once.
	var bad *ConfigError
	if _, err := New(Config{URL: "http://p:9090", SigV4: true}); !errors.As(err, &bad) || bad.Field != "region" {
		t.Errorf("no region: %v", err)
	}
	if _, err := New(Config{URL: "http://p:9090", SigV4: true, Region: "eu-west-1", Profile: "nobody"}); !errors.As(err, &bad) || bad.Value != "nobody" {
		t.Errorf("no such profile: %v", err)
	}
}

// Every bad setting is reported at once, with field, value and remedy.
func TestConfigErrors(t *testing.T) {
	_, err := New(Config{URL: "localhost:9090", Selector: `cluster="a"} or vector(1) #`, Username: "me", SigV4: true})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`url "localhost:9090"`, "http://localhost:9090", "selector", "choose one of basic, bearer and SigV4"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	_, err = New(Config{URL: "http://p:9090", Dialect: "otel"})
	var bad *ConfigError
	if !errors.As(err, &bad) || bad.Field != "dialect" || bad.Value != "otel" || !strings.Contains(err.Error(), "use auto, tally, opentelemetry or cloud") {
		t.Errorf("a dialect that does not exist: %v", err)
	}
	for _, selector := range []string{"", `cluster="prod"`, `a="b", c=~"d|e",f!="g"`, `q="say \"hi\""`} {
		if err := checkSelector(selector); err != nil {
			t.Errorf("selector %s: %v", selector, err)
		}
	}
}

// More task queues than the limit are cut to the busiest, and that is said.
// Those with pollers and no work go first.
func TestBusiestTaskQueuesAreKept(t *testing.T) {
	s := &standIn{values: func(query string) []map[string]any {
		if strings.HasPrefix(query, "sum by (namespace, taskqueue, task_type) (pending_polls{") {
			var result []map[string]any
			for i := range 40 {
				result = append(result, map[string]any{
					"metric": map[string]string{"namespace": "default", "taskqueue": fmt.Sprintf("idle%02d", i), "task_type": "Workflow"},
					"value":  "1",
				})
			}
			return result
		}
		if !strings.Contains(query, `task_add_result=~"sync_match|backlog"`) {
			return nil
		}
		var result []map[string]any
		for i := range 30 {
			result = append(result, map[string]any{
				"metric": map[string]string{"namespace": "default", "taskqueue": fmt.Sprintf("q%02d", i), "task_type": "Workflow"},
				"value":  strconv.Itoa(i),
			})
		}
		return result
	}}
	o := observeOnce(t, Config{URL: serve(t, s), MaxTaskQueues: 5})
	m := o.Signal(health.TasksAdded)
	if o.Omitted != 65 || len(m.Samples) != 5 || m.Samples[0].Scope.Name != "q25" {
		t.Fatalf("omitted %d, kept %v", o.Omitted, m.Samples)
	}
	if p := o.Signal(health.Pollers); len(p.Samples) != 0 || p.Value == nil || *p.Value != 40 {
		t.Errorf("the pollers of idle queues are %v, %v for the cluster", p.Samples, p.Value)
	}
	if *m.Value != 29*30/2 {
		t.Errorf("the cluster's value %v lost the omitted queues", *m.Value)
	}
}

// Requests are counted and timed where a registry is given, twice over too.
func TestRequestsAreMeasured(t *testing.T) {
	registry := metrics.NewRegistry()
	for range 2 {
		observeOnce(t, Config{URL: serve(t, &standIn{}), Registerer: registry})
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%d families, %v", len(families), err)
	}
}

// A cancelled context is an error, not an observation.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o, err := New(Config{URL: serve(t, &standIn{})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Observe(ctx, noon, noon, time.Minute); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestClusterName(t *testing.T) {
	for _, c := range []struct{ selector, url, want string }{
		{`cluster="prod"`, "http://p:9090", "prod"},
		{`region="eu",k8s_cluster="a"`, "http://p:9090", "a"},
		{"", "http://p:9090", "p:9090"},
		{"", "", "default"},
	} {
		if got := ClusterName(c.selector, c.url); got != c.want {
			t.Errorf("ClusterName(%q, %q) = %q, want %q", c.selector, c.url, got, c.want)
		}
	}
}
