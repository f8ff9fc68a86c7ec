package dsql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql/dsqltest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// storeOn opens a store with the schema on a stand-in.
func storeOn(t *testing.T, server *dsqltest.Server, change ...func(*Config)) *Store {
	t.Helper()
	cfg := on(t, server)
	cfg.Admin = true
	admin := openAt(t, cfg)
	if _, err := admin.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	grant(t, admin)
	admin.Close()
	cfg.Admin = false
	for _, c := range change {
		c(&cfg)
	}
	return openAt(t, cfg)
}

// persist saves like a Temporal activity: again, for as long as the error says
// that it may pass.
func persist(ctx context.Context, store *Store, obs health.Observation, a health.Assessment) error {
	for try := 1; ; try++ {
		err := store.Save(ctx, obs, a)
		if err == nil || !Temporary(err) || try == 10 {
			return err
		}
	}
}

// Three of ten commits fail and one of ten loses its answer, while several
// writers save the same and different things: everything is there once.
func TestAConflictStormOnDSQL(t *testing.T) {
	server := dsqltest.New(t, dsqltest.Options{})
	store := storeOn(t, server)
	server.Conflict(0.3, 7)
	server.LoseAnswers(0.1)

	const ticks = 8
	clusters := []string{"dev", "prod"}
	var wg sync.WaitGroup
	for _, cluster := range clusters {
		for range 2 {
			wg.Go(func() {
				for i := range ticks {
					at := start.Add(time.Duration(i) * time.Minute)
					a := assessment(cluster, at, health.Happy)
					if i%2 == 1 {
						a = assessment(cluster, at, health.Stressed)
					}
					if i > 0 {
						a.Transition = &health.Transition{From: health.Happy, To: a.State, At: at, Gates: []string{"progress.served"}}
					}
					trouble := issue("billing", health.Stressed, 0)
					if i%2 == 1 {
						trouble.Severity = health.Critical
					}
					a.Issues = []health.Issue{trouble}
					if err := persist(t.Context(), store, observation(cluster, at, float64(i)), a); err != nil {
						t.Errorf("save %d of %s: %v", i, cluster, err)
					}
					words := health.Explanation{By: "a model", Summary: fmt.Sprint("Tick ", i)}
					for err := errConflict; err != nil; {
						if err = store.SaveExplanation(t.Context(), cluster, AssessmentID(cluster, at), words); err != nil && !Temporary(err) {
							t.Errorf("explain %d of %s: %v", i, cluster, err)
							return
						}
					}
				}
			})
		}
	}
	wg.Wait()
	server.Conflict(0, 1)
	server.LoseAnswers(0)

	want := map[string]int64{
		"schema_migrations": int64(len(steps)), "clusters": 2, "observations": 2 * ticks, "assessments": 2 * ticks,
		"signal_samples": 4 * 2 * ticks, "state_transitions": 2 * (ticks - 1), "state_spans": 2 * ticks, "issues": 2, "issue_changes": 2 * ticks,
	}
	for table, rows := range rowCounts(t, store) {
		if rows != want[table] {
			t.Errorf("%s has %d rows, want %d", table, rows, want[table])
		}
	}
	for _, cluster := range clusters {
		page, err := store.Assessments(t.Context(), AssessmentQuery{Cluster: cluster})
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range page.Assessments {
			if summary := fmt.Sprint("Tick ", ticks-1-i); a.Explanation.Summary != summary {
				t.Errorf("%s at %s: %q, want %q", cluster, a.At, a.Explanation.Summary, summary)
			}
		}
		if i, err := store.Issue(t.Context(), cluster, "billing"); err != nil || i.Openings != 1 || i.Severity != health.Critical {
			t.Errorf("issue of %s = %+v, %v", cluster, i, err)
		}
	}
	stats := server.Stats()
	if stats.Injected < 5 || stats.LostAnswers == 0 {
		t.Errorf("there was no storm: %+v", stats)
	}
	t.Logf("stats: %+v", stats)
}

func TestTheStoreIsAwayForAWhile(t *testing.T) {
	server := dsqltest.New(t, dsqltest.Options{})
	store := storeOn(t, server)
	save(t, store, "prod", 0, health.Happy)
	server.Cut()

	brief, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	at := start.Add(time.Minute)
	saved := store.Save(brief, observation("prod", at, 1), assessment("prod", at, health.Happy))
	_, read := store.Latest(t.Context(), "prod")
	for what, err := range map[string]error{"save": saved, "read": read} {
		if !Temporary(err) {
			t.Errorf("%s: %v is not an error that may pass", what, err)
		}
		isClear(t, what, err, server.Endpoint())
	}

	// It comes back while a save goes on trying.
	done := make(chan error)
	go func() {
		done <- persist(t.Context(), store, observation("prod", at, 1), assessment("prod", at, health.Happy))
	}()
	time.Sleep(200 * time.Millisecond)
	server.Restore()
	if err := <-done; err != nil {
		t.Errorf("after the outage: %v", err)
	}
	if rows := rowCounts(t, store); rows["assessments"] != 2 || rows["signal_samples"] != 8 {
		t.Errorf("rows = %v, want those of two ticks", rows)
	}
}

