// Package health decides whether a Temporal cluster makes forward progress on
// workflows. It holds the vocabulary of the whole project (State, Scope,
// Observation, Gate, Assessment, Issue, Action) and the rules that turn
// observations into assessments.
//
// The package is pure: it performs no I/O, reads no clock and no environment,
// and keeps no state of its own. [Evaluate] takes the remembered [Window] and
// one [Observation] and returns an [Assessment] with the next Window; the same
// input gives the same output, byte for byte. It therefore runs inside a
// Temporal workflow, in a one-shot command, and over recorded history alike.
//
// The rules rest on conservation of work: work arrives, work is served, and
// what is not served waits. docs/health-model.md explains them with the
// numbers; limits.go holds every number once.
package health
