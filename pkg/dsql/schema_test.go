package dsql

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestMigrateTwice(t *testing.T) {
	store := openAt(t, newDatabase(t))
	first, err := store.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(steps) || first[0] != "0001_schema_migrations" {
		t.Errorf("applied %v", first)
	}
	second, err := store.Migrate(t.Context())
	if err != nil || len(second) != 0 {
		t.Errorf("the second time: applied %v, %v", second, err)
	}
	status, err := store.Schema(t.Context())
	if err != nil || status != (SchemaStatus{Current: len(steps), Wanted: len(steps), Known: true}) || status.Err() != nil {
		t.Errorf("schema = %+v (%v), %v", status, status.Err(), err)
	}
}

func TestMigrateByManyAtOnce(t *testing.T) {
	cfg := newDatabase(t)
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		applied []string
	)
	for range 6 {
		store := openAt(t, cfg)
		wg.Go(func() {
			names, err := store.Migrate(t.Context())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			applied = append(applied, names...)
		})
	}
	wg.Wait()
	slices.Sort(applied)
	var want []string
	for _, step := range steps {
		want = append(want, step.name)
	}
	equal(t, "applied, each by one of the six", applied, want)
	save(t, openAt(t, cfg), "prod", 0, health.Happy)
}

// A setup can end between any two of its statements.
func TestMigrateAfterACrash(t *testing.T) {
	for done := range len(steps) {
		for _, noted := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d noted %v", done+1, noted), func(t *testing.T) {
				store := openAt(t, newDatabase(t))
				for _, step := range steps[:done] {
					if _, err := store.apply(t.Context(), step); err != nil {
						t.Fatal(err)
					}
				}
				current := done
				if noted {
					if _, err := store.apply(t.Context(), steps[done]); err != nil {
						t.Fatal(err)
					}
					current++
				} else if _, err := store.pool.Exec(t.Context(), steps[done].statement); err != nil {
					t.Fatal(err)
				}

				status, err := store.Schema(t.Context())
				if err != nil || status.Current != current {
					t.Errorf("schema = %+v, %v; want version %d", status, err, current)
				}
				if current < len(steps) {
					want := ErrOldSchema
					if current == 0 {
						want = ErrNoSchema
					}
					err := store.Save(t.Context(), observation("prod", start, 1), assessment("prod", start, health.Happy))
					if !errors.Is(err, want) || !strings.Contains(err.Error(), "run: copilot db setup-schema") {
						t.Errorf("save on a half-made schema: %v", err)
					}
				}
				if _, err := store.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				save(t, store, "prod", 0, health.Happy)
			})
		}
	}
}

// A record that an older program made, with the schema of its time, is all
// there after the schema was brought up to date.
func TestAnOlderSchemaKeepsItsRecord(t *testing.T) {
	const first = 8 // the first schema that a record could be kept in
	for version := first; version <= len(steps); version++ {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			store := openAt(t, newDatabase(t))
			for _, step := range steps[:version] {
				if _, err := store.apply(t.Context(), step); err != nil {
					t.Fatal(err)
				}
			}
			document := func(v any) string {
				text, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
			a, trouble := assessment("prod", start, health.Stressed), issue("billing", health.Stressed, 0)
			for _, row := range []struct {
				sql  string
				args []any
			}{
				{"INSERT INTO clusters VALUES ('prod', 'Production', $1, $1, 'stressed', $1, false, 1)", []any{start}},
				{"INSERT INTO observations VALUES ('prod', $1, 4, 2, 6, '', $2)", []any{start, document(observation("prod", start, 1))}},
				{
					`INSERT INTO assessments (cluster_id, observed_at, id, state, raw_state, confidence, coverage, blind, bottleneck, summary, omitted, payload)
					VALUES ('prod', $1, $2::text::uuid, 'stressed', 'stressed', 1, 1, false, 'healthy', 'As it was.', '', $3)`,
					[]any{start, AssessmentID("prod", start), document(a)},
				},
				{"INSERT INTO state_transitions (cluster_id, at, from_state, to_state, gates) VALUES ('prod', $1, 'happy', 'stressed', '[\"a\"]')", []any{start}},
				{"INSERT INTO state_spans VALUES ('prod', $1, 'stressed', false, NULL)", []any{start}},
				{
					`INSERT INTO issues VALUES ('prod', 'billing', 'stressed', 'open', 'task_queue', '', '', $1, $1, NULL, 1, 1, $2)`,
					[]any{start, document(trouble)},
				},
			} {
				if _, err := store.pool.Exec(t.Context(), row.sql, row.args...); err != nil {
					t.Fatalf("%s: %v", row.sql, err)
				}
			}
			if _, err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := store.Latest(t.Context(), "prod"); err != nil || !reflect.DeepEqual(got, a) {
				t.Errorf("assessment = %+v, %v", got, err)
			}
			changes, err := store.StateChanges(t.Context(), RangeQuery{Cluster: "prod"})
			if err != nil || len(changes.Changes) != 1 || len(changes.Changes[0].Evidence) != 0 || changes.Changes[0].Gates[0] != "a" {
				t.Errorf("changes of state = %+v, %v", changes, err)
			}
			if err := store.SaveExplanation(t.Context(), "prod", AssessmentID("prod", start), health.Explanation{By: "a model"}); err != nil {
				t.Errorf("explain an old assessment: %v", err)
			}
			save(t, store, "prod", time.Minute, health.Stressed, with(resolved(trouble, time.Minute)))
			history, err := store.IssueHistory(t.Context(), "billing", RangeQuery{Cluster: "prod"})
			if err != nil || len(history.Changes) != 1 || history.Changes[0].Event != IssueResolved {
				t.Errorf("history = %+v, %v", history, err)
			}
		})
	}
}

