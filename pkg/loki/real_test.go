package loki

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// lokiVariable names the program of a real Loki, for the tests that need one.
const lokiVariable = "COPILOT_LAB_LOKI"

// realLoki is a Loki of its own for a test.
type realLoki struct {
	url, program, config string
	process              *exec.Cmd
	output               *os.File
	tenant               string
}

// realConfig is a Loki in one process that keeps everything in one directory.
const realConfig = `
auth_enabled: %[4]t
server: {http_listen_address: 127.0.0.1, http_listen_port: %[2]d, grpc_listen_address: 127.0.0.1, grpc_listen_port: %[3]d, log_level: warn,
  grpc_server_max_recv_msg_size: 67108864, grpc_server_max_send_msg_size: 67108864}
common:
  instance_addr: 127.0.0.1
  path_prefix: %[1]s
  storage: {filesystem: {chunks_directory: %[1]s/chunks, rules_directory: %[1]s/rules}}
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
schema_config:
  configs: [{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]
ingester: {lifecycler: {min_ready_duration: 0s}}
ingester_client: {grpc_client_config: {max_recv_msg_size: 67108864, max_send_msg_size: 67108864}}
analytics: {reporting_enabled: false}
limits_config: {ingestion_rate_mb: 500, ingestion_burst_size_mb: 500, per_stream_rate_limit: 500MB, per_stream_rate_limit_burst: 500MB%[5]s}
%[6]s
`

// startReal starts a real Loki with extra limits and settings, or skips the test.
// It serves several tenants when one is named.
func startReal(t testing.TB, tenant, limits string, settings ...string) *realLoki {
	t.Helper()
	program := os.Getenv(lokiVariable)
	if program == "" {
		t.Skip(lokiVariable + " names no program of a real Loki")
	}
	ports := [2]int{}
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	dir := t.TempDir()
	r := &realLoki{url: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), program: program, config: filepath.Join(dir, "loki.yaml"), tenant: tenant}
	config := fmt.Sprintf(realConfig, dir, ports[0], ports[1], tenant != "", limits, strings.Join(settings, "\n"))
	if err := os.WriteFile(r.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.output, err = os.Create(filepath.Join(dir, "loki.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.kill()
		r.output.Close()
	})
	r.start(t)
	return r
}

