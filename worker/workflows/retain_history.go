package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// The bounds of how long history is kept.
const (
	// KeepLeast is what requirement R5.3 asks for; the store refuses to delete
	// what is younger.
	KeepLeast = dsql.MinRetention
	// KeepMost is ten years.
	KeepMost = 10 * 365 * 24 * time.Hour
)

// retainRounds is after how many activities a run is continued as new. Each
// deletes for minutes, so that most runs end long before.
const retainRounds = 100

// clockMargin is by how much the store's clock may be behind Temporal's without
// the store refusing to delete what is KeepLeast old.
const clockMargin = time.Minute

// RetainInput starts RetainHistoryWorkflow. Before and Deleted are what one run
// hands to the next.
type RetainInput struct {
	Cluster string `json:"cluster"`
	// Keep is how long history is kept, from KeepLeast to KeepMost.
	Keep time.Duration `json:"keep_ns"`
	// Rounds is after how many activities a run is continued as new; 0 stands
	// for 100.
	Rounds int `json:"rounds,omitempty"`

	Before  instant.Instant `json:"before,omitzero"`
	Deleted int64           `json:"deleted,omitempty"`
}

// RetainResult tells what was deleted.
type RetainResult struct {
	Cluster string `json:"cluster"`
	// Before is the age limit: ticks older than that are gone.
	Before instant.Instant `json:"before"`
	// Deleted counts the ticks.
	Deleted int64 `json:"deleted"`
}

// RetainHistoryWorkflow deletes the history of a cluster that is older than
// RetainInput.Keep, in small batches, for as long as there is any. It goes on
// where it was after any interruption, and waits as long as it has to for a
// store that is away. Its error is that the input is not valid or that the
// store refuses.
func RetainHistoryWorkflow(ctx workflow.Context, in RetainInput) (RetainResult, error) {
	if in.Cluster == "" {
		return RetainResult{}, temporal.NewNonRetryableApplicationError("the cluster has no name", "InvalidInput", nil)
	}
	if in.Keep < KeepLeast || in.Keep > KeepMost {
		return RetainResult{}, temporal.NewNonRetryableApplicationError(fmt.Sprintf(
			"history is to be kept for %s; use between %s and %s", in.Keep, KeepLeast, KeepMost), "InvalidInput", nil)
	}
	if in.Rounds == 0 {
		in.Rounds = retainRounds
	}
	if in.Before.IsZero() {
		in.Before = instant.FromTime(workflow.Now(ctx)).Add(-in.Keep - clockMargin)
	}
	for range in.Rounds {
		var round activities.RetainResult
		err := workflow.ExecuteActivity(deleting(ctx), (*activities.Activities).Retain, activities.RetainRequest{
			Cluster: in.Cluster, Before: in.Before,
		}).Get(ctx, &round)
		if err != nil {
			return RetainResult{}, err
		}
		in.Deleted += round.Deleted
		if !round.More {
			return RetainResult{Cluster: in.Cluster, Before: in.Before, Deleted: in.Deleted}, nil
		}
	}
	return RetainResult{}, workflow.NewContinueAsNewError(ctx, RetainHistoryWorkflow, in)
}

// deleting are the options of the activity Retain. There is no limit on the
// attempts: what is to be deleted is still to be deleted tomorrow, and nobody
// waits for it.
func deleting(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 4 * time.Minute,
		HeartbeatTimeout:    10 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    5 * time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    5 * time.Minute,
		},
	})
}
