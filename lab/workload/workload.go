// Package workload is what the lab's Temporal server is busy with: four kinds
// of work, each on a task queue of its own, so that a queue without workers
// starves nothing but itself; and the generator that asks for them.
//
//	queue      share  a piece of work
//	orders      50 %  two short activities
//	billing     25 %  two short activities
//	shipping    15 %  a timer of 1 to 3 s, a child workflow and an activity
//	sessions    10 %  a signal to one of a few long-lived workflows
package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// The task queues.
const (
	Orders   = "orders"
	Billing  = "billing"
	Shipping = "shipping"
	Sessions = "sessions"
)

// shares is how many of a hundred pieces of work go to each queue.
var shares = []share{{Orders, 50}, {Billing, 25}, {Shipping, 15}, {Sessions, 10}}

// Queues lists the task queues, that with the most work first.
func Queues() []string {
	var queues []string
	for _, share := range shares {
		queues = append(queues, share.queue)
	}
	return queues
}

// Register makes a worker able to do the work of a queue. It fails for a queue
// that is not one of Queues.
func Register(registry worker.Registry, queue string) error {
	switch queue {
	case Orders:
		registry.RegisterWorkflow(PlaceOrder)
		registry.RegisterActivity(ReserveStock)
		registry.RegisterActivity(ChargeCard)
	case Billing:
		registry.RegisterWorkflow(BillCustomer)
		registry.RegisterActivity(WriteInvoice)
		registry.RegisterActivity(SendInvoice)
	case Shipping:
		registry.RegisterWorkflow(ShipParcel)
		registry.RegisterWorkflow(PrintLabel)
		registry.RegisterActivity(BookCarrier)
	case Sessions:
		registry.RegisterWorkflow(Session)
		registry.RegisterActivity(SaveSession)
	default:
		return fmt.Errorf("unknown task queue %q: the lab has %v", queue, Queues())
	}
	return nil
}

// Job is the input of the workflows that do one thing and end.
type Job struct {
	// Fail makes the business refuse the job: its last activity fails in a way
	// that no retry mends, and with it the workflow.
	Fail bool `json:"fail"`
	// Wait is how long a job that waits for something waits. The generator
	// chooses it, as a workflow must not throw dice.
	Wait time.Duration `json:"wait"`
}

// activityOptions bound one attempt generously: the lab's machine may be busy
// with a build. Attempts are not limited, as in Temporal's default.
var activityOptions = workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second}

// Pace is how fast the services are that activities call, and whether the code
// of workflows and activities is fit to run.
type Pace struct {
	// ActivityTakes is how long one activity takes. 0: some milliseconds.
	ActivityTakes time.Duration `json:"activity_takes"`
	// WorkflowTasksFail makes the code of every workflow panic where it begins,
	// as after a bad deploy: its workflow task fails and is tried again.
	WorkflowTasksFail bool `json:"workflow_tasks_fail"`
	// ActivitiesPanic makes every activity panic: the attempt fails and is tried
	// again later.
	ActivitiesPanic bool `json:"activities_panic"`
}

// pace is that of this process.
var pace atomic.Pointer[Pace]

// SetPace changes how this process works, from the next task on.
func SetPace(p Pace) { pace.Store(&p) }

// perform takes about the time of a call to another service.
func perform(ctx context.Context) error {
	takes := 5*time.Millisecond + rand.N(20*time.Millisecond)
	if p := pace.Load(); p != nil && p.ActivityTakes > 0 {
		takes = p.ActivityTakes
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(takes):
		return nil
	}
}

// refusal is the error of a job that the business refuses.
func refusal(why string) error {
	return temporal.NewNonRetryableApplicationError(why, "Refused", nil)
}
