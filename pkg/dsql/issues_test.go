package dsql

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

// issue makes an open issue that was opened and last changed at start plus
// after.
func issue(id string, severity health.State, after time.Duration) health.Issue {
	return health.Issue{
		ID: id, Kind: "task_queue", Scope: health.TaskQueueScope("default", id), Severity: severity, Status: health.IssueOpen,
		Title: "Task queue " + id + " has stopped", Gates: []string{"progress.head_of_line"},
		OpenedAt: start.Add(after), ChangedAt: start.Add(after),
	}
}

func resolved(i health.Issue, after time.Duration) health.Issue {
	i.Status, i.ResolvedAt, i.ChangedAt = health.IssueResolved, start.Add(after), start.Add(after)
	return i
}

func with(issues ...health.Issue) func(*health.Assessment) {
	return func(a *health.Assessment) { a.Issues = issues }
}

// listed writes the issues of a query as "billing critical open ×1".
func listed(t *testing.T, store *Store, query IssueQuery) []string {
	t.Helper()
	issues, err := store.Issues(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, i := range issues {
		lines = append(lines, fmt.Sprintf("%s %s %s ×%d", i.ID, i.Severity, i.Status, i.Openings))
	}
	return lines
}

func TestTheLifeOfIssues(t *testing.T) {
	store := newStore(t)
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	all := IssueQuery{Cluster: "prod"}

	save(t, store, "prod", minutes(0), health.Stressed, with(issue("billing", health.Stressed, 0), issue("orders", health.Happy, 0)))
	equal(t, "opened", listed(t, store, all), []string{"billing stressed open ×1", "orders happy open ×1"})

	worse := issue("billing", health.Critical, 0)
	worse.ChangedAt = start.Add(minutes(1))
	save(t, store, "prod", minutes(1), health.Critical, with(worse, issue("orders", health.Happy, 0)))
	equal(t, "changed", listed(t, store, all), []string{"billing critical open ×1", "orders happy open ×1"})

	save(t, store, "prod", minutes(2), health.Critical, blind)
	equal(t, "a blind look ends nothing", listed(t, store, all), []string{"billing critical open ×1", "orders happy open ×1"})

	save(t, store, "prod", minutes(3), health.Stressed, with(resolved(worse, minutes(3))))
	equal(t, "one resolved, one not told of any more", listed(t, store, all), []string{"billing critical resolved ×1", "orders happy resolved ×1"})

	save(t, store, "prod", minutes(10), health.Stressed, with(issue("billing", health.Stressed, minutes(10))))
	equal(t, "came back", listed(t, store, all), []string{"billing stressed open ×2", "orders happy resolved ×1"})

	save(t, store, "prod", minutes(9), health.Critical, with(resolved(worse, minutes(9)), issue("late", health.Stressed, minutes(9))))
	equal(t, "a late save adds what is missing and changes nothing", listed(t, store, all),
		[]string{"billing stressed open ×2", "late stressed open ×1", "orders happy resolved ×1"})

	equal(t, "open", listed(t, store, IssueQuery{Cluster: "prod", Status: health.IssueOpen}), []string{"billing stressed open ×2", "late stressed open ×1"})
	equal(t, "grave", listed(t, store, IssueQuery{Cluster: "prod", MinSeverity: health.Stressed, Limit: 1}), []string{"billing stressed open ×2"})
	equal(t, "before it came back", listed(t, store, IssueQuery{Cluster: "prod", To: start.Add(minutes(5))}), []string{"orders happy resolved ×1"})
	equal(t, "after the others had ended", listed(t, store, IssueQuery{Cluster: "prod", From: start.Add(minutes(8))}), []string{"billing stressed open ×2", "late stressed open ×1"})
}

func TestAnUnchangedIssueIsNotWritten(t *testing.T) {
	store := newStore(t)
	for i := range 5 {
		save(t, store, "prod", time.Duration(i)*time.Minute, health.Stressed, with(issue("billing", health.Stressed, 0)))
	}
	var version int64
	if err := store.pool.QueryRow(t.Context(), "SELECT version FROM issues").Scan(&version); err != nil || version != 1 {
		t.Errorf("version = %d (%v), want the 1 of its first writing", version, err)
	}
}

func TestIssuesOfAnUnknownCluster(t *testing.T) {
	store := newStore(t)
	var unknown *ErrUnknownCluster
	if _, err := store.Issues(t.Context(), IssueQuery{Cluster: "nobody"}); !errors.As(err, &unknown) {
		t.Errorf("%v", err)
	}
}
