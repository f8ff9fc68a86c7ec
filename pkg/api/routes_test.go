package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// What is answered from a real database.
func TestOnPostgreSQL(t *testing.T) {
	one := storeOf(t, length, "prod")
	t.Run("every route", func(t *testing.T) { everyRoute(t, one) })
	t.Run("status", func(t *testing.T) { status(t, one) })
	t.Run("issues", func(t *testing.T) { issues(t, one) })
	t.Run("timeline", func(t *testing.T) { timeline(t, one) })
	t.Run("assessments", func(t *testing.T) { assessments(t, one) })
}

// Every route answers as the OpenAPI document says, in every status that it has
// there; ask holds each answer to its schema.
func everyRoute(t *testing.T, one *dsql.Store) {
	several, none := storeOf(t, time.Minute, "prod", "staging"), storeOf(t, 0)
	h, metrics := handlerOn(one, Options{}), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusOK)
	})
	away := &flaky{Store: one, err: &dsql.ConnectError{Target: "PostgreSQL at db:5432", Reason: "nothing listens there", Remedy: "check host and port"}}
	if err := none.RegisterCluster(t.Context(), "registered", ""); err != nil {
		t.Fatal(err)
	}
	var list AssessmentsAnswer
	ask(t, h, "GET", "/assessments").has(200).into(&list)
	id := list.Assessments[0].ID

	for _, route := range Routes() {
		target := strings.Replace(route.Path, "{id}", id, 1)
		server := handlerOn(one, Options{Metrics: metrics})
		if route.Method == http.MethodPost {
			ask(t, server, "POST", target).fails(501, CodeNotImplemented, "")
			ask(t, server, "POST", target, "Content-Type", "application/json").fails(501, CodeNotImplemented, "")
			ask(t, server, "GET", target).fails(405, CodeMethodNotAllowed, "method")
			continue
		}
		got := ask(t, server, "GET", target).has(200)
		head := ask(t, server, "HEAD", target).has(200)
		if len(head.body) != 0 || head.header.Get("ETag") != got.header.Get("ETag") || head.header.Get("Content-Length") != got.header.Get("Content-Length") {
			t.Errorf("HEAD %s: %d bytes, %v", target, len(head.body), head.header)
		}
		if tag := got.header.Get("ETag"); tag != "" {
			ask(t, server, "GET", target, "If-None-Match", tag).has(304)
		}
		ask(t, server, "DELETE", target).fails(405, CodeMethodNotAllowed, "method")
		secret := handlerOn(one, Options{Token: "hunter2", Metrics: metrics})
		if route.Path != pathHealthz && route.Path != pathReadyz {
			ask(t, secret, "GET", target).fails(401, CodeUnauthorized, "Authorization")
		}
		if slices.Contains(route.Errors, 503) {
			dead := New(Options{Clock: instant.Fixed(noon), Open: failing(away.err)})
			e := ask(t, dead, "GET", target).has(503)
			if e.header.Get("Retry-After") == "" || e.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", target, e.header)
			}
		}
		if len(route.Parameters) > 0 && route.Parameters[0].Name == "cluster" {
			e := ask(t, handlerOn(several, Options{}), "GET", target).fails(400, CodeClusterRequired, "cluster")
			if !strings.Contains(e.Remedy, "prod, staging") {
				t.Errorf("%s does not list the clusters: %+v", target, e)
			}
			ask(t, handlerOn(several, Options{}), "GET", target+"?cluster=staging").has(200)
			e = ask(t, handlerOn(several, Options{}), "GET", target+"?cluster=nobody").fails(404, CodeUnknownCluster, "cluster")
			if e.Value != "nobody" || !strings.Contains(e.Remedy, "prod, staging") {
				t.Errorf("%s of an unknown cluster: %+v", target, e)
			}
			ask(t, h, "GET", target+"?cluster=a&cluster=b").fails(400, CodeInvalidParameter, "cluster")
			ask(t, h, "GET", target+"?cluster="+strings.Repeat("x", 300)).fails(400, CodeInvalidParameter, "cluster")
			ask(t, handlerOn(&flaky{Store: one, empty: true}, Options{}), "GET", target).fails(404, CodeUnknownCluster, "cluster")
		}
	}
	ask(t, h, "GET", "/assessments/nonsense").fails(400, CodeInvalidParameter, "id")
	ask(t, h, "GET", "/assessments/"+dsql.AssessmentID("prod", noon)).fails(404, CodeNotFound, "id")
	ask(t, h, "GET", "/nothing").fails(404, CodeNotFound, "path")
	ask(t, h, "GET", "/").fails(404, CodeNotFound, "path")
	// Of a cluster that was never judged there is no verdict, but a record.
	ask(t, handlerOn(none, Options{}), "GET", "/status").has(404)
	ask(t, handlerOn(none, Options{}), "GET", "/status/timeline").has(200)
	ask(t, handlerOn(none, Options{}), "GET", "/assessments").has(200)

	var document struct {
		Paths map[string]map[string]struct {
			Responses map[string]any `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for _, operation := range methods {
			for status := range operation.Responses {
				// 403 is TestOnlyLoopbackNames, 413 TestBodiesAreLimited and
				// 500 TestPanics.
				if _, seen := told.Load(path + " " + status); !seen && !slices.Contains([]string{"401", "403", "413", "500"}, status) {
					t.Errorf("%s: no test has seen status %s", path, status)
				}
			}
		}
	}
}

// The status has R6.2's fields, and what says how fresh it is.
func status(t *testing.T, store *dsql.Store) {
	h := handlerOn(store, Options{})
	var status StatusAnswer
	ask(t, h, "GET", "/status").has(200).into(&status)
	if status.Cluster != "prod" || status.HealthState < health.Stressed || status.AgeSec != 35 || status.Stale || status.Degraded {
		t.Errorf("%+v", status)
	}
	if status.AssessmentID != dsql.AssessmentID("prod", status.ObservedAt) || status.PrimarySignals["backlog_age_sec"] == nil {
		t.Errorf("id %s, signals %v", status.AssessmentID, status.PrimarySignals)
	}
	if v, there := status.Amplifiers["occ_conflicts_per_sec"]; !there || v != nil {
		t.Errorf("a signal without a value is %v", v)
	}

	var services ServicesAnswer
	ask(t, h, "GET", "/status/services").has(200).into(&services)
	var names []string
	for _, s := range services.Services {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"frontend", "history", "matching"}) || services.AssessmentID != status.AssessmentID {
		t.Errorf("services: %v", names)
	}

	var summary SummaryAnswer
	ask(t, h, "GET", "/status/summary").has(200).into(&summary)
	if summary.Summary == "" || summary.Summary != status.Summary || !strings.Contains(summary.Summary, "billing") {
		t.Errorf("summary: %+v", summary)
	}

	late := handlerOn(store, Options{Clock: instant.Fixed(noon.Add(time.Hour))})
	ask(t, late, "GET", "/status").has(200).into(&status)
	if !status.Stale || status.AgeSec != 3635 {
		t.Errorf("an hour later: stale %v, %v s", status.Stale, status.AgeSec)
	}
}

func issues(t *testing.T, store *dsql.Store) {
	h := handlerOn(store, Options{})
	var now, past, critical, before, few IssuesAnswer
	ask(t, h, "GET", "/status/issues").has(200).into(&now)
	if len(now.Issues) == 0 {
		t.Fatal("there is no issue")
	}
	for i, issue := range now.Issues {
		if issue.Status != health.IssueOpen || i > 0 && issue.Severity > now.Issues[i-1].Severity {
			t.Errorf("%+v", issue)
		}
	}
	if worst := now.Issues[0]; len(worst.ContributingFactors) == 0 || worst.ContributingFactors[0].Text == "" {
		t.Errorf("nothing contributes to %+v", worst)
	}
	ask(t, h, "GET", "/status/issues?severity=critical").has(200).into(&critical)
	for _, issue := range critical.Issues {
		if issue.Severity != health.Critical {
			t.Errorf("not critical: %+v", issue)
		}
	}
	ask(t, h, "GET", "/status/issues?from="+began.String()+"&to=now").has(200).into(&past)
	if len(past.Issues) < len(now.Issues) || past.Issues[0].Openings == 0 {
		t.Errorf("%d issues in the whole time, %d now: %+v", len(past.Issues), len(now.Issues), past.Issues)
	}
	var paged []ActiveIssue
	for cursor := ""; ; {
		var page IssuesAnswer
		ask(t, h, "GET", "/status/issues?from="+began.String()+"&to=now&limit=1&cursor="+url.QueryEscape(cursor)).has(200).into(&page)
		paged = append(paged, page.Issues...)
		if cursor = page.NextCursor; cursor == "" || len(paged) > len(past.Issues) {
			break
		}
	}
	if !reflect.DeepEqual(paged, past.Issues) {
		t.Errorf("by pages of one: %+v, all at once: %+v", paged, past.Issues)
	}
	ask(t, h, "GET", "/status/issues?from=now-1h&cursor=x").fails(400, CodeInvalidParameter, "cursor")
	ask(t, h, "GET", "/status/issues?cursor=x").fails(400, CodeInvalidParameter, "cursor")
	ask(t, h, "GET", "/status/issues?from=2026-11-24T11:00:00Z&to=2026-11-24T11:51:00Z").has(200).into(&before)
	if len(before.Issues) != 0 {
		t.Errorf("before the incident: %+v", before.Issues)
	}
	ask(t, h, "GET", "/status/issues?limit=1").has(200).into(&few)
	if len(few.Issues) != 1 {
		t.Errorf("limit 1: %d", len(few.Issues))
	}
	ask(t, h, "GET", "/status/issues?severity=grave").fails(400, CodeInvalidParameter, "severity")
	ask(t, h, "GET", "/status/issues?severity=unknown").fails(400, CodeInvalidParameter, "severity")
}

func timeline(t *testing.T, store *dsql.Store) {
	h := handlerOn(store, Options{})
	var whole, part TimelineAnswer
	ask(t, h, "GET", "/status/timeline").has(200).into(&whole)
	if whole.To != noon || whole.From != noon.Add(-24*time.Hour) || len(whole.Intervals) < 2 || len(whole.Transitions) < 2 {
		t.Fatalf("%+v", whole)
	}
	for i, interval := range whole.Intervals {
		if i > 0 && interval.From != whole.Intervals[i-1].To {
			t.Errorf("a gap before %+v", interval)
		}
		if interval.Seconds != interval.To.Sub(interval.From).Seconds() {
			t.Errorf("%+v", interval)
		}
		ask(t, h, "GET", "/assessments/"+interval.AssessmentID).has(200)
	}
	ms := strconv.FormatInt(noon.Add(-time.Minute).UnixMilli(), 10)
	ask(t, h, "GET", "/status/timeline?from="+ms+"&to="+noon.String()).has(200).into(&part)
	if len(part.Intervals) != 1 || part.Intervals[0].AssessmentID != "" || part.Intervals[0].Seconds != 60 || part.Intervals[0].State < health.Stressed {
		t.Errorf("the last minute: %+v", part.Intervals)
	}
}

func assessments(t *testing.T, store *dsql.Store) {
	h := handlerOn(store, Options{})
	seen := map[string]bool{}
	var last instant.Instant
	target, pages := "/assessments?limit=8", 0
	for cursor := ""; ; pages++ {
		var page AssessmentsAnswer
		ask(t, h, "GET", target+cursor).has(200).into(&page)
		for _, a := range page.Assessments {
			if seen[a.ID] || !last.IsZero() && !a.At.Before(last) {
				t.Errorf("%s at %s is out of order", a.ID, a.At)
			}
			seen[a.ID], last = true, a.At
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if len(seen) != 20 || pages != 2 {
		t.Errorf("%d assessments on %d pages", len(seen), pages+1)
	}
	var few AssessmentsAnswer
	ask(t, h, "GET", "/assessments?from=2026-11-24T11:50:00Z&to=2026-11-24T11:51:00Z").has(200).into(&few)
	if len(few.Assessments) != 2 {
		t.Errorf("of one minute: %+v", few.Assessments)
	}
	var whole AssessmentAnswer
	ask(t, h, "GET", "/assessments/"+few.Assessments[0].ID).has(200).into(&whole)
	if whole.ID != few.Assessments[0].ID || whole.At != few.Assessments[0].At || len(whole.Gates) == 0 {
		t.Errorf("%+v", whole)
	}
	for _, bad := range []string{"limit=0", "limit=-1", "limit=1001", "limit=many", "limit=1&limit=2"} {
		ask(t, h, "GET", "/assessments?"+bad).fails(400, CodeInvalidParameter, "limit")
	}
	ask(t, h, "GET", "/assessments?cursor=tomorrow").fails(400, CodeInvalidParameter, "cursor")
}

// The words of a verdict may come after it; the entity tag then changes, too.
func TestTheTagTellsNewWords(t *testing.T) {
	store := newMemory()
	h := handlerOn(store, Options{})
	first := ask(t, h, "GET", "/status").has(200).header.Get("ETag")
	if !strings.HasPrefix(first, `W/"`+dsql.AssessmentID("prod", store.looks[19].Assessment.At)) {
		t.Errorf("the tag %s does not begin with the assessment's id", first)
	}
	if again := ask(t, handlerOn(store, Options{}), "GET", "/status").header.Get("ETag"); again != first {
		t.Errorf("another instance says %s, not %s", again, first)
	}
	store.looks[19].Assessment.Explanation.Summary = "In other words."
	if changed := ask(t, handlerOn(store, Options{}), "GET", "/status").header.Get("ETag"); changed == first {
		t.Error("new words under the old tag")
	}
	stale := handlerOn(store, Options{Clock: instant.Fixed(noon.Add(time.Hour))})
	ask(t, stale, "GET", "/status", "If-None-Match", first).has(200)
	ask(t, h, "GET", "/status", "If-None-Match", `"other", `+first).has(304)
	ask(t, h, "GET", "/status", "If-None-Match", "*").has(304)
}

// The table in docs/api.md and openapi.json are as gendoc writes them: go
// generate is part of the build's own test. Here it is shown that no route is
// missing from either.
func TestEveryRouteIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range Routes() {
		if line := "| `" + route.Method + " " + route.Path + "` |"; !strings.Contains(string(text), line) {
			t.Errorf("docs/api.md has no line %s", line)
		}
		if !strings.Contains(string(openAPI), `"`+route.Path+`": {`) {
			t.Errorf("openapi.json has no %s", route.Path)
		}
	}
	for _, flag := range []string{"--token-file", "--tls-cert", "--tls-key", "--allow-origin"} {
		if !strings.Contains(string(text), flag) {
			t.Errorf("docs/api.md does not tell of %s", flag)
		}
	}
}
