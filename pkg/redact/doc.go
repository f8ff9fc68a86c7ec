// Package redact takes secrets and personal data out of log text before it is
// stored, shown or sent anywhere.
//
// What it finds is replaced by a mark that names the kind, such as
// [redacted:password], so that a reader sees that something stood there and
// what it was. What an operator works with stays: host names, ports,
// workflow, run and task ids, hashes, SQLSTATEs, names of task queues and
// workers.
//
// Secrets that are known by their looks are found by gitleaks' published rules
// (gitleaks.go, generated), those that are known by their place (behind a
// name, in a header or a URL) and personal data by the rules in this package.
//
// The rules err towards taking out: a mark too many costs a word, a secret in a
// stored row or in a prompt cannot be called back. No set of rules finds
// everything, so it is the last line and no licence to log secrets.
package redact

//go:generate go run -C genrules . -out ../gitleaks.go
