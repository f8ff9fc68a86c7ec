package main

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// answerClusters lists the clusters that the store knows. An alert rule gets a
// number for each, so that one rule watches them all.
func answerClusters(ctx context.Context, q *question) (data.Frames, error) {
	rows, err := q.store.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	if q.numbers {
		frame, err := clusterNumbers(q, rows)
		return data.Frames{frame}, err
	}
	if len(rows) == 0 {
		q.inform("No cluster has been observed yet: start \"copilot worker\" with this store.")
	}
	type row = dsql.Cluster
	return data.Frames{table("clusters",
		field("id", "Cluster", "What queries name it.", column(rows, func(c *row) string { return c.ID })),
		field("display", "Name", "What people call it.", column(rows, func(c *row) string { return c.Display })),
		withMappings(field("state", "State", "Whether it makes forward progress.", column(rows, func(c *row) string { return c.State.String() })), stateMappings),
		field("since", "Since", "When it took this state.", column(rows, func(c *row) *time.Time { return moment(c.Since) })),
		withMappings(field("blind", "Telemetry", "Whether the copilot could see it. If not, the state is held.", column(rows, func(c *row) bool { return c.Blind })), blindMappings),
		field("first_seen", "First analysis", "When it was first judged.", column(rows, func(c *row) *time.Time { return moment(c.FirstSeen) })),
		field("last_seen", "Last analysis", "When it was last judged.", column(rows, func(c *row) *time.Time { return moment(c.LastSeen) })),
		withUnit(field("age_sec", "Age", "How long ago that was.", column(rows, func(c *row) *float64 { return ageOf(c, q.now) })), "s"),
	)}, nil
}

// ageOf is how long ago a cluster was last judged; nil if it never was.
func ageOf(c *dsql.Cluster, now instant.Instant) *float64 {
	if c.LastSeen.IsZero() {
		return nil
	}
	return new(max(now.Sub(c.LastSeen), 0).Seconds())
}

// clusterNumbers is a number for each cluster: its state, whether it is blind, or
// the age of its last assessment. A cluster that nobody observes any more has an
// age and nothing else.
func clusterNumbers(q *question, clusters []dsql.Cluster) (*data.Frame, error) {
	frame := numbersFrame("clusters")
	for i := range clusters {
		c := &clusters[i]
		labels := data.Labels{"cluster": c.ID}
		seconds := ageOf(c, q.now)
		observed := seconds != nil && *seconds <= awayAfter.Seconds()
		var number *data.Field
		switch q.measure {
		case "", "state":
			if observed {
				number = stateNumber(c.State, labels)
			}
		case "blind":
			if observed {
				number = field("blind", "Blind", "1 while the copilot cannot see the cluster.", []float64{*asNumber(c.Blind)})
			}
		case "age_sec":
			if seconds != nil {
				number = withUnit(field("age_sec", "Age", "How long ago it was last judged.", []float64{*seconds}), "s")
			}
		default:
			return nil, badQuery("the query's field %q is %q; use one of: state, blind, age_sec", "measure", q.measure)
		}
		if number != nil {
			number.Labels = labels
			frame.Fields = append(frame.Fields, number)
		}
	}
	return frame, nil
}
