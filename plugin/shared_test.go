package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// sourceAtTime makes a data source with a clock that the test moves.
func sourceAtTime(st *fakeStore) (*source, *instant.Manual) {
	clock := instant.NewManual(noon)
	return newSource(nil, clock, func(context.Context) (store, error) { return st, nil }), clock
}

// dashboard asks all that is made of the newest assessment, and what belongs to
// a time range.
func dashboard(t *testing.T, s *source) {
	t.Helper()
	for _, name := range []string{"status", "services", "scopes", "issues", "actions", "timeline", "transitions", "signals", "log_patterns", "assessment"} {
		if response := ask(t, s, query(t, name, map[string]any{"cluster": "prod"})); response.Error != nil {
			t.Errorf("%s: %v", name, response.Error)
		}
	}
}

func TestADashboardCostsOneRead(t *testing.T) {
	st := fullStore()
	s, clock := sourceAtTime(st)
	var viewers sync.WaitGroup
	for range 20 {
		viewers.Go(func() { dashboard(t, s) })
	}
	viewers.Wait()
	want := map[string]int{"Newest": 1, "Assessment": 1, "Timeline": 1, "StateChanges": 1, "Signals": 1}
	if fmt.Sprint(st.asked) != fmt.Sprint(want) {
		t.Errorf("twenty dashboards asked %v\nexpected %v", st.asked, want)
	}

	// As long as there is no new assessment, a refresh is one look at a key.
	clock.Advance(10 * time.Second)
	dashboard(t, s)
	want["Newest"] = 2
	if fmt.Sprint(st.asked) != fmt.Sprint(want) {
		t.Errorf("a refresh asked %v\nexpected %v", st.asked, want)
	}

	// With a new one, or other words for the same, everything is read anew.
	st.version++
	clock.Advance(2 * time.Second)
	dashboard(t, s)
	want = map[string]int{"Newest": 3, "Assessment": 2, "Timeline": 2, "StateChanges": 2, "Signals": 2}
	if fmt.Sprint(st.asked) != fmt.Sprint(want) {
		t.Errorf("after a new assessment: %v\nexpected %v", st.asked, want)
	}
}

func TestTheLastAssessmentIsShownWhileTheStoreIsAway(t *testing.T) {
	st := fullStore()
	s, clock := sourceAtTime(st)
	dashboard(t, s)
	st.err = errStoreAway
	clock.Advance(5 * time.Second)

	response := ask(t, s, query(t, "status", map[string]any{"cluster": "prod"}))
	if response.Error != nil {
		t.Fatal(response.Error)
	}
	frame := response.Frames[0]
	degraded, _ := frame.FieldByName("degraded")
	if degraded.At(0) != true || text(t, frame, "degraded_reason", 0) != errStoreAway.Error() || text(t, frame, "state", 0) != "stressed" {
		t.Errorf("got %v", frame)
	}
	want := "The store does not answer (" + errStoreAway.Error() + "): this is the last known assessment."
	if got := notices(response); len(got) != 1 || got[0] != want {
		t.Errorf("the notices are %q", got)
	}
	// What is not remembered is an error.
	wantFailure(t, ask(t, s, query(t, "issues", map[string]any{"cluster": "prod", "history": true})), backend.StatusBadGateway, errStoreAway.Error())

	st.err = nil
	clock.Advance(2 * time.Second)
	if got := notices(ask(t, s, query(t, "status", map[string]any{"cluster": "prod"}))); len(got) != 0 {
		t.Errorf("the store is back, and still: %q", got)
	}
}

func TestAnAnswerOfTheStoreIsNotHeldBack(t *testing.T) {
	st := fullStore()
	s, clock := sourceAtTime(st)
	dashboard(t, s)
	st.clusters = nil
	clock.Advance(2 * time.Second)
	response := ask(t, s, query(t, "status", map[string]any{"cluster": "prod"}))
	if response.Error == nil || !strings.Contains(response.Error.Error(), `cluster "prod" is not known`) {
		t.Errorf("the cluster is gone, and still: %v", response.Error)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	st := goodStore()
	for i := range 3 * maxVerdicts {
		name := fmt.Sprintf("c%03d", i)
		a := incident(noon)
		a.Cluster = name
		st.clusters = append(st.clusters, dsql.Cluster{ID: name})
		st.latest[name] = a
	}
	many := make([]dsql.Point, maxPoints/4)
	st.series = []dsql.Series{{Signal: health.BacklogAge, Points: many}}
	clock := instant.NewManual(noon)
	s := newShared(st, clock)
	for i := range 3 * maxVerdicts {
		clock.Advance(time.Millisecond)
		name := fmt.Sprintf("c%03d", i)
		if _, err := s.verdict(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		_, err := s.Signals(t.Context(), dsql.SignalQuery{Cluster: name, From: noon, To: noon.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(s.verdicts) != maxVerdicts || s.verdicts["c000"] != nil {
		t.Errorf("%d verdicts are remembered", len(s.verdicts))
	}
	if s.points > maxPoints || len(s.answers) != 3 {
		t.Errorf("%d answers with %d points are remembered", len(s.answers), s.points)
	}
	// One that is larger than all that may be remembered is given, not kept.
	st.series[0].Points = make([]dsql.Point, maxPoints+1)
	if _, err := s.Signals(t.Context(), dsql.SignalQuery{Cluster: "prod", From: noon, To: noon.Add(time.Hour)}); err != nil || s.points > maxPoints {
		t.Errorf("%v, %d points", err, s.points)
	}
	clock.Advance(2 * rememberFor)
	if _, err := s.Clusters(t.Context()); err != nil || len(s.answers) != 1 {
		t.Errorf("%v, %d answers are remembered for too long", err, len(s.answers))
	}
}

func TestWhoGivesUpDoesNotTakeTheOthersAlong(t *testing.T) {
	s := newShared(goodStore(), instant.Fixed(noon))
	ctx, cancel := context.WithCancel(t.Context())
	asked, goOn := make(chan struct{}), make(chan struct{})
	load := func(ctx context.Context) (string, error) {
		close(asked)
		<-goOn
		return "answer", ctx.Err()
	}
	gaveUp := make(chan error)
	go func() {
		_, err := together(ctx, s, "key", load)
		gaveUp <- err
	}()
	<-asked
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	other := make(chan string)
	go func() {
		// Joins the flight that is on, or is the first of the next one.
		got, err := together(t.Context(), s, "key", func(context.Context) (string, error) { return "answer", nil })
		if err != nil {
			t.Error(err)
		}
		other <- got
	}()
	close(goOn)
	if got := <-other; got != "answer" {
		t.Errorf("the other one got %q", got)
	}
}

func TestWholeSteps(t *testing.T) {
	for _, test := range []struct{ from, to, wantFrom, wantTo time.Duration }{
		{0, time.Hour, 0, time.Hour},
		{3 * time.Second, time.Hour + 3*time.Second, 0, time.Hour + 10*time.Second},
		{9 * time.Second, time.Hour + 9*time.Second, 0, time.Hour + 10*time.Second},
		{1500 * time.Millisecond, 61500 * time.Millisecond, time.Second, 62 * time.Second},
	} {
		from, to := wholeSteps(noon.Add(test.from), noon.Add(test.to))
		if from.Sub(noon) != test.wantFrom || to.Sub(noon) != test.wantTo {
			t.Errorf("%v to %v became %v to %v", test.from, test.to, from.Sub(noon), to.Sub(noon))
		}
	}
}