// start starts the process and waits until it is ready.
func (r *realLoki) start(t testing.TB) {
	t.Helper()
	r.process = exec.Command(r.program, "-config.file="+r.config)
	r.process.Stdout, r.process.Stderr = r.output, r.output
	if err := r.process.Start(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 5 * time.Second}
	for range 600 {
		resp, err := client.Get(r.url + "/ready")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	said, _ := os.ReadFile(r.output.Name())
	t.Fatalf("Loki is not ready: %s", said[max(0, len(said)-2000):])
}

// kill ends the process at once, as kill -9 does.
func (r *realLoki) kill() {
	if r.process != nil {
		_ = r.process.Process.Kill()
		_ = r.process.Wait()
		r.process = nil
	}
}

// said is a line with its time in nanoseconds.
type said struct {
	at   int64
	line string
}

// push sends lines of one stream.
func (r *realLoki) push(t testing.TB, labels map[string]string, lines ...said) {
	t.Helper()
	values := make([][2]string, len(lines))
	for i, l := range lines {
		values[i] = [2]string{strconv.FormatInt(l.at, 10), l.line}
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": labels, "values": values}}})
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequest(http.MethodPost, r.url+"/loki/api/v1/push", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("X-Scope-OrgID", r.tenant)
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("push: %s: %s", resp.Status, text)
	}
}

// scanner returns a scanner of a real Loki with time enough for a busy machine.
func (r *realLoki) scanner(t testing.TB, change ...func(*Config)) *Scanner {
	return scanner(t, r.url, append([]func(*Config){func(c *Config) { c.Timeout, c.Tenant = longestTimeout, r.tenant }}, change...)...)
}

// lately is a recent end of a window of half a minute.
func lately() instant.Instant { return instant.System.Now().Add(-time.Minute).Truncate(step) }

// errorLine is a line of Temporal's server.
func errorLine(message string) string {
	return fmt.Sprintf(`{"level":"error","ts":"2026-11-25T02:45:00.404Z","msg":%q,"service":"history","logging-call-at":"x.go:1"}`, message)
}

// counted are the counts of windows by message.
func counted(windows []health.LogWindow) map[string]int64 {
	lines := map[string]int64{}
	for _, w := range windows {
		for _, c := range w.Counts {
			lines[c.Message] += c.Lines
		}
	}
	return lines
}

func TestRealBorders(t *testing.T) {
	r := startReal(t, "", "")
	// Loki reads a range piece by piece, an hour each: there has to be such a seam
	// among the windows.
	to := lately().Truncate(time.Hour).Add(2 * step)
	if to.After(lately()) {
		to = to.Add(-time.Hour)
	}
	const windows = 6
	from := to.Add(-windows * step)
	for i := range windows + 1 {
		border := from.Add(time.Duration(i) * step).Time().UnixNano()
		r.push(t, map[string]string{"job": "temporal"},
			said{border - 1, errorLine(fmt.Sprintf("before border %c", 'a'+i))},
			said{border, errorLine(fmt.Sprintf("on border %c", 'a'+i))},
			said{border + 1, errorLine(fmt.Sprintf("after border %c", 'a'+i))})
	}
	check := func(t *testing.T, got []health.LogWindow) {
		for _, w := range got {
			end := 'a' + rune(w.To.Sub(from)/step)
			want := map[string]int64{fmt.Sprintf("before border %c", end): 1, fmt.Sprintf("on border %c", end): 1, fmt.Sprintf("after border %c", end-1): 1}
			if w.From.Truncate(step) != w.From {
				delete(want, fmt.Sprintf("after border %c", end-1))
			}
			if got := counted([]health.LogWindow{w}); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("(%s, %s] holds %v, want %v", w.From, w.To, got, want)
			}
		}
	}
	s := r.scanner(t)
	t.Run("in one range", func(t *testing.T) {
		got, err := s.Scan(t.Context(), from, to, step)
		if err != nil || len(got) != windows {
			t.Fatalf("%d windows, %v", len(got), err)
		}
		check(t, got)
	})
	t.Run("one by one", func(t *testing.T) {
		for i := range windows {
			got, err := s.Scan(t.Context(), from.Add(time.Duration(i)*step), from.Add(time.Duration(i+1)*step), step)
			if err != nil || len(got) != 1 {
				t.Fatalf("%d windows, %v", len(got), err)
			}
			check(t, got)
		}
	})
	t.Run("from between two borders", func(t *testing.T) {
		got, err := s.Scan(t.Context(), from.Add(7*time.Millisecond), to, step)
		if err != nil || len(got) != windows {
			t.Fatalf("%d windows, %v", len(got), err)
		}
		check(t, got)
	})
}

// Loki counts steps from 1970, instants count theirs from another year.
func TestRealOddWindows(t *testing.T) {
	r := startReal(t, "", "")
	const step = 7 * time.Second
	to := lately().Truncate(step)
	if to.Time().UnixNano()%step.Nanoseconds() == 0 {
		t.Fatal("the windows are not odd")
	}
	for i := range 5 {
		r.push(t, map[string]string{"job": "temporal"}, said{to.Add(-time.Duration(i) * step).Time().UnixNano(), errorLine(fmt.Sprintf("on border %c", 'a'+i))})
		r.push(t, map[string]string{"job": "temporal"}, said{to.Add(-time.Duration(i)*step).Time().UnixNano() + 1, errorLine(fmt.Sprintf("after border %c", 'a'+i))})
	}
	got, err := r.scanner(t).Scan(t.Context(), to.Add(-4*step-time.Second), to, step)
	if err != nil || len(got) != 5 {
		t.Fatalf("%d windows, %v", len(got), err)
	}
	for i, w := range got {
		want := map[string]int64{fmt.Sprintf("on border %c", 'e'-i): 1}
		if i > 0 {
			want[fmt.Sprintf("after border %c", 'e'-i+1)] = 1
		}
		if lines := counted([]health.LogWindow{w}); fmt.Sprint(lines) != fmt.Sprint(want) {
			t.Errorf("(%s, %s] holds %v, want %v", w.From, w.To, lines, want)
		}
	}
}

func TestRealFormats(t *testing.T) {
	r := startReal(t, "", "")
	at := lately().Add(-time.Second).Time().UnixNano()
	type template = health.LogTemplate
	for _, c := range []struct {
		name, line string
		want       template // nothing: the line does not count
	}{
		{
			"an error of the server",
			`{"level":"error","ts":"2026-11-25T02:45:33.067Z","msg":"Operation failed with internal error.","service":"history","service":"history","component":"shard-controller","error":"UpdateShard operation failed. Error: ERROR: change conflicts with another transaction, please retry: (OC000) (SQLSTATE 40001)","shard-id":3,"wf-namespace":"team-a","wf-task-queue-name":"/_sys/orders/2","stacktrace":"a\n\tb"}`,
			template{Service: "history", Level: "error", Message: "Operation failed with internal error.", Error: "UpdateShard operation failed. Error: ERROR: change conflicts with another transaction, please retry: (OC000) (SQLSTATE 40001)", Component: "shard-controller", Namespace: "team-a", TaskQueue: "orders"},
		},
		{
			"a service that only the code tells",
			`{"level":"warn","msg":"Fail to process task","error":"connection error: desc = \"transport: Error while dialing: dial tcp 10.1.2.3:7234: connect: connection refused\"","logging-call-at":"/src/service/matching/x.go:12"}`,
			template{Service: "matching", Level: "warn", Message: "Fail to process task", Error: `connection error: desc = "transport: Error while dialing: dial tcp <*>: connect: connection refused"`},
		},
		{
			"an event without words",
			`{"level":"info","msg":"none","service":"history","component":"shard-engine","lifecycle":"Started"}`,
			template{Service: "history", Level: "info", Message: "none", Component: "shard-engine", Lifecycle: "Started"},
		},
		{"an event", `{"level":"info","msg":"Acquired shard","shard-id":7,"logging-call-at":"x.go:1"}`, template{Service: "temporal", Level: "info", Message: "Acquired shard"}},
		{"what is usual", `{"level":"info","msg":"nothing of note","error":"an error was here"}`, template{}},
		{"what is usual, of an error", `{"level":"info","msg":"level=error was set to \"level\":\"error\""}`, template{}},
		{
			"identifiers",
			`{"level":"error","msg":"workflow 01a21098-fc5c-717d-9d72-8b563c6634bb of 'team-a' took 1.5s, 200ms, 3h at 2026-11-25T02:45:33.067Z on temporal-history-6d5f8c7b9d-x2x4z from [::1]:7233 (0xc000a1) \"orders\" 12 MB","service":"history"}`,
			template{Service: "history", Level: "error", Message: `workflow <*> of <*> took <*>, <*>, <*> at <*> on <*> from <*> (<*>) <*> <*> MB`},
		},
		{
			"quotes, backticks, lines, Unicode",
			`{"level":"error","msg":"he said \"no way\" and ` + "`went` off\\nin a second line: Übergröße 注文 🚚 \\\\ \\u003cb\\u003e" + `","service":"history"}`,
			template{Service: "history", Level: "error", Message: "he said \"no way\" and `went` off\nin a second line: Übergröße 注文 🚚 \\ <b>"},
		},
		{"a very long message", `{"level":"error","msg":"` + strings.Repeat("ä", 1000) + `","service":"history"}`, template{Service: "history", Level: "error", Message: "<*>"}},
		{
			"a long message", `{"level":"error","msg":"` + strings.Repeat("long ", 59) + `postgres://temporal:hunter@db.example.com/x failed","service":"history"}`,
			template{Service: "history", Level: "error", Message: strings.Repeat("long ", 59) + "<*>"},
		},
		{"half a line", `{"level":"error","msg":"cut off","service":"history","error":"no end`, template{Service: "history", Level: "error", Message: "cut off"}},
		{
			"a worker's", `{"time":"2026-11-25T02:45:34.049637587Z","level":"WARN","msg":"Failed to poll for task.","Namespace":"default","TaskQueue":"host-1:01a21098-fc5c-717d-9d72-8b563c6634bb","WorkerID":"21567@vm@","WorkerType":"ActivityWorker","Error":"closing transport"}`,
			template{Service: "workers", Level: "warn", Message: "Failed to poll for task.", Error: "closing transport", Namespace: "default", TaskQueue: "<*>"},
		},
		{
			"a worker of the server's own", `{"level":"warn","ts":"2026-11-25T02:45:01.658Z","msg":"Failed to poll for task.","Namespace":"temporal-system","TaskQueue":"temporal-sys-per-ns-tq","WorkerID":"server-worker@21344","logging-call-at":"x.go:1"}`,
			template{Service: "worker", Level: "warn", Message: "Failed to poll for task.", Namespace: "temporal-system", TaskQueue: "temporal-sys-per-ns-tq"},
		},
		{
			"the console format",
			"2026-11-25T02:45:33.067Z\terror\tUpdate workflow execution operation failed.\t{\"service\": \"history\", \"wf-namespace\": \"team-a\", \"error\": \"context canceled\", \"shard-id\": 4}",
			template{Service: "history", Level: "error", Message: "Update workflow execution operation failed.", Error: "context canceled", Namespace: "team-a"},
		},
		{"the console format without fields", "2026-11-25T02:45:33.067Z\twarn\tnothing behind", template{Service: "temporal", Level: "warn", Message: "nothing behind"}},
		{"the console format, usual", "2026-11-25T02:45:33.067Z\tinfo\thistory client encountered error\t{\"error\": \"an error here\"}", template{}},
		{"a stack trace's first line", "go.temporal.io/server/common/log.(*zapLogger).Error", template{}},
		{"a stack trace's second line", "\t/go/pkg/mod/go.temporal.io/server@v1.32.1/common/log/zap_logger.go:191", template{}},
		{
			"text of log/slog", `time=2026-11-25T02:45:34.049Z level=ERROR msg="Activity error." Namespace=default TaskQueue=orders WorkerID=1@vm@ ActivityType=Charge Error="card \"4711\" refused"`,
			template{Service: "workers", Level: "error", Message: "Activity error.", Error: "card <*> refused", Namespace: "default", TaskQueue: "orders"},
		},
		{"text of log/slog, usual", `time=2026-11-25T02:45:34.049Z level=INFO msg="no error here"`, template{}},
		{"plain text", "2026-11-25 02:45:34,049 ERROR [main] io.temporal.Worker: it failed 3 times", template{Service: "temporal", Level: "error", Message: "[main] io.temporal.Worker: it failed <*> times"}},
		{"Python's", "WARNING:temporalio.worker:it failed", template{Service: "temporal", Level: "warn", Message: "temporalio.worker:it failed"}},
		{"structlog's", `{"level":"error","event":"payment_failed","logger":"billing"}`, template{Service: "temporal", Level: "error", Message: "payment_failed"}},
		{"no message", `{"level":"error","logger":"billing","code":7}`, template{Service: "temporal", Level: "error", Message: "billing: a line without a message"}},
		{"nothing at all", `{"level":"error"}`, template{Service: "temporal", Level: "error", Message: "a line without a message"}},
		{"nothing behind the level", "2026-11-24T00:00:00Z ERROR   ", template{Service: "temporal", Level: "error", Message: "a line without a message"}},
		{"plain text, usual", "2026-11-25 02:45:34 INFO it came without an error at all", template{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at -= int64(2 * step)
			r.push(t, map[string]string{"job": "temporal", "service_name": "temporal"}, said{at, c.line})
			end := instant.FromTime(time.Unix(0, at)).Truncate(step).Add(step)
			s := r.scanner(t, func(c *Config) { c.Selector = `job="temporal"` })
			windows, err := s.Scan(t.Context(), end.Add(-step), end, step)
			if err != nil {
				t.Fatal(err)
			}
			counts := windows[0].Counts
			if c.want == (template{}) {
				if len(counts) > 0 {
					t.Errorf("counted %+v", counts)
				}
				return
			}
			if len(counts) != 1 || counts[0].LogTemplate != c.want || counts[0].Lines != 1 {
				t.Fatalf("got %+v\nwant %+v", counts, c.want)
			}
			samples, err := s.Samples(t.Context(), c.want, end.Add(-step), end, 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(samples) != 1 || samples[0].At.Time().UnixNano() != at || samples[0].Line != s.short(c.line) {
				t.Errorf("samples are %+v", samples)
			}
		})
	}
}

func TestRealLateLines(t *testing.T) {
	r := startReal(t, "", "")
	to := lately()
	labels := map[string]string{"job": "temporal"}
	r.push(t, labels, said{to.Time().UnixNano(), errorLine("x")})
	s := r.scanner(t)
	for lines := int64(1); lines <= 3; lines++ {
		windows, err := s.Scan(t.Context(), to.Add(-20*time.Minute), to, step)
		if err != nil {
			t.Fatal(err)
		}
		if got := counted(windows)["x"]; got != lines {
			t.Errorf("counted %d of %d lines", got, lines)
		}
		r.push(t, labels, said{to.Add(-time.Duration(lines) * 7 * time.Minute).Time().UnixNano(), errorLine("x")})
	}
}

func TestRealKilledInTheMiddle(t *testing.T) {
	r := startReal(t, "", "")
	const windows, each = 20, 200
	to := lately()
	from := to.Add(-windows * step)
	for i := range windows {
		var lines []said
		for n := range each {
			lines = append(lines, said{from.Add(time.Duration(i)*step).Time().UnixNano() + int64(n+1)*int64(step)/each, errorLine("x")})
		}
		r.push(t, map[string]string{"job": "temporal"}, lines...)
	}
	s := r.scanner(t, func(c *Config) { c.Timeout = 20 * time.Second })
	if _, err := s.Scan(t.Context(), to.Add(-step), to, step); err != nil {
		t.Fatal(err)
	}
	var got []health.LogWindow
	last := from
	scan := func() error {
		read, err := s.Scan(t.Context(), last, to, step)
		for _, w := range read {
			if w.From != last {
				t.Fatalf("window from %s after %s", w.From, last)
			}
			last = w.To
		}
		got = append(got, read...)
		return err
	}
	// It dies when the query has been sent.
	killed := make(chan struct{})
	var once sync.Once
	next := s.client.Transport
	s.client.Transport = transport(func(q *http.Request) (*http.Response, error) {
		if strings.HasSuffix(q.URL.Path, "query_range") {
			once.Do(func() {
				go func() {
					r.kill()
					close(killed)
				}()
			})
		}
		return next.RoundTrip(q)
	})
	if err := scan(); err != nil && !strings.Contains(err.Error(), "Loki at") {
		t.Errorf("failed with %v", err)
	}
	<-killed
	r.start(t)
	for tries := 0; last.Before(to); tries++ {
		if err := scan(); err != nil && tries > 20 {
			t.Fatal(err)
		}
	}
	for _, w := range got {
		if lines := counted([]health.LogWindow{w})["x"]; lines != each {
			t.Errorf("(%s, %s] has %d lines of %d", w.From, w.To, lines, each)
		}
	}
	if len(got) != windows {
		t.Errorf("%d windows", len(got))
	}
}

func TestRealTenantsAndLimits(t *testing.T) {
	r := startReal(t, "team", ", max_query_series: 5, max_query_parallelism: 1")
	to := lately()
	labels := map[string]string{"job": "temporal"}
	for kind := range 4 {
		for window := range 4 {
			r.push(t, labels, said{to.Add(-time.Duration(window) * step).Time().UnixNano(), errorLine(fmt.Sprintf("kind %c in window %c", 'a'+kind, 'a'+window))})
		}
	}
	t.Run("nobody asks", func(t *testing.T) {
		_, err := r.scanner(t, func(c *Config) { c.Tenant = "" }).Scan(t.Context(), to.Add(-step), to, step)
		if err == nil || !strings.Contains(err.Error(), "set the tenant") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("somebody else asks", func(t *testing.T) {
		_, err := r.scanner(t, func(c *Config) { c.Tenant = "others" }).Scan(t.Context(), to.Add(-step), to, step)
		var none *NoLogsError
		if !errors.As(err, &none) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("more series than are allowed", func(t *testing.T) {
		windows, err := r.scanner(t).Scan(t.Context(), to.Add(-4*step), to, step)
		if err != nil || len(windows) != 4 || len(counted(windows)) != 16 {
			t.Errorf("got %v, %v", windows, err)
		}
	})
	t.Run("more series than are allowed in one window", func(t *testing.T) {
		for kind := range 8 {
			r.push(t, labels, said{to.Add(-5 * step).Time().UnixNano(), errorLine(fmt.Sprintf("kind %c", 'a'+kind))})
		}
		windows, err := r.scanner(t).Scan(t.Context(), to.Add(-6*step), to.Add(-5*step), step)
		if err != nil || len(windows) != 1 || len(windows[0].Counts) != 0 || windows[0].Rest != 8 {
			t.Errorf("got %+v, %v", windows, err)
		}
	})
}

// A Loki with one place in its queue refuses what comes beside it.
func TestRealBusy(t *testing.T) {
	r := startReal(t, "", "", "query_scheduler: {max_outstanding_requests_per_tenant: 1}", "querier: {max_concurrent: 1}")
	to := lately()
	lines := make([]said, 20_000)
	for i := range lines {
		lines[i] = said{to.Time().UnixNano() - int64(i)*int64(time.Millisecond), errorLine("x")}
	}
	r.push(t, map[string]string{"job": "temporal"}, lines...)
	var refused atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		s := r.scanner(t, func(c *Config) {
			c.Selector = `job="temporal"`
			c.Logger = slog.New(slog.NewTextHandler(lookout{"429", &refused}, nil))
		})
		wg.Go(func() {
			windows, err := s.Scan(t.Context(), to.Add(-step), to, step)
			switch {
			case err != nil && !strings.Contains(err.Error(), "is asked too much (429"):
				t.Errorf("failed with %v", err)
			case err == nil && counted(windows)["x"] != 20_000:
				t.Errorf("counted %v", counted(windows))
			}
		})
	}
	wg.Wait()
	if refused.Load() == 0 {
		t.Error("nothing was refused")
	}
}

// transport is a function as an http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// lookout counts the lines of a log that hold a text.
type lookout struct {
	text  string
	count *atomic.Int64
}

// Write implements io.Writer.
func (l lookout) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(l.text)) {
		l.count.Add(1)
	}
	return len(line), nil
}
