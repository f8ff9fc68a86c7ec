package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// update writes the golden files again: go test ./plugin -update
var update = flag.Bool("update", false, "write the golden files again")

// noon is when the tests take place.
var noon = instant.FromUnix(1_795_521_600) // 2026-11-24T12:00:00Z

// value makes a pointer to a number.
func value(v float64) *float64 { return &v }

// incident is an assessment of a cluster in trouble, with every part that a
// frame shows.
func incident(at instant.Instant) health.Assessment {
	billing := health.TaskQueueScope("default", "billing").Of(health.ActivityTasks)
	return health.Assessment{
		Cluster: "prod", At: at,
		State: health.Stressed, Raw: health.Critical, Since: noon.Add(-10 * time.Minute),
		Bottleneck: health.BottleneckWorker,
		Confidence: 0.87, Coverage: 0.95, SeenAt: at,
		Progress: health.Progress{Asked: value(42.5), Served: value(30), Waiting: value(1200)},
		Scopes: []health.ScopeVerdict{
			{
				Scope: billing, State: health.Critical, Since: noon.Add(-8 * time.Minute), Bottleneck: health.BottleneckWorker,
				Progress: health.Progress{
					Asked: value(12.5), Served: value(0), Waiting: value(1200), OldestSec: value(250), Pollers: value(0), Share: 0.31,
					Trend: []float64{12.5, 12, 4, 0, 0},
				},
				Gates: []string{"worker.pollers.none", "progress.head_of_line"},
			},
			{Scope: health.ServiceScope("matching"), State: health.Stressed, Since: noon.Add(-7 * time.Minute)},
			{Scope: health.NamespaceScope("default"), State: health.Happy, Since: noon.Add(-time.Hour)},
		},
		IntervalSec: 30,
		Gates: []health.Gate{
			{
				Rule: &health.Rule{
					ID: "worker.pollers.none", Question: "Does a worker poll?", Unit: "1", Signals: []health.SignalID{health.Pollers},
					Doctrine: "A queue that nobody polls does not move.", Source: "docs",
				},
				Scope: billing, Outcome: health.Fire, Level: health.Critical, Value: value(0), Limit: value(1), Window: 5 * time.Minute,
				Finding: "nobody polls default/billing",
			},
			{
				Rule: &health.Rule{
					ID: "persistence.latency", Question: "Is persistence slower than usual?", Unit: "ms", Signals: []health.SignalID{health.PersistenceLatency},
					Doctrine: "Ten times the usual is pressure.", Source: "docs",
				},
				Outcome: health.Undecided, Level: health.Stressed,
			},
		},
		Issues: []health.Issue{
			{ID: "1", Kind: "pressure", Severity: health.Stressed, Status: health.IssueOpen, Title: "Matching is slow", Gates: []string{}, OpenedAt: at, ChangedAt: at},
			{ID: "2", Kind: "stall", Severity: health.Critical, Status: health.IssueOpen, Title: "Nobody serves default/billing", Detail: "1,200 tasks wait", Scope: billing, Gates: []string{"worker.pollers.none"}, OpenedAt: at, ChangedAt: at},
			{ID: "3", Kind: "stall", Severity: health.Critical, Status: health.IssueResolved, Title: "Nobody served default/orders", Gates: []string{}, OpenedAt: at, ChangedAt: at, ResolvedAt: at},
		},
		Actions: []health.Action{
			{
				ID: "restart-workers", Type: health.ActionRestart, Action: "restart the workers of billing, or roll their last deployment back", Target: billing.Queue(),
				Parameters: map[string]string{"component": "worker"}, Risk: health.RiskLow, Confidence: 0.86, Gates: []string{"worker.pollers.none"}, Guide: "workers-gone",
			},
			{ID: "check-persistence", Type: health.ActionAlert, Action: "look at the database first", Risk: health.RiskNone, Confidence: 0.7, Gates: []string{"persistence.latency"}},
		},
		Logs: &health.Narrative{From: at.Add(-5 * time.Minute), To: at, Patterns: []health.LogPattern{}},
		Explanation: health.Explanation{
			By: "rules", Summary: "Tasks of default/billing wait for a worker; the rest of the cluster makes progress.",
			Changed: "Stressed since 11:50; the pollers went first.", WouldChange: "A poller on billing leads to Happy.",
			Factors: []health.Factor{
				{Text: "nobody polls default/billing", Gate: "worker.pollers.none", Scope: billing},
				{Text: "the database is slow", Gate: "no.such.gate"},
			},
			Avoid: []string{"scale workers down while tasks wait"},
		},
	}
}

