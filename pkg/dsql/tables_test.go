package dsql

import (
	"testing"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestTableCounts(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	counts, err := store.TableCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	rows, err := store.pool.Query(t.Context(), "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		there = append(there, name)
	}
	if rows.Err() != nil || len(there) != len(counts) {
		t.Errorf("%d tables are counted, there are %v (%v)", len(counts), there, rows.Err())
	}
	for _, c := range counts {
		if c.Estimated {
			t.Errorf("%s with %d rows is estimated", c.Name, c.Rows)
		}
	}
}

func TestBigTablesAreEstimated(t *testing.T) {
	store := newStore(t)
	_, err := store.pool.Exec(t.Context(), `
		INSERT INTO state_transitions (cluster_id, at, from_state, to_state, gates)
		SELECT 'prod', timestamptz '2026-01-01Z' + n * interval '1 minute', 'happy', 'stressed', '[]' FROM generate_series(1, 150000) AS n`)
	if err != nil {
		t.Fatal(err)
	}
	count := func() TableCount {
		counts, err := store.TableCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts {
			if c.Name == "state_transitions" {
				return c
			}
		}
		t.Fatal("state_transitions is not counted")
		return TableCount{}
	}
	if c := count(); !c.Estimated || c.Rows < 100_000 {
		t.Errorf("before the database has estimated it: %+v, want at least what was counted", c)
	}
	if _, err := store.pool.Exec(t.Context(), "ANALYZE state_transitions"); err != nil {
		t.Fatal(err)
	}
	if c := count(); !c.Estimated || c.Rows < 140_000 || c.Rows > 160_000 {
		t.Errorf("after: %+v, want about 150,000", c)
	}
}
