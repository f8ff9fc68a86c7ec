package main

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// answerIssues tells what is wrong now, the worst first; with "history", what
// was wrong at some time of the time range, resolved issues with it. An alert
// rule gets the number of open issues of each severity.
func answerIssues(ctx context.Context, q *question) (data.Frames, error) {
	v, err := q.verdict(ctx)
	if err != nil {
		return nil, err
	}
	if q.numbers {
		return data.Frames{issueNumbers(q, v)}, nil
	}
	var rows []health.Issue
	all := v.assessment.Issues
	if q.history {
		if all, err = issuesBetween(ctx, q); err != nil {
			return nil, err
		}
	}
	for i := range all {
		if (q.history || all[i].Status == health.IssueOpen) && q.wants(all[i].Severity) {
			rows = append(rows, all[i])
		}
	}
	type row = health.Issue
	return data.Frames{table("issues",
		field("id", "Id", "The same trouble at the same place always has the same id.", column(rows, func(i *row) string { return i.ID })),
		withMappings(field("severity", "Severity", "The state that the issue argues for; a remark argues for none.", column(rows, func(i *row) string { return i.Severity.String() })), severityMappings),
		field("title", "Issue", "What is wrong.", column(rows, func(i *row) string { return i.Title })),
		field("detail", "Detail", "What was found.", column(rows, func(i *row) string { return i.Detail })),
		withMappings(field("kind", "Kind", "What kind of place it is at.", column(rows, func(i *row) string { return kindOf(i.Scope) })), kindMappings),
		field("namespace", "Namespace", "The Temporal namespace of that place.", column(rows, func(i *row) string { return i.Scope.Namespace })),
		field("name", "Name", "The service, namespace or task queue.", column(rows, func(i *row) string { return i.Scope.Name })),
		withMappings(field("status", "Status", "Whether it is still there.", column(rows, func(i *row) string { return string(i.Status) })), issueStatusMappings),
		field("opened_at", "Opened", "When it was first seen.", column(rows, func(i *row) *time.Time { return moment(i.OpenedAt) })),
		field("changed_at", "Changed", "When it last got graver, milder or was resolved.", column(rows, func(i *row) *time.Time { return moment(i.ChangedAt) })),
		field("gates", "Gates", "The rules that it rests on.", column(rows, func(i *row) string { return listed(i.Gates) })),
	)}, nil
}

// issueStatusMappings name the places in the life of an issue.
var issueStatusMappings = data.ValueMappings{data.ValueMapper{
	string(health.IssueOpen):     {Text: "Open", Color: "orange", Index: 0},
	string(health.IssueResolved): {Text: "Resolved", Color: "green", Index: 1},
}}

// issuesBetween returns the issues that were open at some time of the range, the
// worst first.
func issuesBetween(ctx context.Context, q *question) ([]health.Issue, error) {
	stored, err := q.store.Issues(ctx, dsql.IssueQuery{Cluster: q.cluster, From: q.from, To: q.to})
	if err != nil {
		return nil, err
	}
	issues := make([]health.Issue, len(stored.Issues))
	for i := range stored.Issues {
		issues[i] = stored.Issues[i].Issue
	}
	return issues, nil
}

// issueNumbers counts the open issues of each severity. None is a number, too.
func issueNumbers(q *question, v *latest) *data.Frame {
	frame := numbersFrame("issues")
	if v.isStale(q.now) {
		return frame
	}
	counts := map[health.State]float64{}
	for i := range v.assessment.Issues {
		if issue := &v.assessment.Issues[i]; issue.Status == health.IssueOpen {
			counts[issue.Severity]++
		}
	}
	for _, severity := range []health.State{health.Happy, health.Stressed, health.Critical} {
		number := withUnit(field("issues", "Open issues", "How many issues of this severity are open.", []float64{counts[severity]}), "short")
		number.Labels = data.Labels{"cluster": q.cluster, "severity": severity.String()}
		frame.Fields = append(frame.Fields, number)
	}
	return frame
}

// sayIssues says which issues were asked for.
func sayIssues(q *question) string {
	if q.history {
		return " history" + sayRange(q)
	}
	return sayStates(q)
}
