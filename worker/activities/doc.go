// Package activities holds what the worker's workflows do to the outside
// world: ask Prometheus what a cluster looks like ([Activities.Observe]) and
// store what was seen and judged ([Activities.Record]).
//
// An activity decides nothing about health. It turns the failures of the
// outside world into the few kinds of error that a workflow has an answer to
// (see the Err constants), and keeps what it returns small enough for a
// workflow's history.
package activities
