package dsql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// MinRetention is how long everything is kept at least (requirement R5.3).
const MinRetention = 7 * 24 * time.Hour

const (
	// maxDelete is how many rows one transaction of Retain deletes at most.
	maxDelete = 1000
	// maxDeleteTicks is how many observations with their assessments it
	// deletes, which are larger than other rows.
	maxDeleteTicks = 100
	// defaultRetain and maxRetain bound the ticks of one call.
	defaultRetain, maxRetain = 100, 1000
)

// Retain deletes the oldest ticks of a cluster, those before an instant: of each
// the observation, the assessment and the points of time series, with the
// changes of state, the turns of the timeline, the resolved issues and the lines
// counted in the logs of that time. A tick is one observation. It deletes at most limit ticks, 100 if that is
// 0 and 1,000 at most, returns how many they were and whether there are more, and
// is to be called again while there are.
//
// Each transaction deletes at most 1,000 rows, the ticks themselves last, so
// that a call that fails half way leaves nothing behind that the next one does
// not find. What a cluster is known by now stays whatever its age: its newest
// assessment, the state in force at before, and the open issues with their
// history since they were opened.
//
// The error is InvalidError when before lies less than MinRetention before the
// database's present time, ErrUnknownCluster, or ErrReadOnly.
func (s *Store) Retain(ctx context.Context, cluster string, before instant.Instant, limit int) (deleted int, more bool, err error) {
	what := "delete what is older than " + before.String() + " of " + cluster
	if s.cfg.ReadOnly {
		return 0, false, fmt.Errorf("%s: %w", what, ErrReadOnly)
	}
	limit, err = pageSize(limit, defaultRetain, maxRetain)
	if err != nil {
		return 0, false, err
	}
	until, deleted, more, err := s.oldTicks(ctx, what, cluster, before, limit)
	if err != nil || until.IsZero() {
		return 0, false, err
	}
	for _, sweep := range []func() error{
		func() error { return s.deleteSamples(ctx, what, cluster, until) },
		func() error { return s.deleteIssueChanges(ctx, what, cluster, until) },
		func() error { return s.deleteIssues(ctx, what, cluster, until) },
		func() error { return s.deleteLogLines(ctx, what, cluster, until) },
		func() error {
			return s.deleteUntil(ctx, what, cluster, until, maxDelete, `
				SELECT at FROM state_transitions
				WHERE cluster_id = $1 AND at < $2
				ORDER BY at OFFSET $3 LIMIT 1`, `
				DELETE FROM state_transitions
				WHERE cluster_id = $1 AND at < $2 AND at <= $3`)
		},
		func() error {
			return s.deleteUntil(ctx, what, cluster, until, maxDelete, `
				SELECT started_at FROM state_spans
				WHERE cluster_id = $1 AND started_at < (SELECT max(started_at) FROM state_spans WHERE cluster_id = $1 AND started_at <= $2)
				ORDER BY started_at OFFSET $3 LIMIT 1`, `
				DELETE FROM state_spans
				WHERE cluster_id = $1 AND started_at < (SELECT max(started_at) FROM state_spans WHERE cluster_id = $1 AND started_at <= $2)
					AND started_at <= $3`)
		},
		func() error {
			return s.deleteUntil(ctx, what, cluster, until, maxDeleteTicks, `
				SELECT observed_at FROM observations
				WHERE cluster_id = $1 AND observed_at < $2
				ORDER BY observed_at OFFSET $3 LIMIT 1`, `
				DELETE FROM assessments
				WHERE cluster_id = $1 AND observed_at < $2 AND observed_at <= $3`, `
				DELETE FROM observations
				WHERE cluster_id = $1 AND observed_at < $2 AND observed_at <= $3`)
		},
	} {
		if err := sweep(); err != nil {
			return 0, false, err
		}
	}
	return deleted, more, nil
}

// oldTicks finds the ticks to delete: those before until. A zero until means that
// the cluster was never observed.
func (s *Store) oldTicks(ctx context.Context, what, cluster string, before instant.Instant, limit int) (until instant.Instant, found int, more bool, err error) {
	err = s.read(ctx, what, func(ctx context.Context, q querier) error {
		var now, lastSeen instant.Instant
		err := q.QueryRow(ctx, `SELECT now(), last_seen FROM clusters WHERE cluster_id = $1`, cluster).Scan(&now, &lastSeen)
		if errors.Is(err, pgx.ErrNoRows) {
			return absent(ctx, q, cluster)
		}
		if err != nil {
			return err
		}
		if newest := now.Add(-MinRetention); before.After(newest) {
			return invalid("history is kept for at least %s: before is %s, it may be %s at most", MinRetention, before, newest)
		}
		until, found, more = before, 0, false
		if lastSeen.Before(before) {
			until = lastSeen
		}
		rows, err := q.Query(ctx, `
			SELECT observed_at FROM observations
			WHERE cluster_id = $1 AND observed_at < $2
			ORDER BY observed_at LIMIT $3`, cluster, until, limit+1)
		if err != nil {
			return err
		}
		ticks, err := pgx.CollectRows(rows, pgx.RowTo[instant.Instant])
		if err != nil {
			return err
		}
		if found = len(ticks); found > limit {
			until, found, more = ticks[limit], limit, true
		}
		return nil
	})
	return until, found, more, err
}

