package dsql

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// IssueEvent is what happened to an issue.
type IssueEvent string

// What can happen to an issue.
const (
	IssueOpened IssueEvent = "opened"
	// IssueChanged: it got graver or milder, or rests on other gates.
	IssueChanged  IssueEvent = "changed"
	IssueResolved IssueEvent = "resolved"
	// IssueReopened: it came back after it had been resolved.
	IssueReopened IssueEvent = "reopened"
)

// IssueChange is one entry in the life of an issue.
type IssueChange struct {
	// At is the assessment that told of it.
	At    instant.Instant `json:"at"`
	Event IssueEvent      `json:"event"`
	// Severity, Title and Gates are those that the issue had from then on.
	Severity health.State `json:"severity"`
	Title    string       `json:"title"`
	Gates    []string     `json:"gates"`
}

// IssueHistory is a part of the life of an issue, newest first.
type IssueHistory struct {
	Changes []IssueChange
	// Next is the cursor of the page after this one; empty on the last.
	Next string
}

// changeOf tells what happened to an issue; empty if nothing did that belongs
// into its history.
func changeOf(before, after *health.Issue) IssueEvent {
	switch {
	case before.Status == health.IssueResolved && after.Status == health.IssueOpen:
		return IssueReopened
	case before.Status == health.IssueOpen && after.Status == health.IssueResolved:
		return IssueResolved
	case before.Severity != after.Severity || !slices.Equal(before.Gates, after.Gates):
		return IssueChanged
	}
	return ""
}

func insertIssueChange(ctx context.Context, tx pgx.Tx, a *health.Assessment, issue *health.Issue, event IssueEvent) error {
	gates, err := json.Marshal(append([]string{}, issue.Gates...))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO issue_changes (cluster_id, issue_id, at, change, severity, title, gates)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (cluster_id, issue_id, at) DO NOTHING`,
		a.Cluster, issue.ID, a.At, string(event), issue.Severity.String(), text(issue.Title, 4096), string(gates))
	return err
}

// IssueHistory returns what happened to an issue of query.Cluster, newest first,
// 50 changes a page if Limit is 0, at most 5,000. An issue that is not known, or
// was stored before its history was kept, has none. The error is
// ErrUnknownCluster, or InvalidError for a cursor that is not one.
func (s *Store) IssueHistory(ctx context.Context, id string, query RangeQuery) (IssueHistory, error) {
	from, to, limit, err := query.bounds(maxSummaryPage)
	if err != nil {
		return IssueHistory{}, err
	}
	var history IssueHistory
	err = s.read(ctx, "read the history of issue "+text(id, 64)+" of "+query.Cluster, func(ctx context.Context, q querier) error {
		history = IssueHistory{}
		rows, err := q.Query(ctx, `
			SELECT at, change, severity, title, gates FROM issue_changes
			WHERE cluster_id = $1 AND issue_id = $2 AND at >= $3 AND at < $4
			ORDER BY at DESC LIMIT $5`, query.Cluster, id, from, to, limit+1)
		if err != nil {
			return err
		}
		if history.Changes, err = pgx.CollectRows(rows, scanIssueChange); err != nil {
			return err
		}
		return requireKnown(ctx, q, query.Cluster, len(history.Changes))
	})
	if err != nil {
		return IssueHistory{}, err
	}
	history.Changes, history.Next = cut(history.Changes, limit, func(c *IssueChange) instant.Instant { return c.At })
	return history, nil
}

func scanIssueChange(row pgx.CollectableRow) (IssueChange, error) {
	var c IssueChange
	var event, severity, gates string
	err := row.Scan(&c.At, &event, &severity, &c.Title, &gates)
	if err != nil {
		return c, err
	}
	c.Event = IssueEvent(event)
	if c.Severity, err = health.ParseState(severity); err != nil {
		return c, err
	}
	c.Gates, err = decode[[]string](gates)
	return c, err
}
