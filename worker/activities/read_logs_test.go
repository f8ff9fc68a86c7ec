package activities

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/narrative"
)

// pages is a LogReader made of one function.
type pages func(from, to instant.Instant, step time.Duration) ([]health.LogWindow, error)

func (p pages) Scan(_ context.Context, from, to instant.Instant, step time.Duration) ([]health.LogWindow, error) {
	return p(from, to, step)
}

func (p pages) Samples(context.Context, health.LogTemplate, instant.Instant, instant.Instant, int) ([]health.LogSample, error) {
	return nil, nil
}

// observeWith runs the activity with logs.
func observeWith(t *testing.T, logs LogReader, req ObserveRequest) ObserveResult {
	t.Helper()
	clusters := new(Observers)
	clusters.Set("lab", observed(func(_ context.Context, r ObserveRequest) ([]health.Observation, error) { return series(r, well), nil }), logs)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := &Activities{Clusters: clusters, Log: slog.New(slog.DiscardHandler)}
	env.RegisterActivity(a)
	value, err := env.ExecuteActivity(a.Observe, req)
	if err != nil {
		t.Fatal(err)
	}
	var result ObserveResult
	if err := value.Get(&result); err != nil {
		t.Fatal(err)
	}
	return result
}

// Where the logs of a request begin, and with which windows again.
func TestWhereLogsBegin(t *testing.T) {
	const step = 30 * time.Second
	known := func(ends ...time.Duration) (bounds []narrative.Bounds) {
		for i := 1; i < len(ends); i++ {
			bounds = append(bounds, narrative.Bounds{From: noon.Add(ends[i-1]), To: noon.Add(ends[i])})
		}
		return bounds
	}
	for name, test := range map[string]struct {
		req  ObserveRequest
		want time.Duration
	}{
		"first look":       {ObserveRequest{}, -step},
		"two windows late": {ObserveRequest{LogsFrom: noon.Add(-step), LogsKnown: known(-3*step, -2*step, -step)}, -3 * step},
		"other interval":   {ObserveRequest{LogsFrom: noon.Add(-20 * time.Second), LogsKnown: known(-40*time.Second, -30*time.Second, -20*time.Second)}, -20 * time.Second},
		"long intervals":   {ObserveRequest{Step: 10 * time.Minute, LogsFrom: noon.Add(-5 * time.Hour)}, -40 * time.Minute},
		"away for long":    {ObserveRequest{LogsFrom: noon.Add(-2 * time.Hour), LogsKnown: known(-2*time.Hour-step, -2*time.Hour)}, -40 * step},
	} {
		test.req.From, test.req.To = noon, noon
		if test.req.Step == 0 {
			test.req.Step = step
		}
		if got := logsFrom(test.req); got != noon.Add(test.want) {
			t.Errorf("%s: from %s, want %s", name, got, noon.Add(test.want))
		}
	}
}

// However much there is to catch up with, an observation keeps its metrics, and
// what does not fit is left for the next.
func TestLogsNeverTakeTheRoomOfMetrics(t *testing.T) {
	text := strings.Repeat("<*>", 100)
	logs := pages(func(from, to instant.Instant, step time.Duration) (windows []health.LogWindow, _ error) {
		for ; from.Before(to); from = from.Add(step) {
			w := health.LogWindow{From: from, To: from.Add(step)}
			for i := range 100 {
				w.Counts = append(w.Counts, health.LogCount{
					LogTemplate: health.LogTemplate{Service: "history", Level: "error", Message: fmt.Sprintf("%03d", i), Error: text}, Lines: 1,
				})
			}
			windows = append(windows, w)
		}
		return windows, nil
	})
	const step = 30 * time.Second
	result := observeWith(t, logs, ObserveRequest{Cluster: "lab", From: noon, To: noon, Step: step, LogsFrom: noon.Add(-40 * step)})
	o := result.Observations[0]
	if result.Failure != "" || !o.Signal(health.ServerUp).Usable() {
		t.Fatalf("the metrics are gone: %q", result.Failure)
	}
	if n := len(o.Logs.Windows); n < 4 || n > 10 || !strings.Contains(o.Logs.Reason, "caught up") {
		t.Errorf("%d windows, reason %q", n, o.Logs.Reason)
	}
}

// A window that is read again without a further line is left out.
func TestWindowsWithoutLateLinesAreLeftOut(t *testing.T) {
	const step = 30 * time.Second
	lines := int64(5)
	logs := pages(func(from, to instant.Instant, step time.Duration) (windows []health.LogWindow, _ error) {
		for ; from.Before(to); from = from.Add(step) {
			windows = append(windows, health.LogWindow{From: from, To: from.Add(step), Counts: []health.LogCount{{Lines: lines}}})
		}
		return windows, nil
	})
	req := ObserveRequest{Cluster: "lab", From: noon, To: noon, Step: step, LogsFrom: noon.Add(-step), LogsKnown: []narrative.Bounds{
		{From: noon.Add(-3 * step), To: noon.Add(-2 * step), Lines: 5}, {From: noon.Add(-2 * step), To: noon.Add(-step), Lines: 4},
	}}
	o := observeWith(t, logs, req).Observations[0]
	if len(o.Logs.Windows) != 2 || o.Logs.Windows[0].From != noon.Add(-2*step) || o.Logs.Reason != "" {
		t.Errorf("windows %+v, reason %q; want the one with a late line, and the new one", o.Logs.Windows, o.Logs.Reason)
	}
}
