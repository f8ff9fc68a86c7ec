package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/experimental/concurrent"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// maxRange is the longest time that one query covers. Nobody reads a state
	// timeline of several years, but one wrong click asks for it.
	maxRange = 400 * 24 * time.Hour
	// maxConcurrent bounds the queries of one request that run at a time: a
	// dashboard must not take all of the store's connections.
	maxConcurrent = 4
)

// queryType is one kind of question. Each has a file of its own.
type queryType struct {
	name   string
	answer func(ctx context.Context, q *question) (data.Frames, error)
	// says what the query inspector shows beside the cluster; nil for what only
	// depends on the newest assessment.
	says func(q *question) string
	// everywhere is set for questions that are not about one cluster.
	everywhere bool
	// numbers is set where an alert rule gets a number.
	numbers bool
}

// queryTypes are all there are, in the order in which errors list them.
var queryTypes = []queryType{
	{name: "status", answer: answerStatus, numbers: true},
	{name: "services", answer: answerServices, says: sayStates, numbers: true},
	{name: "scopes", answer: answerScopes, says: sayStates, numbers: true},
	{name: "issues", answer: answerIssues, says: sayIssues, numbers: true},
	{name: "actions", answer: answerActions},
	{name: "summary", answer: answerSummary},
	{name: "timeline", answer: answerTimeline, says: sayRange},
	{name: "transitions", answer: answerTransitions, says: sayRange},
	{name: "signals", answer: answerSignals, says: saySignals, numbers: true},
	{name: "log_patterns", answer: answerLogPatterns, says: sayRange},
	{name: "assessment", answer: answerAssessment, says: sayAssessment},
	{name: "clusters", answer: answerClusters, everywhere: true, numbers: true},
	{name: "annotations", answer: answerAnnotations, says: sayEvents},
	{name: "variables", answer: answerVariables, says: sayList},
}

// question is a query, understood: what the parts of the request mean.
type question struct {
	store *shared
	// cluster is never empty, but for questions about all clusters.
	cluster string
	signals []health.SignalID
	scope   health.Scope
	// states are those to be shown; empty: all.
	states []health.State
	// measure is the number that a machine gets; empty: the state.
	measure string
	// history asks for the issues of the time range instead of those of now.
	history bool
	// assessment is the id of an assessment; empty: the newest.
	assessment string
	// list and events are what a variable, or an annotation, is made of.
	list, events string
	// live asks for the channel on which Grafana Live tells of new answers.
	live    bool
	channel string
	// from is before to.
	from, to instant.Instant
	// now is the time of the request.
	now       instant.Instant
	maxPoints int
	// numbers is set when a machine asks, an alert rule or an expression,
	// which can only use numbers.
	numbers bool
	// notices collects what the reader should know; they go with the answer's
	// first frame.
	notices []data.Notice
}

// queries returns the handler of QueryData. It only dispatches.
func (s *source) queries() backend.QueryDataHandler {
	mux := datasource.NewQueryTypeMux()
	names := make([]string, len(queryTypes))
	for i, t := range queryTypes {
		mux.HandleFunc(t.name, s.each(t))
		names[i] = t.name
	}
	known := strings.Join(names, ", ")
	mux.HandleFunc("", func(_ context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
		response := backend.NewQueryDataResponse()
		for _, q := range req.Queries {
			err := badQuery("query type %q is not known; use one of: %s", q.QueryType, known)
			if q.QueryType == "" {
				err = badQuery("the query has no type (field %q); use one of: %s", "queryType", known)
			}
			response.Responses[q.RefID] = failure(err)
		}
		return response, nil
	})
	return mux
}

// each makes an answer to one question the handler of all queries of its type.
func (s *source) each(t queryType) backend.QueryDataHandlerFunc {
	return func(ctx context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
		numbers := askedByMachine(req)
		return concurrent.QueryData(ctx, req, func(ctx context.Context, query concurrent.Query) backend.DataResponse {
			ctx, cancel := context.WithTimeout(ctx, requestTimeout)
			defer cancel()
			frames, err := s.answer(ctx, t, query.DataQuery, req.PluginContext, numbers)
			if err != nil {
				return failure(err)
			}
			return backend.DataResponse{Status: backend.StatusOK, Frames: frames}
		}, maxConcurrent)
	}
}

