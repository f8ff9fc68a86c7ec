package workload

import (
	"context"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// Poison makes a worker's workflow tasks fail, or its activities panic, while
// its Pace says so.
type Poison struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow stands before every workflow.
func (*Poison) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &poisoned{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type poisoned struct {
	interceptor.WorkflowInboundInterceptorBase
}

// ExecuteWorkflow is where a workflow begins: at its first task, and again
// whenever its history is replayed.
func (p *poisoned) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if now := pace.Load(); now != nil && now.WorkflowTasksFail {
		panic("the workflow's code is broken")
	}
	return p.Next.ExecuteWorkflow(ctx, in)
}

// InterceptActivity stands before every activity.
func (*Poison) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &poisonedActivity{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type poisonedActivity struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity is one attempt of an activity.
func (p *poisonedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if now := pace.Load(); now != nil && now.ActivitiesPanic {
		panic("the activity's code is broken")
	}
	return p.Next.ExecuteActivity(ctx, in)
}
