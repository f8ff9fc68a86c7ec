package dsql

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// backoff says how often and after which pauses something is tried again.
type backoff struct {
	// tries is the number of runs in all, the first included.
	tries int
	// first is the pause after the first failure; each further one is twice
	// as long, up to longest.
	first, longest time.Duration
}

// A writer meets other writers of the same cluster, each of which holds its row
// for some milliseconds; eight tries outlast a dozen of them, and a database
// that changes its primary. A reader meets nobody.
var (
	writeRetry = backoff{tries: 8, first: 20 * time.Millisecond, longest: 2 * time.Second}
	readRetry  = backoff{tries: 3, first: 50 * time.Millisecond, longest: 500 * time.Millisecond}
)

// do runs op until it succeeds, fails for good, has been tried often enough, or
// ctx ends. It returns the error of op's last run.
func (b backoff) do(ctx context.Context, op func(context.Context) error) error {
	pause := b.first
	for try := 1; ; try++ {
		err := op(ctx)
		if err == nil || try >= b.tries || !retryable(err) {
			return err
		}
		// Half of the pause is left to chance: writers that collided once
		// must not meet again.
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		pause = min(2*pause, b.longest)
	}
}

// retryable tells whether the same call may succeed a moment later: it lost a
// conflict (SQLSTATE 40001, with OC000 for data and OC001 for schema on DSQL),
// or its connection.
func retryable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if errors.Is(err, errConflict) {
		return true
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return pgconn.SafeToRetry(err) || isNetwork(err)
	}
	switch pgErr.Code {
	case codeSerialization, codeDeadlock,
		codeTooManyConns, codeTooFastConns, codeCannotConnectNow, codeAdminShutdown, codeCrashShutdown:
		return true
	}
	return strings.HasPrefix(pgErr.Code, classConnection) ||
		strings.Contains(pgErr.Message, "OC000") || strings.Contains(pgErr.Message, "OC001")
}

// errConflict reports that a row has another version than the one that was
// read: somebody else has written it since.
var errConflict = errors.New("another writer was faster")
