package workflows

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/verdict"
	"github.com/temporal-sre/copilot/worker/activities"
)

func TestTicksAreMultiplesOfTheInterval(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	r.playFor(2*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:02:00"), 30*time.Second))
}

func TestATickIsObservedWhenItsSamplesHaveSettled(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:00"))
	w.source = func(_ int, req activities.ObserveRequest) sourceMood {
		if now := instant.FromTime(r.Now()); now.Before(req.To.Add(12 * time.Second)) {
			t.Errorf("%s was observed at %s already", req.To, now)
		}
		return sourceWell
	}
	config := cold()
	config.Settle = 12 * time.Second
	r.playFor(2*time.Minute, ObserveInput{Cluster: "lab", Config: config})
	same(t, "saved", w.instants(), ticks(at("11:59:30"), at("12:01:30"), 30*time.Second))
}

func TestAFirstStartWarmsUpWithoutRecording(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	r.playFor(time.Minute, ObserveInput{Cluster: "lab"})
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:01:00"), 30*time.Second))
	first := w.observed[0]
	if first.From != at("11:00:00") {
		t.Errorf("looked back to %s", first.From)
	}
	if s := w.rows[0].assessment.State; s != health.Happy {
		t.Errorf("the first recorded verdict is %s", s)
	}
}

func TestAFirstStartWithoutSourceBeginsBlind(t *testing.T) {
	w := &world{source: func(int, activities.ObserveRequest) sourceMood { return sourceFails }}
	r := newRun(t, w, at("12:00:07"))
	r.playFor(75*time.Second, ObserveInput{Cluster: "lab"})
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:01:00"), 30*time.Second))
	for _, row := range w.rows {
		if a := row.assessment; !a.Blind || a.State != health.Unknown {
			t.Errorf("%s: state %s, blind %t; want unknown and blind", a.At, a.State, a.Blind)
		}
	}
}

func TestMissedTicksAreCaughtUp(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07")) // no worker ran since 11:30
	r.playFor(time.Minute, ObserveInput{Cluster: "lab", Config: cold(), NextAt: at("11:30:30")})
	same(t, "saved", w.instants(), ticks(at("11:30:30"), at("12:01:00"), 30*time.Second))
	for _, req := range w.observed {
		if n := int(req.To.Sub(req.From)/req.Step) + 1; n > batchTicks {
			t.Errorf("%d ticks in one activity", n)
		}
	}
}

func TestTicksBeyondTheCatchUpLimitAreSkippedAndCounted(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	r.playFor(time.Minute, ObserveInput{Cluster: "lab", Config: cold(), NextAt: at("10:30:00")})
	same(t, "saved", w.instants(), ticks(at("11:00:00"), at("12:01:00"), 30*time.Second))
	if got := ask[ObserveState](t, r, QueryState).Counts.Skipped; got != 60 {
		t.Errorf("%d ticks counted as skipped, want 60", got)
	}
}

func TestLargeObservationsComeInSmallerBatches(t *testing.T) {
	w := &world{padding: strings.Repeat("x", 150<<10)}
	r := newRun(t, w, at("12:00:07"))
	r.playFor(time.Minute, ObserveInput{Cluster: "lab", Config: cold(), NextAt: at("11:57:00")})
	same(t, "saved", w.instants(), ticks(at("11:57:00"), at("12:01:00"), 30*time.Second))
	if len(w.observed) < 4 {
		t.Errorf("9 ticks of 150 KiB came in %d results", len(w.observed))
	}
}

func TestStoreDownThenRecoveredInOrder(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	down := func(now instant.Instant) bool { return now.After(at("12:01:00")) && now.Before(at("12:10:00")) }
	w.store = func(int, instant.Instant) storeMood {
		if down(instant.FromTime(r.Now())) {
			return storeFails
		}
		return storeWell
	}
	r.after(8*time.Minute, func() {
		s := ask[ObserveState](t, r, QueryState)
		if s.Unsaved == 0 || s.StoreFailure == "" || s.UnsavedFrom != at("12:01:00") {
			t.Errorf("in the outage: %d unsaved from %s, failure %q", s.Unsaved, s.UnsavedFrom, s.StoreFailure)
		}
		if now := instant.FromTime(r.Now()); s.Latest == nil || now.Sub(s.Latest.At) > time.Minute {
			t.Error("observation stopped with the store")
		}
	})
	r.playFor(15*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:15:00"), 30*time.Second))
	s := ask[ObserveState](t, r, QueryState)
	if s.Unsaved != 0 || s.StoreFailure != "" || s.Counts.Saved != 31 || s.Counts.Dropped != 0 {
		t.Errorf("in the end: %+v", s)
	}
	consistent(t, w, health.Window{})
}

func TestAStoreAwayForTooLongLosesTheOldest(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	w.store = func(int, instant.Instant) storeMood {
		if instant.FromTime(r.Now()).Before(at("14:00:00")) {
			return storeFails
		}
		return storeWell
	}
	r.playFor(2*time.Hour+time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	same(t, "saved", w.instants(), ticks(at("13:00:00"), at("14:01:00"), 30*time.Second))
	if got := ask[ObserveState](t, r, QueryState).Counts.Dropped; got != 120 {
		t.Errorf("%d results counted as dropped, want 120", got)
	}
}

func TestARefusedRecordDoesNotHoldUpTheOthers(t *testing.T) {
	w := &world{store: func(_ int, at_ instant.Instant) storeMood {
		if at_ == at("12:01:00") {
			return storeRefuses
		}
		return storeWell
	}}
	r := newRun(t, w, at("12:00:07"))
	r.playFor(2*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	want := ticks(at("12:00:00"), at("12:02:00"), 30*time.Second)
	same(t, "saved", w.instants(), append(want[:2:2], want[3:]...))
	if got := ask[ObserveState](t, r, QueryState).Counts.Rejected; got != 1 {
		t.Errorf("%d records counted as rejected, want 1", got)
	}
}

func TestAFailingSourceGivesABlindVerdict(t *testing.T) {
	for name, mood := range map[string]sourceMood{"no answer": sourceFails, "bad question": sourceRefuses} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			r := newRun(t, w, at("12:00:07"))
			w.source = func(_ int, req activities.ObserveRequest) sourceMood {
				if req.To == at("12:03:00") {
					return mood
				}
				return sourceWell
			}
			r.after(3*time.Minute+15*time.Second, func() {
				if s := ask[ObserveState](t, r, QueryState); s.SourceFailure == "" {
					t.Error("the failure does not show in the state")
				}
			})
			r.playFor(4*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
			same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:04:00"), 30*time.Second))
			for _, row := range w.rows {
				a := row.assessment
				if want := a.At == at("12:03:00"); a.Blind != want {
					t.Errorf("%s: blind is %t (%s)", a.At, a.Blind, a.BlindReason)
				}
				if a.State != health.Happy {
					t.Errorf("%s: state %s, want it held happy", a.At, a.State)
				}
			}
			if s := ask[ObserveState](t, r, QueryState); s.Counts.Blind != 1 || s.SourceFailure != "" {
				t.Errorf("in the end: %+v", s)
			}
			consistent(t, w, health.Window{})
		})
	}
}

func TestAFailingSourceIsTriedAgainWithinTheTick(t *testing.T) {
	w := &world{}
	w.source = func(attempt int, _ activities.ObserveRequest) sourceMood {
		if attempt%3 < 2 {
			return sourceFails
		}
		return sourceWell
	}
	r := newRun(t, w, at("12:00:07"))
	r.playFor(135*time.Second, ObserveInput{Cluster: "lab", Config: cold()})
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:02:00"), 30*time.Second))
	for _, row := range w.rows {
		if row.assessment.Blind {
			t.Errorf("%s is blind", row.assessment.At)
		}
	}
}

func TestALostWorkerIsNoEvidence(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	w.source = func(int, activities.ObserveRequest) sourceMood {
		if now := instant.FromTime(r.Now()); now.After(at("12:01:00")) && now.Before(at("12:06:00")) {
			return workerDies
		}
		return sourceWell
	}
	r.playFor(10*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:10:00"), 30*time.Second))
	for _, row := range w.rows {
		if row.assessment.Blind {
			t.Errorf("%s is blind, though only the worker was away", row.assessment.At)
		}
	}
}

func TestContinueAsNewCarriesTheState(t *testing.T) {
	stall := func(at_ instant.Instant) float64 {
		if at_.After(at("12:10:00")) && at_.Before(at("12:20:00")) {
			return 0
		}
		return 10
	}
	whole, parts := &world{serve: stall}, &world{serve: stall}
	newRun(t, whole, at("12:00:07")).playFor(30*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})

	in, start, end := &ObserveInput{Cluster: "lab", Config: cold()}, at("12:00:07"), at("12:30:07")
	runs := 0
	for ; in != nil; runs++ {
		r := newRun(t, parts, start)
		r.after(7*time.Minute, func() { r.SetContinueAsNewSuggested(true) })
		r.after(end.Sub(start), r.CancelWorkflow)
		in = r.play(*in)
		start = instant.FromTime(r.Now())
		if in != nil && in.Latest == nil {
			t.Error("the latest verdict got lost on the way")
		}
	}
	if runs < 4 {
		t.Fatalf("only %d runs", runs)
	}
	same(t, "saved", parts.instants(), whole.instants())
	for i := range min(len(whole.rows), len(parts.rows)) {
		same(t, "assessment", []string{text(t, parts.rows[i].assessment)}, []string{text(t, whole.rows[i].assessment)})
	}
}

func TestContinueAsNewObservesAgainWhatIsNotSaved(t *testing.T) {
	w := &world{store: func(int, instant.Instant) storeMood { return storeFails }}
	r := newRun(t, w, at("12:00:07"))
	r.after(3*time.Minute, func() {
		r.SetContinueAsNewSuggested(true)
	})
	r.after(6*time.Minute, func() {
		// A suggestion alone is no reason to give up what waits.
		if s := ask[ObserveState](t, r, QueryState); s.Unsaved != 13 {
			t.Errorf("%d unsaved", s.Unsaved)
		}
		r.SetCurrentHistorySize(historyBytesAtMost + 1)
	})
	next := r.play(ObserveInput{Cluster: "lab", Config: cold()})
	if now := instant.FromTime(r.Now()); now.Before(at("12:06:00")) {
		t.Errorf("the run was given up at %s", now)
	}
	if next == nil || next.NextAt != at("12:00:00") || next.Latest == nil {
		t.Fatalf("the next run begins with %+v", next)
	}

	w.store = nil
	r = newRun(t, w, at("12:07:00"))
	r.playFor(3*time.Minute, *next)
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:09:30"), 30*time.Second))
	consistent(t, w, health.Window{})
}

func TestContinueAsNewAfterSomeWereSaved(t *testing.T) {
	w := &world{store: func(attempt int, _ instant.Instant) storeMood {
		if attempt >= 10 && attempt < 13 {
			return storeWell
		}
		return storeFails
	}}
	r := newRun(t, w, at("12:00:07"))
	r.after(6*time.Minute, func() {
		r.SetContinueAsNewSuggested(true)
		r.SetCurrentHistorySize(historyBytesAtMost + 1)
	})
	next := r.play(ObserveInput{Cluster: "lab", Config: cold()})
	if next == nil || next.NextAt != at("12:01:30") || next.Window.Evaluations != 3 {
		t.Fatalf("three were saved, and the next run begins with %+v", next)
	}
	w.store = nil
	r = newRun(t, w, at("12:07:00"))
	r.playFor(3*time.Minute, *next)
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:09:30"), 30*time.Second))
	consistent(t, w, health.Window{})
}

func TestConfigure(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	faster := cold()
	faster.Interval = 10 * time.Second
	bad := faster
	bad.Interval, bad.CatchUp = time.Millisecond, -1
	var problem error
	r.after(time.Minute, func() {
		r.UpdateWorkflow(UpdateConfigure, "", &answer{rejected: func(err error) { problem = err }}, bad)
	})
	r.after(70*time.Second, func() {
		r.UpdateWorkflow(UpdateConfigure, "", &answer{
			rejected:  func(err error) { t.Error(err) },
			completed: func(before any, err error) { same(t, "before", []string{text(t, before)}, []string{text(t, cold())}) },
		}, faster)
	})
	r.after(80*time.Second, func() {
		if got := ask[ObserveConfig](t, r, QueryConfig); got != faster {
			t.Errorf("config is %+v", got)
		}
	})
	r.playFor(100*time.Second, ObserveInput{Cluster: "lab", Config: cold()})
	same(t, "saved", w.instants(),
		append(ticks(at("12:00:00"), at("12:01:00"), 30*time.Second), ticks(at("12:01:10"), at("12:01:40"), 10*time.Second)...))
	if problem == nil || !strings.Contains(problem.Error(), "interval") || !strings.Contains(problem.Error(), "catch-up") {
		t.Errorf("a bad configuration is answered with %v; want every problem named", problem)
	}
}

func TestInvalidInputEndsTheWorkflow(t *testing.T) {
	for name, in := range map[string]ObserveInput{
		"no cluster":  {},
		"no interval": {Cluster: "lab", Config: ObserveConfig{Settle: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, &world{}, at("12:00:00"))
			r.ExecuteWorkflow(ObserveClusterWorkflow, in)
			if err := r.GetWorkflowError(); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestCancelSavesWhatWaits(t *testing.T) {
	w := &world{}
	r := newRun(t, w, at("12:00:07"))
	w.store = func(int, instant.Instant) storeMood {
		if instant.FromTime(r.Now()).Before(at("12:02:10")) {
			return storeFails
		}
		return storeWell
	}
	r.playFor(2*time.Minute+5*time.Second, ObserveInput{Cluster: "lab", Config: cold()})
	same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:02:00"), 30*time.Second))
}

func TestTheWindowCanBeQueried(t *testing.T) {
	r := newRun(t, &world{}, at("12:00:07"))
	r.playFor(2*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	if got := ask[health.Window](t, r, QueryWindow); got.Evaluations != 5 {
		t.Errorf("%d evaluations in the window, want 5", got.Evaluations)
	}
}

// consistent checks that the stored verdicts are those that the rules give for
// the stored observations in order.
func consistent(t tester, w *world, window health.Window) {
	t.Helper()
	memory := verdict.Memory{Window: window}
	for _, r := range w.rows {
		var want health.Assessment
		want, memory = verdict.Judge(memory, r.observation)
		// The stored one has been JSON, which knows no empty list that is left out.
		var stored health.Assessment
		if err := json.Unmarshal([]byte(text(t, want)), &stored); err != nil {
			t.Fatalf("%v", err)
		}
		same(t, "assessment of "+r.observation.At.String(), []string{text(t, r.assessment)}, []string{text(t, stored)})
	}
}

// text is a value as JSON.
func text(t tester, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(b)
}

// answer takes the outcome of an update.
type answer struct {
	rejected  func(error)
	completed func(any, error)
}

func (a *answer) Accept() {}

func (a *answer) Reject(err error) {
	if a.rejected != nil {
		a.rejected(err)
	}
}

func (a *answer) Complete(value any, err error) {
	if a.completed != nil {
		a.completed(value, errors.Join(err))
	}
}
