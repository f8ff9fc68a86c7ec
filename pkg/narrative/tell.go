package narrative

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// maxPatterns bounds those that are told.
	maxPatterns = 20
	// before and after are how long before an issue was first seen, and how long
	// after that, a pattern may begin that is tied to it; its last line must not
	// lie further back than lately.
	before, after = 10 * time.Minute, 5 * time.Minute
	lately        = 2 * time.Minute
)

// Workers is the service of what Temporal's SDK logs.
const Workers = "workers"

// Tell adds to an assessment what the logs say: what was counted just now, and the
// patterns, tied to the issues that they belong to. Issues of one severity are
// then in the order in which their stories began. The state stays as it is.
func Tell(m *Memory, a *health.Assessment, counted []health.LogPatternCount) {
	n := &health.Narrative{Reason: m.Reason, To: m.Next, Counts: counted, Alarms: m.alarms()}
	a.Logs = n
	if len(m.Windows) == 0 {
		n.To, n.Reason = instant.Instant{}, cmp.Or(n.Reason, "no logs were read yet")
		return
	}
	if lag := a.At.Sub(m.Next); lag > max(recently, time.Duration(2*a.IntervalSec*float64(time.Second))) {
		// What is known is too old to speak of now.
		n.Reason = cmp.Or(n.Reason, "they were read up to "+m.Next.String()+" only")
		return
	}
	n.From = m.Windows[0].From
	n.Patterns = []health.LogPattern{}
	for i := range m.Tracks {
		t := &m.Tracks[i]
		if count := t.lines(0); (count > 0 && t.Severity != health.LogEvent) || t.News != health.NewsNone {
			n.Patterns = append(n.Patterns, m.pattern(t, a))
		}
	}
	slices.SortStableFunc(n.Patterns, telling(n.Patterns))
	n.Patterns = n.Patterns[:min(len(n.Patterns), maxPatterns)]
	order(a)
}

// pattern tells of one track.
func (m *Memory) pattern(t *Track, a *health.Assessment) health.LogPattern {
	p := health.LogPattern{
		ID: t.ID, Pattern: t.Pattern, Service: t.Service, Scope: t.Scope, Severity: t.Severity,
		Count: t.lines(0), PerSec: float64(t.Recent[len(t.Recent)-1]) / m.Windows[len(m.Windows)-1].seconds(),
		News: t.News, FirstAt: t.FirstAt, LastAt: t.LastAt, Samples: t.Samples,
	}
	if m.PastSec >= known {
		usual := t.Usual
		if t.News == health.NewsNone {
			usual = m.usual(t)
		}
		p.UsualPerSec = &usual
	}
	if t.News == health.NewsNone {
		return p
	}
	for i := range a.Issues {
		if gate, tied := belongs(t, &a.Issues[i]); tied {
			issue := &a.Issues[i]
			p.Ties = append(p.Ties, health.LogTie{
				Issue: issue.ID, Gate: gate, Scope: issue.Scope, LagSec: issue.OpenedAt.Sub(t.FirstAt).Seconds(),
			})
		}
	}
	// The closest in time first.
	slices.SortStableFunc(p.Ties, func(a, b health.LogTie) int { return cmp.Compare(math.Abs(a.LagSec), math.Abs(b.LagSec)) })
	return p
}

// belongs tells whether a pattern explains an issue, and by which gate: it
// speaks of what the gate asks, of the same place, and began at about the time.
func belongs(t *Track, issue *health.Issue) (gate string, tied bool) {
	if t.FirstAt.Before(issue.OpenedAt.Add(-before)) || t.FirstAt.After(issue.OpenedAt.Add(after)) ||
		t.LastAt.Before(issue.OpenedAt.Add(-lately)) || len(issue.Gates) == 0 {
		return "", false
	}
	p, foreseen := PatternByID(t.ID)
	if !foreseen {
		// Nobody knows what it means; an error at the very place and at the time
		// of trouble is worth a look.
		return issue.Gates[0], t.Severity == health.LogError && issue.Severity > health.Happy && names(t, issue.Scope)
	}
	if !meet(t, issue.Scope) {
		return "", false
	}
	for _, id := range issue.Gates {
		if slices.Contains(p.Gates, id) {
			return id, true
		}
	}
	return "", false
}

