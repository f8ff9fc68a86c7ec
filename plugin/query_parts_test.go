package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// fullStore holds one of everything that frames are made of.
func fullStore() *fakeStore {
	st := goodStore()
	a := st.latest["prod"]
	st.intervals = spans()
	st.series = []dsql.Series{{Signal: health.Pollers, Scope: a.Gates[0].Scope, Points: points(3, 2, 1)}}
	st.changes = []dsql.StateChange{
		{
			Transition: health.Transition{From: health.Happy, To: health.Stressed, At: noon.Add(-10 * time.Minute), Gates: []string{"worker.pollers.none"}},
			Evidence:   []dsql.Evidence{{Gate: "worker.pollers.none", Scope: a.Gates[0].Scope, Finding: "nobody polls default/billing"}},
		},
		// Written by a program that kept only the gates' ids.
		{Transition: health.Transition{From: health.Stressed, To: health.Happy, At: noon.Add(-50 * time.Minute), Gates: []string{}}},
	}
	for _, issue := range a.Issues {
		st.issues = append(st.issues, dsql.Issue{Issue: issue, Openings: 1})
	}
	a.Explanation.Logs = []string{"The database does not answer (history): 320 times since 2026-11-24T11:57:30Z, 30s before “Matching is slow”."}
	told := *a.Logs
	told.Patterns = []health.LogPattern{{
		ID: "persistence.unavailable", Pattern: "Connections to the database fail", Service: "history", Severity: health.LogError,
		Count: 320, PerSec: 4, News: health.NewsNew, FirstAt: a.At.Add(-2 * time.Minute), LastAt: a.At,
		Ties: []health.LogTie{{Issue: "1", Gate: "persistence.latency", LagSec: 30}}, Samples: []string{"Persistent store operation Failure"},
	}}
	a.Logs = &told
	st.latest["prod"] = a
	st.patterns = []dsql.LogPatternSum{
		{
			ID: "other.0badcafe", Pattern: "cache of <*> is full", Service: "matching", Severity: health.LogError,
			Lines: 900, FirstAt: noon.Add(-time.Hour), LastAt: noon.Add(-30 * time.Second),
		},
		{
			ID: "persistence.unavailable", Pattern: "Connections to the database fail", Service: "history", Severity: health.LogError,
			Lines: 320, FirstAt: noon.Add(-2 * time.Minute), LastAt: noon.Add(-30 * time.Second),
		},
		{
			ID: "worker.panic", Pattern: "Code of a workflow or an activity panics", Service: "workers", Queue: health.TaskQueueScope("default", "billing"),
			Severity: health.LogError, Lines: 3, FirstAt: noon.Add(-40 * time.Minute), LastAt: noon.Add(-39 * time.Minute),
		},
	}
	st.summaries = []dsql.AssessmentSummary{
		{ID: dsql.AssessmentID("prod", a.At), Cluster: "prod", At: a.At, State: health.Stressed, Summary: a.Explanation.Summary},
		{ID: dsql.AssessmentID("prod", a.At.Add(-30*time.Second)), Cluster: "prod", At: a.At.Add(-30 * time.Second), State: health.Happy, Blind: true},
	}
	return st
}

