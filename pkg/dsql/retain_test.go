package dsql

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// ancient is when the tests of Retain begin: well before what must be kept.
const ancient = -30 * 24 * time.Hour

// retainAll calls Retain until there is nothing more, and returns how many ticks
// each call deleted.
func retainAll(t *testing.T, store *Store, cluster string, before instant.Instant, limit int) []int {
	t.Helper()
	var calls []int
	for more := true; more; {
		deleted, further, err := store.Retain(t.Context(), cluster, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, deleted)
		if more = further; len(calls) > 100 {
			t.Fatal("there is no end of it")
		}
	}
	return calls
}

func TestRetain(t *testing.T) {
	store := newStore(t)
	minute := func(n int) time.Duration { return ancient + time.Duration(n)*time.Minute }
	changed := func(from, to health.State) func(*health.Assessment) {
		return func(a *health.Assessment) { a.Transition = &health.Transition{From: from, To: to, At: a.At} }
	}
	old, gone := issue("old and open", health.Stressed, minute(1)), issue("gone", health.Stressed, minute(1))
	worse := old
	worse.Severity = health.Critical
	recent := issue("just resolved", health.Stressed, minute(15))
	for _, cluster := range []string{"prod", "other"} {
		save(t, store, cluster, minute(0), health.Happy)
		save(t, store, cluster, minute(1), health.Stressed, changed(health.Happy, health.Stressed), with(old, gone))
		for n := 2; n < 15; n++ {
			save(t, store, cluster, minute(n), health.Stressed, with(old, resolved(gone, minute(2))), counted(1))
		}
		save(t, store, cluster, minute(15), health.Stressed, with(worse, recent))
		for n := 16; n < 25; n++ {
			save(t, store, cluster, minute(n), health.Stressed, with(worse, resolved(recent, minute(16))))
		}
	}
	others := rowCounts(t, store)

	before := start.Add(minute(12))
	if calls := retainAll(t, store, "prod", before, 5); !slices.Equal(calls, []int{5, 5, 2}) {
		t.Errorf("ticks deleted = %v, want the 12 before minute 12 by 5", calls)
	}
	if calls := retainAll(t, store, "prod", before, 5); !slices.Equal(calls, []int{0}) {
		t.Errorf("the second time %v", calls)
	}
	page, err := store.AssessmentSummaries(t.Context(), AssessmentQuery{Cluster: "prod"})
	if err != nil || len(page.Summaries) != 13 || page.Summaries[12].At != before {
		t.Errorf("%d assessments are left, %v; want the 13 from minute 12 on", len(page.Summaries), err)
	}
	after := rowCounts(t, store)
	gone12 := map[string]int64{
		"observations": 12, "assessments": 12, "signal_samples": 4 * 12, "state_transitions": 1, "state_spans": 1,
		"issues": 1, "issue_changes": 2, "log_lines": 2 * 10,
	}
	for table, rows := range others {
		if want := rows - gone12[table]; after[table] != want {
			t.Errorf("%s has %d rows, want %d of %d", table, after[table], want, rows)
		}
	}
	timeline, err := store.Timeline(t.Context(), "prod", before, start.Add(minute(25)))
	if err != nil || len(timeline) != 1 || timeline[0].State != health.Stressed || timeline[0].From != before {
		t.Errorf("the state in force is lost: %v, %v", timeline, err)
	}
	equal(t, "issues", listed(t, store, IssueQuery{Cluster: "prod"}),
		[]string{"old and open critical open ×1", "just resolved stressed resolved ×1"})
	history, err := store.IssueHistory(t.Context(), "old and open", RangeQuery{Cluster: "prod"})
	if err != nil || len(history.Changes) != 2 || history.Changes[1].Event != IssueOpened {
		t.Errorf("history of the open issue = %+v, %v", history, err)
	}

	// What a cluster is known by now stays, however old it is.
	retainAll(t, store, "prod", start.Add(-MinRetention-time.Hour), 0)
	latest, err := store.Latest(t.Context(), "prod")
	if err != nil || latest.At != start.Add(minute(24)) || latest.State != health.Stressed {
		t.Errorf("the newest assessment = %s, %v", latest.At, err)
	}
	if _, err := store.LatestObservation(t.Context(), "prod"); err != nil {
		t.Error(err)
	}
	equal(t, "open issues", listed(t, store, IssueQuery{Cluster: "prod"}), []string{"old and open critical open ×1"})
	if left := rowCounts(t, store); left["assessments"] != 26 || left["signal_samples"] != 4*26 || left["state_spans"] != 3 {
		t.Errorf("rows of one tick and of the other cluster's 25: %v", left)
	}
	save(t, store, "prod", 0, health.Happy)
	timeline, err = store.Timeline(t.Context(), "prod", start.Add(minute(24)), start.Add(time.Minute))
	if err != nil || len(timeline) != 3 || !timeline[1].Unobserved {
		t.Errorf("after a month without the copilot: %+v, %v", timeline, err)
	}
}

// More rows than one transaction may delete go in several.
func TestRetainManyRows(t *testing.T) {
	store := newStore(t)
	store.cfg.MaxSamples = maxMaxSamples
	for tick := range 3 {
		at := start.Add(ancient + time.Duration(tick)*30*time.Second)
		obs := observation("prod", at, 1)
		for i := range 1700 {
			obs.Measurements[0].Samples = append(obs.Measurements[0].Samples,
				health.Sample{Scope: health.TaskQueueScope("default", fmt.Sprintf("queue-%04d", i)), Value: 1})
		}
		obs.Normalize()
		if err := store.Save(t.Context(), obs, assessment("prod", at, health.Happy)); err != nil {
			t.Fatal(err)
		}
	}
	if calls := retainAll(t, store, "prod", start.Add(ancient+time.Hour), 0); !slices.Equal(calls, []int{2}) {
		t.Errorf("ticks deleted = %v, want all but the newest", calls)
	}
	if rows := rowCounts(t, store)["signal_samples"]; rows != 1704 {
		t.Errorf("%d samples are left, want the 1,704 of the newest tick", rows)
	}
}

func TestRetainRefuses(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	if err := store.RegisterCluster(t.Context(), "new", ""); err != nil {
		t.Fatal(err)
	}
	now := instant.System.Now()
	var bad *InvalidError
	for name, before := range map[string]instant.Instant{"now": now, "six days ago": now.Add(-6 * 24 * time.Hour)} {
		_, _, err := store.Retain(t.Context(), "prod", before, 0)
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
		isClear(t, name, err, "at least 168h", before.String())
	}
	if _, _, err := store.Retain(t.Context(), "prod", now.Add(-MinRetention), -1); !errors.As(err, &bad) {
		t.Errorf("a negative limit: %v", err)
	}
	var unknown *ErrUnknownCluster
	if _, _, err := store.Retain(t.Context(), "nobody", now.Add(-MinRetention), 0); !errors.As(err, &unknown) {
		t.Errorf("an unknown cluster: %v", err)
	}
	if deleted, more, err := store.Retain(t.Context(), "new", now.Add(-MinRetention), 0); err != nil || deleted != 0 || more {
		t.Errorf("a cluster that was never observed: %d, %v, %v", deleted, more, err)
	}
}
