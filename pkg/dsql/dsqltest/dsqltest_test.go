package dsqltest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dsql/auth"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// config makes a connection configuration with a good token.
func config(t *testing.T, server *Server, role string) *pgx.ConnConfig {
	t.Helper()
	cfg, err := pgx.ParseConfig("postgres://" + role + "@" + server.Endpoint() + "/postgres?sslmode=verify-full&sslrootcert=" + url.QueryEscape(server.CAFile()))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Password = token(t, server, role, time.Minute, hostName, Region, server.Credentials())
	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	return cfg
}

func token(t *testing.T, server *Server, role string, valid time.Duration, host, region string, keys aws.CredentialsProvider) string {
	t.Helper()
	sign := auth.GenerateDbConnectAuthToken
	if role == Admin {
		sign = auth.GenerateDBConnectAdminAuthToken
	}
	signed, err := sign(t.Context(), host, region, keys, func(o *auth.TokenOptions) { o.ExpiresIn = valid })
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// dial connects as the administrator.
func dial(t *testing.T, server *Server) *pgx.Conn {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), config(t, server, Admin))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func must(t *testing.T, conn interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
}, sql string, args ...any,
) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// isError checks an error's SQLSTATE and a part of its text.
func isError(t *testing.T, what string, err error, code, says string) {
	t.Helper()
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != code || !strings.Contains(pgErr.Message, says) {
		t.Errorf("%s: %v; want SQLSTATE %s with %q", what, err, code, says)
	}
}

// withTable makes a stand-in with a table of three rows.
func withTable(t *testing.T, opts Options) (*Server, *pgx.Conn) {
	t.Helper()
	server := New(t, opts)
	conn := dial(t, server)
	must(t, conn, "CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL)")
	must(t, conn, "INSERT INTO accounts VALUES (1, 10), (2, 20), (3, 30)")
	return server, conn
}

func TestTheDoor(t *testing.T) {
	server := New(t, Options{})
	for name, test := range map[string]struct {
		change func(cfg *pgx.ConnConfig)
		code   string
		says   string
	}{
		"no token":          {func(cfg *pgx.ConnConfig) { cfg.Password = "hunter2" }, codeAccess, "not an IAM token"},
		"a token for admin": {func(cfg *pgx.ConnConfig) { cfg.User = User }, codeAccess, "this role needs DbConnect"},
		"an expired token": {func(cfg *pgx.ConnConfig) {
			cfg.Password = strings.Replace(cfg.Password, "X-Amz-Expires=60", "X-Amz-Expires=0", 1)
		}, codeAccess, "valid for"},
		"a changed token": {func(cfg *pgx.ConnConfig) {
			cfg.Password = strings.Replace(cfg.Password, "X-Amz-Expires=60", "X-Amz-Expires=61", 1)
		}, codeAccess, "signature"},
		"another host": {func(cfg *pgx.ConnConfig) {
			cfg.Password = token(t, server, Admin, time.Minute, "db.example.com", Region, server.Credentials())
		}, codeAccess, "is for db.example.com"},
		"another region": {func(cfg *pgx.ConnConfig) {
			cfg.Password = token(t, server, Admin, time.Minute, hostName, "us-east-1", server.Credentials())
		}, codeAccess, "credential"},
		"another account": {func(cfg *pgx.ConnConfig) {
			cfg.Password = token(t, server, Admin, time.Minute, hostName, Region, newKeys())
		}, codeAccess, "credential"},
		"an unknown setting":  {func(cfg *pgx.ConnConfig) { cfg.RuntimeParams["timezone"] = "Europe/Berlin" }, codeUnsupported, "timezone"},
		"an unknown database": {func(cfg *pgx.ConnConfig) { cfg.Database = "copilot" }, "3D000", "does not exist"},
		"no TLS":              {func(cfg *pgx.ConnConfig) { cfg.TLSConfig = nil }, codeAccess, "TLS is required"},
	} {
		cfg := config(t, server, Admin)
		test.change(cfg)
		conn, err := pgx.ConnectConfig(t.Context(), cfg)
		if err == nil {
			_ = conn.Close(t.Context())
		}
		isError(t, name, err, test.code, test.says)
	}
	var nobody x509.UnknownAuthorityError
	untrusting := config(t, server, Admin)
	untrusting.TLSConfig.RootCAs = x509.NewCertPool()
	if _, err := pgx.ConnectConfig(t.Context(), untrusting); !errors.As(err, &nobody) {
		t.Errorf("a client that does not trust the authority: %v", err)
	}
	nameless := config(t, server, Admin)
	nameless.TLSConfig = &tls.Config{InsecureSkipVerify: true} // sends no name
	if _, err := pgx.ConnectConfig(t.Context(), nameless); err == nil {
		t.Error("a client that does not say which server it wants was let in")
	}
	if pem, err := os.ReadFile(server.CAFile()); err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Errorf("the authority's file: %v", err)
	}

	late := New(t, Options{Clock: instant.Fixed(instant.System.Now().Add(2 * time.Minute))})
	_, err := pgx.ConnectConfig(t.Context(), config(t, late, Admin))
	isError(t, "a token of two minutes ago", err, codeAccess, "has expired")
	early := New(t, Options{Clock: instant.Fixed(instant.System.Now().Add(-time.Hour))})
	_, err = pgx.ConnectConfig(t.Context(), config(t, early, Admin))
	isError(t, "a token from the future", err, codeAccess, "in the future")
}

