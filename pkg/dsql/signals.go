package dsql

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// DefaultMaxSamples is how many values of one observation become points of time
// series. When there are more, these go first: the values of the whole cluster;
// then services, namespaces, task queues, replicas, in this order; within a
// kind of scope the primary signals before the amplifiers before the rest; then
// by scope. The order does not depend on the values, so that a series is there
// all the time or not at all. The observation itself is stored whole.
const DefaultMaxSamples = 1000

const maxMaxSamples = 10_000

// Points of one series that a query gives.
const (
	defaultPoints = 500
	maxPoints     = 10_000
)

// maxScopeKey bounds a scope's part of a key. Temporal allows names of 1,000
// bytes, DSQL keys of 1,024.
const maxScopeKey = 512

// sampleRow is one row of signal_samples without cluster and time.
type sampleRow struct {
	signal health.SignalID
	class  health.Class
	scope  health.Scope
	value  float64
}

// sampleRows picks the values of an observation that become time series: those
// of usable measurements, in the order that DefaultMaxSamples tells.
func sampleRows(obs *health.Observation, most int) []sampleRow {
	var rows []sampleRow
	add := func(m *health.Measurement, scope health.Scope, value float64) {
		// No database averages what is not a number.
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			rows = append(rows, sampleRow{signal: m.Signal, class: m.Class, scope: scope, value: value})
		}
	}
	for i := range obs.Measurements {
		m := &obs.Measurements[i]
		if !m.Usable() {
			continue
		}
		if m.Value != nil {
			add(m, health.ClusterScope(), *m.Value)
		}
		for _, sample := range m.Samples {
			// The roll-up stands for the cluster; a sample at the same scope
			// would be a second value for it.
			if sample.Scope.IsCluster() && m.Value != nil {
				continue
			}
			add(m, sample.Scope, sample.Value)
		}
	}
	slices.SortStableFunc(rows, func(a, b sampleRow) int {
		return cmp.Or(
			cmp.Compare(rank(kindsInOrder, kindOf(a.scope)), rank(kindsInOrder, kindOf(b.scope))),
			cmp.Compare(rank(classesInOrder, a.class), rank(classesInOrder, b.class)),
			a.scope.Compare(b.scope),
			cmp.Compare(a.signal, b.signal),
		)
	})
	return rows[:min(len(rows), most)]
}

var (
	kindsInOrder   = []health.ScopeKind{health.KindCluster, health.KindService, health.KindNamespace, health.KindTaskQueue, health.KindReplica}
	classesInOrder = []health.Class{health.Primary, health.Amplifier, health.Worker, health.Telemetry}
)

// rank is v's place in order; what is not there comes last.
func rank[T comparable](order []T, v T) int {
	if i := slices.Index(order, v); i >= 0 {
		return i
	}
	return len(order)
}

func kindOf(scope health.Scope) health.ScopeKind {
	if scope.IsCluster() {
		return health.KindCluster
	}
	return scope.Kind
}

// scopeKey writes a scope as one text, different for different scopes, to be
// part of a key: "cluster", or kind, service, namespace, name and task type
// between slashes, each escaped, as in "task_queue//default/billing/activity".
// The end of a key that is too long is replaced by a digest.
func scopeKey(scope health.Scope) string {
	if scope.IsCluster() {
		return string(health.KindCluster)
	}
	key := strings.Join([]string{
		string(scope.Kind), url.PathEscape(scope.Service), url.PathEscape(scope.Namespace),
		url.PathEscape(scope.Name), string(scope.TaskType),
	}, "/")
	if len(key) <= maxScopeKey {
		return key
	}
	digest := sha256.Sum256([]byte(key))
	return key[:maxScopeKey-2*len(digest)] + hex.EncodeToString(digest[:])
}

