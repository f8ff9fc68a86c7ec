package workflows

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// world is what lies around the workflow: a source and a store that fail when
// a test wants them to. The workflow's activities are the real ones.
type world struct {
	// source decides about each attempt to observe, by the number of attempts
	// before it; store about each attempt to save. Nil means that all is well.
	source func(attempt int, req activities.ObserveRequest) sourceMood
	store  func(attempt int, at instant.Instant) storeMood
	// serve is the state transitions per second at an instant; 10 if nil.
	serve func(at instant.Instant) float64
	// logs are the cluster's; nil: they are not read.
	logs activities.LogReader
	// padding makes every observation larger.
	padding string
	// explainer puts verdicts into words; the rules if nil.
	explainer activities.Explainer
	// unread and unkept are what the store answers a reader, and who would keep
	// an explanation, with; nil means that all is well.
	unread, unkept error
	// retain decides about each attempt to delete; old is how many ticks there
	// are to delete.
	retain func(attempt int) error
	old    int

	mu       sync.Mutex
	observed []activities.ObserveRequest // every attempt
	saves    int                         // every attempt
	keeps    int                         // every attempt to keep an explanation
	retains  int                         // every attempt to delete
	before   instant.Instant             // what was asked last to be deleted
	rows     []row                       // in the order in which they were first saved
}

// row is what the store holds of one instant.
type row struct {
	observation health.Observation
	assessment  health.Assessment
}

type sourceMood int

const (
	sourceWell    sourceMood = iota
	sourceFails              // answers no query
	sourceRefuses            // cannot even be asked
	workerDies               // the attempt never answers
)

type storeMood int

const (
	storeWell    storeMood = iota
	storeFails             // takes nothing
	storeForgets           // takes it, and the answer is lost
	storeRefuses           // will never take it
)

// errRefused is what Save returns for storeRefuses.
var errRefused = error(&dsql.TooLargeError{What: "assessment", Bytes: 2, Limit: 1})

// Observe is activities.Observer.
func (w *world) Observe(_ context.Context, from, to instant.Instant, step time.Duration) ([]health.Observation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	req := activities.ObserveRequest{Cluster: "lab", From: from, To: to, Step: step}
	mood := sourceWell
	if w.source != nil {
		mood = w.source(len(w.observed)-1, req)
	}
	if mood == sourceRefuses {
		return nil, errors.New("the selector does not parse")
	}
	var observations []health.Observation
	for at := from; !at.After(to); at = at.Add(step) {
		observations = append(observations, w.observation(at, mood == sourceFails))
	}
	return observations, nil
}

// observation is the one and only observation of an instant.
func (w *world) observation(at instant.Instant, failed bool) health.Observation {
	rate := 10.0
	if w.serve != nil {
		rate = w.serve(at)
	}
	queue := health.TaskQueueScope("default", "orders").Of(health.WorkflowTasks)
	measure := func(id health.SignalID, class health.Class, unit string, value float64, scope health.Scope) health.Measurement {
		if failed {
			return health.Measurement{Signal: id, Class: class, Unit: unit, Status: health.Failed, Reason: "connection refused"}
		}
		return health.Measurement{
			Signal: id, Class: class, Unit: unit, Status: health.OK, Value: &value,
			Samples: []health.Sample{{Scope: scope, Value: value}},
		}
	}
	o := health.Observation{
		Cluster: "lab", At: at, Source: health.Source{Selector: w.padding},
		Measurements: []health.Measurement{
			measure(health.ServerUp, health.Telemetry, "1", 1, health.Scope{Kind: health.KindReplica, Name: "127.0.0.1:1", Service: "history"}),
			measure(health.StateTransitions, health.Primary, "1/s", rate, health.Scope{}),
			measure(health.Arrivals, health.Primary, "1/s", 5, health.NamespaceScope("default")),
			measure(health.TasksAdded, health.Primary, "1/s", 5, queue),
			measure(health.TasksStarted, health.Primary, "1/s", rate/2, queue),
			measure(health.WorkflowTasksCompleted, health.Primary, "1/s", rate/2, health.NamespaceScope("default")),
		},
	}
	o.Normalize()
	return o
}

// Save is activities.Store.
func (w *world) Save(_ context.Context, o health.Observation, a health.Assessment) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	mood := storeWell
	if w.store != nil {
		mood = w.store(w.saves, o.At)
	}
	w.saves++
	switch mood {
	case storeFails:
		return errors.New("connection refused")
	case storeRefuses:
		return errRefused
	}
	if !slices.ContainsFunc(w.rows, func(r row) bool { return r.observation.At == o.At }) {
		w.rows = append(w.rows, row{o, a})
	}
	if mood == storeForgets {
		return errors.New("connection reset")
	}
	return nil
}

// Newest, AssessmentByID, Observation and SaveExplanation are activities.Store.
func (w *world) Newest(context.Context, string) (dsql.Newest, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unread != nil {
		return dsql.Newest{}, w.unread
	}
	if len(w.rows) == 0 {
		return dsql.Newest{}, dsql.ErrNotFound
	}
	return dsql.Newest{At: w.rows[len(w.rows)-1].assessment.At}, nil
}

func (w *world) AssessmentByID(_ context.Context, id string) (health.Assessment, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unread != nil {
		return health.Assessment{}, w.unread
	}
	for _, r := range w.rows {
		if dsql.AssessmentID(r.assessment.Cluster, r.assessment.At) == id {
			return r.assessment, nil
		}
	}
	return health.Assessment{}, dsql.ErrNotFound
}