func TestConnectionLimits(t *testing.T) {
	few := New(t, Options{MaxConnections: 2})
	dial(t, few)
	dial(t, few)
	_, err := pgx.ConnectConfig(t.Context(), config(t, few, Admin))
	isError(t, "a third of two", err, codeTooMany, "too many open connections")

	clock := instant.NewManual(instant.System.Now())
	slow := New(t, Options{ConnectionBurst: 2, ConnectionRate: 10, Clock: clock})
	dial(t, slow)
	dial(t, slow)
	_, err = pgx.ConnectConfig(t.Context(), config(t, slow, Admin))
	isError(t, "a third at once", err, codeTooFast, "rate exceeded")
	clock.Advance(150 * time.Millisecond)
	dial(t, slow)
	if stats := slow.Stats(); stats.Connections != 3 || stats.Refused != 1 {
		t.Errorf("stats = %+v", stats)
	}

	// A slow machine may need that long to connect.
	brief := New(t, Options{Lifetime: time.Second})
	conn, err := pgx.ConnectConfig(t.Context(), config(t, brief, Admin))
	for watch := instant.StartStopwatch(); err == nil; _, err = conn.Exec(t.Context(), "SELECT 1") {
		if watch.Elapsed() > 30*time.Second {
			t.Fatal("a connection outlived its time by far")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestWhatIsRefused(t *testing.T) {
	_, conn := withTable(t, Options{})
	for _, sql := range []string{
		"TRUNCATE accounts",
		"SAVEPOINT a",
		"ROLLBACK TO SAVEPOINT a",
		"PREPARE TRANSACTION 'a'",
		"VACUUM accounts",
		"CREATE TEMP TABLE t (a int)",
		"CREATE UNLOGGED TABLE t (a int)",
		"CREATE TABLE t (a int) PARTITION BY RANGE (a)",
		"CREATE TABLE t PARTITION OF accounts DEFAULT",
		"CREATE TABLE t () INHERITS (accounts)",
		"CREATE TABLE t (a int[])",
		"CREATE TABLE t (a serial)",
		"CREATE TABLE t (a jsonb)",
		"CREATE TABLE t (a int REFERENCES accounts (id))",
		"CREATE TABLE t AS SELECT 1",
		"SELECT * INTO t FROM accounts",
		"CREATE TRIGGER t BEFORE INSERT ON accounts EXECUTE FUNCTION f()",
		"CREATE EXTENSION pg_trgm",
		"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
		"CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
		"DO 'BEGIN NULL; END'",
		"CREATE MATERIALIZED VIEW v AS SELECT 1",
		"LISTEN a", "NOTIFY a", "UNLISTEN a",
		"SELECT pg_notify('a', 'b')",
		"SELECT pg_advisory_lock(1)",
		"SELECT pg_try_advisory_xact_lock(1)",
		"LOCK TABLE accounts",
		"CREATE INDEX i ON accounts (balance)",
		"CREATE INDEX CONCURRENTLY i ON accounts (balance)",
		"CREATE INDEX ASYNC i ON accounts (balance DESC)",
		"CREATE INDEX ASYNC i ON accounts (balance) WHERE balance > 0",
		"CREATE INDEX ASYNC i ON accounts ((balance + 1))",
		"ALTER TABLE accounts DROP COLUMN balance",
		"ALTER TABLE accounts ADD COLUMN c text NOT NULL",
		"ALTER TABLE accounts ADD COLUMN c text DEFAULT 'x'",
		"ALTER TABLE accounts ADD COLUMN c text, ADD COLUMN d text",
		"COPY accounts TO STDOUT",
		"SET default_transaction_isolation = 'serializable'",
		"SET statement_timeout = 1",
		"BEGIN ISOLATION LEVEL READ COMMITTED",
		"BEGIN ISOLATION LEVEL SERIALIZABLE",
		"SELECT * FROM accounts FOR SHARE",
		"SELECT * FROM accounts FOR UPDATE NOWAIT",
		"SELECT * FROM accounts FOR UPDATE SKIP LOCKED",
		"MERGE INTO accounts a USING accounts b ON a.id = b.id WHEN MATCHED THEN DELETE",
		"INSERT INTO sys.jobs VALUES ('a')",
		"SELECT 1; SELECT 2",
	} {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec} {
			_, err := conn.Exec(t.Context(), sql, mode)
			isError(t, sql, err, codeUnsupported, "")
		}
	}
	_, err := conn.Exec(t.Context(), "SELEC 1")
	isError(t, "not SQL", err, codeSyntax, "syntax error")
	var isolation string
	if err := conn.QueryRow(t.Context(), "SHOW transaction_isolation").Scan(&isolation); err != nil || isolation != "repeatable read" {
		t.Errorf("isolation %q, %v", isolation, err)
	}
}

func TestWhatIsTaken(t *testing.T) {
	_, conn := withTable(t, Options{})
	for _, sql := range []string{
		"CREATE TABLE t (a int PRIMARY KEY, b text, c timestamptz, d double precision, e uuid, f boolean)",
		"ALTER TABLE t ADD COLUMN g text",
		"ALTER TABLE t ADD COLUMN IF NOT EXISTS g text",
		"ALTER TABLE t RENAME COLUMN g TO h",
		"CREATE VIEW v AS SELECT a FROM t",
		"DROP VIEW v",
		"DROP TABLE t",
		"CREATE SCHEMA s",
		"GRANT SELECT ON accounts TO " + User,
		"SET application_name = 'x'",
		"ANALYZE accounts",
		"EXPLAIN SELECT * FROM accounts",
		"SELECT id FROM accounts WHERE id = 1 FOR UPDATE",
		"UPDATE accounts SET balance = 1 WHERE id = 1",
		"DELETE FROM accounts WHERE id = 9",
		"",
	} {
		must(t, conn, sql)
	}
	ids, err := pgx.CollectRows(errorless(conn.Query(t.Context(), "SELECT id FROM accounts WHERE id = ANY($1::int[]) ORDER BY id", []int{1, 3})), pgx.RowTo[int])
	if err != nil || fmt.Sprint(ids) != "[1 3]" {
		t.Errorf("ids = %v, %v", ids, err)
	}
	batch := &pgx.Batch{}
	batch.Queue("UPDATE accounts SET balance = balance + $1 WHERE id = 2", 5)
	batch.Queue("SELECT balance FROM accounts WHERE id = $1", 2)
	results := conn.SendBatch(t.Context(), batch)
	if _, err := results.Exec(); err != nil {
		t.Error(err)
	}
	var balance int64
	if err := errors.Join(results.QueryRow().Scan(&balance), results.Close()); err != nil || balance != 25 {
		t.Errorf("after a batch: %d, %v", balance, err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT balance FROM accounts WHERE id = 7").Scan(&balance); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("no such row: %v", err)
	}
	_, err = conn.Exec(t.Context(), "SELECT 1/0")
	isError(t, "an error of PostgreSQL's", err, "22012", "division by zero")
	_, err = conn.Exec(t.Context(), "SELECT $1::int / 0", 1)
	isError(t, "the same in the extended protocol", err, "22012", "division by zero")
	must(t, conn, "SELECT 1")
}

func errorless(rows pgx.Rows, err error) pgx.Rows {
	if err != nil {
		panic(err)
	}
	return rows
}

func TestDDLStaysAlone(t *testing.T) {
	_, conn := withTable(t, Options{})
	for name, statements := range map[string][]string{
		"two of DDL":   {"CREATE TABLE a (i int)", "CREATE TABLE b (i int)"},
		"DDL and DML":  {"CREATE TABLE a (i int)", "INSERT INTO accounts VALUES (4, 40)"},
		"DML and DDL":  {"INSERT INTO accounts VALUES (4, 40)", "CREATE TABLE a (i int)"},
		"look and DDL": {"SELECT * FROM accounts", "CREATE TABLE a (i int)"},
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		must(t, tx, statements[0])
		_, err = tx.Exec(t.Context(), statements[1])
		isError(t, name, err, codeUnsupported, "ddl")
		_, err = tx.Exec(t.Context(), "SELECT 1")
		isError(t, name+", afterwards", err, codeAborted, "aborted")
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	must(t, tx, "CREATE TABLE a (i int)")
	if err := tx.Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTransactionLimits(t *testing.T) {
	_, conn := withTable(t, Options{MaxRows: 5, MaxBytes: 1000})
	const fill = "INSERT INTO accounts SELECT n, 0 FROM unnest($1::int[]) AS n"
	_, err := conn.Exec(t.Context(), fill, []int{11, 12, 13, 14, 15, 16})
	isError(t, "six rows of five", err, codeLimit, "row limit")
	must(t, conn, fill, []int{11, 12, 13})
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	must(t, tx, "UPDATE accounts SET balance = 1 WHERE id <= 3")
	_, err = tx.Exec(t.Context(), "DELETE FROM accounts WHERE id > 10")
	isError(t, "three and three", err, codeLimit, "row limit")
	if err := tx.Commit(t.Context()); !errors.Is(err, pgx.ErrTxCommitRollback) {
		t.Errorf("the commit of a failed transaction: %v", err)
	}
	_, err = conn.Exec(t.Context(), "UPDATE accounts SET balance = length($1) WHERE id = 1", strings.Repeat("x", 1000))
	isError(t, "1,000 bytes and more", err, codeLimit, "size limit")

	var count int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM accounts").Scan(&count); err != nil || count != 6 {
		t.Errorf("%d rows, %v", count, err)
	}

	// What comes before the commit has to be over in time, on a busy machine too.
	_, conn = withTable(t, Options{MaxDuration: 4 * time.Second})
	if tx, err = conn.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, tx, "UPDATE accounts SET balance = 7 WHERE id = 1")
	time.Sleep(4 * time.Second)
	isError(t, "too long", tx.Commit(t.Context()), codeLimit, "age limit")
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM accounts WHERE balance = 7").Scan(&count); err != nil || count != 0 {
		t.Errorf("%d rows changed by a transaction that was refused, %v", count, err)
	}
}

// Two transactions write the same row: both see their own work until the end,
// and the second one learns at its commit that it was too late.
func TestConflictsComeAtCommit(t *testing.T) {
	server, first := withTable(t, Options{})
	second := dial(t, server)
	for name, test := range map[string]struct {
		sql  string
		args []any
		sees int64 // the sum of balances afterwards, in the transaction
	}{
		"update": {"UPDATE accounts SET balance = balance + $1 WHERE id = 1", []any{1}, 61},
		"delete": {"DELETE FROM accounts WHERE id = $1", []any{1}, 50},
		"insert": {"INSERT INTO accounts VALUES ($1, 5)", []any{4}, 65},
		"upsert": {"INSERT INTO accounts VALUES ($1, 6) ON CONFLICT (id) DO UPDATE SET balance = 6", []any{4}, 66},
		"do nothing, simple protocol": {
			"INSERT INTO accounts VALUES (4, 7) ON CONFLICT (id) DO NOTHING", nil, 67,
		},
	} {
		for _, order := range []string{"other has committed", "other is under way"} {
			must(t, first, "DELETE FROM accounts WHERE id > 0")
			must(t, first, "INSERT INTO accounts VALUES (1, 10), (2, 20), (3, 30)")
			before := server.Stats()
			mine, err := second.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			if err := mine.QueryRow(t.Context(), "SELECT sum(balance)::bigint FROM accounts").Scan(&sum); err != nil || sum != 60 {
				t.Fatalf("%s: sum = %d, %v", name, sum, err)
			}
			others, err := first.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			must(t, others, "UPDATE accounts SET balance = 1000 WHERE id = 1")
			must(t, others, "INSERT INTO accounts VALUES (4, 4000)")
			if order == "other has committed" {
				if err := others.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			tag, err := mine.Exec(t.Context(), test.sql, test.args...)
			if err != nil || tag.RowsAffected() != 1 {
				t.Errorf("%s, %s: %v, %v; the conflict must not show yet", name, order, tag, err)
			}
			if err := mine.QueryRow(t.Context(), "SELECT sum(balance)::bigint FROM accounts").Scan(&sum); err != nil || sum != test.sees {
				t.Errorf("%s, %s: afterwards the sum is %d, %v; want %d", name, order, sum, err, test.sees)
			}
			must(t, mine, "UPDATE accounts SET balance = balance WHERE id = 2")
			isError(t, name+", "+order, mine.Commit(t.Context()), codeSerialization, "OC000")
			if order == "other is under way" {
				if err := others.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if err := second.QueryRow(t.Context(), "SELECT sum(balance)::bigint FROM accounts").Scan(&sum); err != nil || sum != 5050 {
				t.Errorf("%s, %s: in the end the sum is %d, %v; want the other's 5050", name, order, sum, err)
			}
			if after := server.Stats(); after.DataConflicts != before.DataConflicts+1 {
				t.Errorf("%s, %s: %d conflicts counted", name, order, after.DataConflicts-before.DataConflicts)
			}
		}
	}
}

func TestForUpdateOnlyMarks(t *testing.T) {
	server, first := withTable(t, Options{})
	second := dial(t, server)
	const look = "SELECT balance FROM accounts WHERE id = $1 FOR UPDATE"
	for _, changed := range []bool{false, true} {
		mine, err := first.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var balance int64
		if err := mine.QueryRow(t.Context(), look, 1).Scan(&balance); err != nil {
			t.Fatal(err)
		}
		if changed {
			// Nobody is kept waiting by the mark.
			must(t, second, "UPDATE accounts SET balance = balance + 1 WHERE id = 1")
		}
		must(t, mine, "UPDATE accounts SET balance = 0 WHERE id = 2")
		err = mine.Commit(t.Context())
		if changed {
			isError(t, "the marked row has changed", err, codeSerialization, "OC000")
		} else if err != nil {
			t.Errorf("the marked row is as it was: %v", err)
		}
	}
}

func TestTheSchemaChangesElsewhere(t *testing.T) {
	server, first := withTable(t, Options{})
	second := dial(t, server)
	must(t, second, "SELECT * FROM accounts")

	tx, err := second.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	must(t, tx, "UPDATE accounts SET balance = 1 WHERE id = 1")
	must(t, first, "CREATE TABLE other (i int)")
	isError(t, "at the commit", tx.Commit(t.Context()), codeSerialization, "OC001")
	must(t, second, "SELECT * FROM accounts")

	must(t, first, "DROP TABLE other")
	_, err = second.Exec(t.Context(), "SELECT * FROM accounts")
	isError(t, "at the next statement", err, codeSerialization, "OC001")
	must(t, second, "SELECT * FROM accounts")

	must(t, first, "CREATE TABLE IF NOT EXISTS accounts (id int)")
	must(t, second, "SELECT * FROM accounts")
}

func TestIndexesAreJobs(t *testing.T) {
	_, conn := withTable(t, Options{})
	for name, mode := range map[string]pgx.QueryExecMode{"i": pgx.QueryExecModeSimpleProtocol, "j": pgx.QueryExecModeCacheDescribe} {
		var job, status string
		if err := conn.QueryRow(t.Context(), "CREATE INDEX ASYNC "+name+" ON accounts (balance)", mode).Scan(&job); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), "SELECT status FROM sys.jobs WHERE job_id = $1", job).Scan(&status); err != nil || status != "completed" {
			t.Errorf("job %s is %s, %v", job, status, err)
		}
	}
	var indexes int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_indexes WHERE tablename = 'accounts'").Scan(&indexes); err != nil || indexes != 3 {
		t.Errorf("%d indexes, %v; want the key's and two more", indexes, err)
	}
}

func TestRoles(t *testing.T) {
	server, admin := withTable(t, Options{})
	user, err := pgx.ConnectConfig(t.Context(), config(t, server, User))
	if err != nil {
		t.Fatal(err)
	}
	defer user.Close(t.Context())
	_, err = user.Exec(t.Context(), "SELECT * FROM accounts")
	isError(t, "a role without rights", err, "42501", "permission denied")
	must(t, admin, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+User)
	_, err = user.Exec(t.Context(), "SELECT * FROM accounts")
	isError(t, "a grant changes the schema", err, codeSerialization, "OC001")
	must(t, user, "SELECT * FROM accounts")
	_, err = user.Exec(t.Context(), "CREATE TABLE t (i int)")
	isError(t, "a role that is not the administrator", err, "42501", "permission denied")
}

func TestReadOnlyTransactions(t *testing.T) {
	_, conn := withTable(t, Options{})
	err := pgx.BeginTxFunc(t.Context(), conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		must(t, tx, "SELECT * FROM accounts")
		_, err := tx.Exec(t.Context(), "DELETE FROM accounts")
		return err
	})
	isError(t, "a write", err, "25006", "read-only transaction")
}

