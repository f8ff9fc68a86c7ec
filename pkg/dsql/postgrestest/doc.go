// Package postgrestest starts a private PostgreSQL server: one that no other
// program knows of, on a free loopback port, in a directory that disappears
// with it. Tests of everything that stores something run on it, and so does
// the lab, because Aurora DSQL speaks PostgreSQL 16's wire protocol and
// dialect and nothing nearer to it can run on a laptop.
//
// A package's tests share one server and take a database each:
//
//	func TestMain(m *testing.M) { postgrestest.Main(m) }
//
//	func TestStore(t *testing.T) {
//		url := postgrestest.NewDatabase(t)
//		…
//	}
//
// The binaries come, in this order, from Options.BinDir, the environment
// variable COPILOT_POSTGRES_BIN, the npm package under lab/postgres (which
// "go tool mage setup" installs), PATH, and the usual places of a
// distribution's PostgreSQL. Version 15 is the oldest that is accepted.
package postgrestest
