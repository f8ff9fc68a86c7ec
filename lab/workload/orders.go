package workload

import (
	"context"

	"go.temporal.io/sdk/workflow"
)

// PlaceOrder is the workflow on queue orders.
func PlaceOrder(ctx workflow.Context, job Job) error {
	ctx = workflow.WithActivityOptions(ctx, activityOptions)
	if err := workflow.ExecuteActivity(ctx, ReserveStock).Get(ctx, nil); err != nil {
		return err
	}
	return workflow.ExecuteActivity(ctx, ChargeCard, job).Get(ctx, nil)
}

// ReserveStock is the first activity of PlaceOrder.
func ReserveStock(ctx context.Context) error { return perform(ctx) }

// ChargeCard is the second activity of PlaceOrder.
func ChargeCard(ctx context.Context, job Job) error {
	if job.Fail {
		return refusal("the card was declined")
	}
	return perform(ctx)
}
