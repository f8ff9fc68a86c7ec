package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// What annotations can be made of.
const (
	eventTransitions = "transitions"
	eventIssues      = "issues"
	eventAssessments = "assessments"
)

// maxAnnotations bounds the annotations of one answer: more than that hide the
// chart that they are drawn on.
const maxAnnotations = 200

// annotation is a mark on the time axis.
type annotation struct {
	id         string
	begin      time.Time
	end        *time.Time
	title      string
	text       *string
	tags       []string
	state      health.State
	assessment *string
}

// answerAnnotations marks what happened in the time range on the charts of a
// dashboard: the changes of state, the issues from beginning to end, or each
// single assessment. The fields have the names that Grafana looks for.
func answerAnnotations(ctx context.Context, q *question) (data.Frames, error) {
	var (
		rows []annotation
		err  error
	)
	switch q.events {
	case "", eventTransitions:
		rows, err = transitionMarks(ctx, q)
	case eventIssues:
		rows, err = issueMarks(ctx, q)
	case eventAssessments:
		rows, err = assessmentMarks(ctx, q)
	default:
		return nil, badQuery("the query's field %q is %q; use one of: %s, %s, %s", "events", q.events, eventTransitions, eventIssues, eventAssessments)
	}
	if err != nil {
		return nil, err
	}
	if len(rows) > maxAnnotations {
		q.warn("There are %d annotations; these are the newest %d.", len(rows), maxAnnotations)
		rows = rows[:maxAnnotations]
	}
	type row = annotation
	return data.Frames{table("annotations",
		field("time", "Time", "When it began.", column(rows, func(a *row) time.Time { return a.begin })),
		field("timeEnd", "End", "When it ended; none for what has no length.", column(rows, func(a *row) *time.Time { return a.end })),
		field("title", "Title", "What happened.", column(rows, func(a *row) string { return a.title })),
		field("text", "Text", "What was found.", column(rows, func(a *row) *string { return a.text })),
		field("tags", "Tags", "The state, and what else one may filter by.", column(rows, func(a *row) string { return strings.Join(a.tags, ",") })),
		withMappings(field("state", "State", "The state or severity.", column(rows, func(a *row) string { return a.state.String() })), stateMappings),
		field("id", "Id", "The same event always has the same id.", column(rows, func(a *row) string { return a.id })),
		field("assessment_id", "Assessment", "The assessment that told of it.", column(rows, func(a *row) *string { return a.assessment })),
	)}, nil
}

// transitionMarks marks the changes of state.
func transitionMarks(ctx context.Context, q *question) ([]annotation, error) {
	changes, err := q.transitions(ctx)
	if err != nil {
		return nil, err
	}
	return column(changes, func(c *dsql.StateChange) annotation {
		text := listed(c.Gates)
		if found := finding(c); found != nil {
			text = *found
		}
		id := dsql.AssessmentID(q.cluster, c.At)
		return annotation{
			id: id, begin: c.At.Time(), state: c.To, text: optional(text), assessment: &id,
			title: fmt.Sprintf("%s → %s", upper(c.From.String()), upper(c.To.String())),
			tags:  []string{c.To.String()},
		}
	}), nil
}

// issueMarks marks the issues from their beginning to their end, the newest
// first.
func issueMarks(ctx context.Context, q *question) ([]annotation, error) {
	issues, err := issuesBetween(ctx, q)
	if err != nil {
		return nil, err
	}
	issues = slices.DeleteFunc(issues, func(i health.Issue) bool { return !q.wants(i.Severity) })
	slices.SortStableFunc(issues, func(a, b health.Issue) int {
		return cmp.Or(b.OpenedAt.Compare(a.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return column(issues, func(i *health.Issue) annotation {
		end := moment(i.ResolvedAt)
		if i.Status == health.IssueOpen {
			end = moment(q.now)
		}
		return annotation{
			id: i.ID, begin: i.OpenedAt.Time(), end: end, title: i.Title, text: optional(i.Detail), state: i.Severity,
			tags: []string{i.Severity.String(), kindOf(i.Scope), string(i.Status)},
		}
	}), nil
}

// assessmentMarks marks single assessments, for a short time range.
func assessmentMarks(ctx context.Context, q *question) ([]annotation, error) {
	page, err := q.store.AssessmentSummaries(ctx, dsql.AssessmentQuery{Cluster: q.cluster, From: q.from, To: q.to, Limit: maxAnnotations})
	if err != nil {
		return nil, err
	}
	if page.Next != "" {
		q.warn("There are more than %d assessments in this time; these are the newest.", maxAnnotations)
	}
	summaries := slices.DeleteFunc(page.Summaries, func(a dsql.AssessmentSummary) bool { return !q.wants(a.State) })
	return column(summaries, func(a *dsql.AssessmentSummary) annotation {
		tags := []string{a.State.String()}
		if a.Blind {
			tags = append(tags, "blind")
		}
		return annotation{
			id: a.ID, begin: a.At.Time(), title: upper(a.State.String()), text: optional(a.Summary), state: a.State, tags: tags, assessment: &a.ID,
		}
	}), nil
}

// sayEvents says what was to be marked.
func sayEvents(q *question) string {
	return " events=" + or(q.events, eventTransitions) + sayRange(q)
}