func TestFaults(t *testing.T) {
	server, conn := withTable(t, Options{})
	server.Conflict(0.5, 42)
	failed, schema := 0, 0
	for range 100 {
		if _, err := conn.Exec(t.Context(), "UPDATE accounts SET balance = balance + 1 WHERE id = 1"); err != nil {
			failed++
			if strings.Contains(err.Error(), "OC001") {
				schema++
			} else {
				isError(t, "a made-up conflict", err, codeSerialization, "OC000")
			}
		}
	}
	server.Conflict(0, 1)
	var balance int64
	if err := conn.QueryRow(t.Context(), "SELECT balance FROM accounts WHERE id = 1").Scan(&balance); err != nil || int(balance) != 110-failed {
		t.Errorf("balance %d after %d of 100 failures, %v", balance, failed, err)
	}
	if failed < 30 || failed > 70 || schema == 0 || server.Stats().Injected != int64(failed) {
		t.Errorf("%d failures, %d of them of the schema, stats %+v", failed, schema, server.Stats())
	}

	server.LoseAnswers(1)
	if _, err := conn.Exec(t.Context(), "UPDATE accounts SET balance = 0 WHERE id = 1"); err == nil || !conn.IsClosed() {
		t.Errorf("a lost answer: %v", err)
	}
	server.LoseAnswers(0)
	conn = dial(t, server)
	if err := conn.QueryRow(t.Context(), "SELECT balance FROM accounts WHERE id = 1").Scan(&balance); err != nil || balance != 0 {
		t.Errorf("what was committed without an answer: %d, %v", balance, err)
	}

	server.Cut()
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("a connection outlived the outage")
	}
	if _, err := pgx.ConnectConfig(t.Context(), config(t, server, Admin)); err == nil {
		t.Error("a connection was let in during the outage")
	}
	server.Restore()
	must(t, dial(t, server), "SELECT 1")
}

