package workload

import (
	"context"

	"go.temporal.io/sdk/workflow"
)

// ShipParcel is the workflow on queue shipping: it waits for the parcel to be
// packed, has its label printed by a child workflow, and books a carrier.
func ShipParcel(ctx workflow.Context, job Job) error {
	if err := workflow.Sleep(ctx, job.Wait); err != nil {
		return err
	}
	if err := workflow.ExecuteChildWorkflow(ctx, PrintLabel).Get(ctx, nil); err != nil {
		return err
	}
	ctx = workflow.WithActivityOptions(ctx, activityOptions)
	return workflow.ExecuteActivity(ctx, BookCarrier, job).Get(ctx, nil)
}

// PrintLabel is the child workflow of ShipParcel. It needs nothing but a
// workflow task.
func PrintLabel(workflow.Context) error { return nil }

// BookCarrier is the activity of ShipParcel.
func BookCarrier(ctx context.Context, job Job) error {
	if job.Fail {
		return refusal("no carrier serves the address")
	}
	return perform(ctx)
}
