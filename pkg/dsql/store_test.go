package dsql

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql/dsqltest"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// start is the instant at which the tests' observations begin.
var start = mustParse("2026-11-24T03:00:00Z")

func mustParse(s string) instant.Instant {
	at, err := instant.Parse(s)
	if err != nil {
		panic(err)
	}
	return at
}

// openAt opens a store on a database that may have no schema yet.
func openAt(t testing.TB, cfg Config) *Store {
	t.Helper()
	cfg.MinConns = -1
	store, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// onDSQL is set while a test runs on the stand-in for Aurora DSQL, see
// TestTheSuiteOnDSQL.
var onDSQL bool

// newDatabase makes an empty database, of the kind that the test runs on, and
// returns how its administrator reaches it.
func newDatabase(t testing.TB) Config {
	t.Helper()
	if !onDSQL {
		return Config{URL: postgrestest.NewDatabase(t)}
	}
	cfg := on(t, dsqltest.New(t, dsqltest.Options{}))
	cfg.Admin = true
	return cfg
}

// on returns how the role of the program reaches a stand-in.
func on(t testing.TB, server *dsqltest.Server) Config {
	t.Helper()
	t.Setenv("PGSSLROOTCERT", server.CAFile())
	return Config{Endpoint: server.Endpoint(), Region: dsqltest.Region, Credentials: server.Credentials()}
}

// newStore opens a store on a new database with the schema.
func newStore(t testing.TB) *Store {
	t.Helper()
	store, _ := newStores(t)
	return store
}

// newStores opens a store on a new database with the schema as the program
// does, and as the administrator, who alone may change the schema.
func newStores(t testing.TB) (store, admin *Store) {
	t.Helper()
	cfg := newDatabase(t)
	admin = openAt(t, cfg)
	if _, err := admin.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if cfg.Endpoint == "" {
		return admin, admin
	}
	grant(t, admin)
	cfg.Admin = false
	return openAt(t, cfg), admin
}

// grant gives the program's role what "copilot db setup-schema --help" says it
// needs.
func grant(t testing.TB, admin *Store) {
	t.Helper()
	for _, sql := range []string{
		"GRANT USAGE ON SCHEMA public TO " + DefaultUser,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + DefaultUser,
	} {
		if _, err := admin.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func ptr(v float64) *float64 { return &v }

// observation makes an observation with a value for the cluster and for two
// task queues.
func observation(cluster string, at instant.Instant, transitions float64) health.Observation {
	obs := health.Observation{
		Cluster: cluster, At: at,
		Source: health.Source{Dialect: "server=tally sdk=tally", Window: time.Minute, Requests: 6},
		Measurements: []health.Measurement{
			{
				Signal: "state_transitions_per_sec", Class: health.Primary, Unit: "1/s", Status: health.OK, Value: ptr(transitions),
			},
			{
				Signal: "backlog_age_sec", Class: health.Primary, Unit: "s", Status: health.OK, Value: ptr(9),
				Samples: []health.Sample{
					{Scope: health.TaskQueueScope("default", "orders").Of(health.ActivityTasks), Value: 2},
					{Scope: health.TaskQueueScope("default", "billing").Of(health.ActivityTasks), Value: 9},
				},
			},
			{Signal: "dsql_latency_ms", Class: health.Amplifier, Unit: "ms", Status: health.Missing, Reason: "no series"},
			{Signal: "slots_available", Class: health.Worker, Unit: "1", Status: health.Stale, Value: ptr(4)},
		},
	}
	obs.Normalize()
	return obs
}

// assessment makes an assessment of a state.
func assessment(cluster string, at instant.Instant, state health.State) health.Assessment {
	return health.Assessment{
		Cluster: cluster, At: at, State: state, Raw: state, Since: at, SeenAt: at,
		Bottleneck: health.BottleneckHealthy, Confidence: 0.9, Coverage: 1,
		Progress: health.Progress{Asked: ptr(10), Served: ptr(10), Trend: []float64{9, 10}},
		Scopes:   []health.ScopeVerdict{},
		Gates: []health.Gate{{
			Rule: &health.Rule{
				ID: "progress.served", Question: "Is what is asked for served?",
				Signals: []health.SignalID{"state_transitions_per_sec"}, Doctrine: "Work is conserved.", Source: "docs",
			},
			Outcome: health.Pass, Level: health.Critical,
		}},
		Issues: []health.Issue{}, Actions: []health.Action{},
		Explanation: health.Explanation{By: "rules", Summary: "The cluster is " + state.String() + "."},
	}
}

// save stores an observation and an assessment of a state at start plus after.
func save(t testing.TB, store *Store, cluster string, after time.Duration, state health.State, change ...func(*health.Assessment)) {
	t.Helper()
	at := start.Add(after)
	a := assessment(cluster, at, state)
	for _, c := range change {
		c(&a)
	}
	if err := store.Save(t.Context(), observation(cluster, at, after.Seconds()), a); err != nil {
		t.Fatalf("save %s at %s: %v", cluster, at, err)
	}
}

func blind(a *health.Assessment) { a.Blind, a.BlindReason = true, "Prometheus does not answer" }

// rowCounts returns how many rows each table has.
func rowCounts(t testing.TB, store *Store) map[string]int64 {
	t.Helper()
	counts, err := store.TableCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]int64{}
	for _, c := range counts {
		byName[c.Name] = c.Rows
	}
	return byName
}

// inMinutes writes intervals as "happy 0-5" for comparison.
func inMinutes(timeline []Interval) []string {
	var lines []string
	for _, i := range timeline {
		state := i.State.String()
		if i.Blind {
			state += " blind"
		}
		if i.Unobserved {
			state = "unobserved"
		}
		lines = append(lines, fmt.Sprintf("%s %g-%g", state, i.From.Sub(start).Minutes(), i.To.Sub(start).Minutes()))
	}
	return lines
}

func equal(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// readOnlyEnv keeps the environment of whoever runs the tests out of them.
func init() {
	for _, name := range []string{"PGPASSWORD", "PGUSER", "PGHOST", "PGPORT", "PGDATABASE", "PGSSLMODE", "PGSSLROOTCERT", "PGSERVICE"} {
		os.Unsetenv(name)
	}
}