// insertSamples writes samples as points of their series. What is there stays.
func insertSamples(ctx context.Context, tx pgx.Tx, cluster string, at instant.Instant, samples []sampleRow) error {
	if len(samples) == 0 {
		return nil
	}
	var signals, kinds, keys, namespaces, names, taskTypes, services []string
	var values []float64
	for i := range samples {
		sample := &samples[i]
		scope := sample.scope
		if scope.IsCluster() {
			scope = health.ClusterScope()
		}
		signals = append(signals, text(string(sample.signal), 128))
		kinds = append(kinds, string(kindOf(scope)))
		keys = append(keys, scopeKey(scope))
		namespaces = append(namespaces, text(scope.Namespace, 1024))
		names = append(names, text(scope.Name, 1024))
		taskTypes = append(taskTypes, string(scope.TaskType))
		services = append(services, text(scope.Service, 256))
		values = append(values, sample.value)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO signal_samples (cluster_id, observed_at, signal, kind, scope_key, namespace, name, task_type, service, value)
		SELECT $1, $2, s.signal, s.kind, s.scope_key, s.namespace, s.name, s.task_type, s.service, s.value
		FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::double precision[])
			AS s (signal, kind, scope_key, namespace, name, task_type, service, value)
		ON CONFLICT (cluster_id, signal, kind, observed_at, scope_key) DO NOTHING`,
		cluster, at, signals, kinds, keys, namespaces, names, taskTypes, services, values)
	return err
}

// SignalQuery asks for time series of a cluster's signals.
type SignalQuery struct {
	Cluster string
	// Signals are those to return, at least one.
	Signals []health.SignalID
	// Scope narrows to one scope; a task queue without a kind of task stands
	// for both kinds, too. Nil: every scope of Kind.
	Scope *health.Scope
	// Kind selects the scopes when Scope is nil. Empty, or KindCluster: the
	// value of the whole cluster.
	Kind health.ScopeKind
	// From is included, To is not; both are needed.
	From, To instant.Instant
	// MaxPoints bounds the points of each series: 500 if 0, at most 10,000.
	MaxPoints int
}

// Series is a signal at a scope over time.
type Series struct {
	Signal health.SignalID `json:"signal"`
	Scope  health.Scope    `json:"scope,omitzero"`
	// Points are in order of time. Where the signal had no usable value there
	// is no point.
	Points []Point `json:"points"`
}

// Point is a value of a series. When there were more observations than points,
// it stands for those of a stretch of time.
type Point struct {
	// At is the last observation of the stretch.
	At instant.Instant `json:"at"`
	// Value is the mean of the stretch, Max its greatest value: a peak in the
	// age of a backlog is not averaged away.
	Value float64 `json:"value"`
	Max   float64 `json:"max"`
}

// Signals returns time series, ordered by signal and scope, thinned out in the
// database to at most MaxPoints points each: the time is divided into stretches
// of equal length that do not move with From, so that a dashboard that is
// refreshed shows the same points again. The error is ErrUnknownCluster, or
// InvalidError for a query without signals or time.
func (s *Store) Signals(ctx context.Context, query SignalQuery) ([]Series, error) {
	switch {
	case len(query.Signals) == 0:
		return nil, invalid("no signal was asked for; name at least one")
	case query.From.IsZero() || query.To.IsZero() || !query.From.Before(query.To):
		return nil, invalid("time series need a time range; it begins at %s and ends at %s", query.From, query.To)
	}
	points, err := pageSize(query.MaxPoints, defaultPoints, maxPoints)
	if err != nil {
		return nil, err
	}
	kind := cmp.Or(query.Kind, health.KindCluster)
	var keys []string
	if scope := query.Scope; scope != nil {
		kind, keys = kindOf(*scope), []string{scopeKey(*scope)}
		if kind == health.KindTaskQueue && scope.TaskType == "" {
			keys = append(keys, scopeKey(scope.Of(health.WorkflowTasks)), scopeKey(scope.Of(health.ActivityTasks)))
		}
	}
	wanted := make([]string, len(query.Signals))
	for i, signal := range query.Signals {
		wanted[i] = string(signal)
	}
	// Fixed stretches can be cut at both ends of the range, which makes one
	// more of them.
	stretch := query.To.Sub(query.From).Seconds() / float64(max(points-1, 1))

	var series []Series
	err = s.read(ctx, "read signals of "+query.Cluster, func(ctx context.Context, q querier) error {
		series = nil
		rows, err := q.Query(ctx, `
			SELECT signal, kind, namespace, name, task_type, service, max(observed_at), avg(value), max(value)
			FROM signal_samples
			WHERE cluster_id = $1 AND signal = ANY($2::text[]) AND kind = $3
				AND observed_at >= $4 AND observed_at < $5 AND ($6::bool OR scope_key = ANY($7::text[]))
			GROUP BY signal, kind, namespace, name, task_type, service,
				floor(extract(epoch FROM observed_at)::double precision / $8::double precision)`,
			query.Cluster, wanted, string(kind), query.From, query.To, query.Scope == nil, keys, stretch)
		if err != nil {
			return err
		}
		if series, err = collectSeries(rows); err != nil {
			return err
		}
		return requireKnown(ctx, q, query.Cluster, len(series))
	})
	return series, err
}

// collectSeries sorts points into series. It sorts here and not in SQL because
// the order of text in SQL depends on the database's collation.
func collectSeries(rows pgx.Rows) ([]Series, error) {
	type key struct {
		signal health.SignalID
		scope  health.Scope
	}
	found := map[key]*Series{}
	var (
		signal, kind, namespace, name, taskType, service string
		point                                            Point
	)
	_, err := pgx.ForEachRow(rows, []any{&signal, &kind, &namespace, &name, &taskType, &service, &point.At, &point.Value, &point.Max}, func() error {
		k := key{signal: health.SignalID(signal)}
		if kind := health.ScopeKind(kind); kind != health.KindCluster {
			k.scope = health.Scope{Kind: kind, Namespace: namespace, Name: name, TaskType: health.TaskType(taskType), Service: service}
		}
		if found[k] == nil {
			found[k] = &Series{Signal: k.signal, Scope: k.scope}
		}
		found[k].Points = append(found[k].Points, point)
		return nil
	})
	if err != nil {
		return nil, err
	}
	series := make([]Series, 0, len(found))
	for _, s := range found {
		slices.SortFunc(s.Points, func(a, b Point) int { return a.At.Compare(b.At) })
		series = append(series, *s)
	}
	slices.SortFunc(series, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Signal, b.Signal), a.Scope.Compare(b.Scope))
	})
	return series, nil
}
