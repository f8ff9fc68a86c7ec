package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Register registers every workflow, each with what Worker Versioning does with
// it. That matters only on a worker with a deployment name and a build id.
//
// ObserveClusterWorkflow is moved to the current version at its next workflow
// task (AutoUpgrade). It runs for ever, so that pinned it would keep every
// version alive that ever started one, and a mended observer has to reach it at
// once; its commands do not depend on the rules, and the replay tests hold the
// next version to the histories of this one.
//
// The others end within seconds or minutes and stay where they began (Pinned):
// old workers drain by themselves. An assessment that a pinned one starts
// inherits its version; one that is started by ObserveClusterWorkflow or by a
// schedule begins on the current version.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(ObserveClusterWorkflow, workflow.RegisterOptions{
		VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	})
	r.RegisterWorkflowWithOptions(AssessHealthWorkflow, workflow.RegisterOptions{
		VersioningBehavior: workflow.VersioningBehaviorPinned,
	})
	r.RegisterWorkflowWithOptions(RetainHistoryWorkflow, workflow.RegisterOptions{
		VersioningBehavior: workflow.VersioningBehaviorPinned,
	})
}
