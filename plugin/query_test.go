package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

func TestAnUnknownQueryTypeNamesTheKnownOnes(t *testing.T) {
	s := sourceOf(goodStore())
	wantFailure(t, ask(t, s, query(t, "statsu", nil)), backend.StatusBadRequest,
		`query type "statsu" is not known; use one of: `+knownTypes())
	wantFailure(t, ask(t, s, query(t, "", nil)), backend.StatusBadRequest,
		`the query has no type (field "queryType"); use one of: `+knownTypes())
}

func TestAWrongQueryNamesTheField(t *testing.T) {
	for _, test := range []struct {
		fields map[string]any
		words  string
	}{
		{map[string]any{"cluster": 7}, `the query's field "cluster" must be a text, it is a JSON number`},
		{map[string]any{"signals": "pollers"}, `the query's field "signals" must be a list of texts, it is a JSON string`},
		{map[string]any{"scope": "billing"}, `the query's field "scope" must be an object, it is a JSON string`},
		{map[string]any{"scope": map[string]any{"kind": 1}}, `the query's field "scope.kind" must be a text, it is a JSON number`},
		{map[string]any{"scope": map[string]any{"kind": "task_queue", "taskType": "activity"}}, `the query's field "scope": unknown field "taskType"`},
		{map[string]any{"scope": map[string]any{"kind": "queue"}}, `the query's field "scope.kind" is "queue"; use one of: cluster, service, namespace, task_queue, replica`},
		{map[string]any{"scope": map[string]any{"name": "billing"}}, `the query's field "scope.kind" is ""; use one of: cluster, service, namespace, task_queue, replica`},
		{map[string]any{"scope": map[string]any{"kind": "cluster", "name": "billing"}}, `the query's scope is the whole cluster and names a part of it; set "scope.kind" to the kind of that part`},
		{map[string]any{"scope": map[string]any{"kind": "task_queue", "task_type": "nexus"}}, `the query's field "scope.task_type" is "nexus"; use workflow or activity, or leave it out`},
		{map[string]any{"scope": map[string]any{"kind": "service", "task_type": "workflow"}}, `the query's field "scope.task_type" belongs to task queues, its scope is of kind service`},
		{map[string]any{"signals": []string{"pollers", "polers"}}, `signal "polers" is not known; use some of: ` + knownSignals()},
	} {
		response := ask(t, sourceOf(goodStore()), query(t, "signals", test.fields))
		wantFailure(t, response, backend.StatusBadRequest, test.words)
	}
}

// knownTypes lists the query types as errors do.
func knownTypes() string {
	names := make([]string, len(queryTypes))
	for i, queryType := range queryTypes {
		names[i] = queryType.name
	}
	return strings.Join(names, ", ")
}

func knownSignals() string {
	_, list, _ := strings.Cut(unknownSignal("x").Error(), "use some of: ")
	return list
}

func TestAQueryThatIsNoObject(t *testing.T) {
	q := query(t, "status", nil)
	q.JSON = []byte(`[]`)
	response := ask(t, sourceOf(goodStore()), q)
	if response.Error == nil || !strings.HasPrefix(response.Error.Error(), "the query is not a JSON object: ") {
		t.Errorf("got %v", response.Error)
	}
	q.JSON = nil
	if response := ask(t, sourceOf(goodStore()), q); response.Error != nil {
		t.Errorf("a query without JSON asks for nothing special: %v", response.Error)
	}
}