// fakeStore answers from memory. A field that is an error is the answer.
type fakeStore struct {
	pingErr, schemaErr, err error

	schema    dsql.SchemaStatus
	clusters  []dsql.Cluster
	latest    map[string]health.Assessment
	intervals []dsql.Interval
	series    []dsql.Series
	changes   []dsql.StateChange
	issues    []dsql.Issue
	summaries []dsql.AssessmentSummary
	patterns  []dsql.LogPatternSum
	version   int64
	writable  bool

	// What was asked for last.
	timelineFrom, timelineTo instant.Instant
	signalQuery              dsql.SignalQuery
	closed                   int

	mu sync.Mutex
	// asked counts the calls by method.
	asked map[string]int
}

// count notes a call.
func (f *fakeStore) count(method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked == nil {
		f.asked = map[string]int{}
	}
	f.asked[method]++
}

// goodStore holds one cluster, assessed half a minute before noon.
func goodStore() *fakeStore {
	at := noon.Add(-30 * time.Second)
	return &fakeStore{
		schema:   dsql.SchemaStatus{Current: 8, Wanted: 8, Known: true},
		clusters: []dsql.Cluster{{ID: "prod", Display: "Production", LastSeen: at, State: health.Stressed}},
		latest:   map[string]health.Assessment{"prod": incident(at)},
	}
}

func (f *fakeStore) Ping(context.Context) error { return f.pingErr }

func (f *fakeStore) Schema(context.Context) (dsql.SchemaStatus, error) { return f.schema, f.schemaErr }

func (f *fakeStore) Target() string {
	return "PostgreSQL at db:5432 (database copilot, user reader)"
}

func (f *fakeStore) Clusters(context.Context) ([]dsql.Cluster, error) {
	f.count("Clusters")
	return f.clusters, f.err
}

func (f *fakeStore) IsReadOnly(context.Context) (bool, error) { return !f.writable, f.err }

func (f *fakeStore) Newest(ctx context.Context, cluster string) (dsql.Newest, error) {
	f.count("Newest")
	a, err := f.Latest(ctx, cluster)
	if err != nil {
		return dsql.Newest{}, err
	}
	return dsql.Newest{At: a.At, Version: f.version, Asked: 43, Usable: 41, Previous: health.Happy}, nil
}

func (f *fakeStore) Assessment(ctx context.Context, cluster string, _ instant.Instant) (health.Assessment, error) {
	f.count("Assessment")
	return f.Latest(ctx, cluster)
}

func (f *fakeStore) AssessmentByID(_ context.Context, id string) (health.Assessment, error) {
	for _, a := range f.latest {
		if dsql.AssessmentID(a.Cluster, a.At) == id {
			return a, f.err
		}
	}
	return health.Assessment{}, cmp.Or(f.err, dsql.ErrNotFound)
}

func (f *fakeStore) AssessmentSummaries(_ context.Context, query dsql.AssessmentQuery) (dsql.SummaryPage, error) {
	return dsql.SummaryPage{Summaries: f.summaries}, f.known(query.Cluster)
}

func (f *fakeStore) StateChanges(_ context.Context, query dsql.RangeQuery) (dsql.StateChangePage, error) {
	f.count("StateChanges")
	return dsql.StateChangePage{Changes: f.changes}, f.known(query.Cluster)
}

func (f *fakeStore) Issues(_ context.Context, query dsql.IssueQuery) (dsql.IssuePage, error) {
	return dsql.IssuePage{Issues: f.issues}, f.known(query.Cluster)
}

func (f *fakeStore) Observation(context.Context, string, instant.Instant) (health.Observation, error) {
	return health.Observation{}, cmp.Or(f.err, dsql.ErrNotFound)
}

func (f *fakeStore) Transitions(context.Context, string, instant.Instant, instant.Instant, int) ([]health.Transition, error) {
	return nil, f.err
}

