package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// answerAssessment returns one assessment for whoever audits it (requirement
// R12.5), the newest or one by its id: a frame with one row, and one with every
// gate, fired or not.
func answerAssessment(ctx context.Context, q *question) (data.Frames, error) {
	a, err := q.oneAssessment(ctx)
	if err != nil {
		return nil, err
	}
	head := table("assessment",
		field("id", "Assessment", "The id of the assessment.", []string{dsql.AssessmentID(a.Cluster, a.At)}),
		field("cluster", "Cluster", "The cluster that was judged.", []string{a.Cluster}),
		field("observed_at", "Observed", "When the cluster was judged.", []*time.Time{moment(a.At)}),
		withMappings(field("state", "State", "Whether the cluster made forward progress.", []string{a.State.String()}), stateMappings),
		withMappings(field("raw_state", "Evidence", "What this observation alone argued for.", []string{a.Raw.String()}), stateMappings),
		field("since", "Since", "When the cluster took this state.", []*time.Time{moment(a.Since)}),
		ratio("confidence", "Confidence", "How sure the copilot was of the state.", a.Confidence),
		ratio("coverage", "Coverage", "How much of the evidence was there and fresh.", a.Coverage),
		withMappings(field("blind", "Telemetry", "Whether the copilot could see the cluster. If not, the state was held.", []bool{a.Blind}), blindMappings),
		withMappings(field("bottleneck", "Bottleneck", "The layer that made work wait.", []string{string(a.Bottleneck)}), bottleneckMappings),
		field("summary", "Summary", "What went on, in words.", []string{a.Explanation.Summary}),
	)
	rows := a.Gates
	type row = health.Gate
	rule := func(g *row) *health.Rule {
		if g.Rule == nil {
			return &health.Rule{}
		}
		return g.Rule
	}
	gates := table("gates",
		field("gate", "Gate", "The rule.", column(rows, func(g *row) string { return rule(g).ID })),
		withMappings(field("outcome", "Outcome", "Its answer.", column(rows, func(g *row) string { return string(g.Outcome) })), outcomeMappings),
		withMappings(field("level", "Argues for", "The state that it argues for when it fires.", column(rows, func(g *row) string { return g.Level.String() })), stateMappings),
		field("scope", "Where", "The place that it was asked of.", column(rows, func(g *row) string { return scopeWords(g.Scope) })),
		field("value", "Value", "What was measured.", column(rows, func(g *row) *float64 { return g.Value })),
		field("limit", "Limit", "What it was compared with.", column(rows, func(g *row) *float64 { return g.Limit })),
		field("unit", "Unit", "The unit of value and limit.", column(rows, func(g *row) *string { return optional(rule(g).Unit) })),
		withUnit(field("window_sec", "Window", "The time that it looked back over.", column(rows, func(g *row) float64 { return g.Window.Seconds() })), "s"),
		field("finding", "Finding", "What it found.", column(rows, func(g *row) *string { return optional(g.Finding) })),
		field("question", "Question", "What it asks.", column(rows, func(g *row) string { return rule(g).Question })),
		field("doctrine", "Doctrine", "What its limit rests on.", column(rows, func(g *row) string { return rule(g).Doctrine })),
		field("source", "Source", "Where that is from.", column(rows, func(g *row) string { return rule(g).Source })),
	)
	return data.Frames{head, gates}, nil
}

// oneAssessment returns the assessment that was asked for.
func (q *question) oneAssessment(ctx context.Context) (*health.Assessment, error) {
	if q.assessment == "" {
		v, err := q.verdict(ctx)
		if err != nil {
			return nil, err
		}
		return &v.assessment, nil
	}
	a, err := q.store.AssessmentByID(ctx, q.assessment)
	if errors.Is(err, dsql.ErrNotFound) {
		return nil, notYet("the store holds no assessment %s; it may have been deleted by its age", q.assessment)
	}
	if err == nil && q.cluster != "" && q.cluster != a.Cluster {
		return nil, badQuery("assessment %s is of cluster %q, the query names cluster %q", q.assessment, a.Cluster, q.cluster)
	}
	return &a, err
}

// sayAssessment says which one was asked for.
func sayAssessment(q *question) string {
	if q.assessment == "" {
		return " newest"
	}
	return fmt.Sprintf(" id=%s", q.assessment)
}
