package main

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
)

// answerTimeline tells the states that the cluster went through in the time
// range: a row for each stretch of time, with one lane for the state and one for
// whether the copilot could see, as the state timeline panel wants them. States
// that were not asked for are gaps.
func answerTimeline(ctx context.Context, q *question) (data.Frames, error) {
	// The future has not been observed.
	end := q.to
	if q.now.Before(end) {
		end = q.now
	}
	if !q.from.Before(end) {
		q.inform("The time range lies in the future; nothing has been observed there.")
		return data.Frames{timelineFrame(nil)}, nil
	}
	intervals, err := q.store.Timeline(ctx, q.cluster, q.from, end)
	if err != nil {
		return nil, err
	}
	if len(intervals) == 0 {
		q.inform("The cluster had not been observed yet in this time.")
	}
	var rows []dsql.Interval
	var blindFor, awayFor time.Duration
	for _, interval := range intervals {
		// The store was asked for a little more.
		if interval.From.Before(q.from) {
			interval.From = q.from
		}
		if end.Before(interval.To) {
			interval.To = end
		}
		length := interval.To.Sub(interval.From)
		switch {
		case length <= 0:
			continue
		case interval.Unobserved:
			awayFor += length
		case interval.Blind:
			blindFor += length
		}
		if interval.Unobserved || q.wants(interval.State) {
			rows = append(rows, interval)
		}
	}
	if blindFor > 0 {
		q.warn("The copilot was blind for %s of this time; the state was held, not observed.", age(blindFor))
	}
	if awayFor > 0 {
		q.warn("Nobody observed the cluster for %s of this time (no assessment for more than %s).", age(awayFor), age(dsql.HoldsFor))
	}
	return data.Frames{timelineFrame(rows)}, nil
}

// timelineFrame makes the frame.
func timelineFrame(rows []dsql.Interval) *data.Frame {
	type row = dsql.Interval
	state := func(i *row) string {
		if i.Unobserved {
			return unobserved
		}
		return i.State.String()
	}
	sight := func(i *row) *bool {
		if i.Unobserved {
			return nil // Nobody looked, so nobody was blind either.
		}
		return &i.Blind
	}
	frame := table("timeline",
		field("start", "Start", "When the cluster's state, or the copilot's sight of it, changed.", column(rows, func(i *row) time.Time { return i.From.Time() })),
		field("end", "End", "Until when it stayed so.", column(rows, func(i *row) time.Time { return i.To.Time() })),
		withMappings(field("state", "State", "The state in this time.", column(rows, state)), stateMappings),
		withMappings(field("blind", "Telemetry", "Whether the copilot could see the cluster. If not, the state is held.", column(rows, sight)), blindMappings),
	)
	frame.Meta.PreferredVisualization = ""
	frame.Meta.PreferredVisualizationPluginID = "state-timeline"
	return frame
}
