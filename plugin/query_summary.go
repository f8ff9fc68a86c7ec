package main

import (
	"context"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// trendLength is how many observations a factor's trend goes back.
const trendLength = 20

// factor is a reason for the verdict with the gate behind it.
type factor struct {
	health.Factor
	gate health.Gate
	// weight falls from 1 for the first reason in equal steps.
	weight float64
	trend  string
}

// answerSummary tells why the cluster is judged as it is, in three frames: the
// ranked factors, what not to do now, and what the logs say.
func answerSummary(ctx context.Context, q *question) (data.Frames, error) {
	v, err := q.verdict(ctx)
	if err != nil {
		return nil, err
	}
	a := &v.assessment
	rows := make([]factor, len(a.Explanation.Factors))
	for i, f := range a.Explanation.Factors {
		rows[i] = factor{Factor: f, gate: gateOf(a, f), weight: 1 - float64(i)/float64(len(rows))}
		trend, err := trendOf(ctx, q, v, rows[i].gate)
		if err != nil {
			q.warn("The trends could not be read: %v.", err)
		}
		if rows[i].trend, err = jsonList(trend); err != nil {
			return nil, err
		}
	}
	ranks := make([]int64, len(rows))
	for i := range ranks {
		ranks[i] = int64(i + 1)
	}
	factors := table("factors",
		field("rank", "Rank", "1 for the reason that counts most.", ranks),
		field("text", "Reason", "What was found.", column(rows, func(f *factor) string { return f.Text })),
		field("gate", "Gate", "The rule that found it.", column(rows, func(f *factor) string { return f.Gate })),
		field("scope", "Where", "The place that it was found at.", column(rows, func(f *factor) string { return scopeWords(f.Scope) })),
		field("value", "Value", "What was measured, in the rule's unit.", column(rows, func(f *factor) *float64 { return f.gate.Value })),
		field("limit", "Limit", "What it was compared with.", column(rows, func(f *factor) *float64 { return f.gate.Limit })),
		field("unit", "Unit", "The unit of value and limit.", column(rows, func(f *factor) *string { return optional(f.unit()) })),
		asShare(field("weight", "Weight", "Its place among the reasons: 1 for the first, then less in equal steps.", column(rows, func(f *factor) float64 { return f.weight }))),
		field("trend", "Trend", "The signal that the rule reads first, over the last observations, as a JSON list, oldest first.", column(rows, func(f *factor) string { return f.trend })),
	)
	avoid := table("avoid",
		field("text", "Do not", "What must not be done now, and why.", slices.Clone(a.Explanation.Avoid)),
	)
	logs := table("logs",
		field("remark", "Logs", "What is news in the logs, the most telling first.", slices.Clone(a.Explanation.Logs)),
	)
	return data.Frames{factors, avoid, logs}, nil
}

// unit is the unit of the factor's value and limit.
func (f *factor) unit() string {
	if f.gate.Rule == nil {
		return ""
	}
	return f.gate.Unit
}

// gateOf returns the gate that a factor tells of. Gates may have been left out
// of a stored assessment; then there is none.
func gateOf(a *health.Assessment, f health.Factor) health.Gate {
	for i := range a.Gates {
		if g := &a.Gates[i]; g.Rule != nil && g.ID == f.Gate && g.Scope == f.Scope {
			return *g
		}
	}
	return health.Gate{}
}

// trendOf returns how the signal went that a gate reads first, at its scope.
func trendOf(ctx context.Context, q *question, v *latest, gate health.Gate) ([]float64, error) {
	if gate.Rule == nil || len(gate.Signals) == 0 {
		return nil, nil
	}
	end := v.assessment.At.Add(time.Second)
	series, err := q.store.Signals(ctx, dsql.SignalQuery{
		Cluster: q.cluster, Signals: gate.Signals[:1], Scope: &gate.Scope,
		From: end.Add(-trendLength * v.interval()), To: end, MaxPoints: trendLength,
	})
	if err != nil || len(series) == 0 {
		return nil, err
	}
	values := make([]float64, len(series[0].Points))
	for i, point := range series[0].Points {
		values[i] = point.Value
	}
	return values, nil
}