// fromExpressionHeader is set by Grafana's server-side expressions.
const fromExpressionHeader = "X-Grafana-From-Expr"

// askedByMachine tells whether an alert rule or an expression asks.
func askedByMachine(req *backend.QueryDataRequest) bool {
	return req.Headers[backend.FromAlertHeaderName] == "true" ||
		req.GetHTTPHeader(backend.FromAlertHeaderName) == "true" ||
		req.GetHTTPHeader(fromExpressionHeader) == "true"
}

// answer understands a query, has it answered, and finishes the frames.
func (s *source) answer(ctx context.Context, t queryType, query backend.DataQuery, plugin backend.PluginContext, numbers bool) (data.Frames, error) {
	q, err := s.understand(ctx, t, query)
	if err != nil {
		return nil, err
	}
	if numbers && !t.numbers {
		return nil, badQuery("a query of type %q gives no numbers for alert rules and expressions; use one of: %s", t.name, strings.Join(numeric(), ", "))
	}
	q.numbers = numbers
	if q.live {
		q.channel = channelOf(plugin, q.cluster)
	}
	frames, err := t.answer(ctx, q)
	if err != nil {
		return nil, err
	}
	executed := t.text(q)
	for _, frame := range frames {
		frame.RefID = query.RefID
		if frame.Meta == nil {
			frame.Meta = &data.FrameMeta{}
		}
		frame.Meta.ExecutedQueryString = executed
	}
	if len(frames) > 0 {
		frames[0].AppendNotices(q.notices...)
	}
	return frames, nil
}

// numeric lists the query types that give numbers.
func numeric() []string {
	var names []string
	for _, t := range queryTypes {
		if t.numbers {
			names = append(names, t.name)
		}
	}
	return names
}

// understand reads a query. What is wrong with the query is found out before
// the store is bothered.
func (s *source) understand(ctx context.Context, t queryType, query backend.DataQuery) (*question, error) {
	model, unknown, err := decode(query.JSON)
	if err != nil {
		return nil, err
	}
	q := &question{
		cluster:    strings.TrimSpace(model.Cluster),
		signals:    model.Signals,
		measure:    model.Measure,
		history:    model.History,
		assessment: strings.TrimSpace(model.Assessment),
		list:       model.List,
		events:     model.Events,
		live:       model.Live,
		from:       instant.FromTime(query.TimeRange.From),
		to:         instant.FromTime(query.TimeRange.To),
		now:        s.clock.Now(),
		maxPoints:  int(min(query.MaxDataPoints, 10_000)),
	}
	if len(unknown) > 0 {
		q.warn("The query has fields that mean nothing here and were ignored: %s.", strings.Join(unknown, ", "))
	}
	if q.scope, err = model.scope(); err != nil {
		return nil, err
	}
	if q.states, err = model.states(); err != nil {
		return nil, err
	}
	if !q.from.Before(q.to) {
		return nil, badQuery("the time range is empty: it begins at %s and ends at %s", q.from, q.to)
	}
	if q.to.Sub(q.from) > maxRange {
		q.from = q.to.Add(-maxRange)
		q.warn("The time range is longer than %d days; this is its end.", int(maxRange.Hours()/24))
	}
	if q.store, err = s.open(ctx); err != nil {
		return nil, err
	}
	if q.cluster == "" && !t.everywhere && !q.needsNoCluster(t) {
		q.cluster, err = onlyCluster(ctx, q.store)
	}
	return q, err
}

// needsNoCluster tells of the questions that may, and here do not, name one.
func (q *question) needsNoCluster(t queryType) bool {
	switch t.name {
	case "variables":
		return q.list == "" || q.list == listClusters || q.list == listStates
	case "assessment":
		return q.assessment != ""
	}
	return false
}

// text writes a question as the query inspector shows it.
func (t queryType) text(q *question) string {
	text := t.name
	if q.cluster != "" {
		text += fmt.Sprintf(" cluster=%q", q.cluster)
	}
	if t.says != nil {
		text += t.says(q)
	}
	return text
}

