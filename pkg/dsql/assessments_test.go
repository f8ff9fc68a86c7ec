package dsql

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestPaging(t *testing.T) {
	store := newStore(t)
	for i := range 25 {
		save(t, store, "prod", time.Duration(i)*30*time.Second, health.Happy)
		save(t, store, "other", time.Duration(i)*30*time.Second, health.Stressed)
	}
	var whole, brief []instant.Instant
	query := AssessmentQuery{Cluster: "prod", Limit: 10}
	for pages := 1; ; pages++ {
		page, err := store.Assessments(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		summaries, err := store.AssessmentSummaries(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range page.Assessments {
			if a.Cluster != "prod" || a.State != health.Happy || summaries.Summaries[i].ID != AssessmentID("prod", a.At) {
				t.Fatalf("page %d has %s of %s, summarised as %s", pages, a.State, a.Cluster, summaries.Summaries[i].ID)
			}
			whole = append(whole, a.At)
		}
		for _, s := range summaries.Summaries {
			brief = append(brief, s.At)
		}
		if page.Next != summaries.Next {
			t.Errorf("cursors differ: %q and %q", page.Next, summaries.Next)
		}
		if page.Next == "" {
			if pages != 3 {
				t.Errorf("%d pages of 25 by 10", pages)
			}
			break
		}
		query.Cursor = page.Next
	}
	newestFirst := slices.IsSortedFunc(whole, func(a, b instant.Instant) int { return b.Compare(a) })
	if len(whole) != 25 || !newestFirst || !slices.Equal(whole, brief) {
		t.Errorf("25 assessments, newest first, were asked for; got %v", whole)
	}

	part, err := store.Assessments(t.Context(), AssessmentQuery{Cluster: "prod", From: start.Add(time.Minute), To: start.Add(2 * time.Minute)})
	if err != nil || len(part.Assessments) != 2 || part.Assessments[1].At != start.Add(time.Minute) || part.Next != "" {
		t.Errorf("one minute holds %d assessments (%v), want the two from its start on", len(part.Assessments), err)
	}
	var bad *InvalidError
	if _, err := store.Assessments(t.Context(), AssessmentQuery{Cluster: "prod", Cursor: "page 2"}); !errors.As(err, &bad) {
		t.Errorf("wrong cursor: %v", err)
	}
}

func TestAssessmentByID(t *testing.T) {
	store := newStore(t)
	for _, cluster := range []string{"dev", "prod", "test"} {
		save(t, store, cluster, 0, health.Happy)
		save(t, store, cluster, 123456*time.Microsecond, health.Stressed)
	}
	at := start.Add(123456 * time.Microsecond)
	id := AssessmentID("prod", at)
	a, err := store.AssessmentByID(t.Context(), strings.ToUpper(id))
	if err != nil || a.Cluster != "prod" || a.At != at {
		t.Errorf("%s is of %s at %s (%v)", id, a.Cluster, a.At, err)
	}
	if _, err := store.AssessmentByID(t.Context(), AssessmentID("prod", start.Add(time.Hour))); !errors.Is(err, ErrNotFound) {
		t.Errorf("an id of nothing: %v", err)
	}
	for _, text := range []string{"", "prod", "' OR 1=1", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", strings.ReplaceAll(id, "-", "")} {
		var bad *InvalidError
		if _, err := store.AssessmentByID(t.Context(), text); !errors.As(err, &bad) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAssessmentIDs(t *testing.T) {
	if got, want := AssessmentID("prod", start), AssessmentID("prod", start.Add(0)); got != want {
		t.Errorf("the same assessment has ids %s and %s", got, want)
	}
	seen := map[string]bool{}
	previous := ""
	for i := range 1000 {
		at := start.Add(time.Duration(i) * time.Millisecond)
		id := AssessmentID("prod", at)
		for _, other := range []string{id, AssessmentID("dev", at), AssessmentID("prod", at.Add(time.Microsecond))} {
			if seen[other] {
				t.Fatalf("id %s was given twice", other)
			}
			seen[other] = true
		}
		if id <= previous {
			t.Fatalf("id %s of a later time sorts before %s", id, previous)
		}
		previous = id
	}
}

func TestNotFoundAndUnknown(t *testing.T) {
	store := newStore(t)
	_, err := store.Latest(t.Context(), "prod")
	var unknown *ErrUnknownCluster
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "holds no cluster yet") {
		t.Errorf("an empty store: %v", err)
	}

	save(t, store, "dev", 0, health.Happy)
	if err := store.RegisterCluster(t.Context(), "prod", "Production"); err != nil {
		t.Fatal(err)
	}
	_, err = store.Latest(t.Context(), "prdo")
	if !errors.As(err, &unknown) || unknown.Name != "prdo" || !slices.Equal(unknown.Known, []string{"dev", "prod"}) {
		t.Errorf("a misspelt name: %v", err)
	}
	isClear(t, "a misspelt name", err, `cluster "prdo" is not known`, "dev, prod")

	for name, call := range map[string]func() error{
		"Latest":            func() error { _, err := store.Latest(t.Context(), "prod"); return err },
		"LatestObservation": func() error { _, err := store.LatestObservation(t.Context(), "prod"); return err },
		"Assessment":        func() error { _, err := store.Assessment(t.Context(), "dev", start.Add(time.Second)); return err },
		"Observation":       func() error { _, err := store.Observation(t.Context(), "dev", start.Add(time.Second)); return err },
	} {
		if err := call(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of a known cluster without any: %v", name, err)
		}
	}
	if timeline, err := store.Timeline(t.Context(), "prod", start, start.Add(time.Hour)); err != nil || len(timeline) != 0 {
		t.Errorf("the timeline of a cluster never assessed = %v, %v", timeline, err)
	}
}
