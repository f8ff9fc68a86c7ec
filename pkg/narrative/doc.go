// Package narrative tells what a cluster's logs say beside its metrics. Metrics
// decide, logs explain: nothing here changes a state.
//
// Lines are counted where they are kept, by template; what arrives here are
// [health.LogWindow] values. [Follow] gives each template its pattern, from the
// catalogue or mined, and compares the pattern with its own recent past. [Tell]
// ties what is news to the issues of an assessment.
//
// Like the rules, it is pure: same windows, same words. It runs inside a
// workflow.
package narrative
