package dsql

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// HoldsFor is how long an assessment speaks for the time after it when no other
// one follows. What lies beyond was observed by nobody.
const HoldsFor = 5 * time.Minute

// maxIntervals bounds a timeline; the newest are kept. Hysteresis lets a
// cluster change its state some times an hour at most.
const maxIntervals = 10_000

// Interval is a stretch of time in which a cluster's state was the same.
type Interval struct {
	State health.State `json:"health_state"`
	// From is included, To is not.
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
	// Blind means that the state was held because nothing could be seen.
	Blind bool `json:"blind"`
	// Unobserved means that nobody looked: no assessment was stored in this
	// time, the copilot itself was away. The state is then Unknown.
	Unobserved bool `json:"unobserved"`
}

// sight is the part of an assessment that the timeline shows.
type sight struct {
	at    instant.Instant
	state health.State
	blind bool
}

// follows tells whether the timeline turns at s, the one before being before,
// and whether there is a hole between the two.
func (s sight) follows(before sight) (turns, hole bool) {
	hole = s.at.Sub(before.at) > HoldsFor
	return hole || s.state != before.state || s.blind != before.blind, hole
}

// updateSpans keeps the turns of the timeline in step with the assessments,
// to which a is about to be added: at a itself, and at the one after it when a
// comes late.
func updateSpans(ctx context.Context, tx pgx.Tx, a *health.Assessment) error {
	here := sight{at: a.At, state: a.State, blind: a.Blind}
	before, found, err := neighbour(ctx, tx, `
		SELECT observed_at, state, blind FROM assessments
		WHERE cluster_id = $1 AND observed_at < $2
		ORDER BY observed_at DESC LIMIT 1`, a.Cluster, a.At)
	if err != nil {
		return err
	}
	turns, hole := true, false
	if found {
		turns, hole = here.follows(before)
	}
	if err := setSpan(ctx, tx, a.Cluster, here, before, turns, hole); err != nil {
		return err
	}
	after, found, err := neighbour(ctx, tx, `
		SELECT observed_at, state, blind FROM assessments
		WHERE cluster_id = $1 AND observed_at > $2
		ORDER BY observed_at LIMIT 1`, a.Cluster, a.At)
	if err != nil || !found {
		return err
	}
	turns, hole = after.follows(here)
	return setSpan(ctx, tx, a.Cluster, after, here, turns, hole)
}

func neighbour(ctx context.Context, tx pgx.Tx, sql, cluster string, at instant.Instant) (sight, bool, error) {
	var s sight
	var state string
	err := tx.QueryRow(ctx, sql, cluster, at).Scan(&s.at, &state, &s.blind)
	if errors.Is(err, pgx.ErrNoRows) {
		return sight{}, false, nil
	}
	if err != nil {
		return sight{}, false, err
	}
	s.state, err = health.ParseState(state)
	return s, err == nil, err
}

