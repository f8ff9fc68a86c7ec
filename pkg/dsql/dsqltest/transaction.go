package dsqltest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// transaction is what is known of the transaction under way.
type transaction struct {
	// implicit: the client has not begun it, it ends with the statement.
	implicit bool
	// failed: a statement had an error, only an end is possible.
	failed bool
	// lost: another transaction was faster at a row, so the commit will fail.
	lost bool
	// copied are the tables that a copy stands for.
	copied []string
	// schemaChanges and statements count the DDL and the other statements.
	schemaChanges, statements int
	// changedSchema is set when a DDL statement found something to do.
	changedSchema bool
	// rows and bytes are what was changed or locked so far.
	rows, bytes int
	// wrote is set when rows were changed.
	wrote bool
	// schema is the version that the transaction began with.
	schema int64
	// locks take the FOR UPDATEs that the client has asked for.
	locks []func() (*reply, error)
	age   instant.Stopwatch
}

// ensure begins a transaction of one statement if none is under way.
func (s *session) ensure() error {
	if s.tx != nil {
		return nil
	}
	s.tx = &transaction{implicit: true, schema: s.schema, age: instant.StartStopwatch()}
	return s.up.do("BEGIN ISOLATION LEVEL REPEATABLE READ")
}

// endImplicit ends the transaction that a series of messages of the extended
// protocol made, as their Sync asks for.
func (s *session) endImplicit() error {
	if s.tx == nil || !s.tx.implicit {
		return nil
	}
	if s.tx.failed {
		return s.rollback()
	}
	response, err := s.commit()
	if response != nil {
		s.send(response)
	}
	return err
}