// Every query type has a golden file of what it answers.
func TestEveryQueryType(t *testing.T) {
	for _, test := range []struct {
		golden, queryType string
		fields            map[string]any
		machine           bool
	}{
		{"services", "services", nil, false},
		{"scopes", "scopes", nil, false},
		{"scopes_happy", "scopes", map[string]any{"states": []string{"happy"}}, false},
		{"scopes_number", "scopes", nil, true},
		{"issues", "issues", nil, false},
		{"issues_history", "issues", map[string]any{"history": true}, false},
		{"issues_number", "issues", nil, true},
		{"actions", "actions", nil, false},
		{"summary", "summary", nil, false},
		{"transitions", "transitions", nil, false},
		{"log_patterns", "log_patterns", nil, false},
		{"assessment", "assessment", nil, false},
		{"clusters", "clusters", nil, false},
		{"clusters_number", "clusters", nil, true},
		{"annotations_transitions", "annotations", nil, false},
		{"annotations_issues", "annotations", map[string]any{"events": "issues"}, false},
		{"annotations_assessments", "annotations", map[string]any{"events": "assessments"}, false},
		{"variables_clusters", "variables", nil, false},
		{"variables_task_queues", "variables", map[string]any{"list": "task_queues", "cluster": "prod"}, false},
		{"variables_states", "variables", map[string]any{"list": "states"}, false},
	} {
		t.Run(test.golden, func(t *testing.T) {
			var headers []string
			if test.machine {
				headers = []string{"FromAlert"}
			}
			golden(t, test.golden, ask(t, sourceOf(fullStore()), query(t, test.queryType, test.fields), headers...))
		})
	}
	for _, queryType := range queryTypes {
		if response := ask(t, sourceOf(fullStore()), query(t, queryType.name, nil)); response.Error != nil || len(response.Frames) == 0 {
			t.Errorf("%s: %v", queryType.name, response.Error)
		}
	}
}

// What the dashboards and the hero panel read, by name.
func TestFramesHaveTheFieldsThatPanelsRead(t *testing.T) {
	for queryType, want := range map[string]string{
		"status": "cluster state since confidence bottleneck summary issue impaired impaired_count asked_per_sec served_per_sec waiting oldest_sec " +
			"blind coverage observed_at age_sec previous_state stale interval_sec signals_usable signals_asked degraded changed would_change",
		"services":     "kind namespace name state since bottleneck share asked served waiting oldest_sec pollers trend",
		"scopes":       "kind namespace name state since bottleneck share asked served waiting oldest_sec pollers trend",
		"issues":       "id severity title detail kind namespace name status opened_at changed_at gates",
		"actions":      "id action type target risk confidence gates guide",
		"summary":      "rank text gate scope value limit unit weight trend",
		"timeline":     "start end state",
		"transitions":  "time from to gates",
		"log_patterns": "count pattern service severity news issue lag first_at last_at sample id",
		"annotations":  "time timeEnd title text tags id",
		"variables":    "text value",
	} {
		frame := ask(t, sourceOf(fullStore()), query(t, queryType, nil)).Frames[0]
		for name := range strings.FieldsSeq(want) {
			if f, _ := frame.FieldByName(name); f == nil {
				t.Errorf("%s has no field %q", queryType, name)
			}
		}
	}
	if frame := ask(t, sourceOf(fullStore()), query(t, "summary", nil)).Frames[1]; frame.Name != "avoid" || len(frame.Fields) != 1 {
		t.Errorf("the second frame of summary is %q", frame.Name)
	}
}

// Frames hold to Grafana's types of frames, and every field explains itself.
func TestFramesAreWellMade(t *testing.T) {
	for _, queryType := range queryTypes {
		for _, frame := range ask(t, sourceOf(fullStore()), query(t, queryType.name, nil)).Frames {
			if frame.Meta.Type == "" || frame.Meta.ExecutedQueryString == "" {
				t.Errorf("%s: frame %q says %+v", queryType.name, frame.Name, frame.Meta)
			}
			if _, err := frame.RowLen(); err != nil {
				t.Errorf("%s: %v", queryType.name, err)
			}
			for _, f := range frame.Fields {
				if f.Config == nil || f.Config.DisplayNameFromDS == "" || f.Config.Description == "" {
					t.Errorf("%s: field %q has no name or description", queryType.name, f.Name)
				}
			}
		}
	}
}

// A colour never stands alone: each state is a word, too.
func TestStatesAreWords(t *testing.T) {
	for _, mappings := range []data.ValueMappings{stateMappings, stateNumberMappings, severityMappings, riskMappings, outcomeMappings, bottleneckMappings, blindMappings, yesMappings, logSeverityMappings, newsMappings} {
		words := map[string]bool{}
		for value, result := range mappings[0].(data.ValueMapper) {
			if result.Text == "" || words[result.Text] {
				t.Errorf("%s: the word %q is missing or there twice", value, result.Text)
			}
			words[result.Text] = true
		}
	}
}