// meet tells whether a pattern can be about a part of the cluster.
func meet(t *Track, scope health.Scope) bool {
	switch scope.Kind {
	case health.KindService:
		return t.Service == scope.Name || !slices.Contains(services, t.Service)
	case health.KindReplica:
		return t.Service == scope.Service || !slices.Contains(services, t.Service)
	case health.KindNamespace:
		return t.Scope.IsCluster() || t.Scope.Namespace == scope.Namespace
	case health.KindTaskQueue:
		switch t.Scope.Kind {
		case health.KindTaskQueue:
			return t.Scope.Namespace == scope.Namespace && t.Scope.Name == scope.Name
		case health.KindNamespace:
			return t.Scope.Namespace == scope.Namespace
		}
	}
	return true
}

// names tells whether a pattern is of a part of the cluster, by its writer or by
// what its lines speak of. The cluster as a whole is what its server writes of.
func names(t *Track, scope health.Scope) bool {
	switch scope.Kind {
	case health.KindService:
		return t.Service == scope.Name
	case health.KindReplica:
		return t.Service == scope.Service
	case health.KindNamespace, health.KindTaskQueue:
		return t.Scope.Namespace == scope.Namespace && (t.Scope.Kind != health.KindTaskQueue || scope.Kind != health.KindTaskQueue || t.Scope.Name == scope.Name)
	}
	return slices.Contains(services, t.Service)
}

// services are those of a Temporal server.
var services = []string{"frontend", "history", "matching", "worker", "internal-frontend"}

// telling orders patterns: those that are known to explain an issue first, those
// that may next, then what is news, then by severity, then causes before their
// consequences, then what began closest to an issue, then by number.
func telling(patterns []health.LogPattern) func(a, b health.LogPattern) int {
	var news []string
	for i := range patterns {
		if patterns[i].News != health.NewsNone {
			news = append(news, patterns[i].ID)
		}
	}
	consequence := func(p *health.LogPattern) int {
		known, foreseen := PatternByID(p.ID)
		if foreseen && slices.ContainsFunc(known.Follows, func(id string) bool { return slices.Contains(news, id) }) {
			return 1
		}
		return 0
	}
	return func(a, b health.LogPattern) int {
		return cmp.Or(
			cmp.Compare(closeness(&a), closeness(&b)),
			cmp.Compare(newness(a.News), newness(b.News)),
			cmp.Compare(gravity(a.Severity), gravity(b.Severity)),
			cmp.Compare(consequence(&a), consequence(&b)),
			cmp.Compare(distance(&a), distance(&b)),
			-cmp.Compare(a.Count, b.Count),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Service, b.Service),
		)
	}
}

// closeness orders patterns by how they belong to issues.
func closeness(p *health.LogPattern) int {
	switch {
	case len(p.Ties) == 0:
		return 2
	case strings.HasPrefix(p.ID, "other."):
		return 1
	}
	return 0
}

// distance is how far in time a pattern began from the issue that is closest to
// it, in steps of a minute: less tells nothing.
func distance(p *health.LogPattern) float64 {
	if len(p.Ties) == 0 {
		return 0
	}
	return math.Floor(math.Abs(p.Ties[0].LagSec) / 60)
}

// newness orders news, what goes on first.
func newness(n health.News) int {
	return slices.Index([]health.News{health.NewsNew, health.NewsMore, health.NewsOver, health.NewsNone}, n)
}

// order puts the issues of one severity into the order in which their stories
// began: with the first line of a pattern that explains them, or with
// themselves.
func order(a *health.Assessment) {
	began := map[string]instant.Instant{}
	for i := range a.Issues {
		began[a.Issues[i].ID] = a.Issues[i].OpenedAt
	}
	for i := range a.Logs.Patterns {
		p := &a.Logs.Patterns[i]
		if closeness(p) != 0 {
			continue
		}
		for _, tie := range p.Ties {
			if p.FirstAt.Before(began[tie.Issue]) {
				began[tie.Issue] = p.FirstAt
			}
		}
	}
	open := func(s health.IssueStatus) int {
		if s == health.IssueOpen {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(a.Issues, func(x, y health.Issue) int {
		return cmp.Or(cmp.Compare(open(x.Status), open(y.Status)), cmp.Compare(y.Severity, x.Severity),
			began[x.ID].Compare(began[y.ID]), cmp.Compare(x.ID, y.ID))
	})
}
