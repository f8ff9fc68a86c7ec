// Package integration tests the built copilot beside real servers.
package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
	"github.com/temporal-sre/copilot/pkg/explain"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	cluster    = "lab"
	selector   = `cluster="lab"`
	taskQueue  = "integration"
	workflowID = "observe/" + cluster
	interval   = 2 * time.Second
	// patience is how long is waited for what takes seconds on an idle machine.
	patience = 3 * time.Minute
)

// The worker is killed at random moments, and store and metrics go away for a
// while. In the end the store holds every tick, each once, and the verdicts are
// those that the rules give for what was observed.
func TestWorkerLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	p := startPlace(t)
	ctx := t.Context()

	p.awaitMetrics(t)
	time.Sleep(2 * interval) // the first tick lies before the start
	// Short runs, so that some are continued as new under fire.
	run, err := p.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflowID, TaskQueue: taskQueue},
		"ObserveClusterWorkflow", json.RawMessage(`{
			"cluster": "lab", "ticks_in_run": 10,
			"config": {"interval_ns": 2000000000, "settle_ns": 1000000000, "catch_up_ns": 3600000000000, "warm_up_ns": 0}
		}`))
	if err != nil {
		t.Fatal(err)
	}

	w := p.startWorker(t)
	p.awaitSaved(t, instant.System.Now())

	for _, alive := range []time.Duration{3700 * time.Millisecond, 900 * time.Millisecond, 5200 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second} {
		time.Sleep(alive)
		w.kill(t)
		time.Sleep(alive / 2)
		w = p.startWorker(t)
	}
	p.awaitSaved(t, instant.System.Now())

	t.Log("the store goes away")
	p.store.set(closed)
	time.Sleep(12 * time.Second)
	w.kill(t)
	p.store.set(open)
	w = p.startWorker(t)
	p.awaitSaved(t, instant.System.Now())

	t.Log("a task queue loses its worker")
	if err := p.lab.StopWorkers(ctx, workload.Queues()[0], true); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)

	t.Log("the metrics go away")
	lost := instant.System.Now()
	p.metrics.set(frozen)
	time.Sleep(6 * time.Second)
	p.metrics.set(closed)
	time.Sleep(6 * time.Second)
	p.metrics.set(open)
	back := instant.System.Now()
	p.awaitSaved(t, instant.System.Now().Add(2*interval))

	w.stop(t)
	p.check(t, run.GetRunID(), lost, back)
}

// check compares the store with what has to be in it.
func (p *place) check(t *testing.T, firstRun string, lost, back instant.Instant) {
	t.Helper()
	observations := stored[health.Observation](t, p, "observations")
	assessments := stored[health.Assessment](t, p, "assessments")
	if len(observations) != len(assessments) {
		t.Errorf("%d observations and %d assessments are stored", len(observations), len(assessments))
	}
	if len(assessments) < 30 {
		t.Fatalf("only %d assessments in the store", len(assessments))
	}

	var window health.Window
	blind := 0
	for i := range min(len(observations), len(assessments)) {
		a := assessments[i]
		if i > 0 && a.At.Sub(assessments[i-1].At) != interval {
			t.Errorf("after %s comes %s", assessments[i-1].At, a.At)
		}
		if a.Blind {
			blind++
			// What was asked for while the metrics were away may have been
			// asked for late.
			if a.At.Before(lost.Add(-10*time.Second)) || a.At.After(back) {
				t.Errorf("%s is blind (%s), though the metrics were there", a.At, a.BlindReason)
			}
		}
		if at := observations[i].At; at != a.At {
			t.Fatalf("the observation of %s stands beside the assessment of %s", at, a.At)
		}
		var want health.Assessment
		want, window = health.Evaluate(window, observations[i])
		want.Explanation = explain.Rules(&want)
		if got, want := text(t, a), text(t, want); got != want {
			t.Errorf("%s: the stored verdict is not that of the rules\n got %s\nwant %s", a.At, got, want)
		}
	}
	t.Logf("%d ticks, %d of them blind; in the end %s", len(assessments), blind, assessments[len(assessments)-1].State)
	if blind == 0 {
		t.Error("the metrics were away, and no verdict says that it is blind")
	}

	described, err := p.temporal.DescribeWorkflowExecution(t.Context(), workflowID, "")
	if err != nil {
		t.Fatal(err)
	}
	if described.GetWorkflowExecutionInfo().GetExecution().GetRunId() == firstRun {
		t.Error("no run was continued as new")
	}
}

// place is a lab with the copilot's store and metrics behind lines that can be
// cut.
type place struct {
	lab            *lab.Lab
	binary         string
	store, metrics *line
	databaseURL    string    // through the line
	prometheusURL  string    // through the line
	database       *pgx.Conn // not through it
	temporal       client.Client
}

