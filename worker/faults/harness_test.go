//go:build linux

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/dsqltest"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/pkg/verdict"
	"github.com/temporal-sre/copilot/worker/temporaltest"
)

const (
	// interval between the ticks of all clusters here, but for the benchmark's.
	interval = 2 * time.Second
	// patience is how long is waited for something that takes seconds on a
	// machine that has time for it.
	patience = 3 * time.Minute
	// part of the recording that is played: what comes before its incident, and
	// what comes after.
	partBefore, partAfter = 15 * time.Second, 75 * time.Second
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The faults wait most of the time, and so can wait together.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	postgrestest.Main(m)
}

// place is what the tests of all faults share: the copilot's own Temporal, and
// a recording that is played now.
type place struct {
	temporal *temporaltest.Server
	program  string // the copilot
	player   http.Handler
	selector string
}

// root is the repository's.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// open starts a place. It skips the test where the lab is not built.
func open(t *testing.T) *place {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a Temporal server and a Prometheus")
	}
	lab := filepath.Join(root(t), "bin", "lab")
	if _, err := os.Stat(lab); err != nil {
		t.Skip("no lab: go tool mage build:lab build:prometheus")
	}
	p := &place{}
	built := make(chan error, 1)
	p.program = filepath.Join(t.TempDir(), "copilot")
	go func() { built <- build(root(t), p.program) }()
	p.play(t, lab)
	p.temporal = temporaltest.New(t)
	if err := <-built; err != nil {
		t.Fatal(err)
	}
	return p
}

// build builds the copilot, with further arguments for go build.
func build(root, program string, args ...string) error {
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", program}, args, []string{"./worker/cmd/copilot"})...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the copilot: %w\n%s", err, out)
	}
	return nil
}

