// Package dsql is the store: observations, assessments, state transitions,
// issues and time series of every monitored cluster, in Aurora DSQL or, for
// development, in PostgreSQL. A [Store] is the only way to it.
//
// # What the database is held to
//
// Everything here works on Aurora DSQL and on PostgreSQL 15 or newer with the
// same statements: no secondary index, sequence, lock function, savepoint,
// jsonb or array column; parameters may be arrays. Transactions are snapshots
// (repeatable read), the only isolation that DSQL has, and stay below its
// limits of 3,000 rows and 10 MiB. Two writers that touch the same row
// therefore conflict, at the latest at commit; what lost is run again with
// exponential back-off and jitter (requirements R5.5 and R5.6).
//
// # What a caller can rely on
//
// [Store.Save] may be repeated: the key of everything that it writes is the
// cluster and the instant of the observation. A save that arrives late fills
// its place in the record and leaves newer facts alone. [Store.SaveExplanation]
// and [Store.Retain] may be repeated as well.
//
// Errors are one line and name the remedy. Those to look at with errors.Is and
// errors.As are [ErrNotFound], [ErrUnknownCluster], [ErrNoSchema],
// [ErrOldSchema], [ErrNewSchema], [ErrReadOnly], [ConnectError],
// [InvalidError] and [TooLargeError]; [Temporary] tells those that may pass by
// themselves. None of them contains a password.
//
// Opening a store does not connect, so that a program can start, and say what
// is wrong, while its database is away.
package dsql