// setSpan writes or removes the turn of the timeline at an assessment.
func setSpan(ctx context.Context, tx pgx.Tx, cluster string, here, before sight, turns, hole bool) error {
	if !turns {
		_, err := tx.Exec(ctx, `DELETE FROM state_spans WHERE cluster_id = $1 AND started_at = $2`, cluster, here.at)
		return err
	}
	var holeFrom instant.Instant
	if hole {
		holeFrom = before.at.Add(HoldsFor)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO state_spans (cluster_id, started_at, state, blind, hole_from)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (cluster_id, started_at)
		DO UPDATE SET state = excluded.state, blind = excluded.blind, hole_from = excluded.hole_from`,
		cluster, here.at, here.state.String(), here.blind, holeFrom)
	return err
}

// Timeline returns the states of a cluster from one instant to another, oldest
// first and without gaps. The first interval is the one in force at from, cut
// to begin there; if the cluster was first observed later, it begins then. The
// last one ends at to, which should not lie in the future. Time in which nobody
// looked for more than HoldsFor is an interval of its own. Of more than 10,000
// intervals the newest are returned. The error is ErrUnknownCluster, or
// InvalidError for an empty range.
func (s *Store) Timeline(ctx context.Context, cluster string, from, to instant.Instant) ([]Interval, error) {
	from, to, err := timeRange(from, to)
	if err != nil {
		return nil, err
	}
	var timeline []Interval
	err = s.read(ctx, "read the timeline of "+cluster, func(ctx context.Context, q querier) error {
		spans, lastSeen, err := readSpans(ctx, q, cluster, from, to, maxIntervals)
		if err != nil {
			return err
		}
		timeline = intervals(spans, lastSeen, from, to)
		return requireKnown(ctx, q, cluster, len(timeline))
	})
	return timeline, err
}

// IntervalPage is a part of a timeline, newest first.
type IntervalPage struct {
	Intervals []Interval
	// Next is the cursor of the page after this one, the instant at which it
	// ends; empty on the last.
	Next string
}

// TimelinePage returns a timeline by pages, the newest interval first; of both,
// pages and intervals, one ends where the other begins. A page has 50 intervals
// if Limit is 0, at most 5,000. To is needed and should not lie in the future.
// The error is ErrUnknownCluster, or InvalidError for a range that is empty or
// has no end.
func (s *Store) TimelinePage(ctx context.Context, query RangeQuery) (IntervalPage, error) {
	if query.To.IsZero() {
		return IntervalPage{}, invalid("a timeline needs the instant at which it ends, such as now")
	}
	from, to, limit, err := query.bounds(maxSummaryPage)
	if err != nil {
		return IntervalPage{}, err
	}
	var page IntervalPage
	err = s.read(ctx, "read the timeline of "+query.Cluster, func(ctx context.Context, q querier) error {
		// Each turn begins at least one interval.
		spans, lastSeen, err := readSpans(ctx, q, query.Cluster, from, to, limit+1)
		if err != nil {
			return err
		}
		page = IntervalPage{Intervals: intervals(spans, lastSeen, from, to)}
		return requireKnown(ctx, q, query.Cluster, len(page.Intervals))
	})
	if err != nil {
		return IntervalPage{}, err
	}
	slices.Reverse(page.Intervals)
	page.Intervals, page.Next = cut(page.Intervals, limit, func(i *Interval) instant.Instant { return i.From })
	return page, nil
}

// span is a row of state_spans.
type span struct {
	sight
	holeFrom instant.Instant
}

// readSpans returns the turns of the timeline that matter between from and to,
// oldest first: those between, and the last one before; of more than limit the
// newest. lastSeen is the newest assessment before to.
func readSpans(ctx context.Context, q querier, cluster string, from, to instant.Instant, limit int) (spans []span, lastSeen instant.Instant, err error) {
	rows, err := q.Query(ctx, `
		SELECT started_at, state, blind, hole_from,
			(SELECT max(observed_at) FROM assessments WHERE cluster_id = $1 AND observed_at < $3)
		FROM state_spans
		WHERE cluster_id = $1 AND started_at < $3 AND started_at >= COALESCE(
			(SELECT max(started_at) FROM state_spans WHERE cluster_id = $1 AND started_at <= $2), $2)
		ORDER BY started_at DESC LIMIT $4`, cluster, from, to, limit)
	if err != nil {
		return nil, lastSeen, err
	}
	spans, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (span, error) {
		var s span
		var state string
		if err := row.Scan(&s.at, &state, &s.blind, &s.holeFrom, &lastSeen); err != nil {
			return span{}, err
		}
		var err error
		s.state, err = health.ParseState(state)
		return s, err
	})
	slices.Reverse(spans)
	return spans, lastSeen, err
}

// intervals lays the turns out over the time from from to to.
func intervals(spans []span, lastSeen, from, to instant.Instant) []Interval {
	timeline := make([]Interval, 0, len(spans)+1)
	add := func(i Interval) {
		if i.From.Before(from) {
			i.From = from
		}
		if to.Before(i.To) {
			i.To = to
		}
		if i.From.Before(i.To) {
			timeline = append(timeline, i)
		}
	}
	for i, here := range spans {
		next, until := to, lastSeen.Add(HoldsFor)
		if i+1 < len(spans) {
			next, until = spans[i+1].at, spans[i+1].holeFrom
			if until.IsZero() {
				until = next
			}
		}
		add(Interval{State: here.state, Blind: here.blind, From: here.at, To: until})
		add(Interval{Unobserved: true, From: until, To: next})
	}
	return timeline
}
