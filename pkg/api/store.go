package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Store is what the API asks of the copilot's store. It only reads.
// [dsql.Store] says what each method answers.
type Store interface {
	Ping(ctx context.Context) error
	Schema(ctx context.Context) (dsql.SchemaStatus, error)
	Clusters(ctx context.Context) ([]dsql.Cluster, error)
	Latest(ctx context.Context, cluster string) (health.Assessment, error)
	Observation(ctx context.Context, cluster string, at instant.Instant) (health.Observation, error)
	AssessmentByID(ctx context.Context, id string) (health.Assessment, error)
	AssessmentSummaries(ctx context.Context, query dsql.AssessmentQuery) (dsql.SummaryPage, error)
	Timeline(ctx context.Context, cluster string, from, to instant.Instant) ([]dsql.Interval, error)
	Transitions(ctx context.Context, cluster string, from, to instant.Instant, limit int) ([]health.Transition, error)
	Issues(ctx context.Context, query dsql.IssueQuery) (dsql.IssuePage, error)
}

var _ Store = (*dsql.Store)(nil)

// ReadStatus reads the newest verdict on a cluster, as seen at an instant. Its
// errors are those of [dsql.Store.Latest].
func ReadStatus(ctx context.Context, store Store, cluster string, now instant.Instant) (StatusAnswer, error) {
	assessment, err := store.Latest(ctx, cluster)
	if err != nil {
		return StatusAnswer{}, err
	}
	observation, err := store.Observation(ctx, cluster, assessment.At)
	// A verdict outlives what it was made from where that is kept for less long.
	if err != nil && !errors.Is(err, dsql.ErrNotFound) {
		return StatusAnswer{}, err
	}
	answer := StatusAnswer{
		AssessmentID: dsql.AssessmentID(assessment.Cluster, assessment.At),
		Status:       NewStatus(assessment, observation),
	}
	answer.Aged(now)
	return answer, nil
}

// ReadTimeline reads the states of a cluster from one instant to another, to
// not lying in the future. The error is that of [dsql.Store.Timeline].
func ReadTimeline(ctx context.Context, store Store, cluster string, from, to instant.Instant) (TimelineAnswer, error) {
	intervals, err := store.Timeline(ctx, cluster, from, to)
	if err != nil {
		return TimelineAnswer{}, err
	}
	transitions, err := store.Transitions(ctx, cluster, from, to, maxTransitions)
	if err != nil {
		return TimelineAnswer{}, err
	}
	answer := TimelineAnswer{
		Cluster: cluster, From: from, To: to,
		Intervals:   make([]TimelineInterval, 0, len(intervals)),
		Transitions: append([]health.Transition{}, transitions...),
	}
	for _, interval := range intervals {
		drawn := TimelineInterval{Interval: interval, Seconds: interval.To.Sub(interval.From).Seconds()}
		// The first interval is cut to begin where the range does, and no
		// assessment need have been made at that instant.
		if !interval.Unobserved && from.Before(interval.From) {
			drawn.AssessmentID = dsql.AssessmentID(cluster, interval.From)
		}
		answer.Intervals = append(answer.Intervals, drawn)
	}
	return answer, nil
}

// maxTransitions is how many changes of state a timeline tells, the newest.
const maxTransitions = 1000

// OnlyCluster returns the name of the one cluster that the store holds. With
// several, or none, it is an [Error] that lists them.
func OnlyCluster(clusters []dsql.Cluster) (string, error) {
	switch len(clusters) {
	case 1:
		return clusters[0].ID, nil
	case 0:
		return "", &Error{
			Status: statusNotFound, Code: CodeUnknownCluster, Field: "cluster",
			Message: "the store holds no cluster yet", Remedy: `start "copilot worker" to observe one`,
		}
	}
	names := make([]string, len(clusters))
	for i := range clusters {
		names[i] = clusters[i].ID
	}
	return "", &Error{
		Status: statusBadRequest, Code: CodeClusterRequired, Field: "cluster",
		Message: fmt.Sprintf("the store holds %d clusters", len(clusters)), Remedy: "choose one of: " + listed(names),
	}
}