func (f *fakeStore) Close() { f.closed++ }

// known says whether a cluster is.
func (f *fakeStore) known(name string) error {
	if f.err != nil {
		return f.err
	}
	var names []string
	for _, c := range f.clusters {
		if c.ID == name {
			return nil
		}
		names = append(names, c.ID)
	}
	return &dsql.ErrUnknownCluster{Name: name, Known: names}
}

func (f *fakeStore) Latest(_ context.Context, cluster string) (health.Assessment, error) {
	if err := f.known(cluster); err != nil {
		return health.Assessment{}, err
	}
	a, found := f.latest[cluster]
	if !found {
		return a, dsql.ErrNotFound
	}
	return a, nil
}

func (f *fakeStore) Timeline(_ context.Context, cluster string, from, to instant.Instant) ([]dsql.Interval, error) {
	f.count("Timeline")
	f.timelineFrom, f.timelineTo = from, to
	return f.intervals, f.known(cluster)
}

func (f *fakeStore) Signals(_ context.Context, query dsql.SignalQuery) ([]dsql.Series, error) {
	f.count("Signals")
	f.mu.Lock()
	f.signalQuery = query
	f.mu.Unlock()
	return f.series, f.known(query.Cluster)
}

func (f *fakeStore) LogPatterns(_ context.Context, query dsql.RangeQuery) ([]dsql.LogPatternSum, error) {
	return f.patterns, f.known(query.Cluster)
}

// sourceOf makes a data source on a store, at noon.
func sourceOf(st *fakeStore) *source {
	return newSource(nil, instant.Fixed(noon), func(context.Context) (store, error) { return st, nil })
}

// lastHour is the time range of the tests' queries.
func lastHour() backend.TimeRange {
	return backend.TimeRange{From: noon.Add(-time.Hour).Time(), To: noon.Time()}
}

// query makes a query of the last hour. Its fields are those of a dashboard's
// JSON beside those that Grafana adds.
func query(t *testing.T, queryType string, fields map[string]any) backend.DataQuery {
	t.Helper()
	all := map[string]any{
		"refId": "A", "queryType": queryType, "intervalMs": 1000, "maxDataPoints": 60,
		"datasource": map[string]string{"type": pluginID, "uid": "copilot"},
	}
	for name, v := range fields {
		all[name] = v
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return backend.DataQuery{RefID: "A", QueryType: queryType, MaxDataPoints: 60, TimeRange: lastHour(), JSON: text}
}

// ask has one query answered.
func ask(t *testing.T, s *source, q backend.DataQuery, headers ...string) backend.DataResponse {
	t.Helper()
	req := &backend.QueryDataRequest{Queries: []backend.DataQuery{q}, Headers: map[string]string{}}
	for _, name := range headers {
		req.Headers[name] = "true"
	}
	response, err := s.QueryData(t.Context(), req)
	if err != nil {
		t.Fatalf("the whole request failed: %v", err)
	}
	return response.Responses[q.RefID]
}

// golden compares an answer with testdata/<name>.jsonc.
func golden(t *testing.T, name string, response backend.DataResponse) {
	t.Helper()
	if response.Error != nil {
		t.Fatalf("the query failed: %v", response.Error)
	}
	experimental.CheckGoldenJSONResponse(t, "testdata", name, &response, *update)
}

// wantFailure checks an answer that is an error, and that it is not called the
// plugin's fault.
func wantFailure(t *testing.T, response backend.DataResponse, status backend.Status, words string) {
	t.Helper()
	if response.Error == nil {
		t.Fatalf("no error; expected %q", words)
	}
	if got := response.Error.Error(); got != words {
		t.Errorf("the error says %q\nexpected       %q", got, words)
	}
	if response.Status != status {
		t.Errorf("status %d, expected %d", response.Status, status)
	}
	if response.ErrorSource != backend.ErrorSourceDownstream {
		t.Errorf("error source %q, expected downstream", response.ErrorSource)
	}
}

// notices returns what an answer tells beside its data.
func notices(response backend.DataResponse) []string {
	var texts []string
	for _, frame := range response.Frames {
		for _, n := range frame.Meta.Notices {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

var errStoreAway = errors.New("cannot connect to PostgreSQL at db:5432: nothing listens there")
