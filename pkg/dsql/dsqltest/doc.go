// Package dsqltest is a stand-in for Aurora DSQL in tests. It listens like a
// DSQL cluster, holds its clients to DSQL's rules, and lets a real PostgreSQL
// (see package postgrestest) do the work behind it. What passes here may still
// fail on DSQL; what fails here would fail there.
//
// # What it holds clients to
//
//   - The door: TLS with the server's name in the handshake, and an IAM token
//     as password, signed for this host, region and action (DbConnect, or
//     DbConnectAdmin for admin) and not expired; the signature is verified. No
//     startup setting beside application_name and client_encoding.
//   - Connections: 10,000 at once (53300), 100 new ones a second after a burst
//     of 1,000 (53400), each ended after 60 minutes.
//   - SQL: what DSQL has no support for is refused with 0A000, see rules.go.
//     One DDL statement a transaction, none beside other statements.
//     CREATE INDEX only as ASYNC, which answers a job that sys.jobs lists.
//   - Isolation: repeatable read, no other.
//   - A transaction changes or locks at most 3,000 rows and 10 MiB and lasts at
//     most 5 minutes (54000).
//   - Conflicts come at commit, with 40001: OC000 for rows that another
//     transaction wrote first, OC001 when another session has changed the
//     schema since this one looked at it.
//
// # How conflicts are moved to the commit
//
// PostgreSQL locks rows and tells of a conflict at the statement. Here FOR
// UPDATE is taken out of a query and done at the commit, where it fails if the
// row has changed. A write runs under a savepoint; when it meets another's
// lock or version, it is undone, its table is copied from the transaction's own
// snapshot into a temporary table of the same name, and the write is run on
// the copy. The client so sees what it would see on DSQL, and the transaction
// is lost at its commit. A lock that is held for longer than lockWait counts as
// a conflict although its holder may still fail, which DSQL would forgive.
//
// # What it cannot tell
//
// It does not know the sizes of keys, rows and columns, counts the bytes of a
// write by its text and parameters, takes FOR UPDATE without the whole key,
// takes one statement a message and no COPY, and builds an index at once. Two
// transactions that only lock the same row do not conflict. Speed is
// PostgreSQL's.
//
// # Faults
//
// A [Server] also makes trouble to order: a share of the commits that conflict,
// a share whose answer is lost, and an outage.
package dsqltest
