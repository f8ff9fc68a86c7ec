package workflows

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/workflow"
	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// refused is what a server logs whose database is away.
var refused = health.LogTemplate{
	Service: "history", Level: "error", Message: "Persistent store operation Failure", Error: "dial tcp <*>: connect: connection refused",
}

// logbook holds lines, one a second from the beginning on. It is an
// activities.LogReader.
type logbook struct {
	clock func() instant.Instant
	// begins is when the first line was written; there is none before.
	begins instant.Instant
	// late is how long it takes a line to arrive.
	late time.Duration
	// fails decides about each scan; nil means that all is well.
	fails func(now instant.Instant) error

	scanned [][2]instant.Instant
	sampled int
}

// Scan counts what has arrived.
func (l *logbook) Scan(_ context.Context, from, to instant.Instant, step time.Duration) ([]health.LogWindow, error) {
	now := l.clock()
	l.scanned = append(l.scanned, [2]instant.Instant{from, to})
	if l.fails != nil {
		if err := l.fails(now); err != nil {
			return nil, err
		}
	}
	var windows []health.LogWindow
	for from.Before(to) {
		end := from.Truncate(step).Add(step)
		w := health.LogWindow{From: from, To: end}
		lines := int64(0)
		for at := from.Add(time.Second); !at.After(end); at = at.Add(time.Second) {
			if !at.Before(l.begins) && !at.Add(l.late).After(now) {
				lines++
			}
		}
		if lines > 0 {
			w.Counts = []health.LogCount{{LogTemplate: refused, Lines: lines}}
		}
		windows = append(windows, w)
		from = end
	}
	return windows, nil
}

// Samples returns one line.
func (l *logbook) Samples(_ context.Context, t health.LogTemplate, _, to instant.Instant, limit int) ([]health.LogSample, error) {
	l.sampled++
	return []health.LogSample{{At: to, Line: t.Message}}[:min(limit, 1)], nil
}

// counted is how many lines the store holds, each window as it was read last.
func counted(w *world) (lines int64) {
	windows := map[instant.Instant]int64{}
	for i := range w.rows {
		if logs := w.rows[i].assessment.Logs; logs != nil {
			for _, c := range logs.Counts {
				windows[c.At] = max(windows[c.At], c.Lines)
			}
		}
	}
	for _, n := range windows {
		lines += n
	}
	return lines
}

// Each line is counted once, whatever becomes of the runs and the log source
// meanwhile, and when it arrives within a minute.
func TestNoLineIsLostOrCountedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		down := rapid.IntRange(0, 8).Draw(t, "minutes without logs")
		logs := &logbook{begins: at("12:02:00"), late: time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds late")) * time.Second}
		logs.fails = func(now instant.Instant) error {
			if since := now.Sub(at("12:10:00")); since >= 0 && since < time.Duration(down)*time.Minute {
				return errors.New("connection refused")
			}
			return nil
		}
		w := &world{logs: logs}
		dies := rapid.SliceOfN(rapid.IntRange(0, 9), 10, 10).Draw(t, "attempts at which the worker dies, of ten")
		w.source = func(attempt int, _ activities.ObserveRequest) sourceMood {
			if attempt%10 > 0 && dies[attempt%10] == 0 {
				return workerDies
			}
			return sourceWell
		}
		in, start, end := &ObserveInput{Cluster: "lab", Config: cold()}, at("12:00:07"), at("12:22:07")
		for in != nil {
			r := newRun(t, w, start)
			logs.clock = func() instant.Instant { return instant.FromTime(r.Now()) }
			r.after(time.Duration(rapid.IntRange(3, 12).Draw(t, "minutes of the run"))*time.Minute, func() { r.SetContinueAsNewSuggested(true) })
			r.after(end.Sub(start), r.CancelWorkflow)
			in = r.play(*in)
			start = instant.FromTime(r.Now())
		}
		last := w.rows[len(w.rows)-1].assessment.Logs
		// The windows that were just read may still get lines; those before have all.
		want := int64(last.To.Add(-time.Minute).Sub(at("12:02:00"))/time.Second) + 1
		got := counted(w)
		if got < want || got > want+60 {
			t.Fatalf("%d lines in the store; %d were written up to a minute before its end, and 60 since", got, want)
		}
	})
}

