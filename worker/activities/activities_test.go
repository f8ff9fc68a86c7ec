package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

var noon = instant.FromUnix(1795521600)

// observed is an Observer made of one function.
type observed func(ctx context.Context, req ObserveRequest) ([]health.Observation, error)

func (f observed) Observe(ctx context.Context, from, to instant.Instant, step time.Duration) ([]health.Observation, error) {
	return f(ctx, ObserveRequest{Cluster: "lab", From: from, To: to, Step: step})
}

// saved is a Store that only saves, made of one function.
type saved func(health.Observation, health.Assessment) error

func (f saved) Save(_ context.Context, o health.Observation, a health.Assessment) error {
	return f(o, a)
}

// onlySaves is a Store of which nothing but Save is asked.
func onlySaves(f saved) Store {
	return struct {
		saved
		reading
	}{saved: f}
}

// reading are the other methods of a Store; asking one that is nil panics.
type reading interface {
	Newest(ctx context.Context, cluster string) (dsql.Newest, error)
	AssessmentByID(ctx context.Context, id string) (health.Assessment, error)
	Observation(ctx context.Context, cluster string, at instant.Instant) (health.Observation, error)
	SaveExplanation(ctx context.Context, cluster, assessmentID string, e health.Explanation) error
	Retain(ctx context.Context, cluster string, before instant.Instant, limit int) (int, bool, error)
}

// looking are the clusters of a worker that looks at "lab" only.
func looking(o Observer) *Observers {
	clusters := new(Observers)
	clusters.Set("lab", o, nil)
	return clusters
}

// series makes the observations of a request, each with one measurement.
func series(req ObserveRequest, m health.Measurement) []health.Observation {
	var observations []health.Observation
	for at := req.From; !at.After(req.To); at = at.Add(req.Step) {
		observations = append(observations, health.Observation{Cluster: req.Cluster, At: at, Measurements: []health.Measurement{m}})
	}
	return observations
}

var (
	one  = 1.0
	well = health.Measurement{Signal: health.ServerUp, Class: health.Telemetry, Unit: "1", Status: health.OK, Value: &one}
	lost = health.Measurement{Signal: health.ServerUp, Class: health.Telemetry, Unit: "1", Status: health.Failed, Reason: "connection refused"}
	none = health.Measurement{Signal: health.ServerUp, Class: health.Telemetry, Unit: "1", Status: health.Missing, Reason: "no series"}
)

// observe runs the activity on its first attempt.
func observe(t *testing.T, observer Observer, req ObserveRequest) (ObserveResult, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := &Activities{Clusters: looking(observer), Log: slog.New(slog.DiscardHandler)}
	env.RegisterActivity(a)
	value, err := env.ExecuteActivity(a.Observe, req)
	if err != nil {
		return ObserveResult{}, err
	}
	var result ObserveResult
	if err := value.Get(&result); err != nil {
		t.Fatal(err)
	}
	return result, nil
}

// kind is the type of an application error.
func kind(err error) string {
	var failed *temporal.ApplicationError
	if !errors.As(err, &failed) {
		return fmt.Sprintf("%T", err)
	}
	if failed.NonRetryable() {
		return failed.Type() + ", not retryable"
	}
	return failed.Type()
}

