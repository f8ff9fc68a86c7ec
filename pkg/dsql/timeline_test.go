package dsql

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestTimeline(t *testing.T) {
	store := newStore(t)
	minute := func(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
	for _, o := range []struct {
		at    float64
		state health.State
		blind bool
	}{
		{0, health.Happy, false},
		{1, health.Happy, false},
		{2, health.Stressed, false},
		{3, health.Critical, false},
		{4, health.Critical, true},
		{5, health.Critical, true},
		{6, health.Critical, false},
		{7, health.Stressed, false},
		// The copilot is away.
		{30, health.Stressed, false},
		{31, health.Happy, false},
	} {
		if o.blind {
			save(t, store, "prod", minute(o.at), o.state, blind)
		} else {
			save(t, store, "prod", minute(o.at), o.state)
		}
	}
	for name, test := range map[string]struct {
		from, to float64
		want     []string
	}{
		"all of it": {0, 33, []string{
			"happy 0-2", "stressed 2-3", "critical 3-4", "critical blind 4-6", "critical 6-7", "stressed 7-12",
			"unobserved 12-30", "stressed 30-31", "happy 31-33",
		}},
		"the first interval is cut":      {1.5, 3.5, []string{"happy 1.5-2", "stressed 2-3", "critical 3-3.5"}},
		"nothing changes in the range":   {4.25, 4.75, []string{"critical blind 4.25-4.75"}},
		"from the very turn":             {2, 3, []string{"stressed 2-3"}},
		"before the first observation":   {-10, 1, []string{"happy 0-1"}},
		"long before":                    {-20, -10, nil},
		"inside the hole":                {15, 20, []string{"unobserved 15-20"}},
		"into the hole":                  {7, 20, []string{"stressed 7-12", "unobserved 12-20"}},
		"nobody has looked since":        {31, 60, []string{"happy 31-36", "unobserved 36-60"}},
		"long after the last assessment": {100, 120, []string{"unobserved 100-120"}},
	} {
		timeline, err := store.Timeline(t.Context(), "prod", start.Add(minute(test.from)), start.Add(minute(test.to)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		equal(t, name, inMinutes(timeline), test.want)
	}
}

func TestTimelineByPages(t *testing.T) {
	store := newStore(t)
	for n, state := range []health.State{health.Happy, health.Stressed, health.Critical, health.Stressed, health.Happy, health.Stressed} {
		after := time.Duration(n) * time.Minute
		if n >= 3 {
			after += 20 * time.Minute // the copilot was away
		}
		save(t, store, "prod", after, state)
	}
	from, to := start.Add(30*time.Second), start.Add(26*time.Minute)
	whole, err := store.Timeline(t.Context(), "prod", from, to)
	if err != nil || len(whole) != 7 {
		t.Fatalf("timeline = %v, %v", inMinutes(whole), err)
	}
	slices.Reverse(whole)
	for limit := 1; limit <= 8; limit++ {
		var paged []Interval
		query := RangeQuery{Cluster: "prod", From: from, To: to, Limit: limit}
		for {
			page, err := store.TimelinePage(t.Context(), query)
			if err != nil || len(page.Intervals) > limit || len(paged) > 20 {
				t.Fatalf("%d a page: %d on one, %v", limit, len(page.Intervals), err)
			}
			paged = append(paged, page.Intervals...)
			if page.Next == "" {
				break
			}
			query.Cursor = page.Next
		}
		equal(t, "by pages", inMinutes(paged), inMinutes(whole))
	}
	var bad *InvalidError
	if _, err := store.TimelinePage(t.Context(), RangeQuery{Cluster: "prod"}); !errors.As(err, &bad) {
		t.Errorf("a timeline without an end: %v", err)
	}
}

// The timeline must not depend on the order in which the saves came.
func TestTimelineOfLateSaves(t *testing.T) {
	states := map[int]health.State{0: health.Happy, 1: health.Stressed, 2: health.Stressed, 3: health.Critical, 4: health.Stressed, 14: health.Happy, 15: health.Happy}
	want := []string{"happy 0-1", "stressed 1-3", "critical 3-4", "stressed 4-9", "unobserved 9-14", "happy 14-16"}
	for _, order := range [][]int{
		{0, 1, 2, 3, 4, 14, 15},
		{15, 14, 4, 3, 2, 1, 0},
		{2, 15, 0, 4, 14, 1, 3},
	} {
		store := newStore(t)
		for _, minute := range order {
			save(t, store, "prod", time.Duration(minute)*time.Minute, states[minute])
		}
		timeline, err := store.Timeline(t.Context(), "prod", start, start.Add(16*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "timeline", inMinutes(timeline), want)
	}
}

func TestTimelineRefuses(t *testing.T) {
	store := newStore(t)
	var unknown *ErrUnknownCluster
	if _, err := store.Timeline(t.Context(), "nobody", start, start.Add(time.Hour)); !errors.As(err, &unknown) {
		t.Errorf("unknown cluster: %v", err)
	}
	var bad *InvalidError
	if _, err := store.Timeline(t.Context(), "prod", start, start); !errors.As(err, &bad) {
		t.Errorf("empty range: %v", err)
	}
}
