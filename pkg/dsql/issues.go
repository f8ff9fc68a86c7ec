package dsql

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// maxIssues is how many issues a query returns at most.
const maxIssues = 1000

// storedIssue is an issue with what the store keeps beside it.
type storedIssue struct {
	issue    health.Issue
	document string
	openings int
	version  int64
}

// saveIssues brings the issues of a cluster up to the assessment: new ones are
// added, changed ones are changed. An open issue that the newest assessment no
// longer tells of has ended with it, unless that assessment was blind. A late
// assessment only adds issues that are not there at all.
func saveIssues(ctx context.Context, tx pgx.Tx, a *health.Assessment, isNewest bool) error {
	ids := make([]string, len(a.Issues))
	for i := range a.Issues {
		ids[i] = a.Issues[i].ID
	}
	known, err := knownIssues(ctx, tx, a.Cluster, ids)
	if err != nil {
		return err
	}
	for i := range a.Issues {
		issue := a.Issues[i]
		old, exists := known[issue.ID]
		delete(known, issue.ID)
		if !exists {
			err = insertIssue(ctx, tx, a, &issue)
		} else if isNewest {
			err = updateIssue(ctx, tx, a, &issue, old)
		}
		if err != nil {
			return err
		}
	}
	if !isNewest || a.Blind {
		return nil
	}
	for _, id := range sortedKeys(known) {
		old := known[id]
		if old.issue.Status != health.IssueOpen {
			continue
		}
		ended := old.issue
		ended.Status, ended.ChangedAt, ended.ResolvedAt = health.IssueResolved, a.At, a.At
		if err := updateIssue(ctx, tx, a, &ended, old); err != nil {
			return err
		}
	}
	return nil
}

// knownIssues returns the stored issues that are open or have one of the ids.
func knownIssues(ctx context.Context, tx pgx.Tx, cluster string, ids []string) (map[string]storedIssue, error) {
	rows, err := tx.Query(ctx, `
		SELECT payload, openings, version FROM issues
		WHERE cluster_id = $1 AND (status = $2 OR id = ANY($3::text[]))`, cluster, string(health.IssueOpen), ids)
	if err != nil {
		return nil, err
	}
	stored, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (storedIssue, error) {
		var s storedIssue
		if err := row.Scan(&s.document, &s.openings, &s.version); err != nil {
			return s, err
		}
		var err error
		s.issue, err = decode[health.Issue](s.document)
		return s, err
	})
	if err != nil {
		return nil, err
	}
	known := make(map[string]storedIssue, len(stored))
	for _, s := range stored {
		known[s.issue.ID] = s
	}
	return known, nil
}

func sortedKeys(m map[string]storedIssue) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// issuePayload writes an issue as JSON. One that is too large loses its detail.
func issuePayload(issue health.Issue) (payload, error) {
	return fit("issue "+issue.ID, &issue, reduction{"detail", func() { issue.Detail = "" }})
}