func TestEveryMethodNamesTheMissingSchema(t *testing.T) {
	store := openAt(t, newDatabase(t))
	for name, call := range everyMethod(t, store) {
		err := call()
		var schema *SchemaError
		if !errors.Is(err, ErrNoSchema) || !errors.As(err, &schema) || schema.Status.Wanted != len(steps) || schema.Status.Current != 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, "run: copilot db setup-schema") || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// The schema may disappear while the program runs.
func TestASchemaThatIsGone(t *testing.T) {
	store, admin := newStores(t)
	save(t, store, "prod", 0, health.Happy)
	if _, err := admin.pool.Exec(t.Context(), "DROP TABLE assessments"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Latest(t.Context(), "prod"); !errors.Is(err, ErrNoSchema) {
		t.Errorf("without the table: %v", err)
	}
	if _, err := admin.pool.Exec(t.Context(), "ALTER TABLE clusters RENAME COLUMN blind TO sight"); err != nil {
		t.Fatal(err)
	}
	_, err := store.Clusters(t.Context())
	if !errors.Is(err, ErrOldSchema) {
		t.Errorf("without the column: %v", err)
	}
	isClear(t, "without the column", err, `column "blind" does not exist`, "run: copilot db setup-schema")
}

func TestANewerSchemaIsRefused(t *testing.T) {
	store := newStore(t)
	running := newStore(t)
	for _, s := range []*Store{store, running} {
		if s == running {
			save(t, s, "prod", 0, health.Happy)
		}
		_, err := s.pool.Exec(t.Context(), "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, 'from the future', now())", len(steps)+1)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Latest(t.Context(), "prod"); !errors.Is(err, ErrNewSchema) || !strings.Contains(err.Error(), "upgrade copilot") {
		t.Errorf("read: %v", err)
	}
	if _, err := store.Migrate(t.Context()); !errors.Is(err, ErrNewSchema) {
		t.Errorf("migrate: %v", err)
	}
	if status, err := store.Schema(t.Context()); err != nil || status.Known || !errors.Is(status.Err(), ErrNewSchema) {
		t.Errorf("schema = %+v, %v", status, err)
	}
	if _, err := running.Latest(t.Context(), "prod"); err != nil {
		t.Errorf("a program that was running before the upgrade: %v", err)
	}
}

func TestMigrationsAreNumberedWithoutGaps(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"gap":       {"0001_a.sql": {}, "0003_b.sql": {}},
		"twice":     {"0001_a.sql": {}, "0001_b.sql": {}},
		"no number": {"first.sql": {}},
	} {
		if loaded, err := load(files); err == nil {
			t.Errorf("%s: loaded %v", name, loaded)
		}
	}
}
