//go:build linux

package faults

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/dsqltest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/worker/activities"
	"github.com/temporal-sre/copilot/worker/temporaltest"
	"github.com/temporal-sre/copilot/worker/workflows"
)

// form is how long the faults last.
type form struct {
	kills                                int
	cut, storm, source, pool, down, skew time.Duration
	explanations                         int
}

// formEnv chooses the form: "long", or the short one.
const formEnv = "COPILOT_FAULTS"

// documentEnv names the document to write the table into; empty: none.
const documentEnv = "COPILOT_FAULTS_DOCUMENT"

var (
	shortForm = form{
		kills: 3, cut: 20 * time.Second, storm: 8 * time.Second, source: 4 * time.Second, pool: 8 * time.Second,
		down: 3 * time.Second, skew: 6 * time.Second, explanations: 1,
	}
	longForm = form{
		kills: 50, cut: 5 * time.Minute, storm: 3 * time.Minute, source: 45 * time.Second, pool: 90 * time.Second,
		down: 45 * time.Second, skew: 2 * time.Minute, explanations: 12,
	}
)

// outcomes collects what the faults did, in the order of the table.
type outcomes struct {
	mu   sync.Mutex
	rows [faultRows][]Outcome
}

// The faults, in the order of the table.
const (
	rowKills = iota
	rowCut
	rowStorm
	rowPool
	rowSilent
	rowMad
	rowLogs
	rowHanging
	rowLying
	rowTemporal
	rowSkew
	rowVersions
	faultRows
)

// add notes the outcomes of a fault.
func (o *outcomes) add(row int, outcomes ...Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows[row] = append(o.rows[row], outcomes...)
}

// Whatever breaks, the copilot keeps running and keeps the record: every tick
// is stored, once, with the verdict that follows from what was seen.
func TestFaults(t *testing.T) {
	t.Parallel()
	f := shortForm
	if os.Getenv(formEnv) == "long" {
		f = longForm
	}
	p, watch := open(t), instant.StartStopwatch()
	var all outcomes
	ok := t.Run("at once", func(t *testing.T) {
		for row, fault := range [faultRows]func(*testing.T, *place, form) []Outcome{
			rowKills: kills, rowCut: cut, rowStorm: storm, rowPool: fullPool,
			rowSilent: silentSource, rowMad: madSource, rowLogs: awayLogs,
			rowHanging: hangingExplainer, rowLying: lyingExplainer, rowTemporal: temporalDown, rowSkew: skewedClocks,
			rowVersions: newVersion,
		} {
			name := [faultRows]string{"kills", "cut", "storm", "pool", "silent", "mad", "logs", "hanging", "lying", "temporal", "clocks", "versions"}[row]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				all.add(row, fault(t, p, f)...)
			})
		}
	})
	document := os.Getenv(documentEnv)
	if !ok || document == "" {
		return
	}
	table := outcomesTable(slices.Concat(all.rows[:]...)) + fmt.Sprintf(
		"\nThe run took %s on %d processors that others used, too; the load average at its end was %s.\n",
		watch.Elapsed().Round(time.Second), runtime.NumCPU(), machineLoad(t))
	if err := writePart(document, faultsPart, table); err != nil {
		t.Fatal(err)
	}
}

// writePart replaces a part of a document.
func writePart(document, part, table string) error {
	before, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	after, err := replacePart(string(before), part, table)
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(document, []byte(after), 0o644)
}

// kills ends the worker at random moments. Now and then it has not even begun
// when it is ended again.
func kills(t *testing.T, p *place, f form) []Outcome {
	w := p.watch(t, "kills", dsqltest.Options{})
	one := w.work(t)
	w.recover(t)
	begin := instant.System.Now()
	var recoveries []time.Duration
	for i := range f.kills {
		pause(t.Context(), mathrand.N(3*time.Second))
		one.kill(t)
		pause(t.Context(), mathrand.N(time.Second))
		one = w.work(t)
		if i%3 != 2 {
			recoveries = append(recoveries, w.recover(t))
		}
	}
	end := instant.System.Now()
	w.recover(t)
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault: "worker killed (`kill -9`)", Done: fmt.Sprintf("%d times, at random moments", f.kills), Recoveries: recoveries,
	})}
}