func TestAFieldThatNobodyKnowsIsTold(t *testing.T) {
	response := ask(t, sourceOf(goodStore()), query(t, "status", map[string]any{"clutser": "prod", "hide": false}))
	if response.Error != nil {
		t.Fatal(response.Error)
	}
	want := []string{"The query has fields that mean nothing here and were ignored: clutser."}
	if got := notices(response); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheClusterOfAQuery(t *testing.T) {
	two := func() *fakeStore {
		st := goodStore()
		st.clusters = append(st.clusters, dsql.Cluster{ID: "staging"})
		return st
	}
	none := func() *fakeStore {
		st := goodStore()
		st.clusters = nil
		return st
	}
	many := func() *fakeStore {
		st := goodStore()
		for i := range 30 {
			st.clusters = append(st.clusters, dsql.Cluster{ID: fmt.Sprintf("c%02d", i)})
		}
		return st
	}

	if response := ask(t, sourceOf(goodStore()), query(t, "status", map[string]any{"cluster": " "})); response.Error != nil {
		t.Errorf("with one cluster a query need not name it: %v", response.Error)
	}
	if response := ask(t, sourceOf(two()), query(t, "status", map[string]any{"cluster": "prod"})); response.Error != nil {
		t.Errorf("a query that names its cluster: %v", response.Error)
	}
	wantFailure(t, ask(t, sourceOf(two()), query(t, "status", nil)), backend.StatusBadRequest,
		"the query names no cluster and there are several; choose one of: prod, staging")
	if got := ask(t, sourceOf(many()), query(t, "status", nil)).Error.Error(); !strings.HasSuffix(got, "c18 and 11 more") {
		t.Errorf("got %q", got)
	}
	wantFailure(t, ask(t, sourceOf(two()), query(t, "timeline", map[string]any{"cluster": "prd"})), backend.StatusNotFound,
		`cluster "prd" is not known; the store holds: prod, staging`)
	wantFailure(t, ask(t, sourceOf(none()), query(t, "status", nil)), backend.StatusNotFound,
		`no cluster has been observed yet: start "copilot worker" with this store`)
}

func TestFailuresOfTheStore(t *testing.T) {
	for _, test := range []struct {
		err    error
		status backend.Status
	}{
		{errStoreAway, backend.StatusBadGateway},
		{&dsql.ConnectError{Target: "PostgreSQL", Reason: "nothing listens there", Remedy: "check the port"}, backend.StatusBadGateway},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), backend.StatusTimeout},
		{&dsql.InvalidError{Message: "time series need a time range"}, backend.StatusBadRequest},
	} {
		st := goodStore()
		st.err = test.err
		for _, queryType := range queryTypes {
			response := ask(t, sourceOf(st), query(t, queryType.name, map[string]any{"cluster": "prod"}))
			wantFailure(t, response, test.status, test.err.Error())
			if !errors.Is(response.Error, test.err) {
				t.Errorf("%v was lost", test.err)
			}
		}
	}
}

func TestTheTimeRange(t *testing.T) {
	empty := query(t, "timeline", nil)
	empty.TimeRange.From = empty.TimeRange.To
	wantFailure(t, ask(t, sourceOf(goodStore()), empty), backend.StatusBadRequest,
		"the time range is empty: it begins at 2026-11-24T12:00:00Z and ends at 2026-11-24T12:00:00Z")

	st := goodStore()
	st.intervals = []dsql.Interval{{State: health.Happy, From: noon.Add(-time.Hour), To: noon}}
	decade := query(t, "timeline", nil)
	decade.TimeRange.From = noon.Add(-10 * 365 * 24 * time.Hour).Time()
	response := ask(t, sourceOf(st), decade)
	if response.Error != nil {
		t.Fatal(response.Error)
	}
	if got := st.timelineTo.Sub(st.timelineFrom); got != maxRange {
		t.Errorf("the store was asked for %v", got)
	}
	if got := notices(response); !slices.Equal(got, []string{"The time range is longer than 400 days; this is its end."}) {
		t.Errorf("got %q", got)
	}
}

func TestQueriesOfOnePanelAreAnsweredEach(t *testing.T) {
	s := sourceOf(goodStore())
	good, bad := query(t, "status", nil), query(t, "status", map[string]any{"cluster": "nowhere"})
	good.RefID, bad.RefID = "A", "B"
	response, err := s.QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{good, bad}})
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Responses["A"].Error; err != nil {
		t.Errorf("the good query failed with the bad one: %v", err)
	}
	if response.Responses["B"].Error == nil {
		t.Error("the bad query did not fail")
	}
	if got := response.Responses["A"].Frames[0].RefID; got != "A" {
		t.Errorf("the frame belongs to query %q", got)
	}
}