// Everything that is made of the newest assessment tells what stands between it
// and the present.
func TestEveryPartTellsThatItIsOldOrBlind(t *testing.T) {
	for _, name := range []string{"status", "services", "scopes", "issues", "actions", "summary", "assessment", "log_patterns"} {
		st := fullStore()
		a := incident(noon.Add(-time.Hour))
		a.Blind, a.BlindReason, a.SeenAt = true, "Prometheus does not answer", noon.Add(-2*time.Hour)
		st.latest["prod"] = a
		told := strings.Join(notices(ask(t, sourceOf(st), query(t, name, nil))), " ")
		if !strings.Contains(told, "The last assessment is 60 min old") || !strings.Contains(told, "The copilot is blind since 2026-11-24T10:00:00Z (Prometheus does not answer)") {
			t.Errorf("%s tells %q", name, told)
		}
	}
}

// Alert rules get numbers or an error, never a table that they cannot read.
func TestMachinesGetNumbers(t *testing.T) {
	for _, queryType := range queryTypes {
		response := ask(t, sourceOf(fullStore()), query(t, queryType.name, map[string]any{"cluster": "prod"}), "FromAlert")
		if queryType.numbers != (response.Error == nil) {
			t.Errorf("%s: %v", queryType.name, response.Error)
		}
		for _, frame := range response.Frames {
			if frame.Meta.Type == data.FrameTypeTable {
				t.Errorf("%s answers an alert rule with a table", queryType.name)
			}
		}
	}
	wantFailure(t, ask(t, sourceOf(fullStore()), query(t, "actions", nil), "FromAlert"), backend.StatusBadRequest,
		`a query of type "actions" gives no numbers for alert rules and expressions; use one of: status, services, scopes, issues, signals, clusters`)
}

func TestEveryMeasure(t *testing.T) {
	number := func(st *fakeStore, queryType, measure string) any {
		t.Helper()
		response := ask(t, sourceOf(st), query(t, queryType, map[string]any{"measure": measure}), "FromAlert")
		if response.Error != nil {
			t.Fatal(response.Error)
		}
		if len(response.Frames[0].Fields) == 0 {
			return nil
		}
		return response.Frames[0].Fields[0].At(0)
	}
	for measure, want := range map[string]any{
		"": 2.0, "state": 2.0, "blind": 0.0, "stale": 0.0, "age_sec": 30.0, "confidence": 0.87, "coverage": 0.95,
		"impaired_count": 2.0, "asked_per_sec": 42.5, "served_per_sec": 30.0, "waiting": 1200.0, "oldest_sec": nil,
	} {
		if got := number(goodStore(), "status", measure); got != want {
			t.Errorf("%q is %v, expected %v", measure, got, want)
		}
	}
	// Of a stale assessment, nothing about the present is left.
	old := goodStore()
	old.latest["prod"] = incident(noon.Add(-10 * time.Minute))
	old.clusters[0].LastSeen = noon.Add(-10 * time.Minute)
	for _, m := range measures {
		if got := number(old, "status", m.name); (got != nil) != m.always {
			t.Errorf("stale: %q is %v", m.name, got)
		}
	}
	for measure, want := range map[string]any{"": nil, "blind": nil, "age_sec": 600.0} {
		if got := number(old, "clusters", measure); got != want {
			t.Errorf("stale: %q of clusters is %v, expected %v", measure, got, want)
		}
	}
	wantFailure(t, ask(t, sourceOf(goodStore()), query(t, "status", map[string]any{"measure": "cpu"}), "FromAlert"), backend.StatusBadRequest,
		`the query's field "measure" is "cpu"; use one of: state, blind, stale, age_sec, confidence, coverage, impaired_count, asked_per_sec, served_per_sec, waiting, oldest_sec`)
	wantFailure(t, ask(t, sourceOf(goodStore()), query(t, "clusters", map[string]any{"measure": "cpu"}), "FromAlert"), backend.StatusBadRequest,
		`the query's field "measure" is "cpu"; use one of: state, blind, age_sec`)
}