func (w *world) Observation(_ context.Context, _ string, at instant.Instant) (health.Observation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.rows {
		if r.observation.At == at {
			return r.observation, nil
		}
	}
	return health.Observation{}, dsql.ErrNotFound
}

func (w *world) SaveExplanation(_ context.Context, _, id string, e health.Explanation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keeps++
	if w.unkept != nil {
		return w.unkept
	}
	for i := range w.rows {
		if a := &w.rows[i].assessment; dsql.AssessmentID(a.Cluster, a.At) == id {
			a.Explanation = e
			return nil
		}
	}
	return dsql.ErrNotFound
}

// Retain is activities.Store. It deletes from the w.old ticks that there are.
func (w *world) Retain(_ context.Context, _ string, before instant.Instant, limit int) (int, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.retains++
	w.before = before
	if w.retain != nil {
		if err := w.retain(w.retains - 1); err != nil {
			return 0, true, err
		}
	}
	deleted := min(limit, w.old)
	w.old -= deleted
	return deleted, w.old > 0, nil
}

// instants are those in the store, in the order in which they came.
func (w *world) instants() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, r := range w.rows {
		list = append(list, r.observation.At.String())
	}
	return list
}

// mortal is the real activities on a worker that may die at its work.
type mortal struct {
	*activities.Activities
	world *world
}

// Observe is the activity.
func (m *mortal) Observe(ctx context.Context, req activities.ObserveRequest) (activities.ObserveResult, error) {
	m.world.mu.Lock()
	m.world.observed = append(m.world.observed, req)
	attempt := len(m.world.observed) - 1
	dies := m.world.source != nil && m.world.source(attempt, req) == workerDies
	m.world.mu.Unlock()
	if dies {
		return activities.ObserveResult{}, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil)
	}
	return m.Activities.Observe(ctx, req)
}

// run is one run of the workflow in the SDK's test environment, whose clock
// jumps from one event to the next.
type run struct {
	*testsuite.TestWorkflowEnvironment
	t tester
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// newRun prepares a run that begins at start. It is to be started with play.
func newRun(t tester, w *world, start instant.Instant) *run {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(start.Time())
	env.SetTestTimeout(time.Minute)
	env.SetDataConverter(DataConverter())
	// A machine under load may not give a test a whole second.
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	Register(env)
	env.RegisterActivity(&mortal{world: w, Activities: w.activities()})
	return &run{TestWorkflowEnvironment: env, t: t}
}

// activities are the real ones in this world.
func (w *world) activities() *activities.Activities {
	clusters := new(activities.Observers)
	clusters.Set("lab", w, w.logs)
	a := &activities.Activities{Clusters: clusters, Store: w, Explainer: w.explainer, Log: slog.New(slog.DiscardHandler)}
	if a.Explainer == nil {
		a.Explainer = activities.Rules{}
	}
	return a
}

// after calls f when the run is d old.
func (r *run) after(d time.Duration, f func()) { r.RegisterDelayedCallback(f, d) }

// play runs the workflow until it is cancelled, which gives nil, or continued
// as new, which gives the next input.
func (r *run) play(in ObserveInput) *ObserveInput {
	r.t.Helper()
	r.ExecuteWorkflow(ObserveClusterWorkflow, in)
	err := r.GetWorkflowError()
	var next *workflow.ContinueAsNewError
	if errors.As(err, &next) {
		var in ObserveInput
		if err := DataConverter().FromPayloads(next.Input, &in); err != nil {
			r.t.Fatalf("the next run's input: %v", err)
		}
		return &in
	}
	if !temporal.IsCanceledError(err) {
		r.t.Fatalf("the workflow ended with %v", err)
	}
	return nil
}

// playFor runs the workflow for d and cancels it.
func (r *run) playFor(d time.Duration, in ObserveInput) {
	r.t.Helper()
	r.after(d, r.CancelWorkflow)
	if r.play(in) != nil {
		r.t.Fatalf("the run was continued as new")
	}
}

// ask queries the run.
func ask[T any](t tester, r *run, query string) T {
	t.Helper()
	var answer T
	value, err := r.QueryWorkflow(query)
	if err == nil {
		err = value.Get(&answer)
	}
	if err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
	return answer
}

// at reads a time of the day on which the tests play.
func at(clock string) instant.Instant {
	i, err := instant.Parse("2026-11-24T" + clock + "Z")
	if err != nil {
		panic(err)
	}
	return i
}

// ticks lists the instants from first to last by step.
func ticks(first, last instant.Instant, step time.Duration) []string {
	var list []string
	for i := first; !i.After(last); i = i.Add(step) {
		list = append(list, i.String())
	}
	return list
}

// cold is the default configuration without warm-up.
func cold() ObserveConfig {
	c := DefaultObserveConfig()
	c.WarmUp = 0
	return c
}

// same fails the test when two lists differ, and shows where they begin to.
func same[T cmp.Ordered](t tester, what string, got, want []T) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("%s: got %d, want %d; missing from %v on", what, len(got), len(want), want[i])
		case i >= len(want):
			t.Errorf("%s: got %d, want %d; too many from %v on", what, len(got), len(want), got[i])
		case got[i] != want[i]:
			t.Errorf("%s, number %d: got %v, want %v", what, i, got[i], want[i])
		default:
			continue
		}
		return
	}
}