// play serves a recording by the lab's Prometheus and plays its incident.
func (p *place) play(t *testing.T, lab string) {
	t.Helper()
	dir := filepath.Join(root(t), "lab", "recordings", "all-workers-gone")
	var truth struct {
		Selector  string `json:"selector"`
		Intervals []struct {
			To instant.Instant `json:"to"`
		} `json:"intervals"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err == nil {
		err = json.Unmarshal(text, &truth)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.selector = truth.Selector
	address := temporaltest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	run(t, "the Prometheus of the recording", exec.Command(lab, "replay", dir, "--port", port))

	incident := truth.Intervals[0].To
	p.player = NewPlayer("http://"+address, incident.Add(-partBefore), incident.Add(partAfter), instant.System.Now().Truncate(time.Second))
	server := httptest.NewServer(p.player)
	defer server.Close()
	// The first one to ask waits for the recording's Prometheus.
	observer, err := prometheus.New(prometheus.Config{URL: server.URL, Selector: p.selector, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the recording can be judged", func() bool {
		now := instant.System.Now().Truncate(time.Second)
		observations, err := observer.Observe(t.Context(), now, now, interval)
		if err != nil {
			return false
		}
		first, _ := health.Evaluate(health.Window{}, observations[0])
		return !first.Blind
	})
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	within(t, patience, what, is)
}

// within waits no longer than limit until something is so.
func within(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	watch := instant.StartStopwatch()
	for !is() {
		if watch.Elapsed() > limit {
			t.Fatalf("after %s still not: %s", watch.Elapsed().Round(time.Second), what)
		}
		pause(t.Context(), 100*time.Millisecond)
	}
}

// process is a program that runs until it is ended.
type process struct {
	cmd    *exec.Cmd
	output *output
}

// output is what a program says, which may be read while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write takes what the program says.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is what the program has said so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// run starts a program that ends with the test at the latest.
func run(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, output: new(output)}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			text := p.output.String()
			t.Logf("%s said at last:\n%s", name, text[max(0, len(text)-6000):])
		}
		if strings.Contains(p.output.String(), "panic:") {
			t.Errorf("%s panicked", name)
		}
	})
	return p
}

// kill ends the program without a chance to do anything more.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatalf("it had ended by itself: %v\n%s", err, p.output)
	}
	_ = p.cmd.Wait()
}

// stop asks the program to end, and ends it when it takes too long.
func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait()
	late.Stop()
}

// watched is a cluster that is watched, by workers that a test starts, with a
// store, metrics and a task queue of its own.
type watched struct {
	*place
	temporal string
	cluster  string
	server   *dsqltest.Server
	config   dsql.Config
	store    *dsql.Store // the test's own way to the record
	metrics  *metrics
	env      []string
	flags    []string // of its workers, beside those that all have
	workers  []func() // each stops one
	record   *record  // once it has been read
}

// sslRoot guards PGSSLROOTCERT, which names the certificate that a store which
// is being opened trusts.
var sslRoot sync.Mutex

// openStore opens the store on a stand-in for Aurora DSQL.
func openStore(t *testing.T, server *dsqltest.Server, config dsql.Config) *dsql.Store {
	t.Helper()
	sslRoot.Lock()
	defer sslRoot.Unlock()
	const name = "PGSSLROOTCERT"
	if err := os.Setenv(name, server.CAFile()); err != nil {
		t.Fatal(err)
	}
	store, err := dsql.Open(t.Context(), config)
	if err := errors.Join(err, os.Unsetenv(name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// watch prepares a cluster that nobody watches yet.
func (p *place) watch(t *testing.T, cluster string, options dsqltest.Options) *watched {
	t.Helper()
	server := dsqltest.New(t, options)
	w := &watched{
		place: p, temporal: p.temporal.Address, cluster: cluster, server: server, metrics: newMetrics(t, p.player),
		config: dsql.Config{
			Endpoint: server.Endpoint(), Region: dsqltest.Region, Admin: true, Credentials: server.Credentials(),
			MaxConns: 2, MinConns: -1,
		},
	}
	w.store = openStore(t, server, w.config)
	if _, err := w.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := server.Credentials().Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.env = append(os.Environ(),
		"AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey, "AWS_SESSION_TOKEN=",
		"AWS_EC2_METADATA_DISABLED=true", "PGSSLROOTCERT="+server.CAFile(),
	)
	return w
}

// work starts a worker. The environment is for what only a changed copilot
// looks at.
func (w *watched) work(t *testing.T, env ...string) *process {
	t.Helper()
	cmd := exec.Command(w.program, "worker",
		"--prometheus-url", w.metrics.url, "--selector", w.selector, "--cluster", w.cluster,
		"--temporal-address", w.temporal, "--task-queue", w.cluster, "--listen", "off", "--start-timeout", patience.String(),
		"--interval", interval.String(), "--settle", "0s", "--warm-up", "0s",
		"--dsql-endpoint", w.server.Endpoint(), "--dsql-region", dsqltest.Region, "--dsql-admin")
	cmd.Args = append(cmd.Args, w.flags...)
	cmd.Env = slices.Concat(w.env, env)
	one := run(t, "a worker of "+w.cluster, cmd)
	w.workers = append(w.workers, one.stop)
	return one
}

// recover waits until a tick that comes after now is stored, with a verdict
// that rests on something, and returns how long that took. Ticks are stored in
// order, so that by then all before it are.
func (w *watched) recover(t *testing.T) time.Duration {
	t.Helper()
	now, watch := instant.System.Now(), instant.StartStopwatch()
	eventually(t, "a tick after "+now.String()+" is stored for "+w.cluster, func() bool {
		newest, found := w.newest(t)
		return found && !newest.At.Before(now) && !newest.Blind
	})
	return watch.Elapsed()
}

// newest is the newest verdict that is stored, if the store can be asked.
func (w *watched) newest(t *testing.T) (newest dsql.AssessmentSummary, found bool) {
	page, err := w.store.AssessmentSummaries(t.Context(), dsql.AssessmentQuery{Cluster: w.cluster, Limit: 1})
	if err != nil || len(page.Summaries) == 0 {
		return newest, false
	}
	return page.Summaries[0], true
}

// record is all that is stored of a cluster, oldest first.
type record struct {
	assessments  []health.Assessment
	observations []health.Observation
	transitions  []health.Transition
	rows         map[string]int64
}

// read stops the workers and reads the record, the first time.
func (w *watched) read(t *testing.T) *record {
	t.Helper()
	if w.record != nil {
		return w.record
	}
	for _, stop := range w.workers {
		stop()
	}
	w.workers = nil
	r := &record{rows: map[string]int64{}}
	query := dsql.AssessmentQuery{Cluster: w.cluster, Limit: 200}
	for more := true; more; more = query.Cursor != "" {
		page, err := w.store.Assessments(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		r.assessments = append(r.assessments, page.Assessments...)
		query.Cursor = page.Next
	}
	slices.Reverse(r.assessments)
	for i := range r.assessments {
		seen, err := w.store.Observation(t.Context(), w.cluster, r.assessments[i].At)
		if err != nil {
			t.Fatalf("the observation of %s: %v", r.assessments[i].At, err)
		}
		r.observations = append(r.observations, seen)
	}
	var err error
	if r.transitions, err = w.store.Transitions(t.Context(), w.cluster, instant.Instant{}, instant.Instant{}, 5000); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(r.transitions)
	counts, err := w.store.TableCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, count := range counts {
		r.rows[count.Name] = count.Rows
	}
	w.record = r
	return r
}

// late is what the reason of a blind verdict says when the machine was too busy
// to ask in time.
const late = "no answer from Prometheus"

// outcome compares the record with what has to be in it: each tick from the one
// before begin to the one before end, once, with the verdict that the rules
// give for the stored observation. A blind verdict is right while the metrics
// were away, from away to end; zero: they were there.
func (w *watched) outcome(t *testing.T, begin, end, away instant.Instant, o Outcome) Outcome {
	t.Helper()
	r := w.read(t)
	var memory verdict.Memory
	transitions := []health.Transition{}
	stored := map[instant.Instant]int{}
	from, to := begin.Truncate(interval), end.Truncate(interval)
	seen := w.seenAgain(t, from, to)
	for i := range r.assessments {
		a := &r.assessments[i]
		stored[a.At]++
		var want health.Assessment
		want, memory = verdict.Judge(memory, r.observations[i])
		if want.Logs != nil {
			want.Logs.Counts = nil // rows of their own
		}
		if want.Transition != nil {
			transitions = append(transitions, *want.Transition)
		}
		if a.At.Before(from) || a.At.After(to) {
			continue
		}
		if got, want := text(t, a), text(t, want); got != want {
			o.Wrong++
			t.Errorf("%s at %s: the stored verdict is not that of the rules\n got %s\nwant %s", w.cluster, a.At, got, want)
		}
		if !a.Blind {
			if signal := falsehood(t, &r.observations[i], seen[a.At]); signal != "" {
				o.Wrong++
				t.Errorf("%s at %s: what is stored of %s is not what was to be seen", w.cluster, a.At, signal)
			}
			continue
		}
		o.Blind++
		excused := !away.IsZero() && !a.At.Before(away.Add(-2*interval)) && a.At.Before(end)
		if !excused && !strings.Contains(a.BlindReason, late) {
			t.Errorf("%s at %s is blind (%s), though the metrics were there", w.cluster, a.At, a.BlindReason)
		}
	}
	for at := from; !at.After(to); at = at.Add(interval) {
		o.Expected++
		if stored[at] > 0 {
			o.Stored++
		} else {
			t.Errorf("%s: the tick of %s is not stored", w.cluster, at)
		}
	}
	o.Doubled = len(r.assessments) - len(stored) +
		int(r.rows["assessments"]) - len(r.assessments) + int(r.rows["observations"]) - len(r.observations)
	if o.Doubled != 0 {
		t.Errorf("%s: %d rows too many: %v for %d ticks", w.cluster, o.Doubled, r.rows, len(stored))
	}
	if got, want := text(t, r.transitions), text(t, transitions); got != want {
		t.Errorf("%s: the stored changes of state are\n%s\nand those of the rules\n%s", w.cluster, got, want)
	}
	t.Logf("%+v", o)
	return o
}

// seenAgain looks once more at what there was to see, when nothing is at fault.
func (w *watched) seenAgain(t *testing.T, from, to instant.Instant) map[instant.Instant]*health.Observation {
	t.Helper()
	server := httptest.NewServer(w.player)
	defer server.Close()
	observer, err := prometheus.New(prometheus.Config{URL: server.URL, Selector: w.selector, Cluster: w.cluster, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	observations, err := observer.Observe(t.Context(), from, to, interval)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[instant.Instant]*health.Observation{}
	for i := range observations {
		seen[observations[i].At] = &observations[i]
	}
	return seen
}

// falsehood names a signal of a stored observation that says something else
// than what was to be seen. One that failed or is missing, and says so, is none.
func falsehood(t *testing.T, stored, seen *health.Observation) health.SignalID {
	t.Helper()
	for i := range stored.Measurements {
		m := &stored.Measurements[i]
		if m.Usable() && text(t, m) != text(t, seen.Signal(m.Signal)) {
			return m.Signal
		}
	}
	return ""
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// metrics is the Prometheus of one cluster, which can be given trouble.
type metrics struct {
	url     string
	trouble atomic.Pointer[http.HandlerFunc]
}

// newMetrics serves the player's metrics until the test ends.
func newMetrics(t *testing.T, player http.Handler) *metrics {
	t.Helper()
	m := new(metrics)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trouble := m.trouble.Load(); trouble != nil {
			(*trouble)(w, r)
			return
		}
		player.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	m.url = server.URL
	return m
}

// pause waits, or ends the test when that is cancelled.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
