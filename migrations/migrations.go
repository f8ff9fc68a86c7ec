// Package migrations holds the schema of the store as SQL files, in the order
// in which they are applied: 0001_….sql, 0002_….sql and so on.
//
// The rules for a file keep it acceptable to Aurora DSQL and safe to repeat:
//
//   - one file is one version and holds exactly one statement, because DSQL
//     takes one DDL statement a transaction;
//   - the statement changes nothing when it is run again (IF NOT EXISTS);
//   - a new column of a table has neither default nor constraint, because DSQL
//     takes none, and the program that came before goes on without it: it can
//     be null;
//   - no secondary index: each table's primary key is laid out for the queries
//     that read it, so neither CREATE INDEX (which DSQL has only as ASYNC) nor a
//     second copy of the data is needed;
//   - JSON is text; no serial, array, jsonb, foreign key, trigger, partition;
//   - cluster_id comes first in every key;
//   - a published file is never changed; a change is a new file.
//
// Package dsql applies them.
package migrations

import "embed"

// Files are the migrations.
//
//go:embed *.sql
var Files embed.FS
