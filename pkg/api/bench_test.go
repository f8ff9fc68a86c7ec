package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/temporal-sre/copilot/pkg/api/apitest"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// benchClients ask at once, one question after the other.
	benchClients  = 200
	benchClusters = 20
	// benchQueues is how many task queues a verdict tells of, at two kinds of
	// task each.
	benchQueues = 10
)

// benchDays is how many days of one verdict each 30 seconds the store holds:
// COPILOT_BENCH_DAYS, or one.
func benchDays(b *testing.B) int {
	text := os.Getenv("COPILOT_BENCH_DAYS")
	if text == "" {
		return 1
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < 1 || days > 365 {
		b.Fatalf("COPILOT_BENCH_DAYS=%s: give a number of days from 1 to 365", text)
	}
	return days
}

// BenchmarkStatus asks GET /status from 200 clients at once, over HTTP, of a
// store with days of 20 clusters, and beside it the bare SQL query in the same
// way. R6.4 wants answers within 500 ms.
func BenchmarkStatus(b *testing.B) {
	url, newest := fill(b, benchDays(b))
	store, err := dsql.Open(b.Context(), dsql.Config{URL: url, ReadOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		b.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()

	clock := instant.NewManual(newest.Add(10 * time.Second))
	server := httptest.NewServer(New(Options{Open: func(context.Context) (Store, error) { return store, nil }, Clock: clock}))
	defer server.Close()
	running, stop := context.WithCancel(b.Context())
	defer stop()
	go func() { // the benchmark's clock goes on with time, from the end of the record
		for watch := instant.StartStopwatch(); running.Err() == nil; time.Sleep(10 * time.Millisecond) {
			clock.Set(newest.Add(10*time.Second + watch.Elapsed()))
		}
	}()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchClients, DisableCompression: true}}
	defer client.CloseIdleConnections()

	// Like browsers and Grafana, clients take a compressed answer.
	ask := func(cluster string) error {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+"/status?cluster="+cluster, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Accept-Encoding", "gzip")
		response, err := client.Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	}
	query := func(cluster string) error {
		var document string
		return pool.QueryRow(b.Context(), `
			SELECT payload FROM assessments
			WHERE cluster_id = $1
			ORDER BY observed_at DESC LIMIT 1`, cluster).Scan(&document)
	}
	measure(b, 1000, ask) // connections, caches
	measure(b, 1000, query)
	for b.Loop() {
		const requests = 10_000
		sql, http := measure(b, requests, query), measure(b, requests, ask)
		b.ReportMetric(ms(sql, 50), "sql-p50-ms")
		b.ReportMetric(ms(sql, 99), "sql-p99-ms")
		b.ReportMetric(ms(http, 50), "status-p50-ms")
		b.ReportMetric(ms(http, 99), "status-p99-ms")
		b.ReportMetric(ms(http, 50)/ms(sql, 50), "p50-to-sql")
		b.ReportMetric(ms(http, 99)/ms(sql, 99), "p99-to-sql")
		b.Logf("sql: p50 %.1f ms, p99 %.1f ms; status: p50 %.1f ms (%.2f of sql), p99 %.1f ms (%.2f of sql)",
			ms(sql, 50), ms(sql, 99), ms(http, 50), ms(http, 50)/ms(sql, 50), ms(http, 99), ms(http, 99)/ms(sql, 99))
		if p99 := ms(http, 99); p99 >= 500 {
			b.Errorf("p99 is %.0f ms, 500 ms are promised", p99)
		}
	}
}

// measure has a number of questions asked by all clients together and returns
// how long each took, sorted.
func measure(b *testing.B, questions int, ask func(cluster string) error) []time.Duration {
	took := make([]time.Duration, questions)
	var clients sync.WaitGroup
	for c := range benchClients {
		clients.Go(func() {
			for i := c; i < questions; i += benchClients {
				watch := instant.StartStopwatch()
				if err := ask(fmt.Sprintf("cluster-%02d", i%benchClusters)); err != nil {
					b.Error(err)
					return
				}
				took[i] = watch.Elapsed()
			}
		})
	}
	clients.Wait()
	slices.Sort(took)
	return took
}

// ms returns a percentile in milliseconds.
func ms(sorted []time.Duration, percent int) float64 {
	return float64(sorted[(len(sorted)-1)*percent/100].Microseconds()) / 1000
}

// fill makes a database with days of verdicts on every cluster. Only the newest
// of each, which is what is asked for, is as large as it is in use: the others
// are there for the indexes to be as deep.
func fill(b *testing.B, days int) (url string, newest instant.Instant) {
	url = postgrestest.NewDatabase(b)
	store, err := dsql.Open(b.Context(), dsql.Config{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	pool, err := pgxpool.New(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	rows, size := days*24*120, 0
	newest = noon.Truncate(time.Minute)
	for c := range benchClusters {
		cluster := fmt.Sprintf("cluster-%02d", c)
		look := large(cluster, newest)
		if document, err := json.Marshal(look.Assessment); err == nil {
			size = len(document)
		}
		if err := store.Save(b.Context(), look.Observation, look.Assessment); err != nil {
			b.Fatal(err)
		}
		for _, table := range []string{
			`INSERT INTO assessments (cluster_id, observed_at, id, state, raw_state, since, confidence, coverage, blind, bottleneck, summary, omitted, payload)
			SELECT $1, $2::timestamptz - n * interval '30 seconds', gen_random_uuid(), 'happy', 'happy', $2::timestamptz, 0.9, 1, false, 'healthy', 'All is well.', '', '{}'
			FROM generate_series(1, $3::int) AS n`,
			`INSERT INTO observations (cluster_id, observed_at, measurements, usable, requests, omitted, payload)
			SELECT $1, $2::timestamptz - n * interval '30 seconds', 40, 40, 6, '', '{}'
			FROM generate_series(1, $3::int) AS n`,
		} {
			if _, err := pool.Exec(b.Context(), table, cluster, newest, rows); err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := pool.Exec(b.Context(), "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d days of %d clusters, %d verdicts; the newest of each has %d bytes", days, benchClusters, benchClusters*(rows+1), size)
	return url, newest
}

// large is a verdict on a cluster with many task queues.
func large(cluster string, at instant.Instant) apitest.Look {
	looks := apitest.Incident(cluster, at.Add(-10*time.Minute), 10*time.Minute+apitest.Interval)
	look := looks[len(looks)-1]
	gates, scopes := look.Assessment.Gates, look.Assessment.Scopes
	for q := range benchQueues - 2 {
		name := fmt.Sprintf("queue-%d", q)
		for i := range gates {
			if gates[i].Scope.Name == "orders" {
				gate := gates[i]
				gate.Scope.Name = name
				look.Assessment.Gates = append(look.Assessment.Gates, gate)
			}
		}
		for i := range scopes {
			if scopes[i].Name == "orders" {
				scope := scopes[i]
				scope.Name = name
				look.Assessment.Scopes = append(look.Assessment.Scopes, scope)
			}
		}
	}
	return look
}
