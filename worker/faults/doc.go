// Package faults breaks what the copilot stands on, one thing after the other,
// and shows that it keeps running and keeps the record. Its tests run the built
// copilot beside a real Temporal server, on the stand-in for Aurora DSQL, and on
// a recording that is played as if it happened now.
//
// The short form runs with the other tests. The long form, and the tables of
// docs/reliability.md, come from "go tool mage test:faults" and "go tool mage
// bench:clusters".
package faults
