package activities

import (
	"context"
	"log/slog"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Observer looks at one cluster. *prometheus.Observer is one.
type Observer interface {
	// Observe returns one observation for each instant from, from+step, … to,
	// oldest first; the same ones whether it is asked at once or afterwards. A
	// signal that could not be asked is in the observation with its status. The
	// error is for when nothing could be asked at all.
	Observe(ctx context.Context, from, to instant.Instant, step time.Duration) ([]health.Observation, error)
}

// Store keeps observations and assessments. *dsql.Store is one.
type Store interface {
	// Save stores both together. Saving again what is already there, which is
	// told by cluster and instant, changes nothing.
	Save(ctx context.Context, o health.Observation, a health.Assessment) error
}

// Activities are the worker's activities with what they need. Register a
// pointer to one on the worker.
type Activities struct {
	// Observers look at the clusters that this worker knows, by cluster name.
	Observers map[string]Observer
	Store     Store
	// Log takes one line for each failure that is not returned as an error;
	// Temporal's SDK logs those that are.
	Log *slog.Logger
}

// The kinds of error that the activities return, as the type of a
// temporal.ApplicationError. A workflow chooses by them, so they never change.
const (
	// ErrUnknownCluster: this worker does not observe that cluster. Another
	// worker of the task queue may; retried.
	ErrUnknownCluster = "UnknownCluster"
	// ErrSourceUnavailable: no signal of the cluster could be asked; retried.
	// The last attempt returns observations that say so instead.
	ErrSourceUnavailable = "SourceUnavailable"
	// ErrStoreUnavailable: the store did not take the record; retried.
	ErrStoreUnavailable = "StoreUnavailable"
	// ErrRecordRejected: the store will never take this record; not retried.
	ErrRecordRejected = "RecordRejected"
)

// answerMargin is how long before its timeout an activity gives up on the
// outside world, so that it is the activity that tells what went wrong. A
// start-to-close timeout then means that the worker itself is gone.
const answerMargin = 250 * time.Millisecond

// withMargin gives the context of an activity a deadline by which its outside
// call has to end.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-answerMargin))
}
