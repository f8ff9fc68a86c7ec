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

// saved is a Store made of one function.
type saved func(health.Observation, health.Assessment) error

func (f saved) Save(_ context.Context, o health.Observation, a health.Assessment) error {
	return f(o, a)
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
	a := &Activities{Observers: map[string]Observer{"lab": observer}, Log: slog.New(slog.DiscardHandler)}
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
	a := &Activities{Log: slog.New(slog.DiscardHandler), Observers: map[string]Observer{
		"lab": observed(func(ctx context.Context, _ ObserveRequest) ([]health.Observation, error) {
			stop()
			return nil, ctx.Err()
		}),
	}}
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
			a := &Activities{Log: slog.New(slog.DiscardHandler), Store: saved(func(o health.Observation, as health.Assessment) error {
				got = RecordRequest{o, as}
				return test.saves
			})}
			err := a.Record(t.Context(), req)
			if test.want == "" && err != nil || test.want != "" && kind(err) != test.want {
				t.Errorf("error is %v, want %s", err, test.want)
			}
			if got.Observation.At != noon || got.Assessment.At != noon {
				t.Errorf("the store was given %+v", got)
			}
		})
	}
}