// sayRange says which time was asked for, and which states.
func sayRange(q *question) string {
	return fmt.Sprintf("%s from=%s to=%s", sayStates(q), q.from, q.to)
}

// sayStates says which states were asked for, if not all.
func sayStates(q *question) string {
	if len(q.states) == 0 {
		return ""
	}
	names := make([]string, len(q.states))
	for i, state := range q.states {
		names[i] = state.String()
	}
	return " states=" + strings.Join(names, ",")
}

// wants tells whether a state was asked for.
func (q *question) wants(state health.State) bool {
	return len(q.states) == 0 || slices.Contains(q.states, state)
}

// verdict returns the newest assessment of the cluster, and tells the reader
// what stands between it and the present.
func (q *question) verdict(ctx context.Context) (*latest, error) {
	v, err := q.store.verdict(ctx, q.cluster)
	if errors.Is(err, dsql.ErrNotFound) {
		return nil, notYet("cluster %q has not been assessed yet; check that \"copilot worker\" runs", q.cluster)
	}
	if err != nil {
		return nil, err
	}
	a := &v.assessment
	if v.degraded != "" {
		q.warn("The store does not answer (%s): this is the last known assessment.", v.degraded)
	}
	if v.isStale(q.now) {
		q.warn("The last assessment is %s old; check that \"copilot worker\" runs. What is shown was true at %s.", age(v.age(q.now)), a.At)
	}
	if a.Blind {
		q.warn("The copilot is blind since %s (%s): the state is held, not observed.", a.SeenAt, or(a.BlindReason, "no telemetry"))
	}
	return v, nil
}

// age is how long ago the assessment was made.
func (v *latest) age(now instant.Instant) time.Duration { return max(now.Sub(v.assessment.At), 0) }

// isStale tells whether the assessment no longer speaks for the present.
func (v *latest) isStale(now instant.Instant) bool {
	return v.age(now) > api.StaleAfter(v.interval())
}

// usualInterval is the time between assessments where one does not say it.
const usualInterval = 30 * time.Second

// interval is the time between two assessments.
func (v *latest) interval() time.Duration {
	if seconds := v.assessment.IntervalSec; seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	return usualInterval
}

// onlyCluster is what a query that names no cluster means.
func onlyCluster(ctx context.Context, st *shared) (string, error) {
	clusters, err := st.Clusters(ctx)
	if err != nil {
		return "", err
	}
	switch len(clusters) {
	case 0:
		return "", notYet("no cluster has been observed yet: start \"copilot worker\" with this store")
	case 1:
		return clusters[0].ID, nil
	}
	const most = 20
	names := make([]string, 0, most)
	for _, c := range clusters[:min(len(clusters), most)] {
		names = append(names, c.ID)
	}
	list := strings.Join(names, ", ")
	if len(clusters) > most {
		list += fmt.Sprintf(" and %d more", len(clusters)-most)
	}
	return "", badQuery("the query names no cluster and there are several; choose one of: %s", list)
}

// warn adds a notice for whoever looks at the panel.
func (q *question) warn(format string, args ...any) {
	q.notices = append(q.notices, data.Notice{Severity: data.NoticeSeverityWarning, Text: fmt.Sprintf(format, args...)})
}

// inform adds a notice that nobody needs to act on.
func (q *question) inform(format string, args ...any) {
	q.notices = append(q.notices, data.Notice{Severity: data.NoticeSeverityInfo, Text: fmt.Sprintf(format, args...)})
}

// model is our part of a query's JSON; src/types.ts has the same as CopilotQuery.
type model struct {
	Cluster    string            `json:"cluster"`
	Signals    []health.SignalID `json:"signals"`
	Scope      json.RawMessage   `json:"scope"`
	States     []string          `json:"states"`
	Measure    string            `json:"measure"`
	History    bool              `json:"history"`
	Assessment string            `json:"assessment"`
	List       string            `json:"list"`
	Events     string            `json:"events"`
	Live       bool              `json:"live"`
}

