package dsql

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// maxEvidence is how many gates a change of state is stored with. The
// assessment of the same instant has all of them.
const maxEvidence = 50

// Evidence is a gate that had fired when a cluster changed its state, with the
// signals that it read (requirement R12.5).
type Evidence struct {
	Gate  string       `json:"gate"`
	Scope health.Scope `json:"scope,omitzero"`
	// Signals are those that the gate read. It compared Value with Limit, both
	// in Unit; nil when unknown.
	Signals []health.SignalID `json:"signals"`
	Value   *float64          `json:"value,omitempty"`
	Limit   *float64          `json:"limit,omitempty"`
	Unit    string            `json:"unit,omitempty"`
	// Finding is what the gate found, in one sentence.
	Finding string `json:"finding,omitempty"`
}

// StateChange is a change of a cluster's state with what it rests on.
type StateChange struct {
	health.Transition
	// Evidence are the gates that had fired, gravest first, at most 50. It is
	// empty for a change that was stored by a program that kept only their ids.
	Evidence []Evidence `json:"evidence"`
}

// StateChangePage is a part of a list of changes, newest first.
type StateChangePage struct {
	Changes []StateChange
	// Next is the cursor of the page after this one; empty on the last.
	Next string
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
	evidence, err := json.Marshal(evidenceOf(a))
	if err != nil {
		return err
	}
	at := a.Transition.At
	if at.IsZero() {
		at = a.At
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO state_transitions (cluster_id, at, from_state, to_state, gates, evidence)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (cluster_id, at) DO NOTHING`,
		a.Cluster, at, a.Transition.From.String(), a.Transition.To.String(), string(gates), string(evidence))
	return err
}

// evidenceOf returns the gates of an assessment that its change of state names.
func evidenceOf(a *health.Assessment) []Evidence {
	evidence := []Evidence{}
	for i := range a.Gates {
		g := &a.Gates[i]
		if g.Outcome != health.Fire || !slices.Contains(a.Transition.Gates, g.ID) {
			continue
		}
		if len(evidence) == maxEvidence {
			break
		}
		evidence = append(evidence, Evidence{
			Gate: g.ID, Scope: g.Scope, Signals: g.Signals, Value: g.Value, Limit: g.Limit, Unit: g.Unit, Finding: text(g.Finding, 1024),
		})
	}
	return evidence
}

// Transitions returns the changes of a cluster's state, newest first. From is
// included and to is not; a zero instant leaves that end open. Limit is 50 if 0
// and at most 5,000. The error is ErrUnknownCluster.
func (s *Store) Transitions(ctx context.Context, cluster string, from, to instant.Instant, limit int) ([]health.Transition, error) {
	page, err := s.StateChanges(ctx, RangeQuery{Cluster: cluster, From: from, To: to, Limit: limit})
	if err != nil {
		return nil, err
	}
	transitions := make([]health.Transition, len(page.Changes))
	for i := range page.Changes {
		transitions[i] = page.Changes[i].Transition
	}
	return transitions, nil
}

// StateChanges returns the changes of a cluster's state with what each rests
// on, newest first, 50 a page if Limit is 0, at most 5,000. The error is
// ErrUnknownCluster, or InvalidError for a cursor that is not one.
func (s *Store) StateChanges(ctx context.Context, query RangeQuery) (StateChangePage, error) {
	from, to, limit, err := query.bounds(maxSummaryPage)
	if err != nil {
		return StateChangePage{}, err
	}
	var page StateChangePage
	err = s.read(ctx, "list the transitions of "+query.Cluster, func(ctx context.Context, q querier) error {
		page = StateChangePage{}
		rows, err := q.Query(ctx, `
			SELECT at, from_state, to_state, gates, coalesce(evidence, '[]') FROM state_transitions
			WHERE cluster_id = $1 AND at >= $2 AND at < $3
			ORDER BY at DESC LIMIT $4`, query.Cluster, from, to, limit+1)
		if err != nil {
			return err
		}
		if page.Changes, err = pgx.CollectRows(rows, scanStateChange); err != nil {
			return err
		}
		return requireKnown(ctx, q, query.Cluster, len(page.Changes))
	})
	if err != nil {
		return StateChangePage{}, err
	}
	page.Changes, page.Next = cut(page.Changes, limit, func(c *StateChange) instant.Instant { return c.At })
	return page, nil
}

func scanStateChange(row pgx.CollectableRow) (StateChange, error) {
	var c StateChange
	var before, after, gates, evidence string
	err := row.Scan(&c.At, &before, &after, &gates, &evidence)
	if err != nil {
		return c, err
	}
	if c.From, err = health.ParseState(before); err != nil {
		return c, err
	}
	if c.To, err = health.ParseState(after); err != nil {
		return c, err
	}
	if c.Gates, err = decode[[]string](gates); err != nil {
		return c, err
	}
	c.Evidence, err = decode[[]Evidence](evidence)
	return c, err
}
