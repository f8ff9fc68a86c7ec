package main

import (
	"context"
	"encoding/json"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/health"
)

// answerActions tells what the newest assessment suggests, the most trusted
// first. Id, type, target and parameters are what something that carries actions
// out would need (requirement R10.5); nothing here does.
func answerActions(ctx context.Context, q *question) (data.Frames, error) {
	v, err := q.verdict(ctx)
	if err != nil {
		return nil, err
	}
	rows := v.assessment.Actions
	parameters := make([]string, len(rows))
	for i := range rows {
		text, err := json.Marshal(rows[i].Parameters)
		if err != nil {
			return nil, err
		}
		parameters[i] = string(text)
		if len(rows[i].Parameters) == 0 {
			parameters[i] = "{}"
		}
	}
	type row = health.Action
	return data.Frames{table("actions",
		field("id", "Id", "The entry of the action catalogue.", column(rows, func(a *row) string { return a.ID })),
		field("action", "Suggestion", "What to do.", column(rows, func(a *row) string { return a.Action })),
		field("type", "Type", "What kind of action it is.", column(rows, func(a *row) string { return string(a.Type) })),
		field("target", "Target", "Where.", column(rows, func(a *row) string { return scopeWords(a.Target) })),
		withMappings(field("risk", "Risk", "What it may cost when it is wrong.", column(rows, func(a *row) string { return string(a.Risk) })), riskMappings),
		asShare(field("confidence", "Confidence", "How likely it is the right one.", column(rows, func(a *row) float64 { return a.Confidence }))),
		field("gates", "Gates", "The rules that justify it.", column(rows, func(a *row) string { return listed(a.Gates) })),
		withLink(field("guide", "Guide", "The runbook that explains it.", column(rows, func(a *row) *string { return optional(a.Guide) })), "View guide", guides),
		field("parameters", "Parameters", "What something that carries it out would need, as a JSON object.", parameters),
	)}, nil
}
