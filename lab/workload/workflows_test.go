package workload

import (
	"errors"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

func environment(t *testing.T, queue string) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	if err := Register(env, queue); err != nil {
		t.Fatal(err)
	}
	return env
}

func TestEveryQueueCanBeRegistered(t *testing.T) {
	for _, queue := range Queues() {
		environment(t, queue)
	}
	var suite testsuite.WorkflowTestSuite
	if err := Register(suite.NewTestWorkflowEnvironment(), "refunds"); err == nil {
		t.Error("an unknown queue was registered")
	}
}

func TestJobsCompleteOrAreRefused(t *testing.T) {
	workflows := map[string]any{Orders: PlaceOrder, Billing: BillCustomer, Shipping: ShipParcel}
	for queue, workflowFunc := range workflows {
		for _, fail := range []bool{false, true} {
			env := environment(t, queue)
			env.ExecuteWorkflow(workflowFunc, Job{Fail: fail, Wait: 2 * time.Second})
			if !env.IsWorkflowCompleted() {
				t.Fatalf("%s: did not complete", queue)
			}
			var refused *temporal.ApplicationError
			if err := env.GetWorkflowError(); errors.As(err, &refused) != fail {
				t.Errorf("%s, Fail %v: error %v", queue, fail, err)
			}
		}
	}
}

func TestSessionContinuesAsNewWithItsCount(t *testing.T) {
	env := environment(t, Sessions)
	const sent = 25
	env.RegisterDelayedCallback(func() {
		for range sent {
			env.SignalWorkflow(touchSignal, nil)
		}
		env.SetCurrentHistoryLength(sessionHistoryLimit)
	}, time.Second)
	env.ExecuteWorkflow(Session, 100)
	if err := env.GetWorkflowError(); !workflow.IsContinueAsNewError(err) {
		t.Fatalf("error = %v, want continue as new", err)
	}
}
