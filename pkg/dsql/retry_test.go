package dsql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestRetryable(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&pgconn.PgError{Code: "40001", Message: "change conflicts with another transaction (OC000)"}, true},
		{&pgconn.PgError{Code: "40001", Message: "schema has been updated by another transaction (OC001)"}, true},
		{&pgconn.PgError{Code: "XX000", Message: "schema has been updated by another transaction, please retry: (OC001)"}, true},
		{fmt.Errorf("commit: %w", &pgconn.PgError{Code: "40P01"}), true},
		{&pgconn.PgError{Code: "53300"}, true},
		{&pgconn.PgError{Code: "53400"}, true},
		{&pgconn.PgError{Code: "57P01"}, true},
		{&pgconn.PgError{Code: "08006"}, true},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{errConflict, true},
		{&pgconn.PgError{Code: "28P01"}, false},
		{&pgconn.PgError{Code: "42P01"}, false},
		{&pgconn.PgError{Code: "57014"}, false},
		{context.Canceled, false},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), false},
		{ErrNotFound, false},
	} {
		if got := retryable(test.err); got != test.want {
			t.Errorf("retryable(%v) = %v", test.err, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	policy := backoff{tries: 5, first: 8 * time.Millisecond, longest: 16 * time.Millisecond}
	conflict := &pgconn.PgError{Code: codeSerialization}

	runs := 0
	watch := instant.StartStopwatch()
	err := policy.do(t.Context(), func(context.Context) error { runs++; return conflict })
	if !errors.Is(err, conflict) || runs != 5 {
		t.Errorf("%d runs, %v", runs, err)
	}
	// At least half of 8, 16, 16 and 16 ms.
	if waited := watch.Elapsed(); waited < 28*time.Millisecond {
		t.Errorf("waited %v in all", waited)
	}

	runs = 0
	err = policy.do(t.Context(), func(context.Context) error {
		if runs++; runs < 3 {
			return conflict
		}
		return nil
	})
	if err != nil || runs != 3 {
		t.Errorf("%d runs, %v", runs, err)
	}

	runs = 0
	if err := policy.do(t.Context(), func(context.Context) error { runs++; return ErrNotFound }); !errors.Is(err, ErrNotFound) || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}

	runs = 0
	ctx, cancel := context.WithCancel(t.Context())
	slow := backoff{tries: 5, first: time.Hour, longest: time.Hour}
	err = slow.do(ctx, func(context.Context) error { runs++; cancel(); return conflict })
	if !errors.Is(err, conflict) || runs != 1 {
		t.Errorf("after the context ended: %d runs, %v", runs, err)
	}
}

// A write that loses a real conflict, on PostgreSQL at repeatable read, is run
// again on a new snapshot and takes the other one's work into account.
func TestAWriteThatLosesAConflictIsRunAgain(t *testing.T) {
	store := newStore(t)
	if err := store.RegisterCluster(t.Context(), "prod", "zero"); err != nil {
		t.Fatal(err)
	}
	var (
		runs     int
		versions []int64
		once     sync.Once
	)
	err := store.write(t.Context(), "test", func(ctx context.Context, tx pgx.Tx) error {
		runs++
		var version int64
		if err := tx.QueryRow(ctx, "SELECT version FROM clusters WHERE cluster_id = 'prod'").Scan(&version); err != nil {
			return err
		}
		versions = append(versions, version)
		once.Do(func() {
			// Somebody else commits between our read and our write.
			if err := store.RegisterCluster(ctx, "prod", "somebody else's"); err != nil {
				t.Error(err)
			}
		})
		_, err := tx.Exec(ctx, "UPDATE clusters SET version = version + 10 WHERE cluster_id = 'prod'")
		return err
	})
	if err != nil || runs != 2 || len(versions) != 2 || versions[1] != versions[0]+1 {
		t.Errorf("%d runs that saw versions %v, %v; want two, the second after the other's write", runs, versions, err)
	}
}

func TestSavesUnderAConflictStorm(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var storm sync.WaitGroup
	storm.Go(func() {
		for ctx.Err() == nil {
			_, err := store.pool.Exec(ctx, "UPDATE clusters SET version = version + 1 WHERE cluster_id = 'prod'")
			if err != nil && ctx.Err() == nil && !retryable(err) {
				t.Error(err)
			}
			time.Sleep(2 * time.Millisecond)
		}
	})
	for i := 1; i <= 20; i++ {
		save(t, store, "prod", time.Duration(i)*30*time.Second, health.Happy)
	}
	cancel()
	storm.Wait()
	if counts := rowCounts(t, store); counts["assessments"] != 21 || counts["state_spans"] != 1 {
		t.Errorf("rows = %v, want 21 assessments in one stretch", counts)
	}
}

// The database may end every connection, as it does when it is restarted or
// fails over.
func TestSavesWhileConnectionsAreCut(t *testing.T) {
	store := newStore(t)
	for i := range 10 {
		save(t, store, "prod", time.Duration(i)*30*time.Second, health.Happy)
		other, err := pgx.ConnectConfig(t.Context(), store.pool.Config().ConnConfig.Copy())
		if err != nil {
			t.Fatal(err)
		}
		_, err = other.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if counts := rowCounts(t, store); counts["assessments"] != 10 || counts["signal_samples"] != 40 {
		t.Errorf("rows = %v", counts)
	}
}