// control begins and ends transactions.
func (s *session) control(statement statement) (*pgproto3.ErrorResponse, error) {
	if statement.kind == begin {
		return s.begin(statement.readOnly)
	}
	tag := "ROLLBACK"
	if statement.kind == commit && s.tx != nil && !s.tx.failed {
		if response, err := s.commit(); response != nil || err != nil {
			return response, err
		}
		tag = "COMMIT"
	}
	s.send(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	return nil, s.rollback()
}

// begin begins a transaction that lasts until the client ends it.
func (s *session) begin(readOnly bool) (*pgproto3.ErrorResponse, error) {
	if s.tx != nil && s.tx.failed {
		return aborted(), nil
	}
	if err := s.ensure(); err != nil {
		return nil, err
	}
	s.tx.implicit = false
	s.send(&pgproto3.CommandComplete{CommandTag: []byte("BEGIN")})
	if !readOnly {
		return nil, nil
	}
	return nil, s.up.do("SET TRANSACTION READ ONLY")
}

// rollback undoes the transaction, if there is one.
func (s *session) rollback() error {
	if s.tx == nil {
		return nil
	}
	s.tx = nil
	return s.up.do("ROLLBACK")
}

// commit makes the transaction last, or says why it cannot. Either way it is
// over then.
func (s *session) commit() (*pgproto3.ErrorResponse, error) {
	tx := s.tx
	lock, unlock := s.server.schemaLock.RLock, s.server.schemaLock.RUnlock
	if tx.schemaChanges > 0 {
		lock, unlock = s.server.schemaLock.Lock, s.server.schemaLock.Unlock
	}
	lock()
	defer unlock()

	conflict, schema, lose := false, false, false
	if tx.wrote {
		conflict, schema, lose = s.server.chance()
	}
	response, err := s.checkCommit(tx)
	if err != nil {
		return nil, err
	}
	if response == nil && conflict {
		s.server.count(func(stats *Stats) { stats.Injected++ })
		response = dataConflict()
		if schema {
			response = schemaConflict()
		}
	}
	if response != nil {
		s.server.count(func(stats *Stats) {
			if strings.Contains(response.Message, "OC001") {
				stats.SchemaConflicts++
			} else if response.Code == codeSerialization {
				stats.DataConflicts++
			}
		})
		return response, s.rollback()
	}
	s.tx = nil
	if err := s.up.do("COMMIT"); err != nil {
		return nil, err
	}
	if tx.changedSchema {
		s.schema = s.server.schema.Add(1)
	}
	if tx.wrote {
		s.server.count(func(stats *Stats) { stats.Commits++ })
	}
	if lose {
		s.server.count(func(stats *Stats) { stats.LostAnswers++ })
		return nil, errEnd
	}
	return nil, nil
}

// checkCommit looks for what stands against a commit. The caller holds the
// schema's lock.
func (s *session) checkCommit(tx *transaction) (*pgproto3.ErrorResponse, error) {
	if tx.age.Elapsed() > s.server.opts.MaxDuration {
		return tooOld(s.server.opts), nil
	}
	if current := s.server.schema.Load(); current != tx.schema && tx.schemaChanges+tx.statements > 0 {
		s.schema = current
		return schemaConflict(), nil
	}
	if tx.lost {
		return dataConflict(), nil
	}
	for _, take := range tx.locks {
		answer, err := take()
		if err != nil {
			return nil, err
		}
		if answer.err != nil && conflicting(answer.err) {
			return dataConflict(), nil
		}
		if answer.err != nil {
			return answer.err, nil
		}
	}
	return nil, nil
}

func tooOld(opts Options) *pgproto3.ErrorResponse {
	return failure(codeLimit, "transaction age limit of %gs exceeded", opts.MaxDuration.Seconds())
}

// execute runs a statement in the transaction under way. run gives a text to
// PostgreSQL by the protocol that the client uses, with the same parameters. It
// returns the answer, or the error to tell the client.
func (s *session) execute(p *portal, run func(sql string) (*reply, error)) (*reply, *pgproto3.ErrorResponse, error) {
	tx := s.tx
	if tx.failed {
		return nil, aborted(), nil
	}
	if tx.age.Elapsed() > s.server.opts.MaxDuration {
		return nil, tooOld(s.server.opts), nil
	}
	if refused := tx.mix(p.statement); refused != nil {
		return nil, refused, nil
	}
	if p.touches || p.kind == ddl {
		if current := s.server.schema.Load(); current != s.schema {
			s.schema = current
			s.server.count(func(stats *Stats) { stats.SchemaConflicts++ })
			return nil, schemaConflict(), nil
		}
	}
	switch {
	case p.async:
		return s.createIndex(p)
	case p.kind == ddl:
		return s.alter(p, run)
	case p.kind == writing && !tx.implicit:
		return s.writeOptimistically(p, run)
	}
	answer, err := run(p.sql)
	if err != nil {
		return nil, nil, err
	}
	if answer.err != nil {
		if p.kind == writing && conflicting(answer.err) {
			s.server.count(func(stats *Stats) { stats.DataConflicts++ })
			return nil, dataConflict(), nil
		}
		return nil, answer.err, nil
	}
	if p.locking != "" {
		tx.locks = append(tx.locks, func() (*reply, error) { return run(p.locking) })
	}
	return answer, s.account(p, answer), nil
}

// mix counts a statement and refuses a second DDL statement, and DDL beside
// anything else.
func (tx *transaction) mix(statement statement) *pgproto3.ErrorResponse {
	switch {
	case statement.kind == ddl:
		tx.schemaChanges++
	case statement.touches:
		tx.statements++
	}
	switch {
	case tx.schemaChanges > 1:
		return refusal("multiple ddl statements are not supported in a transaction")
	case tx.schemaChanges > 0 && tx.statements > 0:
		return refusal("ddl and dml are not supported in the same transaction")
	}
	return nil
}

// account adds what a statement has changed or locked, and refuses too much.
func (s *session) account(p *portal, answer *reply) *pgproto3.ErrorResponse {
	tx, opts := s.tx, s.server.opts
	switch {
	case p.kind == writing:
		tx.wrote = true
		var rows int
		if _, err := fmt.Sscan(answer.tag[strings.LastIndexByte(answer.tag, ' ')+1:], &rows); err == nil {
			tx.rows += rows
		}
		tx.bytes += len(p.sql)
		for _, parameter := range p.bind.Parameters {
			tx.bytes += len(parameter)
		}
	case p.locking != "":
		tx.rows += answer.rows
	}
	switch {
	case tx.rows > opts.MaxRows:
		return failure(codeLimit, "transaction row limit exceeded")
	case tx.bytes > opts.MaxBytes:
		return failure(codeLimit, "transaction size limit %d bytes exceeded", opts.MaxBytes)
	}
	return nil
}

// writeOptimistically runs a write so that a conflict shows at the commit and
// not here.
func (s *session) writeOptimistically(p *portal, run func(sql string) (*reply, error)) (*reply, *pgproto3.ErrorResponse, error) {
	if err := s.up.do("SAVEPOINT before_write"); err != nil {
		return nil, nil, err
	}
	answer, err := run(p.sql)
	if err != nil {
		return nil, nil, err
	}
	// A duplicate key may be that of a row that came after the snapshot, which
	// on DSQL is in the way at the commit only.
	if answer.err != nil && (conflicting(answer.err) || answer.err.Code == codeUnique) {
		duplicate := answer.err.Code == codeUnique
		if err := s.up.do("ROLLBACK TO SAVEPOINT before_write"); err != nil {
			return nil, nil, err
		}
		if err := s.copyTable(p.target); err != nil {
			return nil, nil, err
		}
		if answer, err = run(p.sql); err != nil {
			return nil, nil, err
		}
		s.tx.lost = s.tx.lost || !duplicate || answer.err == nil
	}
	if answer.err != nil {
		return nil, answer.err, nil
	}
	if err := s.up.do("RELEASE SAVEPOINT before_write"); err != nil {
		return nil, nil, err
	}
	return answer, s.account(p, answer), nil
}

// copyTable puts a copy of a table, as this transaction sees it, in the table's
// place.
func (s *session) copyTable(name string) error {
	if slices.Contains(s.tx.copied, name) {
		return nil
	}
	s.tx.copied = append(s.tx.copied, name)
	table := quoted(name)
	err := s.up.do("CREATE TEMPORARY TABLE " + table + " (LIKE public." + table + " INCLUDING ALL) ON COMMIT DROP")
	if err != nil {
		return err
	}
	return s.up.do("INSERT INTO pg_temp." + table + " SELECT * FROM public." + table)
}

// alter runs a DDL statement.
func (s *session) alter(p *portal, run func(sql string) (*reply, error)) (*reply, *pgproto3.ErrorResponse, error) {
	answer, err := run(p.sql)
	if err != nil {
		return nil, nil, err
	}
	if answer.err != nil {
		if alteredMeanwhile(answer.err) {
			s.server.count(func(stats *Stats) { stats.SchemaConflicts++ })
			return nil, schemaConflict(), nil
		}
		return nil, answer.err, nil
	}
	s.tx.changedSchema = s.tx.changedSchema || !answer.skipped
	return answer, nil, nil
}

// jobColumn describes the answer of CREATE INDEX ASYNC.
var jobColumn = &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{
	{Name: []byte("job_id"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1},
}}

// createIndex builds an index at once and notes the job that DSQL would have
// made of it.
func (s *session) createIndex(p *portal) (*reply, *pgproto3.ErrorResponse, error) {
	built, response, err := s.alter(p, s.up.simple)
	if err != nil || response != nil {
		return nil, response, err
	}
	job := strings.ToLower(rand.Text())
	err = s.up.do("INSERT INTO sys.jobs VALUES ('" + job + "', 'completed', NULL, 'INDEX_BUILD', '" +
		strings.ReplaceAll(p.sql, "'", "''") + "')")
	if err != nil {
		return nil, nil, err
	}
	answer := &reply{complete: built.complete}
	err = answer.take(&pgproto3.DataRow{Values: [][]byte{[]byte(job)}})
	return answer, nil, err
}
