// Package recording keeps what Prometheus saw of a play: a directory with
// truth.json, which says what was true when, and metrics.tar.zst, a block of
// Prometheus' own database. It is the block and not an export because only
// that keeps every sample as it came, stale markers included: without them a
// replay would not show when a target went away. If the play kept logs,
// logs.ndjson.zst holds every line as it was pushed to Loki.
package recording