// deleteUntil deletes the rows of a table, or of several with the same key, that
// come before until, at most most of each in one transaction. find selects the
// instant of the row after $3 others, the deletions take what is not after $3.
func (s *Store) deleteUntil(ctx context.Context, what, cluster string, until instant.Instant, most int, find string, deletions ...string) error {
	for full := true; full; {
		err := s.write(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
			last := until
			err := tx.QueryRow(ctx, find, cluster, until, most-1).Scan(&last)
			if full = err == nil; !full && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			for _, deletion := range deletions {
				if _, err := tx.Exec(ctx, deletion, cluster, until, last); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// seriesPlace is a place in signal_samples: a signal at a kind of scope.
type seriesPlace struct{ signal, kind string }

// deleteSamples deletes the points of all time series before until. Time comes
// late in their key, so it goes from signal to signal and deletes the beginning
// of each.
func (s *Store) deleteSamples(ctx context.Context, what, cluster string, until instant.Instant) error {
	var place seriesPlace
	for done := false; !done; {
		var reached seriesPlace
		err := s.write(ctx, what, func(ctx context.Context, tx pgx.Tx) (err error) {
			reached, done, err = deleteSomeSamples(ctx, tx, cluster, until, place)
			return err
		})
		if err != nil {
			return err
		}
		place = reached
	}
	return nil
}

// deleteSomeSamples deletes up to maxDelete points of the series that come after
// a place. It returns the last place that has none left, and whether that was
// the last of all.
func deleteSomeSamples(ctx context.Context, tx pgx.Tx, cluster string, until instant.Instant, place seriesPlace) (reached seriesPlace, done bool, err error) {
	for room := maxDelete; ; {
		var next seriesPlace
		err := tx.QueryRow(ctx, `
			SELECT signal, kind FROM signal_samples
			WHERE cluster_id = $1 AND (signal, kind) > ($2, $3)
			ORDER BY signal, kind LIMIT 1`, cluster, place.signal, place.kind).Scan(&next.signal, &next.kind)
		if errors.Is(err, pgx.ErrNoRows) {
			return place, true, nil
		}
		if err != nil {
			return place, false, err
		}
		last, scope := until, ""
		err = tx.QueryRow(ctx, `
			SELECT observed_at, scope_key FROM signal_samples
			WHERE cluster_id = $1 AND signal = $2 AND kind = $3 AND observed_at < $4
			ORDER BY observed_at, scope_key OFFSET $5 LIMIT 1`,
			cluster, next.signal, next.kind, until, room-1).Scan(&last, &scope)
		full := err == nil
		if !full && !errors.Is(err, pgx.ErrNoRows) {
			return place, false, err
		}
		tag, err := tx.Exec(ctx, `
			DELETE FROM signal_samples
			WHERE cluster_id = $1 AND signal = $2 AND kind = $3 AND observed_at < $4 AND (observed_at, scope_key) <= ($5, $6)`,
			cluster, next.signal, next.kind, until, last, scope)
		if err != nil || full {
			return place, false, err
		}
		place = next
		room -= int(tag.RowsAffected())
	}
}

// deleteIssueChanges deletes what happened to issues before until, except to
// those that are open since then.
func (s *Store) deleteIssueChanges(ctx context.Context, what, cluster string, until instant.Instant) error {
	for full := true; full; {
		err := s.write(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `
				SELECT c.issue_id, c.at
				FROM issue_changes c
				LEFT JOIN issues i ON i.cluster_id = c.cluster_id AND i.id = c.issue_id
				WHERE c.cluster_id = $1 AND c.at < $2 AND (i.status IS NULL OR i.status <> $3 OR c.at < i.opened_at)
				ORDER BY c.issue_id, c.at LIMIT $4`, cluster, until, string(health.IssueOpen), maxDelete)
			if err != nil {
				return err
			}
			var (
				id  string
				at  time.Time
				ids []string
				ats []time.Time
			)
			_, err = pgx.ForEachRow(rows, []any{&id, &at}, func() error {
				ids, ats = append(ids, id), append(ats, at)
				return nil
			})
			if full = len(ids) == maxDelete; err != nil || len(ids) == 0 {
				return err
			}
			_, err = tx.Exec(ctx, `
				DELETE FROM issue_changes
				WHERE cluster_id = $1 AND (issue_id, at) IN (SELECT gone.id, gone.at FROM unnest($2::text[], $3::timestamptz[]) AS gone (id, at))`,
				cluster, ids, ats)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteLogLines deletes what was counted in the logs before until.
func (s *Store) deleteLogLines(ctx context.Context, what, cluster string, until instant.Instant) error {
	for full := true; full; {
		err := s.write(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
			last, key := until, ""
			err := tx.QueryRow(ctx, `
				SELECT window_end, pattern_key FROM log_lines
				WHERE cluster_id = $1 AND window_end < $2
				ORDER BY window_end, pattern_key OFFSET $3 LIMIT 1`, cluster, until, maxDelete-1).Scan(&last, &key)
			if full = err == nil; !full && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			_, err = tx.Exec(ctx, `
				DELETE FROM log_lines
				WHERE cluster_id = $1 AND window_end < $2 AND (window_end, pattern_key) <= ($3, $4)`, cluster, until, last, key)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteIssues deletes the issues that were resolved before until.
func (s *Store) deleteIssues(ctx context.Context, what, cluster string, until instant.Instant) error {
	for full := true; full; {
		err := s.write(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `
				SELECT id FROM issues
				WHERE cluster_id = $1 AND status = $2 AND resolved_at < $3
				ORDER BY id LIMIT $4`, cluster, string(health.IssueResolved), until, maxDelete)
			if err != nil {
				return err
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if full = len(ids) == maxDelete; err != nil || len(ids) == 0 {
				return err
			}
			_, err = tx.Exec(ctx, `
				DELETE FROM issues
				WHERE cluster_id = $1 AND id = ANY($2::text[])`, cluster, ids)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
