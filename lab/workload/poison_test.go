package workload

import (
	"strings"
	"testing"

	"go.temporal.io/sdk/interceptor"
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
