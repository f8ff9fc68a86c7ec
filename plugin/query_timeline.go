package main

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
)

// answerTimeline tells the states that the cluster went through in the time
// range: a row for each change, with one lane for the state and one for whether
// the copilot could see, as the state timeline panel wants them.
func answerTimeline(ctx context.Context, q *question) (data.Frames, error) {
	// The future has not been observed.
	end := q.to
	if q.now.Before(end) {
		end = q.now
	}
	if !q.from.Before(end) {
		q.inform("The time range lies in the future; nothing has been observed there.")
		return data.Frames{timelineFrame(nil, nil, nil)}, nil
	}
	intervals, err := q.store.Timeline(ctx, q.cluster, q.from, end)
	if err != nil {
		return nil, err
	}

	var (
		times    []time.Time
		states   []*string
		sights   []*bool
		blindFor time.Duration
		awayFor  time.Duration
	)
	for _, interval := range intervals {
		times = append(times, interval.From.Time())
		state, sight := interval.State.String(), &interval.Blind
		switch length := interval.To.Sub(interval.From); {
		case interval.Unobserved:
			// Nobody looked, so nobody was blind either.
			state, sight = unobserved, nil
			awayFor += length
		case interval.Blind:
			blindFor += length
		}
		states, sights = append(states, &state), append(sights, sight)
	}
	if n := len(intervals); n > 0 && end.Before(q.to) {
		// Ends the last bar. Panels draw the last value on to their edge.
		times = append(times, intervals[n-1].To.Time())
		states, sights = append(states, nil), append(sights, nil)
	}
	if len(intervals) == 0 {
		q.inform("The cluster had not been observed yet in this time.")
	}
	if blindFor > 0 {
		q.warn("The copilot was blind for %s of this time; the state was held, not observed.", age(blindFor))
	}
	if awayFor > 0 {
		q.warn("Nobody observed the cluster for %s of this time (no assessment for more than %s).", age(awayFor), age(dsql.HoldsFor))
	}
	return data.Frames{timelineFrame(times, states, sights)}, nil
}

// timelineFrame makes the frame.
func timelineFrame(times []time.Time, states []*string, sights []*bool) *data.Frame {
	frame := data.NewFrame("timeline",
		field("time", "Time", "When the cluster's state, or the copilot's sight of it, changed.", times),
		withMappings(field("state", "State", "The state from then on.", states), stateMappings),
		withMappings(field("blind", "Telemetry", "Whether the copilot could see the cluster. If not, the state is held.", sights), blindMappings),
	)
	frame.Meta = &data.FrameMeta{
		Type:                           data.FrameTypeTable,
		TypeVersion:                    frameVersion,
		PreferredVisualizationPluginID: "state-timeline",
	}
	return frame
}
