package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// maxLogPatterns bounds the rows of one answer.
const maxLogPatterns = 100

// answerLogPatterns tells which patterns were found in the logs in the time range
// (requirement R7.6): what is news first, then errors before warnings before
// events, then by number. What the newest assessment says of a pattern stands
// beside it.
func answerLogPatterns(ctx context.Context, q *question) (data.Frames, error) {
	v, err := q.verdict(ctx)
	if err != nil {
		return nil, err
	}
	sums, err := q.store.LogPatterns(ctx, dsql.RangeQuery{Cluster: q.cluster, From: q.from, To: q.to, Limit: maxLogPatterns})
	if err != nil {
		return nil, err
	}
	logs := v.assessment.Logs
	switch {
	case logs == nil:
		q.inform("%s.", capital(api.NoLogSource))
	case logs.Reason != "":
		q.warn("The logs could not be read: %s.", logs.Reason)
	}
	rows := make([]logRow, 0, len(sums))
	for _, sum := range sums {
		rows = append(rows, newLogRow(sum, &v.assessment))
	}
	// What is news stands there also where there are many others with more lines.
	for _, sum := range missing(sums, logs) {
		rows = append(rows, newLogRow(sum, &v.assessment))
	}
	slices.SortStableFunc(rows, func(a, b logRow) int {
		return cmp.Or(cmp.Compare(a.newness(), b.newness()), cmp.Compare(gravity(a.Severity), gravity(b.Severity)), -cmp.Compare(a.Lines, b.Lines))
	})
	return data.Frames{table("log_patterns",
		withUnit(field("count", "Occurrences", "How many lines there were in the time range.", column(rows, func(r *logRow) int64 { return r.Lines })), "short"),
		field("pattern", "Pattern", "What the lines say.", column(rows, func(r *logRow) string { return r.Pattern })),
		field("service", "Service", "Who wrote them: a Temporal service, or the workers of a task queue.", column(rows, (*logRow).writer)),
		withMappings(field("severity", "Severity", "What kind of lines they are. None of them changes the state.", column(rows, func(r *logRow) string { return string(r.Severity) })), logSeverityMappings),
		withMappings(field("news", "News", "Whether there are more of them than in the hour before.", column(rows, func(r *logRow) string { return string(r.now) })), newsMappings),
		field("issue", "Belongs to", "The issue that they explain.", column(rows, func(r *logRow) *string { return optional(r.issue) })),
		withUnit(field("lag", "Lag", "How long after the first of these lines the metrics showed that issue; less than zero if they did before.", column(rows, func(r *logRow) *float64 { return r.lag })), "s"),
		field("first_at", "First", "When the first one in the time range came.", column(rows, func(r *logRow) *time.Time { return moment(r.FirstAt) })),
		field("last_at", "Last", "When the last one in the time range came.", column(rows, func(r *logRow) *time.Time { return moment(r.LastAt) })),
		field("sample", "For example", "A line of it, without secrets and personal data.", column(rows, func(r *logRow) *string { return optional(r.sample) })),
		field("id", "Id", "The pattern's name in docs/log-patterns.md; other.… for one that is not there.", column(rows, func(r *logRow) string { return r.ID })),
	)}, nil
}

// missing are the patterns of a narrative that are news and that sums do not hold.
func missing(sums []dsql.LogPatternSum, n *health.Narrative) []dsql.LogPatternSum {
	if n == nil || len(sums) < maxLogPatterns {
		return nil
	}
	var more []dsql.LogPatternSum
	for i := range n.Patterns {
		p := &n.Patterns[i]
		held := slices.ContainsFunc(sums, func(s dsql.LogPatternSum) bool {
			return s.ID == p.ID && s.Service == p.Service && (s.Queue.Name == "" || s.Queue == p.Scope)
		})
		if p.News != health.NewsNone && !held {
			more = append(more, dsql.LogPatternSum{
				ID: p.ID, Pattern: p.Pattern, Service: p.Service, Severity: p.Severity, Lines: p.Count, FirstAt: p.FirstAt, LastAt: p.LastAt,
			})
		}
	}
	return more
}

// logRow is a pattern over the time range with what the newest assessment says
// of it.
type logRow struct {
	dsql.LogPatternSum
	now    health.News
	issue  string
	lag    *float64
	sample string
}

// newLogRow joins the two. What the assessment does not speak of is as usual
// now, whatever it was.
func newLogRow(sum dsql.LogPatternSum, a *health.Assessment) logRow {
	row := logRow{LogPatternSum: sum, now: health.NewsNone}
	if a.Logs == nil {
		return row
	}
	for i := range a.Logs.Patterns {
		p := &a.Logs.Patterns[i]
		if p.ID != sum.ID || p.Service != sum.Service || sum.Queue.Name != "" && p.Scope != sum.Queue {
			continue
		}
		row.now = p.News
		if len(p.Samples) > 0 {
			row.sample = p.Samples[0]
		}
		for _, tie := range p.Ties {
			at := slices.IndexFunc(a.Issues, func(issue health.Issue) bool { return issue.ID == tie.Issue })
			if at >= 0 {
				row.issue, row.lag = a.Issues[at].Title, &tie.LagSec
				break
			}
		}
		break
	}
	return row
}

// writer is who wrote the lines.
func (r *logRow) writer() string {
	if r.Queue.Name == "" {
		return r.Service
	}
	return r.Service + " of " + r.Queue.Name
}

// newness orders rows: what is new or more often first.
func (r *logRow) newness() int {
	return slices.Index([]health.News{health.NewsNew, health.NewsMore, health.NewsOver, health.NewsNone}, r.now)
}

// gravity orders severities.
func gravity(s health.LogSeverity) int {
	return slices.Index([]health.LogSeverity{health.LogError, health.LogWarning, health.LogEvent}, s)
}

// capital begins a text with a capital.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// logSeverityMappings and newsMappings show what is said of log patterns.
var (
	logSeverityMappings = data.ValueMappings{data.ValueMapper{
		string(health.LogError):   {Text: "Error", Color: "red", Index: 0},
		string(health.LogWarning): {Text: "Warning", Color: "orange", Index: 1},
		string(health.LogEvent):   {Text: "Event", Color: "blue", Index: 2},
	}}
	newsMappings = data.ValueMappings{data.ValueMapper{
		string(health.NewsNew):  {Text: "New", Color: "red", Index: 0},
		string(health.NewsMore): {Text: "More often", Color: "orange", Index: 1},
		string(health.NewsOver): {Text: "Over", Color: "green", Index: 2},
		string(health.NewsNone): {Text: "As usual", Color: "text", Index: 3},
	}}
)