// ours and grafanas are the fields that a query may have.
var (
	ours = []string{
		"cluster", "signals", "scope", "states", "measure", "history", "assessment", "list", "events", "live",
	}
	grafanas = []string{
		"refId", "key", "queryType", "datasource", "datasourceId", "hide", "intervalMs", "maxDataPoints",
		"timeRange", "resultAssertions", "_meta",
	}
)

// decode reads a query's JSON. A field of the wrong type is an error. One that
// nobody knows is returned: it may be a slip, or something that a later Grafana
// sends along, so it must be told but not stop the dashboard.
func decode(text []byte) (m model, unknown []string, err error) {
	if len(text) == 0 {
		return model{}, nil, nil
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return model{}, nil, badQuery("the query is not a JSON object: %v", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return model{}, nil, wrongType("", err)
	}
	for name := range fields {
		if !slices.Contains(ours, name) && !slices.Contains(grafanas, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return m, unknown, nil
}

// wrongType says which field of the query has a value of the wrong type.
func wrongType(inside string, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return badQuery("the query's field %q: %s", strings.TrimSuffix(inside, "."), strings.TrimPrefix(err.Error(), "json: "))
	}
	want := map[string]string{"string": "a text", "slice": "a list of texts", "struct": "an object", "bool": "true or false"}[wrong.Type.Kind().String()]
	name := strings.TrimSuffix(inside+wrong.Field, ".")
	return badQuery("the query's field %q must be %s, it is a JSON %s", name, want, wrong.Value)
}

// allStates is what a dashboard variable may be when it stands for every state.
var allStates = []string{"", "all", "$__all", "*", ".*"}

// states reads which states are to be shown. One text may hold several with
// commas between, as a variable of several values is written.
func (m model) states() ([]health.State, error) {
	var states []health.State
	for _, text := range m.States {
		for name := range strings.SplitSeq(text, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if slices.Contains(allStates, name) {
				return nil, nil
			}
			state, err := health.ParseState(name)
			if err != nil {
				return nil, badQuery("the query's field %q holds %q; use happy, stressed, critical, unknown, or all", "states", name)
			}
			states = append(states, state)
		}
	}
	return states, nil
}

// scopeKinds are the kinds of scope that a query may name.
var scopeKinds = []health.ScopeKind{
	health.KindCluster, health.KindService, health.KindNamespace, health.KindTaskQueue, health.KindReplica,
}

// scope reads where signals are asked for. A scope with empty parts stands for
// all that the other parts fit.
func (m model) scope() (health.Scope, error) {
	if len(m.Scope) == 0 || bytes.Equal(m.Scope, []byte("null")) {
		return health.ClusterScope(), nil
	}
	var scope health.Scope
	decoder := json.NewDecoder(bytes.NewReader(m.Scope))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&scope); err != nil {
		return health.Scope{}, wrongType("scope.", err)
	}
	switch {
	case !slices.Contains(scopeKinds, scope.Kind) && scope != health.ClusterScope():
		return health.Scope{}, badQuery("the query's field %q is %q; use one of: cluster, service, namespace, task_queue, replica", "scope.kind", scope.Kind)
	case scope.IsCluster() && scope != health.Scope{Kind: scope.Kind}:
		return health.Scope{}, badQuery("the query's scope is the whole cluster and names a part of it; set %q to the kind of that part", "scope.kind")
	case scope.TaskType != "" && scope.TaskType != health.WorkflowTasks && scope.TaskType != health.ActivityTasks:
		return health.Scope{}, badQuery("the query's field %q is %q; use workflow or activity, or leave it out", "scope.task_type", scope.TaskType)
	case scope.TaskType != "" && scope.Kind != health.KindTaskQueue:
		return health.Scope{}, badQuery("the query's field %q belongs to task queues, its scope is of kind %s", "scope.task_type", scope.Kind)
	case scope.IsCluster():
		return health.ClusterScope(), nil
	case scope.Kind == health.KindNamespace:
		// A namespace's scope has its name twice.
		scope.Namespace = or(scope.Namespace, scope.Name)
		scope.Name = scope.Namespace
	}
	return scope, nil
}
