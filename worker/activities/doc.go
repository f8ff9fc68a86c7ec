// Package activities holds what the worker's workflows do to the outside
// world: ask Prometheus what a cluster looks like ([Activities.Observe]), store
// what was seen and judged ([Activities.Record]), have a verdict put into words
// ([Activities.Newest], [Activities.Explain], [Activities.KeepExplanation]), and
// delete what is old ([Activities.Retain]).
//
// An activity decides nothing about health. It turns the failures of the
// outside world into the few kinds of error that a workflow has an answer to
// (see the Err constants), and keeps what it returns small enough for a
// workflow's history.
package activities
