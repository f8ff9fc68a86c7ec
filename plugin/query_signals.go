package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/signals"
)

const (
	// maxSeries bounds the series of one answer. More lines than that are no
	// longer a chart, and a browser chokes on them.
	maxSeries = 200
	// defaultMaxPoints is how many points a series has when the caller does
	// not say, which Grafana always does.
	defaultMaxPoints = 500
)

// answerSignals returns the measurements that the verdicts rest on, a frame for
// each signal at each place.
func answerSignals(ctx context.Context, q *question) (data.Frames, error) {
	if q.maxPoints <= 0 {
		q.maxPoints = defaultMaxPoints
	}
	if len(q.signals) == 0 {
		q.signals = primarySignals(q.scope)
	}
	definitions := make(map[health.SignalID]signals.Definition, len(q.signals))
	for _, id := range q.signals {
		definition, known := signals.Lookup(id)
		if !known {
			return nil, unknownSignal(id)
		}
		definitions[id] = definition
	}

	query := dsql.SignalQuery{
		Cluster: q.cluster, Signals: q.signals, Kind: q.scope.Kind,
		From: q.from, To: q.to, MaxPoints: q.maxPoints,
	}
	if isOnePlace(q.scope) {
		query.Scope = &q.scope
	}
	series, err := q.store.Signals(ctx, query)
	if err != nil {
		return nil, err
	}
	// Others may be given the same series, so what does not fit is left out of a
	// copy.
	series = slices.DeleteFunc(slices.Clone(series), func(s dsql.Series) bool { return !fits(s.Scope, q.scope) })
	if series, err = ofStates(ctx, q, series); err != nil {
		return nil, err
	}
	if len(series) == 0 {
		q.inform("%s", nothingMeasured(q, definitions))
		empty := data.NewFrame("signals")
		empty.Meta = signalsMeta()
		return data.Frames{empty}, nil
	}
	if len(series) > maxSeries {
		q.warn("There are %d series; these are the first %d. Choose fewer signals, or one place.", len(series), maxSeries)
		series = series[:maxSeries]
	}
	stretch := q.to.Sub(q.from) / time.Duration(q.maxPoints)
	frames := make(data.Frames, len(series))
	for i := range series {
		frames[i] = signalFrame(q.cluster, definitions[series[i].Signal], &series[i], stretch)
	}
	return frames, nil
}

