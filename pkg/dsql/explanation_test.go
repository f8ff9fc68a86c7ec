package dsql

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestSaveExplanation(t *testing.T) {
	store := newStore(t)
	at := start.Add(123456 * time.Microsecond)
	for _, cluster := range []string{"prod", "dev"} {
		save(t, store, cluster, 0, health.Happy)
		save(t, store, cluster, at.Sub(start), health.Critical, with(issue("billing", health.Critical, 0)))
	}
	before, err := store.Latest(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	words := health.Explanation{
		By: "a model", Summary: "Nobody takes the tasks of billing.",
		Factors: []health.Factor{{Text: "No poller is left.", Gate: "worker.pollers"}},
		Avoid:   []string{"Do not scale down."}, WouldChange: "A poller that comes back.",
	}
	id := AssessmentID("prod", at)
	for range 2 {
		if err := store.SaveExplanation(t.Context(), "prod", strings.ToUpper(id), words); err != nil {
			t.Fatal(err)
		}
	}
	var version int64
	if err := store.pool.QueryRow(t.Context(), "SELECT version FROM assessments WHERE id = $1::text::uuid", id).Scan(&version); err != nil || version != 1 {
		t.Errorf("version %d, %v; want the 1 of the only change", version, err)
	}
	want := before
	want.Explanation = words
	if got, err := store.AssessmentByID(t.Context(), id); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("afterwards (%v):\n got %+v\nwant %+v", err, got, want)
	}
	page, err := store.AssessmentSummaries(t.Context(), AssessmentQuery{Cluster: "prod"})
	if err != nil || page.Summaries[0].Summary != words.Summary || page.Summaries[1].Summary != "The cluster is happy." {
		t.Errorf("summaries = %+v, %v", page.Summaries, err)
	}
	if other, err := store.Latest(t.Context(), "dev"); err != nil || other.Explanation.By != "rules" {
		t.Errorf("another cluster's explanation = %+v, %v", other.Explanation, err)
	}
	// Saving the verdict once more, as a retry does, keeps the better words.
	save(t, store, "prod", at.Sub(start), health.Critical)
	if got, err := store.Latest(t.Context(), "prod"); err != nil || got.Explanation.By != "a model" {
		t.Errorf("after the verdict was saved again: %+v, %v", got.Explanation, err)
	}
}

func TestSaveExplanationRefuses(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	words := health.Explanation{By: "a model", Summary: "All is well."}
	for name, test := range map[string]struct{ cluster, id string }{
		"no such assessment":  {"prod", AssessmentID("prod", start.Add(time.Minute))},
		"of another cluster":  {"dev", AssessmentID("prod", start)},
		"an id of the future": {"prod", AssessmentID("prod", end)},
	} {
		if err := store.SaveExplanation(t.Context(), test.cluster, test.id, words); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var bad *InvalidError
	if err := store.SaveExplanation(t.Context(), "prod", "prod", words); !errors.As(err, &bad) {
		t.Errorf("not an id: %v", err)
	}
	words.Summary = strings.Repeat("too much ", 150_000)
	var large *TooLargeError
	if err := store.SaveExplanation(t.Context(), "prod", AssessmentID("prod", start), words); !errors.As(err, &large) {
		t.Errorf("too large: %v", err)
	}
	if got, err := store.Latest(t.Context(), "prod"); err != nil || got.Explanation.By != "rules" {
		t.Errorf("afterwards: %+v, %v", got.Explanation, err)
	}
}

func TestExplanationsAtOnce(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			words := health.Explanation{By: "a model", Summary: fmt.Sprint("Version ", i)}
			if err := store.SaveExplanation(t.Context(), "prod", AssessmentID("prod", start), words); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var version int64
	if err := store.pool.QueryRow(t.Context(), "SELECT version FROM assessments").Scan(&version); err != nil || version != 6 {
		t.Errorf("version %d after 6 changes, %v", version, err)
	}
}