// Many clients add to one account and try again when they lose: nothing is lost
// and nothing is done twice.
func TestNoUpdateIsLost(t *testing.T) {
	server, conn := withTable(t, Options{})
	const clients, additions = 4, 10
	var wg sync.WaitGroup
	for range clients {
		client := dial(t, server)
		wg.Go(func() {
			for done := 0; done < additions; {
				err := pgx.BeginFunc(t.Context(), client, func(tx pgx.Tx) error {
					var balance int64
					if err := tx.QueryRow(t.Context(), "SELECT balance FROM accounts WHERE id = 1").Scan(&balance); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), "UPDATE accounts SET balance = $1 WHERE id = 1", balance+1)
					return err
				})
				var pgErr *pgconn.PgError
				switch {
				case err == nil:
					done++
				case !errors.As(err, &pgErr) || pgErr.Code != codeSerialization:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	var balance int64
	if err := conn.QueryRow(t.Context(), "SELECT balance FROM accounts WHERE id = 1").Scan(&balance); err != nil || balance != 10+clients*additions {
		t.Errorf("balance %d, %v; want %d", balance, err, 10+clients*additions)
	}
}

// The stand-in, and the parser that it needs, are for tests alone.
func TestItIsInNoProgram(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../../../plugin", "../../../worker/cmd/copilot").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(output))
	if len(packages) < 100 {
		t.Fatalf("only %d packages; the list is not what it should be", len(packages))
	}
	for _, pkg := range packages {
		for _, forbidden := range []string{"copilot/pkg/dsql/dsqltest", "copilot/pkg/dsql/postgrestest", "go-pgquery", "wazero"} {
			if strings.Contains(pkg, forbidden) {
				t.Errorf("a program contains %s", pkg)
			}
		}
	}
}