func TestObserve(t *testing.T) {
	tick := ObserveRequest{Cluster: "lab", From: noon, To: noon, Step: 30 * time.Second}
	batch := ObserveRequest{Cluster: "lab", From: noon, To: noon.Add(2 * time.Minute), Step: 30 * time.Second}
	other := tick
	other.Cluster = "prod"

	for name, test := range map[string]struct {
		req      ObserveRequest
		observer observed
		count    int
		failure  string
		err      string
	}{
		"one tick":     {tick, func(_ context.Context, r ObserveRequest) ([]health.Observation, error) { return series(r, well), nil }, 1, "", ""},
		"several":      {batch, func(_ context.Context, r ObserveRequest) ([]health.Observation, error) { return series(r, well), nil }, 5, "", ""},
		"no metrics":   {batch, func(_ context.Context, r ObserveRequest) ([]health.Observation, error) { return series(r, none), nil }, 5, "", ""},
		"not answered": {batch, func(_ context.Context, r ObserveRequest) ([]health.Observation, error) { return series(r, lost), nil }, 0, "", ErrSourceUnavailable},
		"bad question": {batch, func(context.Context, ObserveRequest) ([]health.Observation, error) {
			return nil, errors.New("several clusters: narrow the selector")
		}, 5, "several clusters: narrow the selector", ""},
		"wrong answer": {batch, func(_ context.Context, r ObserveRequest) ([]health.Observation, error) {
			return series(r, well)[1:], nil
		}, 5, "do not fit", ""},
		"wrong cluster": {other, nil, 0, "", ErrUnknownCluster},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := observe(t, test.observer, test.req)
			if test.err != "" {
				if got := kind(err); got != test.err {
					t.Errorf("error is %s (%v), want %s", got, err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Observations) != test.count || len(result.Bytes) != test.count {
				t.Errorf("%d observations, %d sizes; want %d", len(result.Observations), len(result.Bytes), test.count)
			}
			if (test.failure == "") != (result.Failure == "") || !strings.Contains(result.Failure, test.failure) {
				t.Errorf("failure %q, want %q", result.Failure, test.failure)
			}
			if test.failure != "" {
				up := result.Observations[0].Signal(health.ServerUp)
				if up == nil || up.Status != health.Failed || up.Reason != result.Failure {
					t.Errorf("the observation does not say why it saw nothing: %+v", up)
				}
			}
		})
	}
}

func TestAStoppedWorkerSaysNothingAboutTheCluster(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	a := &Activities{Log: slog.New(slog.DiscardHandler), Clusters: looking(observed(func(ctx context.Context, _ ObserveRequest) ([]health.Observation, error) {
		stop()
		return nil, ctx.Err()
	}))}
	_, err := a.Observe(ctx, ObserveRequest{Cluster: "lab", From: noon, To: noon, Step: time.Second})
	if got := kind(err); got != ErrSourceUnavailable {
		t.Errorf("error is %s (%v), want %s", got, err, ErrSourceUnavailable)
	}
}

func TestResultsFitIntoAnEvent(t *testing.T) {
	sized := func(r ObserveRequest, sizes ...int) []health.Observation {
		observations := series(r, well)
		for i, size := range sizes {
			observations[i].Source.Selector = strings.Repeat("x", size)
		}
		return observations
	}
	batch := ObserveRequest{Cluster: "lab", From: noon, To: noon.Add(time.Minute), Step: 30 * time.Second}
	for name, test := range map[string]struct {
		sizes   []int
		count   int
		failure string
	}{
		"small":                   {[]int{1000, 1000, 1000}, 3, ""},
		"too much for one event":  {[]int{150 << 10, 150 << 10, 150 << 10}, 2, ""},
		"each fills its own":      {[]int{1 << 20, 1 << 20, 1 << 20}, 1, ""},
		"too large for any":       {[]int{2 << 20, 1000, 1000}, 1, "more than the 1536 KiB"},
		"too large for any later": {[]int{1000, 2 << 20, 1000}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := observe(t, observed(func(_ context.Context, r ObserveRequest) ([]health.Observation, error) {
				return sized(r, test.sizes...), nil
			}), batch)
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Observations) != test.count {
				t.Errorf("%d observations, want %d", len(result.Observations), test.count)
			}
			if (test.failure == "") != (result.Failure == "") || !strings.Contains(result.Failure, test.failure) {
				t.Errorf("failure %q, want %q", result.Failure, test.failure)
			}
		})
	}
}

