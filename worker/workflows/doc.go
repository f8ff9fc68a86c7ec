// Package workflows holds the durable part of the copilot: the workflows that
// keep watching, judging and recording whatever happens to the worker, to the
// metrics' source or to the store.
//
// Rules for changing this package. A workflow is replayed from its history by
// whichever version of the worker runs next, so the commands that it issues
// (timers, activities, continue-as-new) may depend on nothing but its input,
// the workflow clock, and what activities returned. They never depend on what
// package health concludes: the rules may then change from one release to the
// next under running workflows, and only a change of the commands themselves
// needs workflow.GetVersion. replay_test.go holds the package to that over
// recorded histories.
package workflows
