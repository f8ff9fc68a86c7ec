package workload

import (
	"context"

	"go.temporal.io/sdk/workflow"
)

// BillCustomer is the workflow on queue billing.
func BillCustomer(ctx workflow.Context, job Job) error {
	ctx = workflow.WithActivityOptions(ctx, activityOptions)
	if err := workflow.ExecuteActivity(ctx, WriteInvoice).Get(ctx, nil); err != nil {
		return err
	}
	return workflow.ExecuteActivity(ctx, SendInvoice, job).Get(ctx, nil)
}

// WriteInvoice is the first activity of BillCustomer.
func WriteInvoice(ctx context.Context) error { return perform(ctx) }

// SendInvoice is the second activity of BillCustomer.
func SendInvoice(ctx context.Context, job Job) error {
	if job.Fail {
		return refusal("the customer's address is unknown")
	}
	return perform(ctx)
}
