package proxy

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// join encodes messages one behind the other.
func join(messages ...pgproto3.Message) []byte {
	var all []byte
	for _, message := range messages {
		all = append(all, encoded(message)...)
	}
	return all
}

func TestConversation(t *testing.T) {
	startup := &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "lab"}}
	ready := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	commit, rollback := &pgproto3.Query{String: "commit"}, &pgproto3.Query{String: "rollback"}
	committed := &pgproto3.CommandComplete{CommandTag: []byte("COMMIT")}
	rolledBack := &pgproto3.CommandComplete{CommandTag: []byte("ROLLBACK")}
	long := &pgproto3.Query{String: "update shards set range_id = 1 where shard_id = 1; commit"}
	fails, holds := true, false

	type exchange struct{ ask, asked, answer, answered []byte }
	begin := exchange{ask: join(startup), asked: join(startup), answer: join(&pgproto3.AuthenticationOk{}, ready), answered: join(&pgproto3.AuthenticationOk{}, ready)}
	same := func(ask, answer []byte) exchange { return exchange{ask, ask, answer, answer} }
	for name, c := range map[string]struct {
		fail      bool
		exchanges []exchange
	}{
		"a commit fails":             {fails, []exchange{begin, {join(commit), join(rollback), join(rolledBack, ready), join(&conflict, ready)}}},
		"with a notice":              {fails, []exchange{begin, {join(commit), join(rollback), join(&pgproto3.NoticeResponse{}, rolledBack, ready), join(&pgproto3.NoticeResponse{}, &conflict, ready)}}},
		"in capitals":                {fails, []exchange{begin, {join(&pgproto3.Query{String: "COMMIT;"}), join(rollback), join(rolledBack, ready), join(&conflict, ready)}}},
		"none fails":                 {holds, []exchange{begin, same(join(commit), join(committed, ready))}},
		"other queries":              {fails, []exchange{begin, same(join(&pgproto3.Query{String: "begin"}), join(&pgproto3.CommandComplete{CommandTag: []byte("BEGIN")}, ready))}},
		"what only ends with commit": {fails, []exchange{begin, same(join(long), join(committed, ready))}},
		"behind an extended query": {fails, []exchange{begin, {
			join(&pgproto3.Parse{Query: "select 1"}, &pgproto3.Execute{}, &pgproto3.Sync{}, commit),
			join(&pgproto3.Parse{Query: "select 1"}, &pgproto3.Execute{}, &pgproto3.Sync{}, rollback),
			join(&pgproto3.ParseComplete{}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, ready, rolledBack, ready),
			join(&pgproto3.ParseComplete{}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, ready, &conflict, ready),
		}}},
		"after encryption was declined": {fails, []exchange{
			same(join(&pgproto3.SSLRequest{}), []byte("N")), begin, {join(commit), join(rollback), join(rolledBack, ready), join(&conflict, ready)},
		}},
		"encrypted": {fails, []exchange{same(join(&pgproto3.SSLRequest{}), []byte("S")), same(join(startup, commit), join(committed, ready))}},
	} {
		for _, size := range []int{1, 3, 1000} {
			talk := newConversation(func() bool { return c.fail })
			for i, e := range c.exchanges {
				if got := inPieces(e.ask, size, talk.fromClient); !bytes.Equal(got, e.asked) {
					t.Errorf("%s, %d in pieces of %d: the server gets %q, want %q", name, i, size, got, e.asked)
				}
				if got := inPieces(e.answer, size, talk.fromServer); !bytes.Equal(got, e.answered) {
					t.Errorf("%s, %d in pieces of %d: the client gets %q, want %q", name, i, size, got, e.answered)
				}
			}
		}
	}
}

func inPieces(data []byte, size int, through func([]byte) []byte) []byte {
	var out []byte
	for len(data) > 0 {
		n := min(size, len(data))
		out = append(out, through(data[:n])...)
		data = data[n:]
	}
	return out
}

// behindProxy returns a database that is reached through a proxy.
func behindProxy(t *testing.T) (*Proxy, *sql.DB) {
	t.Helper()
	address, err := url.Parse(postgrestest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	p, err := ListenPostgres(t.Context(), "127.0.0.1:0", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	address.Host = p.Address()
	db, err := sql.Open("pgx", address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return p, db
}

// A real database stores nothing of what the client was told has failed, and
// all of the rest.
func TestConflictsOfARealDatabase(t *testing.T) {
	p, db := behindProxy(t)
	if _, err := db.ExecContext(t.Context(), "create table work (id int primary key)"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		share     float64
		low, high int // of 100 transactions
	}{
		{0, 0, 0},
		{0.3, 15, 45},
		{1, 100, 100},
		{0, 0, 0},
	} {
		p.Disturb(Disturbance{Conflicts: c.share})
		failed := 0
		for range 100 {
			if err := insert(t.Context(), db); err != nil {
				var conflict *pgconn.PgError
				if !errors.As(err, &conflict) || conflict.Code != "40001" {
					t.Fatalf("error is %v, want SQLSTATE 40001", err)
				}
				failed++
			}
		}
		if failed < c.low || failed > c.high {
			t.Errorf("%d of 100 commits failed, want %d to %d", failed, c.low, c.high)
		}
		// A statement outside of a transaction is not one that fails.
		var stored int
		if err := db.QueryRowContext(t.Context(), "with gone as (delete from work returning id) select count(*) from gone").Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if stored != 100-failed {
			t.Errorf("%d rows are stored after %d of 100 commits failed", stored, failed)
		}
	}
}

func insert(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "insert into work select coalesce(max(id), 0) + 1 from work"); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
