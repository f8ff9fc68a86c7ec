package dsql

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Newest names the newest assessment of a cluster. It is read in one look at
// the keys, some hundred times cheaper than the assessment itself, so that who
// shows assessments can ask all the time whether there is a new one. Two that
// are equal stand for the same assessment in the same words.
type Newest struct {
	At instant.Instant
	// Version goes up when the words of the assessment are replaced.
	Version int64
	// Asked and Usable count the signals of the observation that was judged.
	// Both are 0 when it is not kept any more.
	Asked, Usable int
	// Previous is the state that the cluster had before its last change.
	// Unknown: none is on record.
	Previous health.State
}

// Newest names the newest assessment of a cluster. Its error is
// ErrUnknownCluster, or ErrNotFound when there is none yet.
func (s *Store) Newest(ctx context.Context, cluster string) (Newest, error) {
	var newest Newest
	err := s.read(ctx, "look for the newest assessment of "+cluster, func(ctx context.Context, q querier) error {
		var previous string
		err := q.QueryRow(ctx, `
			SELECT a.observed_at, coalesce(a.version, 0), coalesce(o.measurements, 0), coalesce(o.usable, 0),
				coalesce((SELECT from_state FROM state_transitions WHERE cluster_id = $1 ORDER BY at DESC LIMIT 1), $2)
			FROM assessments a
			LEFT JOIN observations o ON o.cluster_id = a.cluster_id AND o.observed_at = a.observed_at
			WHERE a.cluster_id = $1
			ORDER BY a.observed_at DESC LIMIT 1`, cluster, health.Unknown.String()).
			Scan(&newest.At, &newest.Version, &newest.Asked, &newest.Usable, &previous)
		if errors.Is(err, pgx.ErrNoRows) {
			return absent(ctx, q, cluster)
		}
		if err != nil {
			return err
		}
		newest.Previous, err = health.ParseState(previous)
		return err
	})
	return newest, err
}

// IsReadOnly tells whether the database itself keeps this store from writing,
// should this program ever try. It is false for a store that was not opened
// with Config.ReadOnly, and where a connection pooler in between drops the
// setting that asks for it.
func (s *Store) IsReadOnly(ctx context.Context) (bool, error) {
	if !s.cfg.ReadOnly || s.target.DSQL {
		// On DSQL each transaction says that it only reads.
		return s.cfg.ReadOnly, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	readOnly := false
	err := s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		// Every server since PostgreSQL 14 tells this by itself.
		readOnly = conn.Conn().PgConn().ParameterStatus("default_transaction_read_only") == "on"
		return nil
	})
	return readOnly, s.explain("look whether the session is read-only", err)
}