func insertIssue(ctx context.Context, tx pgx.Tx, a *health.Assessment, issue *health.Issue) error {
	document, err := issuePayload(*issue)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO issues (cluster_id, id, severity, status, kind, scope, title, opened_at, changed_at, resolved_at,
			openings, version, payload)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 1, $11)`,
		a.Cluster, issue.ID, issue.Severity.String(), string(issue.Status), text(issue.Kind, 256), text(issue.Scope.String(), 4096),
		text(issue.Title, 4096), issue.OpenedAt, issue.ChangedAt, issue.ResolvedAt, document.JSON)
	if err != nil {
		return err
	}
	change := IssueOpened
	if issue.Status == health.IssueResolved {
		change = IssueResolved
	}
	return insertIssueChange(ctx, tx, a, issue, change)
}

// updateIssue replaces an issue that has not been changed since it was read, and
// notes what became of it. An issue that is as it was is not written again.
func updateIssue(ctx context.Context, tx pgx.Tx, a *health.Assessment, issue *health.Issue, old storedIssue) error {
	document, err := issuePayload(*issue)
	if err != nil {
		return err
	}
	if document.JSON == old.document {
		return nil
	}
	openings := old.openings
	if old.issue.Status == health.IssueResolved && issue.Status == health.IssueOpen {
		openings++
	}
	tag, err := tx.Exec(ctx, `
		UPDATE issues
		SET severity = $4, status = $5, kind = $6, scope = $7, title = $8, opened_at = $9, changed_at = $10, resolved_at = $11,
			openings = $12, version = version + 1, payload = $13
		WHERE cluster_id = $1 AND id = $2 AND version = $3`,
		a.Cluster, issue.ID, old.version, issue.Severity.String(), string(issue.Status), text(issue.Kind, 256), text(issue.Scope.String(), 4096),
		text(issue.Title, 4096), issue.OpenedAt, issue.ChangedAt, issue.ResolvedAt, openings, document.JSON)
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return errConflict
	}
	if change := changeOf(&old.issue, issue); change != "" {
		return insertIssueChange(ctx, tx, a, issue, change)
	}
	return nil
}

// IssueQuery asks for issues of a cluster.
type IssueQuery struct {
	Cluster string
	// Status narrows to open or to resolved issues. Empty: both.
	Status health.IssueStatus
	// MinSeverity narrows to issues of at least this severity. Unknown: all.
	MinSeverity health.State
	// From and To narrow to issues that were open at some time between them.
	// Zero: open.
	From, To instant.Instant
	// Limit is 1,000 if 0, and at most that.
	Limit int
	// Cursor is the Next of the page before; empty for the first page.
	Cursor string
}

// Issue is an issue as the store follows it.
type Issue struct {
	health.Issue
	// Openings counts how often it was opened: 2 means that it came back once.
	Openings int `json:"openings"`
}

// IssuePage is a part of a list of issues.
type IssuePage struct {
	Issues []Issue
	// Next is the cursor of the page after this one; empty on the last.
	Next string
}

// compareIssues orders issues: the worst first; among equals open ones first,
// then those that changed last.
func compareIssues(a, b *Issue) int {
	return cmp.Or(
		-cmp.Compare(a.Severity, b.Severity),
		cmp.Compare(a.Status, b.Status), // "open" sorts before "resolved"
		b.ChangedAt.Compare(a.ChangedAt),
		cmp.Compare(a.ID, b.ID),
	)
}

// cursorOf writes the place of an issue in the order. What changed between two
// pages may be told twice or be missed; whatever did not is told once.
func cursorOf(i *Issue) string {
	return strings.Join([]string{i.Severity.String(), string(i.Status), i.ChangedAt.String(), i.ID}, "~")
}

// readCursor returns an issue at the place that a cursor names; nil for none.
func readCursor(cursor string) (*Issue, error) {
	if cursor == "" {
		return nil, nil
	}
	var place Issue
	parts := strings.SplitN(cursor, "~", 4) // an id may hold anything
	err := errors.New("it has not four parts")
	if len(parts) == 4 {
		place.Status, place.ID = health.IssueStatus(parts[1]), parts[3]
		place.Severity, err = health.ParseState(parts[0])
		if err == nil {
			place.ChangedAt, err = instant.Parse(parts[2])
		}
	}
	if err != nil {
		return nil, invalid("the cursor %q is not one that was given out; begin again without a cursor", text(cursor, 64))
	}
	return &place, nil
}

// Issues returns issues, the worst first; among equals open ones first, then
// those that changed last. The error is ErrUnknownCluster, or InvalidError for a
// cursor that is not one.
func (s *Store) Issues(ctx context.Context, query IssueQuery) (IssuePage, error) {
	from, to, err := timeRange(query.From, query.To)
	if err != nil {
		return IssuePage{}, err
	}
	limit, err := pageSize(query.Limit, maxIssues, maxIssues)
	if err != nil {
		return IssuePage{}, err
	}
	after, err := readCursor(query.Cursor)
	if err != nil {
		return IssuePage{}, err
	}
	severities := []string{}
	for _, state := range health.States() {
		if state >= query.MinSeverity {
			severities = append(severities, state.String())
		}
	}
	var issues []Issue
	err = s.read(ctx, "list the issues of "+query.Cluster, func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, `
			SELECT payload, openings FROM issues
			WHERE cluster_id = $1 AND ($2::text = '' OR status = $2::text) AND severity = ANY($3::text[])
				AND opened_at < $5 AND (resolved_at IS NULL OR resolved_at >= $4)`,
			query.Cluster, string(query.Status), severities, from, to)
		if err != nil {
			return err
		}
		issues, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Issue, error) {
			var issue Issue
			var document string
			if err := row.Scan(&document, &issue.Openings); err != nil {
				return issue, err
			}
			var err error
			issue.Issue, err = decode[health.Issue](document)
			return issue, err
		})
		if err != nil {
			return err
		}
		return requireKnown(ctx, q, query.Cluster, len(issues))
	})
	if err != nil {
		return IssuePage{}, err
	}
	if after != nil {
		issues = slices.DeleteFunc(issues, func(i Issue) bool { return compareIssues(&i, after) <= 0 })
	}
	slices.SortFunc(issues, func(a, b Issue) int { return compareIssues(&a, &b) })
	page := IssuePage{Issues: issues}
	if len(issues) > limit {
		page.Issues, page.Next = issues[:limit], cursorOf(&issues[limit-1])
	}
	return page, nil
}

// Issue returns one issue of a cluster. Its error is ErrUnknownCluster or
// ErrNotFound.
func (s *Store) Issue(ctx context.Context, cluster, id string) (Issue, error) {
	var issue Issue
	err := s.read(ctx, "read issue "+text(id, 64)+" of "+cluster, func(ctx context.Context, q querier) error {
		var document string
		err := q.QueryRow(ctx, `
			SELECT payload, openings FROM issues
			WHERE cluster_id = $1 AND id = $2`, cluster, id).Scan(&document, &issue.Openings)
		if errors.Is(err, pgx.ErrNoRows) {
			return absent(ctx, q, cluster)
		}
		if err != nil {
			return err
		}
		issue.Issue, err = decode[health.Issue](document)
		return err
	})
	return issue, err
}