func startPlace(t *testing.T) *place {
	t.Helper()
	// Not t.TempDir: that is private to root, and PostgreSQL runs as another
	// user then.
	dir, err := os.MkdirTemp("", "copilot-integration-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	build(t, "..", filepath.Join(dir, "lab"), "./cmd/lab")
	build(t, "../..", filepath.Join(dir, "copilot"), "./worker/cmd/copilot")

	l, err := lab.Up(t.Context(), lab.Options{
		Program:        filepath.Join(dir, "lab"),
		DataDir:        filepath.Join(dir, "data"),
		ScrapeInterval: time.Second,
		ServerMetrics:  temporal.Tally,
		SecondTemporal: true,
		Rate:           workload.Rate{PerSecond: 5},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	state := l.State()
	p := &place{lab: l, binary: filepath.Join(dir, "copilot")}
	p.store, p.databaseURL = through(t, state.Postgres.URL)
	p.metrics, p.prometheusURL = through(t, state.Prometheus.URL)

	if out, err := exec.CommandContext(t.Context(), p.binary, "db", "setup-schema", "--database-url", state.Postgres.URL).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.database, err = pgx.Connect(t.Context(), state.Postgres.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.database.Close(context.Background()) })
	p.temporal, err = client.DialContext(t.Context(), client.Options{HostPort: state.CopilotTemporal.Address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.temporal.Close)
	return p
}

func build(t *testing.T, module, binary, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
}

// awaitMetrics waits until the metrics tell enough for a verdict.
func (p *place) awaitMetrics(t *testing.T) {
	t.Helper()
	const unknown = 3
	deadline := time.Now().Add(patience)
	for {
		check := exec.CommandContext(t.Context(), p.binary, "check", "--prometheus-url", p.prometheusURL, "--selector", selector)
		out, err := check.CombinedOutput()
		if code := check.ProcessState.ExitCode(); code >= 0 && code < unknown {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no verdict within three minutes: %v\n%s", err, out)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// awaitSaved waits until an observation of that instant or later is stored.
func (p *place) awaitSaved(t *testing.T, at instant.Instant) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var latest *time.Time
		err := p.database.QueryRow(t.Context(), `SELECT max(observed_at) FROM assessments WHERE cluster_id = $1`, cluster).Scan(&latest)
		if err == nil && latest != nil && !latest.Before(at.Time()) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing from %s on was stored within three minutes; the latest is %v (%v)", at, latest, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// stored reads the documents of a table, oldest first.
func stored[T any](t *testing.T, p *place, table string) []T {
	t.Helper()
	rows, err := p.database.Query(t.Context(), `SELECT payload FROM `+table+` WHERE cluster_id = $1 ORDER BY observed_at`, cluster)
	if err != nil {
		t.Fatal(err)
	}
	documents, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (document T, err error) {
		var payload string
		if err = row.Scan(&payload); err == nil {
			err = json.Unmarshal([]byte(payload), &document)
		}
		return document, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

// process is a running copilot worker.
type process struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
}

func (p *place) startWorker(t *testing.T) *process {
	t.Helper()
	w := &process{output: new(bytes.Buffer)}
	w.cmd = exec.Command(p.binary, "worker",
		"--prometheus-url", p.prometheusURL, "--selector", selector, "--cluster", cluster,
		"--temporal-address", p.lab.State().CopilotTemporal.Address, "--task-queue", taskQueue,
		"--interval", interval.String(), "--settle", "1s", "--warm-up", "0s")
	w.cmd.Env = append(os.Environ(), "COPILOT_DATABASE_URL="+p.databaseURL)
	w.cmd.Stdout, w.cmd.Stderr = w.output, w.output
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.cmd.ProcessState == nil {
			_ = w.cmd.Process.Kill()
			_ = w.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("worker %d said:\n%s", w.cmd.Process.Pid, w.output)
		}
	})
	return w
}

// kill ends the worker without a chance to do anything more.
func (w *process) kill(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatalf("the worker had ended by itself: %v\n%s", err, w.output)
	}
	_ = w.cmd.Wait()
}

// stop asks the worker to end, which it has to do in order.
func (w *process) stop(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("the worker ended with %v\n%s", err, w.output)
	}
	if strings.Contains(w.output.String(), "panic") {
		t.Errorf("the worker panicked:\n%s", w.output)
	}
}

// condition is what a line does with what is sent through it.
type condition int

const (
	open   condition = iota
	closed           // connections are refused and cut
	frozen           // connections are taken, and nothing comes through
)

// line is a TCP connection point before another one.
type line struct {
	mu      sync.Mutex
	state   condition
	changed chan struct{} // closed when state changes
	conns   map[net.Conn]bool
}

// through puts a line before the server of a URL and returns the URL that leads
// through it.
func through(t *testing.T, raw string) (*line, string) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	l := &line{changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	server := u.Host
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go l.carry(conn, server)
			}
		}
	}()
	u.Host = listener.Addr().String()
	return l, u.String()
}

// set changes the condition; connections do not outlive it.
func (l *line) set(state condition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	close(l.changed)
	l.changed = make(chan struct{})
	for conn := range l.conns {
		conn.Close()
	}
	clear(l.conns)
}

// carry passes bytes between a client and the server.
func (l *line) carry(conn net.Conn, server string) {
	defer conn.Close()
	l.mu.Lock()
	state, changed := l.state, l.changed
	l.conns[conn] = true
	l.mu.Unlock()
	switch state {
	case closed:
		return
	case frozen:
		<-changed
		return
	}
	to, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		_, _ = io.Copy(to, conn)
		to.Close()
	}()
	_, _ = io.Copy(conn, to)
	l.mu.Lock()
	delete(l.conns, conn)
	l.mu.Unlock()
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
