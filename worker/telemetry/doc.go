// Package telemetry is how the worker is watched itself: its metrics
// ([Metrics]), its traces ([Trace]), and the small HTTP server that tells of
// both and of the worker's health ([Serve]).
//
// Every metric begins with "copilot_", those of Temporal's SDK included, beside
// Go's own go_ and process_, so that a Prometheus that holds the metrics of a monitored cluster
// can hold these, too: under their own name, copilot_temporal_…, the copilot's
// pollers and task slots are never taken for those of the cluster's workers.
package telemetry