func TestEveryConnectionIsInUse(t *testing.T) {
	store := storeOn(t, dsqltest.New(t, dsqltest.Options{}), func(cfg *Config) { cfg.MaxConns = 1 })
	save(t, store, "prod", 0, health.Happy)
	held, err := store.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = store.Latest(brief, "prod")
	isClear(t, "nothing free", err, "all 1 connections", "in use")
	if !Temporary(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is not an error that may pass", err)
	}
	held.Release()
	if _, err := store.Latest(t.Context(), "prod"); err != nil {
		t.Errorf("after one was given back: %v", err)
	}
}

func TestDSQLLetsNobodyIn(t *testing.T) {
	full := dsqltest.New(t, dsqltest.Options{MaxConnections: 1})
	first := storeOn(t, full)
	save(t, first, "prod", 0, health.Happy)
	second := openAt(t, on(t, full))
	_, err := second.Latest(t.Context(), "prod")
	isClear(t, "too many", err, "too many open connections", "let fewer programs connect")
	if !Temporary(err) {
		t.Errorf("%v is not an error that may pass", err)
	}
	first.Close()
	for watch := instant.StartStopwatch(); Temporary(err) && watch.Elapsed() < time.Minute; {
		_, err = second.Latest(t.Context(), "prod")
	}
	if err != nil {
		t.Errorf("after the first had gone: %v", err)
	}

	cfg := on(t, dsqltest.New(t, dsqltest.Options{}))
	cfg.Credentials = numberedKeys()
	stranger := openAt(t, cfg)
	err = stranger.Ping(t.Context())
	isClear(t, "a stranger", err, "access denied", "dsql:DbConnect")
	if Temporary(err) {
		t.Errorf("%v does not pass by itself", err)
	}
}

// DSQL ends each connection after a while, whatever it is doing.
func TestConnectionsEnd(t *testing.T) {
	server := dsqltest.New(t, dsqltest.Options{Lifetime: 2 * time.Second})
	store := storeOn(t, server)
	before := server.Stats().Connections
	ticks := 0
	for watch := instant.StartStopwatch(); server.Stats().Connections < before+3 && watch.Elapsed() < time.Minute; ticks++ {
		at := start.Add(time.Duration(ticks) * time.Second)
		if err := persist(t.Context(), store, observation("prod", at, 1), assessment("prod", at, health.Happy)); err != nil {
			t.Fatal(err)
		}
	}
	if rows := rowCounts(t, store)["assessments"]; rows != int64(ticks) {
		t.Errorf("%d assessments of %d saves", rows, ticks)
	}
}

func TestReadOnlyOnDSQL(t *testing.T) {
	server := dsqltest.New(t, dsqltest.Options{})
	writer := storeOn(t, server)
	save(t, writer, "prod", 0, health.Happy)
	cfg := on(t, server)
	cfg.ReadOnly = true
	reader := openAt(t, cfg)
	for name, call := range everyMethod(t, reader) {
		err := call()
		switch name {
		case "Save", "RegisterCluster", "SaveExplanation", "Retain":
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("%s: %v", name, err)
			}
		default:
			if err != nil && !errors.Is(err, ErrNotFound) && !strings.Contains(err.Error(), "time range") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// The server holds to it, too.
	err := reader.read(t.Context(), "test", func(ctx context.Context, q querier) error {
		var id string
		return q.QueryRow(ctx, "DELETE FROM clusters RETURNING cluster_id").Scan(&id)
	})
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("the server let a read-only transaction write: %v", err)
	}
}

func TestTemporary(t *testing.T) {
	for err, want := range map[error]bool{
		&ConnectError{}:                                  true,
		&ConnectError{Refused: true}:                     false,
		fmt.Errorf("save: %w", context.DeadlineExceeded): true,
		fmt.Errorf("save: %w", context.Canceled):         false,
		errConflict:                                      true,
		ErrNotFound:                                      false,
		ErrReadOnly:                                      false,
		&InvalidError{Message: "no such thing"}:          false,
		&SchemaError{Kind: ErrNoSchema}:                  false,
	} {
		if got := Temporary(err); got != want {
			t.Errorf("Temporary(%v) = %v", err, got)
		}
	}
}
