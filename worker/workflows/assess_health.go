package workflows

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// AssessTimeout is the time within which AssessHealthWorkflow ends, however the
// world is (requirement R4.7). Whoever starts one sets it as the timeout of the
// run, which matters only while no worker runs: the workflow's own steps are
// bounded so that they end before.
const AssessTimeout = 30 * time.Second

// The bounds of the steps of an assessment, waiting for a worker included.
// Together they stay below AssessTimeout.
const (
	newestTimeout  = 3 * time.Second
	explainTimeout = 20 * time.Second
	keepTimeout    = 5 * time.Second
)

// Trigger is what asked for an assessment.
type Trigger string

// The triggers of assessments.
const (
	// BySchedule: it was time for one (requirement R9.1).
	BySchedule Trigger = "schedule"
	// ByTransition: the cluster's state changed.
	ByTransition Trigger = "transition"
	// ByLogs: a pattern of errors is new in the logs and lasts (requirement R2.3).
	ByLogs Trigger = "logs"
	// ByHand: somebody asked, with "copilot assess".
	ByHand Trigger = "manual"
)

// AssessWorkflowID returns the id under which the verdict of an instant is
// assessed. All triggers that mean the same verdict meet at this id, and there
// is one assessment of it (requirement R9.5).
func AssessWorkflowID(cluster string, at instant.Instant) string {
	return "assess/" + cluster + "/" + at.String()
}

// AssessInput starts AssessHealthWorkflow.
type AssessInput struct {
	Cluster string `json:"cluster"`
	// AssessmentID names the verdict. Empty: the newest one in the store. The
	// workflow then finds out which that is and leaves the work to the one
	// workflow that AssessWorkflowID names.
	AssessmentID string  `json:"assessment_id,omitempty"`
	Trigger      Trigger `json:"trigger"`
}

// AssessResult is the record of an assessment. The verdict itself is in the
// store, under AssessmentID, and is not repeated here.
type AssessResult struct {
	Cluster      string          `json:"cluster"`
	AssessmentID string          `json:"assessment_id"`
	At           instant.Instant `json:"observed_at"`
	State        health.State    `json:"health_state"`
	Since        instant.Instant `json:"since"`
	Blind        bool            `json:"blind"`
	// Trigger is what asked for it first.
	Trigger     Trigger            `json:"trigger"`
	Explanation health.Explanation `json:"explanation"`
	// Stored means that the explanation now stands in the store in place of the
	// one that the verdict was stored with.
	Stored bool `json:"stored"`
	// Failure says why the explanation is the one that the verdict was stored
	// with although another was asked for; empty otherwise.
	Failure string `json:"failure,omitempty"`
	// Joined means that the verdict was being assessed already, or had been;
	// the result is then that of the workflow that AssessWorkflowID names, and
	// of the fields only Cluster, AssessmentID, At and Trigger are set.
	Joined bool `json:"joined,omitempty"`
}