func TestTheStateFilter(t *testing.T) {
	states := func(filter ...string) []string {
		t.Helper()
		response := ask(t, sourceOf(fullStore()), query(t, "scopes", map[string]any{"states": filter}))
		if response.Error != nil {
			t.Fatal(response.Error)
		}
		f, _ := response.Frames[0].FieldByName("state")
		var got []string
		for i := range f.Len() {
			got = append(got, f.At(i).(string))
		}
		return got
	}
	all := []string{"critical", "happy"}
	for _, test := range []struct{ filter, want []string }{
		{nil, all},
		{[]string{""}, all},
		{[]string{"All"}, all},
		{[]string{"$__all"}, all},
		{[]string{"critical"}, []string{"critical"}},
		{[]string{"Critical, happy"}, all},
		{[]string{"stressed"}, nil},
	} {
		if got := states(test.filter...); !slices.Equal(got, test.want) {
			t.Errorf("%q gives %q, expected %q", test.filter, got, test.want)
		}
	}
	wantFailure(t, ask(t, sourceOf(fullStore()), query(t, "scopes", map[string]any{"states": []string{"sad"}})), backend.StatusBadRequest,
		`the query's field "states" holds "sad"; use happy, stressed, critical, unknown, or all`)
}

func TestSignalsOfPlacesInSomeStates(t *testing.T) {
	series := func(kind, state string) int {
		response := ask(t, sourceOf(fullStore()), query(t, "signals", map[string]any{
			"signals": []string{"pollers"}, "scope": map[string]any{"kind": kind}, "states": []string{state},
		}))
		if response.Error != nil {
			t.Fatal(response.Error)
		}
		return len(slices.DeleteFunc(response.Frames, func(f *data.Frame) bool { return len(f.Fields) == 0 }))
	}
	if got := series("task_queue", "critical"); got != 1 {
		t.Errorf("%d series of critical queues", got)
	}
	if got := series("task_queue", "happy"); got != 0 {
		t.Errorf("%d series of happy queues", got)
	}
}

func TestOneAssessmentByItsID(t *testing.T) {
	st := fullStore()
	st.clusters = append(st.clusters, dsql.Cluster{ID: "staging"})
	id := dsql.AssessmentID("prod", noon.Add(-30*time.Second))
	response := ask(t, sourceOf(st), query(t, "assessment", map[string]any{"assessment": id}))
	if response.Error != nil || text(t, response.Frames[0], "id", 0) != id || response.Frames[1].Rows() != 2 {
		t.Errorf("got %v", response.Error)
	}
	other := dsql.AssessmentID("prod", noon)
	wantFailure(t, ask(t, sourceOf(st), query(t, "assessment", map[string]any{"assessment": other})), backend.StatusNotFound,
		"the store holds no assessment "+other+"; it may have been deleted by its age")
	wantFailure(t, ask(t, sourceOf(st), query(t, "assessment", map[string]any{"assessment": id, "cluster": "staging"})), backend.StatusBadRequest,
		"assessment "+id+` is of cluster "prod", the query names cluster "staging"`)
}

func TestWrongListsAndEvents(t *testing.T) {
	wantFailure(t, ask(t, sourceOf(fullStore()), query(t, "variables", map[string]any{"list": "pods"})), backend.StatusBadRequest,
		`the query's field "list" is "pods"; use one of: clusters, services, namespaces, task_queues, states`)
	wantFailure(t, ask(t, sourceOf(fullStore()), query(t, "annotations", map[string]any{"events": "births"})), backend.StatusBadRequest,
		`the query's field "events" is "births"; use one of: transitions, issues, assessments`)
	wantFailure(t, ask(t, sourceOf(fullStore()), query(t, "issues", map[string]any{"history": "yes"})), backend.StatusBadRequest,
		`the query's field "history" must be true or false, it is a JSON string`)
}
