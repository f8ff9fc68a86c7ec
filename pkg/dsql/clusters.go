package dsql

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Cluster is a monitored Temporal cluster as listings show it.
type Cluster struct {
	// ID names the cluster everywhere; Display is for people.
	ID      string `json:"id"`
	Display string `json:"display"`
	// FirstSeen and LastSeen are the instants of the oldest and the newest
	// assessment that was ever saved. Zero: registered, never assessed.
	FirstSeen instant.Instant `json:"first_seen"`
	LastSeen  instant.Instant `json:"last_seen"`
	// State, Since and Blind are those of the newest assessment.
	State health.State    `json:"health_state"`
	Since instant.Instant `json:"since"`
	Blind bool            `json:"blind"`

	version int64
}

// maxKnown is how many names an ErrUnknownCluster offers.
const maxKnown = 20

// RegisterCluster makes a cluster known before its first assessment, so that a
// question about it is answered with ErrNotFound and not with
// ErrUnknownCluster. For a cluster that is known already it sets the name for
// people. An empty display name means the id.
func (s *Store) RegisterCluster(ctx context.Context, id, display string) error {
	if err := checkClusterName(id); err != nil {
		return err
	}
	if display == "" {
		display = id
	}
	return s.write(ctx, "register cluster "+id, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO clusters (cluster_id, display, state, blind, version)
			VALUES ($1, $2, $3, false, 1)
			ON CONFLICT (cluster_id) DO UPDATE SET display = excluded.display, version = clusters.version + 1
			WHERE clusters.display <> excluded.display`,
			id, text(display, 256), health.Unknown.String())
		return err
	})
}

// maxClusters is how many clusters a listing has at most.
const maxClusters = 1000

// Clusters lists the known clusters by id, at most 1,000.
func (s *Store) Clusters(ctx context.Context) ([]Cluster, error) {
	var clusters []Cluster
	err := s.read(ctx, "list the clusters", func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, `
			SELECT cluster_id, display, first_seen, last_seen, state, since, blind, version
			FROM clusters ORDER BY cluster_id LIMIT $1`, maxClusters)
		if err != nil {
			return err
		}
		clusters, err = pgx.CollectRows(rows, scanCluster)
		return err
	})
	return clusters, err
}

func scanCluster(row pgx.CollectableRow) (Cluster, error) {
	var c Cluster
	var state string
	err := row.Scan(&c.ID, &c.Display, &c.FirstSeen, &c.LastSeen, &state, &c.Since, &c.Blind, &c.version)
	if err != nil {
		return Cluster{}, err
	}
	c.State, err = health.ParseState(state)
	return c, err
}

// lockCluster makes sure that the cluster has a row and locks it until the
// transaction ends. On PostgreSQL another writer waits here and then fails; on
// DSQL it fails at its commit. Both then begin again.
func lockCluster(ctx context.Context, tx pgx.Tx, id string) (Cluster, error) {
	_, err := tx.Exec(ctx, `
		INSERT INTO clusters (cluster_id, display, state, blind, version)
		VALUES ($1, $1, $2, false, 0)
		ON CONFLICT (cluster_id) DO NOTHING`, id, health.Unknown.String())
	if err != nil {
		return Cluster{}, err
	}
	rows, err := tx.Query(ctx, `
		SELECT cluster_id, display, first_seen, last_seen, state, since, blind, version
		FROM clusters WHERE cluster_id = $1 FOR UPDATE`, id)
	if err != nil {
		return Cluster{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanCluster)
}

// updateCluster notes the assessment on the cluster's row. An assessment that
// is not the newest leaves the state alone, but the version counts on: two
// saves of one cluster must never both commit on the same snapshot.
func updateCluster(ctx context.Context, tx pgx.Tx, a *health.Assessment, last Cluster, isNewest bool) error {
	next := last
	if isNewest {
		next.LastSeen, next.State, next.Since, next.Blind = a.At, a.State, a.Since, a.Blind
	}
	if last.FirstSeen.IsZero() || a.At.Before(last.FirstSeen) {
		next.FirstSeen = a.At
	}
	tag, err := tx.Exec(ctx, `
		UPDATE clusters
		SET first_seen = $3, last_seen = $4, state = $5, since = $6, blind = $7, version = version + 1
		WHERE cluster_id = $1 AND version = $2`,
		a.Cluster, last.version, next.FirstSeen, next.LastSeen, next.State.String(), next.Since, next.Blind)
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return errConflict
	}
	return nil
}

// absent explains an empty answer: the cluster is not known, or it has nothing
// of the kind.
func absent(ctx context.Context, q querier, cluster string) error {
	var known bool
	err := q.QueryRow(ctx, `SELECT true FROM clusters WHERE cluster_id = $1`, cluster).Scan(&known)
	if err == nil {
		return ErrNotFound
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	rows, err := q.Query(ctx, `SELECT cluster_id FROM clusters ORDER BY cluster_id LIMIT $1`, maxKnown)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	return &ErrUnknownCluster{Name: cluster, Known: names}
}

// requireKnown turns an empty list into an ErrUnknownCluster if the cluster is
// not known; of a known cluster an empty list is a good answer.
func requireKnown(ctx context.Context, q querier, cluster string, found int) error {
	if found > 0 {
		return nil
	}
	if err := absent(ctx, q, cluster); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}
