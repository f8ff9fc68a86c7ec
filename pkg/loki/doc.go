// Package loki reads a Temporal cluster's logs from the HTTP API of Grafana Loki
// (2.9 or later).
//
// Lines are not fetched but counted where they are kept: a metric query groups
// them by service, level, text, component, lifecycle, namespace and task queue,
// with numbers, addresses and names already taken out of the text, so that an
// answer has a hundred rows whether there were a thousand lines or a million.
// Only lines that tell something count: warnings and errors, and the
// informational messages that the catalogue of package narrative knows.
//
// Whatever leaves this package was redacted before.
package loki
