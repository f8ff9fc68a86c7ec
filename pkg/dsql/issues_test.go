package dsql

import (
	"errors"
	"fmt"
	"reflect"
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
	page, err := store.Issues(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, i := range page.Issues {
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

func TestTheHistoryOfAnIssue(t *testing.T) {
	store := newStore(t)
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	at := func(n int, i health.Issue) { save(t, store, "prod", minutes(n), health.Stressed, with(i)) }
	mild := issue("billing", health.Stressed, 0)
	mild.Actions = []health.Action{{
		ID: "add-workers", Type: health.ActionScale, Action: "add workers", Target: mild.Scope, Risk: health.RiskLow, Confidence: 0.8,
		Parameters: map[string]string{"direction": "up"}, Gates: mild.Gates, Guide: "slots-exhausted",
	}}
	grave := mild
	grave.Severity, grave.Title = health.Critical, "Task queue billing stands still"
	otherwise := grave
	otherwise.Gates = []string{"worker.pollers"}
	at(0, mild)
	seenAgain := mild
	seenAgain.Seen = 7
	at(1, seenAgain)
	at(2, grave)
	at(3, otherwise)
	at(4, resolved(otherwise, minutes(4)))
	at(5, resolved(otherwise, minutes(4)))
	at(9, issue("billing", health.Stressed, minutes(9)))

	history := func(query RangeQuery) (lines []string, next string) {
		query.Cluster = "prod"
		page, err := store.IssueHistory(t.Context(), "billing", query)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Changes {
			lines = append(lines, fmt.Sprintf("%s %s %v", c.Event, c.Severity, c.At.Sub(start).Minutes()))
		}
		return lines, page.Next
	}
	all, _ := history(RangeQuery{})
	equal(t, "history", all, []string{
		"reopened stressed 9", "resolved critical 4", "changed critical 3", "changed critical 2", "opened stressed 0",
	})
	first, next := history(RangeQuery{Limit: 2})
	second, _ := history(RangeQuery{Limit: 2, Cursor: next})
	equal(t, "by pages", append(first, second...), all[:4])

	stored, err := store.Issue(t.Context(), "prod", "billing")
	if err != nil || stored.Openings != 2 || stored.Status != health.IssueOpen {
		t.Errorf("issue = %+v, %v", stored, err)
	}
	first0, err := store.Assessment(t.Context(), "prod", start)
	if err != nil || !reflect.DeepEqual(first0.Issues[0].Actions, mild.Actions) {
		t.Errorf("suggested actions = %+v, %v", first0.Issues, err)
	}
	if _, err := store.Issue(t.Context(), "prod", "orders"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such issue: %v", err)
	}
	if none, err := store.IssueHistory(t.Context(), "orders", RangeQuery{Cluster: "prod"}); err != nil || len(none.Changes) != 0 {
		t.Errorf("no such history: %v, %v", none, err)
	}
}

// Whatever the size of the pages, every issue is on one of them, in the order of
// a single page; those that are equal but for their ids, too.
func TestIssuesByPages(t *testing.T) {
	store := newStore(t)
	issues := []health.Issue{resolved(issue("ended", health.Critical, 0), 0), issue("mild ~ and open", health.Happy, 0)}
	for i := range 5 {
		issues = append(issues, issue(fmt.Sprintf("same~%d", i), health.Stressed, 0))
	}
	save(t, store, "prod", 0, health.Stressed, with(issues...))
	all := listed(t, store, IssueQuery{Cluster: "prod"})
	if len(all) != len(issues) {
		t.Fatalf("one page: %v", all)
	}
	for size := 1; size <= len(issues)+1; size++ {
		var lines []string
		for query := (IssueQuery{Cluster: "prod", Limit: size}); ; {
			page, err := store.Issues(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Issues) == 0 {
				t.Fatalf("size %d: an empty page", size)
			}
			lines = append(lines, listed(t, store, query)...)
			if query.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		equal(t, fmt.Sprintf("pages of %d", size), lines, all)
	}
	for _, cursor := range []string{"x", "critical~open~2026-11-24T03:04:30Z", "grave~open~2026-11-24T03:04:30Z~id", "critical~open~now~id"} {
		var bad *InvalidError
		if _, err := store.Issues(t.Context(), IssueQuery{Cluster: "prod", Cursor: cursor}); !errors.As(err, &bad) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
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
