// Package signals is the catalogue of everything that the copilot measures:
// each signal once, with its class, unit, scope, meaning and doctrine, and
// with its query in every naming dialect of Temporal's metrics.
//
// The rules that judge the values are in package health; how the queries are
// sent is in package prometheus.
package signals
