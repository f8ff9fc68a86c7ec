package dsql

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

// counted is an assessment with lines of two patterns counted in some windows.
func counted(windows ...int64) func(*health.Assessment) {
	return func(a *health.Assessment) {
		a.Logs = &health.Narrative{From: a.At.Add(-5 * time.Minute), To: a.At, Patterns: []health.LogPattern{}}
		for i, lines := range windows {
			at := a.At.Add(-time.Duration(len(windows)-1-i) * time.Minute)
			a.Logs.Counts = append(a.Logs.Counts,
				health.LogPatternCount{
					ID: "persistence.unavailable", Pattern: "the database does not answer", Service: "history",
					Severity: health.LogError, At: at, Lines: lines, News: health.NewsNew,
				},
				health.LogPatternCount{
					ID: "worker.panic", Pattern: "code panics", Service: "workers", Queue: health.TaskQueueScope("default", "billing"),
					Severity: health.LogError, At: at, Lines: 1, News: health.NewsNone,
				},
			)
		}
	}
}

// Lines are stored by window; a window that is read again, for lines that came
// late, counts once and as it was read last, and one that is saved again changes
// nothing.
func TestLogLines(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	save(t, store, "prod", time.Minute, health.Stressed, counted(10))
	for range 2 {
		save(t, store, "prod", 2*time.Minute, health.Stressed, counted(25, 7))
	}
	save(t, store, "prod", 3*time.Minute, health.Stressed, counted(26, 9, 1))

	sums, err := store.LogPatterns(t.Context(), RangeQuery{Cluster: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	if len(sums) != 2 || sums[0].ID != "persistence.unavailable" || sums[0].Lines != 26+9+1 || sums[1].Lines != 3 {
		t.Errorf("sums = %+v, want 36 and 3", sums)
	}
	if sums[0].FirstAt != start.Add(time.Minute) || sums[0].LastAt != start.Add(3*time.Minute) || sums[1].Queue != health.TaskQueueScope("default", "billing") {
		t.Errorf("sums = %+v", sums)
	}
	sums, err = store.LogPatterns(t.Context(), RangeQuery{Cluster: "prod", From: start.Add(2 * time.Minute), To: start.Add(3 * time.Minute), Limit: 1})
	if err != nil || len(sums) != 1 || sums[0].Lines != 9 {
		t.Errorf("one minute of it, one pattern: %+v, %v", sums, err)
	}
	var unknown *ErrUnknownCluster
	if _, err := store.LogPatterns(t.Context(), RangeQuery{Cluster: "nobody"}); !errors.As(err, &unknown) {
		t.Errorf("of a cluster that is not there: %v", err)
	}
	if sums, err := store.LogPatterns(t.Context(), RangeQuery{Cluster: "prod", To: start}); err != nil || len(sums) != 0 {
		t.Errorf("before anything was: %+v, %v", sums, err)
	}
}

// What was counted by window has rows of its own and takes no room in the
// assessment, however much there was to catch up with; a pattern that a window no
// longer has is gone from the sums.
func TestLogLinesStandApart(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy, func(a *health.Assessment) {
		a.Logs = &health.Narrative{To: a.At, Patterns: []health.LogPattern{}}
		for i := range 900 {
			a.Logs.Counts = append(a.Logs.Counts, health.LogPatternCount{
				ID: fmt.Sprintf("other.%08x", i), Pattern: strings.Repeat("a long pattern ", 80), Service: "history", At: a.At, Lines: 1,
			})
		}
	})
	save(t, store, "prod", time.Minute, health.Happy, func(a *health.Assessment) {
		a.Logs = &health.Narrative{To: a.At, Counts: []health.LogPatternCount{
			{ID: "other.00000000", Service: "history", At: a.At.Add(-time.Minute)},
		}}
	})
	stored, err := store.Assessment(t.Context(), "prod", start)
	if err != nil || stored.Logs == nil || stored.Logs.Counts != nil {
		t.Errorf("stored: %+v, %v", stored.Logs, err)
	}
	sums, err := store.LogPatterns(t.Context(), RangeQuery{Cluster: "prod", Limit: 500})
	if err != nil || len(sums) != 500 {
		t.Errorf("%d sums, %v", len(sums), err)
	}
	for _, sum := range sums {
		if sum.ID == "other.00000000" {
			t.Errorf("a pattern without lines is told: %+v", sum)
		}
	}
}