// Without logs the verdicts are the same, and say what is missing.
func TestWithoutLogsTheVerdictIsTheSame(t *testing.T) {
	stall := func(i instant.Instant) float64 {
		if i.After(at("12:10:00")) {
			return 0
		}
		return 10
	}
	logs := &logbook{fails: func(instant.Instant) error { return errors.New("Loki does not answer") }}
	without, failing := &world{serve: stall}, &world{serve: stall, logs: logs}
	newRun(t, without, at("12:00:07")).playFor(20*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	r := newRun(t, failing, at("12:00:07"))
	logs.clock = func() instant.Instant { return instant.FromTime(r.Now()) }
	r.playFor(20*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	if len(without.rows) != len(failing.rows) {
		t.Fatalf("%d and %d verdicts", len(without.rows), len(failing.rows))
	}
	for i := range failing.rows {
		a := failing.rows[i].assessment
		if a.Logs == nil || a.Logs.Patterns != nil || a.Logs.Reason != "Loki does not answer" {
			t.Fatalf("the logs of %s: %+v", a.At, a.Logs)
		}
		a.Logs, a.Explanation = nil, without.rows[i].assessment.Explanation
		if want := without.rows[i].assessment; !reflect.DeepEqual(a, want) {
			t.Fatalf("with failing logs\n%+v\nwithout\n%+v", a, want)
		}
	}
}

// Errors that are new in the logs and last lead to one assessment, although the
// state stays as it is (requirement R2.3), and lines of them are fetched.
func TestNewErrorsInTheLogsAreAssessedOnce(t *testing.T) {
	logs := &logbook{begins: at("12:20:00")}
	w := &world{logs: logs}
	r := newRun(t, w, at("12:00:07"))
	logs.clock = func() instant.Instant { return instant.FromTime(r.Now()) }
	var asked []Trigger
	r.OnWorkflow(AssessHealthWorkflow, mock.Anything, mock.Anything).Return(
		func(_ workflow.Context, in AssessInput) (AssessResult, error) {
			asked = append(asked, in.Trigger)
			return AssessResult{}, nil
		})
	r.playFor(40*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	if len(asked) == 0 || asked[len(asked)-1] != ByLogs || len(asked) > 2 {
		t.Errorf("assessed by %v, want once by the logs after the change to the first state", asked)
	}
	last := w.rows[len(w.rows)-1].assessment
	if last.State != health.Happy || len(last.Logs.Patterns) != 1 || last.Logs.Patterns[0].News != health.NewsNew {
		t.Fatalf("state %s, logs %+v", last.State, last.Logs)
	}
	if p := last.Logs.Patterns[0]; !reflect.DeepEqual(p.Samples, []string{refused.Message}) || logs.sampled != 1 {
		t.Errorf("samples %q, fetched %d times", p.Samples, logs.sampled)
	}
}

// What is remembered of the logs goes from run to run.
func TestContinueAsNewCarriesTheLogs(t *testing.T) {
	logs := &logbook{begins: at("12:00:00")}
	r := newRun(t, &world{logs: logs}, at("12:00:07"))
	logs.clock = func() instant.Instant { return instant.FromTime(r.Now()) }
	r.after(3*time.Minute, func() { r.SetContinueAsNewSuggested(true) })
	next := r.play(ObserveInput{Cluster: "lab", Config: cold()})
	if next == nil || next.Logs.Next != next.NextAt.Add(-30*time.Second) || len(next.Logs.Tracks) != 1 {
		t.Fatalf("the next run begins with %+v", next)
	}
}