// primarySignals are what a query that names no signal means: those that decide
// the state, as far as they are measured at such a place.
func primarySignals(scope health.Scope) []health.SignalID {
	var ids []health.SignalID
	for _, d := range signals.Catalogue() {
		if d.Class == health.Primary && (scope.IsCluster() || d.Scope == scope.Kind) {
			ids = append(ids, d.ID)
		}
	}
	if len(ids) > 0 {
		return ids
	}
	// No primary signal is measured there; then whatever is.
	for _, d := range signals.Catalogue() {
		if d.Scope == scope.Kind {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// unknownSignal names the signals that there are.
func unknownSignal(id health.SignalID) error {
	catalogue := signals.Catalogue()
	known := make([]string, len(catalogue))
	for i, d := range catalogue {
		known[i] = string(d.ID)
	}
	return badQuery("signal %q is not known; use some of: %s", id, strings.Join(known, ", "))
}

// isOnePlace tells whether a scope names exactly one place, which the store
// finds faster than it finds all of a kind.
func isOnePlace(scope health.Scope) bool {
	switch scope.Kind {
	case health.KindService, health.KindNamespace:
		return scope.Name != ""
	case health.KindTaskQueue:
		return scope.Namespace != "" && scope.Name != "" && scope.TaskType != ""
	case health.KindReplica:
		return scope.Service != "" && scope.Name != ""
	}
	return scope.IsCluster()
}

// ofStates keeps the series of the places that are now in one of the states that
// were asked for. The cluster as a whole always counts: its values are not those
// of one state.
func ofStates(ctx context.Context, q *question, series []dsql.Series) ([]dsql.Series, error) {
	if len(q.states) == 0 || q.scope.IsCluster() {
		return series, nil
	}
	v, err := q.verdict(ctx)
	if err != nil {
		return nil, err
	}
	now := map[health.Scope]health.State{}
	for i := range v.assessment.Scopes {
		now[v.assessment.Scopes[i].Scope] = v.assessment.Scopes[i].State
	}
	return slices.DeleteFunc(series, func(s dsql.Series) bool {
		state, judged := now[s.Scope]
		if !judged {
			state, judged = now[s.Scope.Queue()]
		}
		return judged && !q.wants(state)
	}), nil
}

// saySignals says which series were asked for.
func saySignals(q *question) string {
	ids := make([]string, len(q.signals))
	for i, id := range q.signals {
		ids[i] = string(id)
	}
	return fmt.Sprintf(" signals=%s scope=%s max_points=%d%s", strings.Join(ids, ","), q.scope, q.maxPoints, sayRange(q))
}

// fits tells whether a scope is one of those that wanted stands for.
func fits(scope, wanted health.Scope) bool {
	if wanted.IsCluster() {
		return scope.IsCluster()
	}
	part := func(have, want string) bool { return want == "" || have == want }
	return scope.Kind == wanted.Kind &&
		part(scope.Namespace, wanted.Namespace) &&
		part(scope.Name, wanted.Name) &&
		part(string(scope.TaskType), string(wanted.TaskType)) &&
		part(scope.Service, wanted.Service)
}

// nothingMeasured says why there may be no series.
func nothingMeasured(q *question, definitions map[health.SignalID]signals.Definition) string {
	text := "None of these signals had a usable value there in this time."
	for _, id := range q.signals {
		d := definitions[id]
		if !q.scope.IsCluster() && d.Scope != q.scope.Kind {
			text += " " + d.Title + " is measured for each " + strings.ReplaceAll(string(d.Scope), "_", " ") + " and for the whole cluster."
		}
	}
	return text
}

// signalsMeta is the meta data of the frames.
func signalsMeta() *data.FrameMeta {
	return &data.FrameMeta{
		Type:                   data.FrameTypeTimeSeriesMulti,
		TypeVersion:            frameVersion,
		PreferredVisualization: data.VisTypeGraph,
	}
}

// signalFrame makes a series a frame. Each point stands for a stretch of time;
// where the next one is further away than an assessment holds, a point without
// a value breaks the line, because nothing was measured in between.
func signalFrame(cluster string, d signals.Definition, series *dsql.Series, stretch time.Duration) *data.Frame {
	times := make([]time.Time, 0, len(series.Points))
	values := make([]*float64, 0, len(series.Points))
	var last instant.Instant
	for i := range series.Points {
		point := &series.Points[i]
		if !last.IsZero() && point.At.Sub(last) > dsql.HoldsFor+stretch {
			times = append(times, last.Add(dsql.HoldsFor).Time())
			values = append(values, nil)
		}
		last = point.At
		value := point.Value
		if d.Rollup == signals.Max {
			// Ages and latencies: the peak is what hurts.
			value = point.Max
		}
		times = append(times, point.At.Time())
		values = append(values, &value)
	}

	title := d.Title
	if !series.Scope.IsCluster() {
		title += " · " + scopeWords(series.Scope)
	}
	value := withUnit(field(string(d.ID), title, d.Meaning, values), grafanaUnit(d.Unit))
	value.Labels = labels(cluster, series.Scope)
	frame := data.NewFrame("signals", field("time", "Time", "When it was measured.", times), value)
	frame.Meta = signalsMeta()
	return frame
}

// labels say where a series was measured.
func labels(cluster string, scope health.Scope) data.Labels {
	l := data.Labels{"cluster": cluster}
	set := func(name, value string) {
		if value != "" {
			l[name] = value
		}
	}
	if !scope.IsCluster() && scope.Kind != health.KindNamespace {
		set(string(scope.Kind), scope.Name)
	}
	set("namespace", scope.Namespace)
	set("task_type", string(scope.TaskType))
	set("service", scope.Service)
	if scope.Kind == health.KindService {
		set("service", scope.Name)
	}
	return l
}