// cut takes the store away.
func cut(t *testing.T, p *place, f form) []Outcome {
	w := p.watch(t, "cut", dsqltest.Options{})
	w.work(t)
	w.recover(t)
	begin := instant.System.Now()
	w.server.Cut()
	pause(t.Context(), f.cut)
	w.server.Restore()
	end := instant.System.Now()
	took := w.recover(t)
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault: "database cut off", Done: "for " + f.cut.String(), Recoveries: []time.Duration{took},
	})}
}

// storm makes commits fail as those that lose a conflict, and takes the answer
// from some that succeed.
func storm(t *testing.T, p *place, f form) []Outcome {
	const conflicts, losses = 0.3, 0.1
	w := p.watch(t, "storm", dsqltest.Options{})
	w.work(t)
	w.recover(t)
	begin := instant.System.Now()
	w.server.Conflict(conflicts, 11)
	w.server.LoseAnswers(losses)
	pause(t.Context(), f.storm)
	eventually(t, "a commit conflicts", func() bool { return w.server.Stats().Injected > 0 })
	w.server.Conflict(0, 1)
	w.server.LoseAnswers(0)
	end := instant.System.Now()
	took := w.recover(t)
	stats := w.server.Stats()
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault: "conflict storm", Done: fmt.Sprintf("for %s 30 %% of the commits failed, 10 %% of the others lost their answer: %d and %d",
			f.storm, stats.Injected, stats.LostAnswers), Recoveries: []time.Duration{took},
	})}
}

// fullPool has others take all connections that the database gives. The worker
// is held still meanwhile, since it would be as quick.
func fullPool(t *testing.T, p *place, f form) []Outcome {
	const most = 12
	w := p.watch(t, "pool", dsqltest.Options{MaxConnections: most})
	one := w.work(t)
	w.recover(t)
	begin := instant.System.Now()
	refused := w.server.Stats().Refused
	if err := one.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	w.server.Cut()
	w.server.Restore()
	address := strings.Replace(w.server.Endpoint(), "localhost", "127.0.0.1", 1)
	var taken []net.Conn
	for range most {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, conn)
	}
	if err := one.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	pause(t.Context(), f.pool)
	eventually(t, "the worker is refused a connection", func() bool { return w.server.Stats().Refused > refused })
	for _, conn := range taken {
		conn.Close()
	}
	end := instant.System.Now()
	took := w.recover(t)
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault: "no connection left", Done: fmt.Sprintf("others held all %d for %s", most, f.pool), Recoveries: []time.Duration{took},
	})}
}

// trouble is a way of Prometheus to answer that is not the right one.
type trouble struct {
	name    string
	handler http.HandlerFunc
}

// silentSource has Prometheus give no answer, or none in time.
func silentSource(t *testing.T, p *place, f form) []Outcome {
	return badSource(t, p, f, "silent",
		trouble{"answers 503", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
		}},
		trouble{"is slow: a minute for an answer", func(_ http.ResponseWriter, r *http.Request) {
			// That who asked has gone is seen only once the question was read.
			_, _ = io.Copy(io.Discard, r.Body)
			pause(r.Context(), time.Minute)
		}},
	)
}

