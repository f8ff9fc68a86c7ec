package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// viewers are how many people look at the dashboard at once.
const viewers = 100

// BenchmarkInsights has a hundred viewers refresh the whole of Copilot Insights
// at the same time, right after a new assessment, so that nothing is remembered.
// It prints how long a panel takes, and the ratio to the bare SQL for the newest
// assessment, asked by as many at once over as many connections in the same run.
//
// COPILOT_BENCH_DAYS is how many days of assessments and signals the store
// holds; it is one if unset.
func BenchmarkInsights(b *testing.B) {
	days := 1
	if text := os.Getenv("COPILOT_BENCH_DAYS"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil {
			b.Fatalf("COPILOT_BENCH_DAYS is %q: write a number of days", text)
		}
	}
	url := postgrestest.NewDatabase(b)
	st, last := fillDays(b, url, days)
	cfg := dsql.Config{URL: url, ReadOnly: true, MinConns: -1}
	var reads atomic.Int64
	s := newSource(nil, instant.System, func(ctx context.Context) (store, error) {
		opened, err := dsql.Open(ctx, cfg)
		return countingStore{opened, &reads}, err
	})
	defer s.Dispose()
	reader, err := s.open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	pool, err := pgxpool.New(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()

	insights := dashboards(b)["copilot-insights"]
	var panels, refreshes, bare []time.Duration
	slowest := map[string]time.Duration{}
	// Connections are there already when somebody looks at a dashboard.
	if _, err := refresh(b.Context(), s, &insights, last); err != nil {
		b.Fatal(err)
	}
	reads.Store(0)
	for b.Loop() {
		last = last.Add(30 * time.Second)
		if err := st.Save(b.Context(), health.Observation{Cluster: "prod", At: last, Measurements: []health.Measurement{}}, large(last)); err != nil {
			b.Fatal(err)
		}
		forget(reader)
		took := atOnce(b, func() ([]time.Duration, error) { return refresh(b.Context(), s, &insights, last) })
		for _, viewer := range took {
			for i, panel := range viewer {
				slowest[insights.Panels[i].Title] = max(slowest[insights.Panels[i].Title], panel)
			}
			panels = append(panels, viewer...)
			var sum time.Duration
			for _, panel := range viewer {
				sum += panel
			}
			refreshes = append(refreshes, sum)
		}
		for _, viewer := range atOnce(b, func() ([]time.Duration, error) { return bareSQL(b.Context(), pool, len(insights.Panels)) }) {
			bare = append(bare, viewer...)
		}
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(percentile(panels, 50)), "panel-p50-ms")
	b.ReportMetric(ms(percentile(panels, 99)), "panel-p99-ms")
	b.ReportMetric(ms(percentile(refreshes, 99)), "dashboard-p99-ms")
	b.ReportMetric(ms(percentile(bare, 99)), "sql-p99-ms")
	b.ReportMetric(float64(percentile(panels, 99))/float64(percentile(bare, 99)), "p99-ratio")
	b.ReportMetric(float64(len(panels))/float64(reads.Load()), "panels/read")
	b.Logf("the slowest request of each panel: %v", slowest)
	b.Logf("%d days; %d viewers: a panel p50 %.1f ms, p99 %.1f ms; bare SQL p99 %.1f ms; ratio %.2f; %d panels cost %d reads",
		days, viewers, ms(percentile(panels, 50)), ms(percentile(panels, 99)), ms(percentile(bare, 99)),
		float64(percentile(panels, 99))/float64(percentile(bare, 99)), len(panels), reads.Load())
}

// forget makes a data source ask the store again for everything.
func forget(s *shared) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.verdicts)
	clear(s.answers)
	s.points = 0
}

