package main

import (
	"context"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/health"
)

// answerServices tells how each service of the Temporal server is, the worst
// first. An alert rule gets the states as numbers.
func answerServices(ctx context.Context, q *question) (data.Frames, error) {
	return answerPlaces(ctx, q, "services", func(scope health.Scope, _ []health.ScopeVerdict) bool {
		return scope.Kind == health.KindService
	})
}

// answerScopes tells how each namespace and each task queue is, the worst first.
// An alert rule gets the states as numbers.
func answerScopes(ctx context.Context, q *question) (data.Frames, error) {
	return answerPlaces(ctx, q, "scopes", isTenant)
}

// isTenant tells whether a scope is a namespace or a task queue. One kind of
// task of a queue only counts where the queue as a whole was not judged.
func isTenant(scope health.Scope, all []health.ScopeVerdict) bool {
	switch {
	case scope.Kind == health.KindNamespace:
		return true
	case scope.Kind != health.KindTaskQueue:
		return false
	}
	return scope.TaskType == "" ||
		!slices.ContainsFunc(all, func(s health.ScopeVerdict) bool { return s.Scope == scope.Queue() })
}

// answerPlaces makes a table of some of the places that the newest assessment
// judged. It judged them in the order worst first.
func answerPlaces(ctx context.Context, q *question, name string, belongs func(health.Scope, []health.ScopeVerdict) bool) (data.Frames, error) {
	v, err := q.verdict(ctx)
	if err != nil {
		return nil, err
	}
	var rows []health.ScopeVerdict
	all := v.assessment.Scopes
	for i := range all {
		if belongs(all[i].Scope, all) && q.wants(all[i].State) {
			rows = append(rows, all[i])
		}
	}
	if q.numbers {
		return data.Frames{placeNumbers(q, v, name, rows)}, nil
	}
	trends := make([]string, len(rows))
	for i := range rows {
		if trends[i], err = jsonList(rows[i].Progress.Trend); err != nil {
			return nil, err
		}
	}
	type row = health.ScopeVerdict
	return data.Frames{table(name,
		withMappings(field("kind", "Kind", "What kind of place it is.", column(rows, func(s *row) string { return kindOf(s.Scope) })), kindMappings),
		field("namespace", "Namespace", "The Temporal namespace that it belongs to.", column(rows, func(s *row) string { return s.Namespace })),
		field("name", "Name", "The service, namespace or task queue.", column(rows, func(s *row) string { return s.Name })),
		withMappings(field("state", "State", "Whether work makes progress there.", column(rows, func(s *row) string { return s.State.String() })), stateMappings),
		field("since", "Since", "When it took this state.", column(rows, func(s *row) *time.Time { return moment(s.Since) })),
		withMappings(field("bottleneck", "Bottleneck", "The layer that makes work wait there.", column(rows, func(s *row) *string { return optional(string(s.Bottleneck)) })), bottleneckMappings),
		asShare(field("share", "Share of demand", "Its part of all that is asked of the cluster.", column(rows, func(s *row) float64 { return s.Progress.Share }))),
		withUnit(field("asked", "Asked", "Work that is asked for.", column(rows, func(s *row) *float64 { return s.Progress.Asked })), "cps"),
		withUnit(field("served", "Served", "Work that is served.", column(rows, func(s *row) *float64 { return s.Progress.Served })), "cps"),
		withUnit(field("waiting", "Waiting", "Tasks that wait.", column(rows, func(s *row) *float64 { return s.Progress.Waiting })), "short"),
		withUnit(field("oldest_sec", "Oldest waiting", "The age of the oldest waiting task.", column(rows, func(s *row) *float64 { return s.Progress.OldestSec })), "s"),
		withUnit(field("pollers", "Pollers", "Polls that are open there, as the server sees them.", column(rows, func(s *row) *float64 { return s.Progress.Pollers })), "short"),
		field("trend", "Trend", "What was served in the last observations, as a JSON list, oldest first.", trends),
		field("gates", "Gates", "The rules that fired there.", column(rows, func(s *row) string { return listed(s.Gates) })),
	)}, nil
}

// placeNumbers are the states of places as numbers.
func placeNumbers(q *question, v *latest, name string, rows []health.ScopeVerdict) *data.Frame {
	frame := numbersFrame(name)
	if v.isStale(q.now) {
		return frame
	}
	for i := range rows {
		frame.Fields = append(frame.Fields, stateNumber(rows[i].State, labels(q.cluster, rows[i].Scope)))
	}
	return frame
}
