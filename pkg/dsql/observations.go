package dsql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// observationRow is an observation as it is stored.
type observationRow struct {
	cluster  string
	at       instant.Instant
	asked    int
	usable   int
	requests int
	payload  payload
}

// newObservationRow prepares an observation. One that is too large loses first
// what was counted in the logs, which log_lines holds by pattern, then the
// samples of single replicas, then all samples; the values of the whole cluster
// stay, and the time series in signal_samples are not affected.
func newObservationRow(obs *health.Observation) (observationRow, error) {
	row := observationRow{cluster: obs.Cluster, at: obs.At, asked: len(obs.Measurements), requests: obs.Source.Requests}
	for i := range obs.Measurements {
		if obs.Measurements[i].Usable() {
			row.usable++
		}
	}
	stored := *obs
	keep := func(keep func(health.Scope) bool) {
		stored.Measurements = slices.Clone(stored.Measurements)
		for i := range stored.Measurements {
			m := &stored.Measurements[i]
			m.Samples = slices.DeleteFunc(slices.Clone(m.Samples), func(s health.Sample) bool { return !keep(s.Scope) })
		}
	}
	var err error
	row.payload, err = fit(nameOf("observation", obs.Cluster, obs.At), &stored,
		reduction{"counts of log lines", func() { stored.Logs = nil }},
		reduction{"samples of replicas", func() {
			keep(func(s health.Scope) bool { return s.Kind != health.KindReplica })
		}},
		reduction{"samples", func() {
			keep(func(health.Scope) bool { return false })
		}},
	)
	return row, err
}

func insertObservation(ctx context.Context, tx pgx.Tx, row *observationRow) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO observations (cluster_id, observed_at, measurements, usable, requests, omitted, payload)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (cluster_id, observed_at) DO NOTHING`,
		row.cluster, row.at, row.asked, row.usable, row.requests, row.payload.Omitted, row.payload.JSON)
	return err
}

// LatestObservation returns the newest observation of a cluster. Its error is
// ErrUnknownCluster, or ErrNotFound when there is none yet.
func (s *Store) LatestObservation(ctx context.Context, cluster string) (health.Observation, error) {
	return s.observation(ctx, cluster, `
		SELECT payload FROM observations
		WHERE cluster_id = $1
		ORDER BY observed_at DESC LIMIT 1`, cluster)
}

// Observation returns the observation of a cluster at exactly that instant. Its
// error is ErrUnknownCluster or ErrNotFound.
func (s *Store) Observation(ctx context.Context, cluster string, at instant.Instant) (health.Observation, error) {
	return s.observation(ctx, cluster, `
		SELECT payload FROM observations
		WHERE cluster_id = $1 AND observed_at = $2`, cluster, at)
}

func (s *Store) observation(ctx context.Context, cluster, sql string, args ...any) (health.Observation, error) {
	var obs health.Observation
	err := s.read(ctx, "read an observation of "+cluster, func(ctx context.Context, q querier) (err error) {
		obs, err = decodeOne[health.Observation](ctx, q, cluster, sql, args...)
		return err
	})
	return obs, err
}

// decodeOne reads the JSON document that a query finds. If it finds none, the
// error is ErrNotFound or ErrUnknownCluster.
func decodeOne[T any](ctx context.Context, q querier, cluster, sql string, args ...any) (T, error) {
	var document string
	err := q.QueryRow(ctx, sql, args...).Scan(&document)
	if errors.Is(err, pgx.ErrNoRows) {
		err = absent(ctx, q, cluster)
	}
	if err != nil {
		var none T
		return none, err
	}
	return decode[T](document)
}

// decode reads a JSON document that the store holds.
func decode[T any](document string) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return v, fmt.Errorf("a stored %T cannot be read: %w", v, err)
	}
	return v, nil
}
