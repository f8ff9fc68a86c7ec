package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
)

// maxTransitions bounds the changes of state in one answer. Hysteresis lets a
// cluster change its state some times an hour at most.
const maxTransitions = 1000

// answerTransitions tells how the cluster's state changed in the time range, the
// newest first, and which rules had fired.
func answerTransitions(ctx context.Context, q *question) (data.Frames, error) {
	rows, err := q.transitions(ctx)
	if err != nil {
		return nil, err
	}
	type row = dsql.StateChange
	return data.Frames{table("transitions",
		field("time", "Time", "When the state changed.", column(rows, func(c *row) time.Time { return c.At.Time() })),
		withMappings(field("from", "From", "The state before.", column(rows, func(c *row) string { return c.From.String() })), stateMappings),
		withMappings(field("to", "To", "The state after.", column(rows, func(c *row) string { return c.To.String() })), stateMappings),
		field("gates", "Gates", "The rules that had fired.", column(rows, func(c *row) string { return listed(c.Gates) })),
		field("finding", "Finding", "What the gravest of them had found.", column(rows, finding)),
	)}, nil
}

// transitions returns the changes of state in the time range to a state that was
// asked for, newest first.
func (q *question) transitions(ctx context.Context) ([]dsql.StateChange, error) {
	page, err := q.store.StateChanges(ctx, dsql.RangeQuery{Cluster: q.cluster, From: q.from, To: q.to, Limit: maxTransitions})
	if err != nil {
		return nil, err
	}
	if page.Next != "" {
		q.warn("There are more than %d changes of state; these are the newest.", maxTransitions)
	}
	return slices.DeleteFunc(slices.Clone(page.Changes), func(c dsql.StateChange) bool { return !q.wants(c.To) }), nil
}

// finding is what the gravest gate behind a change of state had found.
func finding(change *dsql.StateChange) *string {
	for _, e := range change.Evidence {
		if e.Finding != "" {
			return optional(fmt.Sprintf("%s: %s", scopeWords(e.Scope), e.Finding))
		}
	}
	return nil
}