// madSource has Prometheus give answers that are none.
func madSource(t *testing.T, p *place, f form) []Outcome {
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise) // never fails
	filler := []byte(strings.Repeat("x", 1<<20))
	return badSource(t, p, f, "mad",
		trouble{"answers garbage: half an answer, another's answer, noise", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch mathrand.IntN(3) {
			case 0:
				fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{`)
			case 1:
				fmt.Fprint(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"happy"]}}`)
			default:
				_, _ = w.Write(noise)
			}
		}},
		trouble{"answers without end", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":["`)
			for r.Context().Err() == nil {
				if _, err := w.Write(filler); err != nil {
					return
				}
			}
		}},
	)
}

// badSource has Prometheus give one trouble after the other.
func badSource(t *testing.T, p *place, f form, cluster string, troubles ...trouble) []Outcome {
	w := p.watch(t, cluster, dsqltest.Options{})
	one := w.work(t)
	w.recover(t)
	type span struct {
		begin, end instant.Instant
		Outcome
	}
	var spans []span
	for _, trouble := range troubles {
		begin := instant.System.Now()
		w.metrics.trouble.Store(&trouble.handler)
		pause(t.Context(), f.source)
		eventually(t, "a verdict says that it is blind while Prometheus "+trouble.name, func() bool {
			newest, found := w.newest(t)
			return found && newest.Blind && newest.At.After(begin)
		})
		w.metrics.trouble.Store(nil)
		end := instant.System.Now()
		took := w.recover(t)
		spans = append(spans, span{begin, end, Outcome{
			Fault: "Prometheus " + trouble.name, Recoveries: []time.Duration{took},
			Done: fmt.Sprintf("for %s; most memory of the worker so far: %.0f MiB", f.source, memory(t, one.cmd.Process.Pid, "VmHWM")),
		}})
	}
	var all []Outcome
	for _, one := range spans {
		all = append(all, w.outcome(t, one.begin, one.end, spans[0].begin, one.Outcome))
	}
	return all
}

// explainer is one that does what a test says.
type explainer func(ctx context.Context, e activities.Evidence) (health.Explanation, error)

// Explain asks it.
func (x explainer) Explain(ctx context.Context, e activities.Evidence) (health.Explanation, error) {
	return x(ctx, e)
}

// hangingExplainer has an explainer that never answers, whatever context it is
// given.
func hangingExplainer(t *testing.T, p *place, f form) []Outcome {
	return badExplainer(t, p, f, "hangs", func(context.Context, activities.Evidence) (health.Explanation, error) {
		<-t.Context().Done()
		return health.Explanation{}, errors.New("too late")
	})
}

// lyingExplainer has one that says what the evidence does not bear.
func lyingExplainer(t *testing.T, p *place, f form) []Outcome {
	return badExplainer(t, p, f, "lies and panics", liar())
}

// liar tells what the evidence does not bear, each time something else.
func liar() explainer {
	var mu sync.Mutex
	told := 0
	return func(_ context.Context, e activities.Evidence) (health.Explanation, error) {
		mu.Lock()
		told++
		lie := told % 5
		mu.Unlock()
		words := health.Explanation{By: "a model", Summary: "All is well."}
		switch lie {
		case 0:
			panic("no words")
		case 1:
			words.Summary = "The backlog grew to 987654321 tasks."
		case 2:
			words.Factors = []health.Factor{{Gate: "progress.invented", Text: "An invented gate fired."}}
		case 3:
			words.Summary = strings.Repeat("Much ado about nothing. ", 1<<16)
		default:
			words = e.Assessment.Explanation
			words.Summary = "The rules say that all is well."
		}
		return words, nil
	}
}

// badExplainer watches with another explainer than the copilot has, in this
// process, and has verdicts assessed by hand. The record has to look as if
// nobody had asked.
func badExplainer(t *testing.T, p *place, f form, name string, x explainer) []Outcome {
	const verdicts = 5 // at a time
	cluster := "explainer-" + strings.Fields(name)[0]
	w := p.watch(t, cluster, dsqltest.Options{})
	log := slog.New(slog.NewTextHandler(&output{}, nil))
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: w.temporal, DataConverter: workflows.DataConverter(), Logger: sdklog.NewStructuredLogger(log),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	observer, err := prometheus.New(prometheus.Config{URL: w.metrics.url, Selector: w.selector, Cluster: cluster, Timeout: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	clusters := new(activities.Observers)
	clusters.Set(cluster, observer, nil)
	config := w.config
	config.MaxConns = 4
	k := worker.New(c, cluster, worker.Options{WorkerStopTimeout: 5 * time.Second})
	workflows.Register(k)
	k.RegisterActivity(&activities.Activities{Clusters: clusters, Store: openStore(t, w.server, config), Explainer: x, Log: log})
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	w.workers = append(w.workers, k.Stop)
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: workflows.ObserveWorkflowID(cluster), TaskQueue: cluster},
		workflows.ObserveClusterWorkflow, workflows.ObserveInput{Cluster: cluster, Config: workflows.ObserveConfig{
			Interval: interval, CatchUp: time.Hour,
		}})
	if err != nil {
		t.Fatal(err)
	}
	w.recover(t)

	begin := instant.System.Now()
	var slowest time.Duration
	without := 0
	for range f.explanations {
		var newest []dsql.AssessmentSummary
		eventually(t, "there are verdicts to put into words", func() bool {
			page, err := w.store.AssessmentSummaries(t.Context(), dsql.AssessmentQuery{Cluster: cluster, Limit: verdicts})
			newest = page.Summaries
			return err == nil && len(newest) == verdicts
		})
		watch := instant.StartStopwatch()
		var runs []client.WorkflowRun
		for _, one := range newest {
			run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
				ID: "by-hand/" + cluster + "/" + one.At.String(), TaskQueue: cluster, WorkflowRunTimeout: workflows.AssessTimeout,
			}, workflows.AssessHealthWorkflow, workflows.AssessInput{Cluster: cluster, AssessmentID: one.ID, Trigger: workflows.ByHand})
			if err != nil {
				t.Fatal(err)
			}
			runs = append(runs, run)
		}
		for _, run := range runs {
			var result workflows.AssessResult
			if err := run.Get(t.Context(), &result); err != nil {
				// On a machine that is too busy even the end of the time for an
				// answer comes too late. The record is no worse for it.
				without++
				t.Logf("an assessment has no result: %v", err)
			} else if result.Failure == "" || result.Stored {
				t.Errorf("an explainer that %s has its words taken: %+v", name, result)
			}
			slowest = max(slowest, watch.Elapsed())
		}
		pause(t.Context(), interval) // until there is another verdict
	}
	end := instant.System.Now()
	w.recover(t)
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault: "explainer " + name,
		Done: fmt.Sprintf("asked %d times for %d verdicts; the slowest had ended after %s, %d without a result",
			f.explanations, verdicts, seconds(slowest), without),
	})}
}

// temporalDown kills the copilot's own Temporal and starts it again.
func temporalDown(t *testing.T, p *place, f form) []Outcome {
	w := p.watch(t, "temporal", dsqltest.Options{})
	server := temporaltest.New(t)
	w.temporal = server.Address
	w.work(t)
	w.recover(t)
	begin := instant.System.Now()
	server.Kill()
	pause(t.Context(), f.down)
	watch := instant.StartStopwatch()
	server.Start(t)
	started := watch.Elapsed()
	end := instant.System.Now()
	took := w.recover(t)
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault: "the copilot's Temporal killed", Done: fmt.Sprintf("for %s, and %s to start again", f.down, seconds(started)),
		Recoveries: []time.Duration{took},
	})}
}

// skewEnv is how far the clock of a skewed copilot is ahead.
const skewEnv = "COPILOT_FAULTS_SKEW"

// skewedClocks has two workers share the work, the clock of one two hours ahead
// of the Temporal server's, that of the other two hours behind.
func skewedClocks(t *testing.T, p *place, f form) []Outcome {
	skewed := *p
	skewed.program = filepath.Join(t.TempDir(), "copilot")
	if err := build(root(t), skewed.program, "-overlay", skewedClock(t)); err != nil {
		t.Fatal(err)
	}
	w := skewed.watch(t, "clocks", dsqltest.Options{})
	w.work(t, skewEnv+"=2h")
	w.recover(t)
	begin := instant.System.Now()
	w.work(t, skewEnv+"=-2h")
	pause(t.Context(), f.skew)
	end := instant.System.Now()
	w.recover(t)
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault: "clocks skewed", Done: "for " + f.skew.String() + " two workers, one 2 h ahead of Temporal, one 2 h behind",
	})}
}

// skewedClock returns the file for "go build -overlay" that puts the copilot's
// one clock, which nothing else may read, ahead by what skewEnv says.
func skewedClock(t *testing.T) string {
	t.Helper()
	original := filepath.Join(root(t), "pkg", "instant", "clock.go")
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, change := range [][2]string{
		{"FromTime(time.Now())", "FromTime(time.Now().Add(skew))"},
		{"import (", "import (\n\t\"os\""},
	} {
		if strings.Count(text, change[0]) != 1 {
			t.Fatalf("%s has not one %q", original, change[0])
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	text += "\nvar skew = func() time.Duration {\n\td, err := time.ParseDuration(os.Getenv(\"" + skewEnv + "\"))\n" +
		"\tif err != nil {\n\t\tpanic(err)\n\t}\n\treturn d\n}()\n"
	changed := filepath.Join(t.TempDir(), "clock.go")
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	replacements, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(changed, []byte(text), 0o600), os.WriteFile(overlay, replacements, 0o600)); err != nil {
		t.Fatal(err)
	}
	return overlay
}
