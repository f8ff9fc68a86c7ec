package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/telemetry"
)

// RecordRequest is one observation with the verdict on it.
type RecordRequest struct {
	Observation health.Observation `json:"observation"`
	Assessment  health.Assessment  `json:"assessment"`
	// Backlog is how the workflow stands, for the worker's metrics.
	Backlog telemetry.Backlog `json:"backlog,omitzero"`
}

// RecordResult is what follows from a record. Histories from before there was
// one read as the zero value.
type RecordResult struct {
	// Transition means that the verdict changed the cluster's state. It stands
	// in the history, so that what the workflow does about it does not depend on
	// the rules of the version that replays it.
	Transition bool `json:"transition,omitempty"`
	// LogAlarm means that a pattern of errors has been news in the logs for long
	// enough to be worth an assessment.
	LogAlarm bool `json:"log_alarm,omitempty"`
}

// Record stores an observation and its assessment. Doing it twice is as good
// as once, so a lost answer does no harm. Errors are ErrStoreUnavailable, which
// may go away, and ErrRecordRejected, which will not.
func (a *Activities) Record(ctx context.Context, req RecordRequest) (RecordResult, error) {
	store, done := withMargin(ctx)
	defer done()
	cluster := req.Assessment.Cluster
	watch := instant.StartStopwatch()
	err := a.Store.Save(store, req.Observation, req.Assessment)
	a.Metrics.Recorded(cluster, watch.Elapsed(), req.Backlog)
	if err == nil {
		a.Metrics.Saved(cluster, req.Assessment.At, req.Assessment.Blind)
		logs := req.Assessment.Logs
		return RecordResult{
			Transition: req.Assessment.Transition != nil,
			LogAlarm:   logs != nil && len(logs.Alarms) > 0,
		}, nil
	}
	a.Metrics.Failed(telemetry.Store, cluster)
	if rejected(err) {
		return RecordResult{}, temporal.NewNonRetryableApplicationError(err.Error(), ErrRecordRejected, nil)
	}
	return RecordResult{}, temporal.NewApplicationError(err.Error(), ErrStoreUnavailable)
}

// rejected tells whether the error is about the record, not about the store's
// condition.
func rejected(err error) bool {
	var large *dsql.TooLargeError
	var invalid *dsql.InvalidError
	return errors.As(err, &large) || errors.As(err, &invalid)
}