// AssessHealthWorkflow has a verdict put into words. The rules have decided it
// and it is in the store with the rules' own words before this workflow begins:
// nothing here can change, delay or lose it (requirements R4.3 and R4.8). If
// the explainer has other words, they take the place of the stored ones; if it
// fails, is too slow, or says what the evidence does not bear, the stored ones
// stand.
//
// It ends within AssessTimeout. Its error is that the store did not answer, or
// holds no such assessment.
func AssessHealthWorkflow(ctx workflow.Context, in AssessInput) (AssessResult, error) {
	if in.Cluster == "" {
		return AssessResult{}, temporal.NewNonRetryableApplicationError("the cluster to assess has no name", "InvalidInput", nil)
	}
	if in.AssessmentID == "" {
		return assessNewest(ctx, in)
	}
	result := AssessResult{Cluster: in.Cluster, AssessmentID: in.AssessmentID, Trigger: in.Trigger}

	var said activities.ExplainResult
	err := workflow.ExecuteActivity(explaining(ctx), (*activities.Activities).Explain, activities.ExplainRequest{
		Cluster: in.Cluster, AssessmentID: in.AssessmentID, Trigger: string(in.Trigger),
	}).Get(ctx, &said)
	var told *temporal.ApplicationError
	switch {
	case errors.As(err, &told), err != nil && ctx.Err() != nil:
		return result, err
	case err != nil:
		// The worker that was at it did not answer, several times. What was
		// stored with the verdict stands.
		result.Failure = reason(err)
		workflow.GetLogger(ctx).Warn("no other words for the verdict; the stored ones stand",
			"cluster", in.Cluster, "assessment", in.AssessmentID, "error", result.Failure)
		return result, nil
	}
	result.At, result.State, result.Since, result.Blind = said.At, said.State, said.Since, said.Blind
	result.Explanation, result.Failure = said.Explanation, said.Failure

	if said.Replaces {
		err = workflow.ExecuteActivity(keeping(ctx), (*activities.Activities).KeepExplanation, activities.KeepRequest{
			Cluster: in.Cluster, AssessmentID: in.AssessmentID, Explanation: said.Explanation,
		}).Get(ctx, nil)
		if result.Stored = err == nil; err != nil {
			result.Failure = "the explanation was not stored: " + reason(err)
		}
	}
	workflow.SetCurrentDetails(ctx, said.Explanation.Summary)
	workflow.GetLogger(ctx).Info("assessed", "cluster", in.Cluster, "trigger", string(in.Trigger), "at", result.At.String(),
		"state", result.State.String(), "since", result.Since.String(), "by", result.Explanation.By,
		"summary", result.Explanation.Summary, "failure", result.Failure)
	return result, nil
}

// assessNewest finds the newest verdict and leaves it to the workflow of that
// verdict, so that triggers that mean the same one meet there.
func assessNewest(ctx workflow.Context, in AssessInput) (AssessResult, error) {
	var newest activities.NewestResult
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ScheduleToCloseTimeout: newestTimeout,
		RetryPolicy:            soon(),
		Summary:                in.Cluster,
	}), (*activities.Activities).Newest, in.Cluster).Get(ctx, &newest)
	if err != nil {
		return AssessResult{}, err
	}
	child := workflow.ExecuteChildWorkflow(assessing(ctx, in.Cluster, newest.At, in.Trigger), AssessHealthWorkflow, AssessInput{
		Cluster: in.Cluster, AssessmentID: newest.AssessmentID, Trigger: in.Trigger,
	})
	var result AssessResult
	err = child.Get(ctx, &result)
	if assessedAlready(err) {
		return AssessResult{
			Cluster: in.Cluster, AssessmentID: newest.AssessmentID, At: newest.At, Trigger: in.Trigger, Joined: true,
		}, nil
	}
	return result, err
}

// assessing are the options of the workflow that assesses the verdict of an
// instant. It lives on when the one that starts it ends. One that succeeded is
// not repeated; one that failed may be.
func assessing(ctx workflow.Context, cluster string, at instant.Instant, trigger Trigger) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            AssessWorkflowID(cluster, at),
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		WorkflowRunTimeout:    AssessTimeout,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		Memo:                  map[string]any{"trigger": string(trigger)},
		StaticSummary:         fmt.Sprintf("puts the verdict on %s at %s into words (%s)", cluster, at, trigger),
	})
}

// assessedAlready tells whether the workflow of a verdict was there already.
func assessedAlready(err error) bool {
	var already *temporal.ChildWorkflowExecutionAlreadyStartedError
	return errors.As(err, &already)
}

// explaining are the options of the activity Explain. Its heartbeats tell a
// dead worker from a slow explainer, early enough for another worker to try.
func explaining(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ScheduleToCloseTimeout: explainTimeout,
		HeartbeatTimeout:       5 * time.Second,
		RetryPolicy:            soon(),
	})
}

// keeping are the options of the activity KeepExplanation.
func keeping(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ScheduleToCloseTimeout: keepTimeout,
		RetryPolicy:            soon(),
	})
}

// soon retries after half a second and then a little less often, for as long as
// the activity's time allows.
func soon() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval:    500 * time.Millisecond,
		BackoffCoefficient: 2,
		MaximumInterval:    2 * time.Second,
	}
}
