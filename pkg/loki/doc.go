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
// A window that is read again may have more lines, since lines come late, and it
// may then be told with less detail, when there are more kinds of lines in it than
// Loki allows for one answer. The same lines have other templates then, so that
// two readings of a window are two tellings of the whole: they are not to be mixed.
//
// Whatever leaves this package was redacted before. What Loki replaces by <*>
// before that it replaces whole, so that no half of a secret is left; a rule of
// one's own sees <*> where a line has words with digits or single words in quotes.
package loki
