package workload

import (
	"strings"
	"testing"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

func TestPoison(t *testing.T) {
	defer SetPace(Pace{})
	for _, fail := range []bool{true, false} {
		SetPace(Pace{WorkflowTasksFail: fail})
		env := environment(t, Billing)
		env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Poison{}}})
		env.ExecuteWorkflow(BillCustomer, Job{})
		err := env.GetWorkflowError()
		if panicked := err != nil && strings.Contains(err.Error(), "the workflow's code is broken"); panicked != fail {
			t.Errorf("poisoned %t: error is %v", fail, err)
		}
	}
}

func TestPoisonedActivity(t *testing.T) {
	defer SetPace(Pace{})
	for _, broken := range []bool{true, false} {
		SetPace(Pace{ActivitiesPanic: broken})
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.RegisterActivity(WriteInvoice)
		env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Poison{}}})
		_, err := env.ExecuteActivity(WriteInvoice)
		if panicked := err != nil && strings.Contains(err.Error(), "the activity's code is broken"); panicked != broken {
			t.Errorf("poisoned %t: error is %v", broken, err)
		}
	}
}