// atOnce has every viewer do the same at the same time.
func atOnce(b *testing.B, do func() ([]time.Duration, error)) [][]time.Duration {
	b.Helper()
	took := make([][]time.Duration, viewers)
	var all sync.WaitGroup
	for i := range viewers {
		all.Go(func() {
			var err error
			if took[i], err = do(); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	return took
}

// refresh asks what a browser asks for a dashboard: one request a panel.
func refresh(ctx context.Context, s *source, d *provisionedDashboard, now instant.Instant) ([]time.Duration, error) {
	took := make([]time.Duration, 0, len(d.Panels))
	for _, p := range d.Panels {
		one := provisionedDashboard{Panels: []dashboardPanel{p}}
		req := &backend.QueryDataRequest{Headers: map[string]string{}}
		for _, fields := range one.copilotQueries() {
			text, err := json.Marshal(fields)
			if err != nil {
				return nil, err
			}
			req.Queries = append(req.Queries, backend.DataQuery{
				RefID: fields["refId"].(string), QueryType: fields["queryType"].(string), MaxDataPoints: 1000, JSON: text,
				TimeRange: backend.TimeRange{From: now.Add(-6 * time.Hour).Time(), To: now.Add(time.Second).Time()},
			})
		}
		watch := instant.StartStopwatch()
		response, err := s.QueryData(ctx, req)
		took = append(took, watch.Elapsed())
		if err != nil {
			return nil, err
		}
		for _, answer := range response.Responses {
			if answer.Error != nil {
				return nil, answer.Error
			}
		}
	}
	return took, nil
}

// bareSQL reads the newest assessment and nothing else, so often.
func bareSQL(ctx context.Context, pool *pgxpool.Pool, times int) ([]time.Duration, error) {
	took := make([]time.Duration, times)
	for i := range took {
		watch := instant.StartStopwatch()
		var document string
		if err := pool.QueryRow(ctx, `SELECT payload FROM assessments WHERE cluster_id = 'prod' ORDER BY observed_at DESC LIMIT 1`).Scan(&document); err != nil {
			return nil, err
		}
		took[i] = watch.Elapsed()
	}
	return took, nil
}

// countingStore counts what is really read.
type countingStore struct {
	store
	reads *atomic.Int64
}

func (c countingStore) Newest(ctx context.Context, cluster string) (dsql.Newest, error) {
	c.reads.Add(1)
	return c.store.Newest(ctx, cluster)
}

func (c countingStore) Assessment(ctx context.Context, cluster string, at instant.Instant) (health.Assessment, error) {
	c.reads.Add(1)
	return c.store.Assessment(ctx, cluster, at)
}

func (c countingStore) Timeline(ctx context.Context, cluster string, from, to instant.Instant) ([]dsql.Interval, error) {
	c.reads.Add(1)
	return c.store.Timeline(ctx, cluster, from, to)
}

func (c countingStore) StateChanges(ctx context.Context, query dsql.RangeQuery) (dsql.StateChangePage, error) {
	c.reads.Add(1)
	return c.store.StateChanges(ctx, query)
}

func (c countingStore) Signals(ctx context.Context, query dsql.SignalQuery) ([]dsql.Series, error) {
	c.reads.Add(1)
	return c.store.Signals(ctx, query)
}

// percentile returns the value that so many of a hundred do not exceed.
func percentile(values []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// large is an assessment of a usual size, some 20 KB.
func large(at instant.Instant) health.Assessment {
	a := incident(at)
	gate := a.Gates[0]
	for i := range 40 {
		gate.Scope = health.TaskQueueScope("default", "queue-"+strconv.Itoa(i))
		a.Gates = append(a.Gates, gate)
		a.Scopes = append(a.Scopes, health.ScopeVerdict{Scope: gate.Scope, State: health.Happy, Since: at, Progress: a.Progress})
	}
	return a
}

// fillDays fills a store with an assessment and the values of the dashboard's
// signals each 30 seconds for so many days until now. It returns the store, open for
// writing, and the instant of the last.
func fillDays(b *testing.B, url string, days int) (*dsql.Store, instant.Instant) {
	b.Helper()
	st := migrate(b, url)
	b.Cleanup(st.Close)
	pool, err := pgxpool.New(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	rows := days * 24 * 120
	end := instant.System.Now().Truncate(time.Second).Add(-time.Hour)
	begin := end.Add(-time.Duration(rows) * 30 * time.Second)
	document, err := json.Marshal(large(end))
	if err != nil {
		b.Fatal(err)
	}
	// The key begins with the signal, so that those which nobody asks for do not
	// matter.
	var ids []string
	insights := dashboards(b)["copilot-insights"]
	for _, query := range insights.copilotQueries() {
		asked, _ := query["signals"].([]any)
		for _, id := range asked {
			ids = append(ids, id.(string))
		}
	}
	for _, fill := range []struct {
		sql  string
		args []any
	}{
		{
			`INSERT INTO clusters (cluster_id, display, first_seen, last_seen, state, since, blind, version)
			VALUES ('prod', 'prod', $1, $2, 'stressed', $1, false, 1)`, []any{begin, end},
		},
		{
			`INSERT INTO assessments (cluster_id, observed_at, id, state, raw_state, since, confidence, coverage, blind, bottleneck, summary, omitted, payload)
			SELECT 'prod', $1::timestamptz + n * interval '30 seconds', gen_random_uuid(), 'stressed', 'stressed', $1::timestamptz, 0.9, 1, false,
				'worker_limited', 'Some work waits.', '', $3
			FROM generate_series(0, $2::int) AS n`, []any{begin, rows, string(document)},
		},
		{
			`INSERT INTO state_spans SELECT 'prod', $1::timestamptz + n * interval '30 seconds', (ARRAY['happy', 'stressed'])[1 + (n / 120) % 2], false, NULL
			FROM generate_series(0, $2::int, 120) AS n`, []any{begin, rows},
		},
		{
			`INSERT INTO state_transitions (cluster_id, at, from_state, to_state, gates)
			SELECT 'prod', $1::timestamptz + n * interval '30 seconds', (ARRAY['stressed', 'happy'])[1 + (n / 120) % 2], (ARRAY['happy', 'stressed'])[1 + (n / 120) % 2], '[]'
			FROM generate_series(0, $2::int, 120) AS n`, []any{begin, rows},
		},
		{
			`INSERT INTO signal_samples
			SELECT 'prod', signal, 'cluster', $1::timestamptz + n * interval '30 seconds', 'cluster', '', '', '', '', n
			FROM unnest($3::text[]) AS signal, generate_series(0, $2::int) AS n`, []any{begin, rows, ids},
		},
		{`ANALYZE`, nil},
	} {
		if _, err := pool.Exec(b.Context(), fill.sql, fill.args...); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d assessments of %d bytes", rows, len(document))
	return st, end
}
