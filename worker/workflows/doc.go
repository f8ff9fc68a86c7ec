// Package workflows holds the durable part of the copilot: the workflows that
// keep watching, judging and recording whatever happens to the worker, to the
// metrics' source or to the store.
//
//   - [ObserveClusterWorkflow] runs for ever, one for each monitored cluster:
//     it observes, judges and records.
//   - [AssessHealthWorkflow] has one verdict put into words: by schedule, when
//     the state changed, and when somebody asks.
//   - [RetainHistoryWorkflow] deletes, by schedule, what is old.
//
// # Rules for changing this package
//
// A workflow is replayed from its history by whichever version of the worker
// runs next, so the commands that it issues (timers, activities, child
// workflows, continue-as-new) may depend on nothing but its input, the workflow
// clock, and what activities returned. They never depend on what package health
// concludes: the rules may then change from one release to the next under
// running workflows. Where a conclusion has to lead to a command, as a change
// of state does to an assessment, an activity says so and its answer stands in
// the history (see activities.RecordResult).
//
// A change of the commands themselves is made behind a version gate:
//
//	if workflow.GetVersion(ctx, "observe: what changes", workflow.DefaultVersion, 1) >= 1 {
//		// the new commands
//	} else {
//		// the old commands, as they were
//	}
//
// The change id begins with the workflow's short name and says what changes; it
// is never used again. A second change of the same place raises the maximum.
// The gate stands inside the loop's body and not before the loop, so that a run
// that began before the change keeps the old commands until it is continued as
// new. The old branch, its histories in testdata and the gate go together, one
// release after every run that could need them has been continued as new or has
// ended (six hours for ObserveClusterWorkflow at its default interval); the
// minimum is raised in the release before. New fields of inputs and results
// need no gate as long as their zero value means what was meant before.
//
// replay_test.go holds the package to all this over recorded histories of every
// workflow; testdata/README.md says how to record further ones.
//
// # Where a remediation would go (requirement R10.4)
//
// A RemediationWorkflow would be the file remediate.go of this package, and
// what it does to the outside world the file remediate.go of package
// activities, registered by [Register] and in cmd/copilot like the others. Its
// input is the id of an assessment and one health.Action of it (type, target,
// parameters, risk: requirement R10.2), its workflow id
// "remediate/<cluster>/<action id>", so that an action is under way once. It is
// started by whoever approves the action, through POST /actions, or from the
// end of [AssessHealthWorkflow] behind a version gate; never from
// [ObserveClusterWorkflow], which has to go on whatever becomes of a remedy. It
// reads the verdicts that follow from the store, like everybody else, to tell
// whether the remedy helped. Nothing in the product can change a monitored
// cluster until then.
package workflows
