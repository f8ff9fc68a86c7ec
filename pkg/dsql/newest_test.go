package dsql

import (
	"errors"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func init() { suite = append(suite, TestNewest, TestIsReadOnly) }

func TestNewest(t *testing.T) {
	store := newStore(t)
	var unknown *ErrUnknownCluster
	if _, err := store.Newest(t.Context(), "prod"); !errors.As(err, &unknown) {
		t.Errorf("of an unknown cluster: %v", err)
	}
	if err := store.RegisterCluster(t.Context(), "prod", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Newest(t.Context(), "prod"); !errors.Is(err, ErrNotFound) {
		t.Errorf("before the first assessment: %v", err)
	}

	is := func(want Newest) {
		t.Helper()
		if got, err := store.Newest(t.Context(), "prod"); err != nil || got != want {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	save(t, store, "prod", 0, health.Happy)
	is(Newest{At: start, Asked: 4, Usable: 2})

	changed := start.Add(time.Minute)
	save(t, store, "prod", time.Minute, health.Stressed, func(a *health.Assessment) {
		a.Transition = &health.Transition{From: health.Happy, To: health.Stressed, At: a.At, Gates: []string{}}
	})
	save(t, store, "other", 2*time.Minute, health.Happy)
	is(Newest{At: changed, Asked: 4, Usable: 2, Previous: health.Happy})

	if err := store.SaveExplanation(t.Context(), "prod", AssessmentID("prod", changed), health.Explanation{By: "model", Summary: "Other words."}); err != nil {
		t.Fatal(err)
	}
	is(Newest{At: changed, Version: 1, Asked: 4, Usable: 2, Previous: health.Happy})
}

func TestIsReadOnly(t *testing.T) {
	cfg := newDatabase(t)
	for _, want := range []bool{false, true} {
		cfg.ReadOnly = want
		if got, err := openAt(t, cfg).IsReadOnly(t.Context()); err != nil || got != want {
			t.Errorf("a store with ReadOnly %v: %v, %v", want, got, err)
		}
	}
}
