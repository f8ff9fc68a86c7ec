package health

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// issueConfirmed evaluations must have shown an issue before it is listed,
	// and issueQuiet in a row must not show it before it is resolved.
	issueConfirmed = enterStressed
	issueQuiet     = calmAtFirst
)

// fingerprint is the id of an issue: the same trouble at the same place has
// the same id at any time and in any process.
func fingerprint(kind string, scope Scope) string {
	// Scope.String joins with slashes, which names may hold; this cannot collide.
	key := strings.Join([]string{kind, string(scope.Kind), scope.Namespace, scope.Name, string(scope.TaskType), scope.Service}, "\x00")
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

// kindTaskQueue is the kind of issue that a task queue has as a whole; every
// other issue is named after its gate.
const kindTaskQueue = "task_queue"

// followIssues carries the issues of the window on by one evaluation and
// returns those to be listed: the confirmed ones, and those resolved just now.
func followIssues(w *Window, gates []Gate, now instant.Instant) []Issue {
	current := observed(gates)
	var next, ended []Issue
	for _, old := range w.Issues {
		i := slices.IndexFunc(current, func(c Issue) bool { return c.ID == old.ID })
		if i >= 0 {
			c := &current[i]
			c.OpenedAt, c.ChangedAt, c.Seen = old.OpenedAt, old.ChangedAt, old.Seen+1
			if c.Severity != old.Severity || !slices.Equal(c.Gates, old.Gates) {
				c.ChangedAt = now
			}
			continue
		}
		old.Quiet++
		if old.Quiet < issueQuiet {
			next = append(next, old)
			continue
		}
		if old.Seen >= issueConfirmed {
			old.Status, old.ResolvedAt, old.ChangedAt = IssueResolved, now, now
			ended = append(ended, old)
		}
	}
	for _, c := range current {
		if c.OpenedAt.IsZero() {
			c.OpenedAt, c.ChangedAt, c.Seen = now, now, 1
		}
		next = append(next, c)
	}
	slices.SortFunc(next, func(a, b Issue) int { return cmp.Compare(a.ID, b.ID) })
	w.Issues = next
	return append(shown(next), ended...)
}

// shown returns the confirmed issues, gravest first.
func shown(issues []Issue) []Issue {
	list := make([]Issue, 0, len(issues))
	for _, i := range issues {
		if i.Seen >= issueConfirmed {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// observed makes issues of the gates that fired: one for each task queue, one
// for each other gate that argues for something, and the remarks.
func observed(gates []Gate) []Issue {
	var issues []Issue
	for i := range gates {
		g := &gates[i]
		if g.Outcome != Fire || g.ID == ruleDemandImpaired.ID ||
			(g.Level <= Happy && g.ID != ruleBusinessFailures.ID) {
			continue
		}
		kind, scope := g.ID, g.Scope
		if scope.Kind == KindTaskQueue && g.ID != ruleBusinessFailures.ID {
			kind, scope = kindTaskQueue, scope.Queue()
		}
		id := fingerprint(kind, scope)
		at := slices.IndexFunc(issues, func(known Issue) bool { return known.ID == id })
		if at < 0 {
			issues = append(issues, Issue{
				ID: id, Kind: kind, Scope: scope, Status: IssueOpen,
				Severity: g.Level, Title: title(kind, scope, g), Detail: g.Finding,
			})
			at = len(issues) - 1
		}
		// Gates come gravest first, so the first one gave severity and title.
		if !slices.Contains(issues[at].Gates, g.ID) {
			issues[at].Gates = append(issues[at].Gates, g.ID)
		}
	}
	for i := range issues {
		issues[i].Actions = actionsFor(&issues[i])
	}
	return issues
}

// title is the issue in a few words, after the gravest gate.
func title(kind string, scope Scope, g *Gate) string {
	switch {
	case kind != kindTaskQueue:
		return g.Finding
	case g.ID == ruleServedFallsAway.ID:
		return "Task queue " + scope.Name + " serves less than half of what is asked"
	case g.Level == Critical:
		return "Task queue " + scope.Name + " has stopped"
	default:
		return "Task queue " + scope.Name + " falls behind"
	}
}
