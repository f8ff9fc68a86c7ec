// Package prometheus observes a Temporal deployment through the HTTP API of
// Prometheus, or of anything that speaks it: Amazon Managed Prometheus,
// Thanos, Mimir, VictoriaMetrics.
//
// An observation is asked for at an instant, never "now": the answer is the
// same whether it is asked for at that moment or afterwards, so that a worker
// that was away can catch up and history can be judged like the present.
package prometheus
