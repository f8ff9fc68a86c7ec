// Package baseline holds what the copilot's verdicts are compared with: ways to
// judge a Temporal cluster that are in use or close at hand. They look at the
// same recordings through the same Prometheus API, and are scored alike.
package baseline
