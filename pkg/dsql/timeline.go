package dsql

import (
	"context"
	"encoding/json"
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
		spans, lastSeen, err := readSpans(ctx, q, cluster, from, to)
		if err != nil {
			return err
		}
		timeline = intervals(spans, lastSeen, from, to)
		return requireKnown(ctx, q, cluster, len(timeline))
	})
	return timeline, err
}

// span is a row of state_spans.
type span struct {
	sight
	holeFrom instant.Instant
}

// readSpans returns the turns of the timeline that matter between from and to,
// oldest first: those between, and the last one before. lastSeen is the newest
// assessment before to.
func readSpans(ctx context.Context, q querier, cluster string, from, to instant.Instant) (spans []span, lastSeen instant.Instant, err error) {
	rows, err := q.Query(ctx, `
		SELECT started_at, state, blind, hole_from,
			(SELECT max(observed_at) FROM assessments WHERE cluster_id = $1 AND observed_at < $3)
		FROM state_spans
		WHERE cluster_id = $1 AND started_at < $3 AND started_at >= COALESCE(
			(SELECT max(started_at) FROM state_spans WHERE cluster_id = $1 AND started_at <= $2), $2)
		ORDER BY started_at DESC LIMIT $4`, cluster, from, to, maxIntervals)
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

// insertTransition notes a change of state with the gates behind it.
func insertTransition(ctx context.Context, tx pgx.Tx, a *health.Assessment) error {
	if a.Transition == nil {
		return nil
	}
	gates, err := json.Marshal(a.Transition.Gates)
	if err != nil {
		return err
	}
	at := a.Transition.At
	if at.IsZero() {
		at = a.At
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO state_transitions (cluster_id, at, from_state, to_state, gates)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (cluster_id, at) DO NOTHING`,
		a.Cluster, at, a.Transition.From.String(), a.Transition.To.String(), string(gates))
	return err
}

// Transitions returns the changes of a cluster's state, newest first. From is
// included and to is not; a zero instant leaves that end open. Limit is 50 if 0
// and at most 5,000. The error is ErrUnknownCluster.
func (s *Store) Transitions(ctx context.Context, cluster string, from, to instant.Instant, limit int) ([]health.Transition, error) {
	from, to, err := timeRange(from, to)
	if err != nil {
		return nil, err
	}
	if limit, err = pageSize(limit, defaultPage, maxSummaryPage); err != nil {
		return nil, err
	}
	var transitions []health.Transition
	err = s.read(ctx, "list the transitions of "+cluster, func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, `
			SELECT at, from_state, to_state, gates FROM state_transitions
			WHERE cluster_id = $1 AND at >= $2 AND at < $3
			ORDER BY at DESC LIMIT $4`, cluster, from, to, limit)
		if err != nil {
			return err
		}
		if transitions, err = pgx.CollectRows(rows, scanTransition); err != nil {
			return err
		}
		return requireKnown(ctx, q, cluster, len(transitions))
	})
	return transitions, err
}

func scanTransition(row pgx.CollectableRow) (health.Transition, error) {
	var t health.Transition
	var before, after, gates string
	err := row.Scan(&t.At, &before, &after, &gates)
	if err != nil {
		return t, err
	}
	if t.From, err = health.ParseState(before); err != nil {
		return t, err
	}
	if t.To, err = health.ParseState(after); err != nil {
		return t, err
	}
	t.Gates, err = decode[[]string](gates)
	return t, err
}
