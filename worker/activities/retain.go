package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/telemetry"
)

// retainBatch is how many ticks are deleted in one go. A tick is a few hundred
// rows; the store splits what is too much for one transaction.
const retainBatch = 20

// RetainRequest asks for the ticks of a cluster that are older than Before to
// be deleted.
type RetainRequest struct {
	Cluster string          `json:"cluster"`
	Before  instant.Instant `json:"before"`
}

// RetainResult tells how far Retain came.
type RetainResult struct {
	// Deleted counts the ticks that this attempt deleted.
	Deleted int64 `json:"deleted"`
	// More means that there was no time for all of them.
	More bool `json:"more,omitempty"`
}

// Retain deletes ticks, batch after batch, for as long as three quarters of its
// time allow. What an attempt that failed has deleted stays deleted. Errors are
// ErrStoreUnavailable, ErrWorkerStopped and ErrRetentionRejected.
func (a *Activities) Retain(ctx context.Context, req RetainRequest) (RetainResult, error) {
	stop := a.alive(ctx)
	defer stop()
	until := 3 * activity.GetInfo(ctx).StartToCloseTimeout / 4
	watch := instant.StartStopwatch()
	result := RetainResult{More: true}
	for result.More && watch.Elapsed() < until {
		deleted, more, err := a.Store.Retain(ctx, req.Cluster, req.Before, retainBatch)
		result.Deleted += int64(deleted)
		a.Metrics.Deleted(req.Cluster, deleted)
		switch {
		case ctx.Err() != nil:
			return result, temporal.NewApplicationError("the worker was stopped while it deleted", ErrWorkerStopped)
		case errors.As(err, new(*dsql.ErrUnknownCluster)):
			return RetainResult{}, nil // nothing was stored of it yet
		case err != nil && rejected(err):
			return result, temporal.NewNonRetryableApplicationError(err.Error(), ErrRetentionRejected, nil)
		case err != nil:
			a.Metrics.Failed(telemetry.Store, req.Cluster)
			return result, temporal.NewApplicationError(err.Error(), ErrStoreUnavailable)
		}
		result.More = more
	}
	a.Log.InfoContext(ctx, "old history was deleted", "cluster", req.Cluster, "before", req.Before,
		"ticks", result.Deleted, "more", result.More, "took", watch.Elapsed().Round(time.Millisecond))
	return result, nil
}
