package dsql

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

// days of one observation each 30 seconds are what the benchmarks read from.
const benchDays = 30

// record fills a store with the record of a cluster: assessments of 20 KB and
// the values of one signal at the cluster and at ten task queues.
func record(b *testing.B, store *Store, cluster string) {
	b.Helper()
	a := assessment(cluster, start, health.Happy)
	for i := range 40 {
		gate := a.Gates[0]
		gate.Scope = health.TaskQueueScope("default", fmt.Sprintf("queue-%d", i))
		gate.Finding = "Served 94 of 94 tasks a second over the last five minutes, the oldest waits for 0.2 s."
		a.Gates = append(a.Gates, gate)
	}
	document, err := json.Marshal(a)
	if err != nil {
		b.Fatal(err)
	}
	const rows = benchDays * 24 * 120
	for _, fill := range []struct {
		sql  string
		args []any
	}{
		{
			`INSERT INTO clusters (cluster_id, display, first_seen, last_seen, state, since, blind, version)
			VALUES ($1, $1, $2::timestamptz, $2::timestamptz + $3::int * interval '30 seconds', 'happy', $2::timestamptz, false, 1)`,
			[]any{cluster, start, rows},
		},
		{
			`INSERT INTO assessments
			SELECT $1, $2::timestamptz + n * interval '30 seconds', gen_random_uuid(), 'happy', 'happy', $2::timestamptz, 0.9, 1, false,
				'healthy', 'All is well.', '', $4
			FROM generate_series(0, $3::int) AS n`,
			[]any{cluster, start, rows, string(document)},
		},
		{
			`INSERT INTO state_spans
			SELECT $1, $2::timestamptz + n * interval '30 seconds', (ARRAY['happy', 'stressed'])[1 + (n / 600) % 2], false, NULL
			FROM generate_series(0, $3::int, 600) AS n`,
			[]any{cluster, start, rows},
		},
		{
			`INSERT INTO signal_samples
			SELECT $1, 'backlog_age_sec', 'cluster', $2::timestamptz + n * interval '30 seconds', 'cluster', '', '', '', '', n
			FROM generate_series(0, $3::int) AS n`,
			[]any{cluster, start, rows},
		},
		{
			`INSERT INTO signal_samples
			SELECT $1, 'backlog_age_sec', 'task_queue', $2::timestamptz + n * interval '30 seconds',
				'task_queue//default/queue-' || q || '/activity', 'default', 'queue-' || q, 'activity', '', n
			FROM generate_series(0, $3::int) AS n, generate_series(0, 9) AS q`,
			[]any{cluster, start, rows},
		},
	} {
		if _, err := store.pool.Exec(b.Context(), fill.sql, fill.args...); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := store.pool.Exec(b.Context(), "ANALYZE"); err != nil {
		b.Fatal(err)
	}
	b.Logf("an assessment is %d bytes", len(document))
}

// BenchmarkRecord measures what is asked of a store that holds 30 days.
func BenchmarkRecord(b *testing.B) {
	store := newStore(b)
	record(b, store, "prod")
	end := start.Add(benchDays * 24 * time.Hour)
	billing := health.TaskQueueScope("default", "queue-3").Of(health.ActivityTasks)
	signals := func(kind health.ScopeKind, scope *health.Scope, back time.Duration) func() error {
		return func() error {
			_, err := store.Signals(b.Context(), SignalQuery{
				Cluster: "prod", Signals: []health.SignalID{"backlog_age_sec"}, Kind: kind, Scope: scope, From: end.Add(-back), To: end,
			})
			return err
		}
	}
	late := 0
	for _, bench := range []struct {
		name string
		run  func() error
	}{
		{"Latest", func() error { _, err := store.Latest(b.Context(), "prod"); return err }},
		{"Timeline of a day", func() error { _, err := store.Timeline(b.Context(), "prod", end.Add(-24*time.Hour), end); return err }},
		{"Timeline of 30 days", func() error { _, err := store.Timeline(b.Context(), "prod", start, end); return err }},
		{"Signals of the cluster, 6 hours", signals("", nil, 6*time.Hour)},
		{"Signals of the cluster, 30 days", signals("", nil, benchDays*24*time.Hour)},
		{"Signals of ten task queues, 6 hours", signals(health.KindTaskQueue, nil, 6*time.Hour)},
		{"Signals of one task queue, 6 hours", signals("", &billing, 6*time.Hour)},
		{"Signals of ten task queues, 7 days", signals(health.KindTaskQueue, nil, 7*24*time.Hour)},
		{"Summaries, a page", func() error {
			_, err := store.AssessmentSummaries(b.Context(), AssessmentQuery{Cluster: "prod", Limit: 100})
			return err
		}},
		{"Save", func() error {
			late++
			at := end.Add(time.Duration(late) * 30 * time.Second)
			return store.Save(b.Context(), observation("prod", at, 1), assessment("prod", at, health.Happy))
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				if err := bench.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