func TestANumberThatJSONCannotWriteIsAFailure(t *testing.T) {
	nan := math.NaN()
	result, err := observe(t, observed(func(_ context.Context, r ObserveRequest) ([]health.Observation, error) {
		m := well
		m.Value = &nan
		return series(r, m), nil
	}), ObserveRequest{Cluster: "lab", From: noon, To: noon, Step: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(result.Failure, "JSON") {
		t.Errorf("failure %q", result.Failure)
	}
}

func TestRecord(t *testing.T) {
	req := RecordRequest{Observation: health.Observation{Cluster: "lab", At: noon}, Assessment: health.Assessment{Cluster: "lab", At: noon}}
	for name, test := range map[string]struct {
		saves error
		want  string
	}{
		"saved":     {nil, ""},
		"away":      {&dsql.ConnectError{Target: "db"}, ErrStoreUnavailable},
		"no schema": {dsql.ErrNoSchema, ErrStoreUnavailable},
		"too large": {fmt.Errorf("save: %w", &dsql.TooLargeError{What: "assessment", Bytes: 2, Limit: 1}), ErrRecordRejected + ", not retryable"},
		"invalid":   {&dsql.InvalidError{Message: "no cluster"}, ErrRecordRejected + ", not retryable"},
	} {
		t.Run(name, func(t *testing.T) {
			var got RecordRequest
			a := &Activities{Log: slog.New(slog.DiscardHandler), Store: onlySaves(func(o health.Observation, as health.Assessment) error {
				got = RecordRequest{Observation: o, Assessment: as}
				return test.saves
			})}
			_, err := a.Record(t.Context(), req)
			if test.want == "" && err != nil || test.want != "" && kind(err) != test.want {
				t.Errorf("error is %v, want %s", err, test.want)
			}
			if got.Observation.At != noon || got.Assessment.At != noon {
				t.Errorf("the store was given %+v", got)
			}
		})
	}
}

func TestAnExplainerThatIgnoresItsTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	forever := make(chan struct{})
	defer close(forever)
	_, err := safely(ctx, explaining(func() { <-forever }), Evidence{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

// explaining is an Explainer that does something first.
type explaining func()

func (f explaining) Explain(context.Context, Evidence) (health.Explanation, error) {
	f()
	return health.Explanation{}, nil
}

// What an explainer may say, beside what the tests of the workflow show.
func TestAnExplanationIsUsedAsFarAsTheEvidenceBearsIt(t *testing.T) {
	billing := health.TaskQueueScope("default", "billing-7")
	a := health.Assessment{
		Cluster: "lab", At: noon, State: health.Stressed, Raw: health.Stressed,
		Gates: []health.Gate{{
			Rule: &health.Rule{ID: "worker.pollers.none"}, Outcome: health.Fire, Level: health.Stressed, Scope: billing,
			Finding: "no worker polls billing-7 for activity tasks; 1284 wait",
		}},
	}
	factor := health.Factor{Text: "1284 tasks of billing-7 wait for a worker", Gate: "worker.pollers.none", Scope: billing}
	good := health.Explanation{
		By: "model", Summary: "billing-7 has no worker.", Factors: []health.Factor{factor},
		Avoid: []string{"nothing"}, WouldChange: "never",
	}
	got, err := borne(good, &a)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Avoid) != 0 || got.WouldChange == "never" {
		t.Errorf("what to avoid and what would change the verdict are the rules': %+v", got)
	}
	elsewhere := factor
	elsewhere.Scope = health.TaskQueueScope("default", "orders")
	for name, spoil := range map[string]func(*health.Explanation){
		"nobody's":          func(e *health.Explanation) { e.By = "" },
		"no end":            func(e *health.Explanation) { e.Summary = strings.Repeat("x", maxSummary+1) },
		"many factors":      func(e *health.Explanation) { e.Factors = make([]health.Factor, maxFactors+1) },
		"another scope":     func(e *health.Explanation) { e.Factors = []health.Factor{elsewhere} },
		"another number":    func(e *health.Explanation) { e.Summary = "12845 tasks wait" },
		"number in factor":  func(e *health.Explanation) { e.Factors[0].Text = "99 % lost" },
		"a factor's length": func(e *health.Explanation) { e.Factors[0].Text = strings.Repeat("x", maxFactor+1) },
	} {
		t.Run(name, func(t *testing.T) {
			e := good
			e.Factors = []health.Factor{factor}
			spoil(&e)
			if _, err := borne(e, &a); err == nil {
				t.Error("it is used")
			}
		})
	}
}

func TestObserversMayChange(t *testing.T) {
	var clusters Observers
	if _, known := clusters.of("lab"); known {
		t.Error("the zero value looks at a cluster")
	}
	clusters.Set("lab", observed(nil), nil)
	if _, known := clusters.of("lab"); !known {
		t.Error("a cluster that was set is not looked at")
	}
	clusters.Remove("lab")
	if _, known := clusters.of("lab"); known {
		t.Error("a cluster that was removed is looked at")
	}
}
