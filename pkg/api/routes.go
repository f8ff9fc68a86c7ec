package api

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

//go:generate go run ./gendoc -root ../..

// Paths that other parts of the API look at.
const (
	pathHealthz = "/healthz"
	pathReadyz  = "/readyz"
	pathMetrics = "/metrics"
)

// Parameter is a parameter of a route.
type Parameter struct {
	Name string
	// In is "query" or "path".
	In          string
	Description string
	Example     string
	// Schema is the JSON schema of its value.
	Schema map[string]any
}

// Route is one thing that the API answers, for its description.
type Route struct {
	Method string
	// Path has names in braces for its variable parts.
	Path        string
	Summary     string
	Description string
	Parameters  []Parameter
	// Answer is a value of the type that is answered with Status; nil: the
	// answer is an error, or no JSON.
	Answer any
	Status int
	// Errors are the statuses of errors that the route has of its own, beside
	// those of every route.
	Errors []int
	// Cached tells that the answer has an entity tag to ask with again, Open
	// that no token is needed.
	Cached, Open bool
	// ServerOnly routes are not there in the Grafana plugin.
	ServerOnly bool
}

// route is a Route with what serves it.
type route struct {
	Route
	serve http.HandlerFunc
}

// Parameters of several routes.
var (
	clusterParameter = Parameter{
		Name: "cluster", In: "query", Example: "prod",
		Description: "Name of the cluster, as GET /clusters tells it. May be left out if there is only one; with several the answer is an error that lists them.",
		Schema:      map[string]any{"type": "string", "maxLength": maxClusterName},
	}
	fromParameter = timeParameter("from", "Where the time range begins, included.", "now-6h")
	toParameter   = timeParameter("to", "Where the time range ends, not included. Up to a day in the future is cut off. Default: now.", "2026-11-24T03:04:30Z")
	cursorParam   = Parameter{
		Name: "cursor", In: "query", Description: "The next_cursor of the page before.", Example: "2026-11-24T03:04:30Z",
		Schema: map[string]any{"type": "string"},
	}
	limitParam = Parameter{
		Name: "limit", In: "query", Description: "How many to answer at most.", Example: "100",
		Schema: map[string]any{"type": "integer", "minimum": 1, "maximum": maxLimit, "default": defaultLimit},
	}
)

// with is the parameter of a route that says other things of it.
func (p Parameter) with(description, example string) Parameter {
	p.Description, p.Example = description, example
	return p
}

func timeParameter(name, description, example string) Parameter {
	return Parameter{
		Name: name, In: "query", Example: example,
		Description: description + fmt.Sprintf(" RFC 3339, milliseconds since 1970, or relative as in now-6h (s, m, h, d, w). A range is at most %d days long.", int(maxSpan.Hours()/24)),
		Schema:      map[string]any{"type": "string"},
	}
}

// Routes describes everything that the API answers.
func Routes() []Route {
	var routes []Route
	for _, r := range New(Options{Metrics: http.NotFoundHandler()}).routes() {
		routes = append(routes, r.Route)
	}
	return routes
}

// routes are all there is. The OpenAPI document and the table in docs/api.md are
// generated from it.
func (h *Handler) routes() []route {
	const get = http.MethodGet
	cluster := []Parameter{clusterParameter}
	routes := []route{
		{Route{
			Method: get, Path: "/status", Summary: "The newest verdict on a cluster, with all that it rests on", Parameters: cluster,
			Description: "While the store is away this is the last known verdict, with degraded set and the reason. A signal without a value is null, never 0.",
			Answer:      StatusAnswer{}, Status: http.StatusOK, Cached: true, Errors: []int{400, 404, 503},
		}, h.serveStatus},
		{Route{
			Method: get, Path: "/status/services", Summary: "The services of the Temporal server, each with its state", Parameters: cluster,
			Answer: ServicesAnswer{}, Status: http.StatusOK, Cached: true, Errors: []int{400, 404, 503},
		}, h.serveServices},
		{Route{
			Method: get, Path: "/status/issues", Summary: "What is wrong now, or was in a time range, with what contributes to it",
			Description: "Without a time range: the open issues of the newest verdict. With one: those that were open at some time in it, open or resolved since, page by page: give next_cursor as cursor, and the other parameters as before, to get the next page.",
			Parameters: []Parameter{
				clusterParameter,
				{
					Name: "severity", In: "query", Description: "Leaves out what is milder.", Example: "critical",
					Schema: map[string]any{"type": "string", "enum": []string{"happy", "stressed", "critical"}},
				},
				fromParameter, toParameter, limitParam,
				cursorParam.with("The next_cursor of the page before; needs a time range.", "critical~open~2026-11-24T03:04:30Z~1f0c"),
			},
			Answer: IssuesAnswer{}, Status: http.StatusOK, Cached: true, Errors: []int{400, 404, 503},
		}, h.serveIssues},
		{Route{
			Method: get, Path: "/status/summary", Summary: "The newest verdict in words", Parameters: cluster,
			Answer: SummaryAnswer{}, Status: http.StatusOK, Cached: true, Errors: []int{400, 404, 503},
		}, h.serveSummary},
		{Route{
			Method: get, Path: "/status/timeline", Summary: "The states of a cluster over time",
			Description: "Without a time range: the last 24 hours. Time in which nobody looked is told as such.",
			Parameters:  []Parameter{clusterParameter, fromParameter, toParameter},
			Answer:      TimelineAnswer{}, Status: http.StatusOK, Cached: true, Errors: []int{400, 404, 503},
		}, h.serveTimeline},
		{Route{
			Method: get, Path: "/assessments", Summary: "The stored verdicts on a cluster, newest first, page by page",
			Description: "Give next_cursor as cursor, and the other parameters as before, to get the next page.",
			Parameters: []Parameter{
				clusterParameter, fromParameter, toParameter, limitParam, cursorParam,
			},
			Answer: AssessmentsAnswer{}, Status: http.StatusOK, Cached: true, Errors: []int{400, 404, 503},
		}, h.serveAssessments},
		{Route{
			Method: get, Path: "/assessments/{id}", Summary: "One verdict with every gate, fired or not",
			Parameters: []Parameter{{
				Name: "id", In: "path", Description: "The id of an assessment.", Example: "019ab3b2-6310-8d3c-9e7a-4f6f0c1d2e3b",
				Schema: map[string]any{"type": "string", "format": "uuid"},
			}},
			Answer: AssessmentAnswer{}, Status: http.StatusOK, Cached: true, Errors: []int{400, 404, 503},
		}, h.serveAssessment},
		{Route{
			Method: get, Path: "/clusters", Summary: "The clusters that are watched, each with its newest state",
			Answer: []dsql.Cluster{}, Status: http.StatusOK, Cached: true, Errors: []int{503},
		}, h.serveClusters},
		{Route{
			Method: http.MethodPost, Path: "/actions", Summary: "Would carry out an action; nothing here can",
			Description: "Always answers 501: nothing in this system can change the cluster that it watches. recommended_actions of GET /status are suggestions for people.",
			Status:      http.StatusNotImplemented, Errors: []int{413, 501},
		}, h.serveActions},
		{Route{
			Method: get, Path: pathHealthz, Summary: "200 for as long as the process answers at all; needs no token",
			Answer: HealthAnswer{}, Status: http.StatusOK, Open: true,
		}, h.serveHealthz},
		{Route{
			Method: get, Path: pathReadyz, Summary: "200 while the store answers, else 503; needs no token",
			Description: "Let a load balancer look at /healthz: without the store the last known verdict is still answered.",
			Answer:      HealthAnswer{}, Status: http.StatusOK, Errors: []int{503},
		}, h.serveReadyz},
		{Route{
			Method: get, Path: "/openapi.json", Summary: "This description, OpenAPI 3.1",
			Answer: map[string]any{}, Status: http.StatusOK, Cached: true,
		}, h.serveOpenAPI},
	}
	if h.options.Metrics != nil {
		routes = append(routes, route{Route{
			Method: get, Path: pathMetrics, Summary: "Metrics of the server itself, in Prometheus' text format",
			Status: http.StatusOK, ServerOnly: true,
		}, h.options.Metrics.ServeHTTP})
	}
	return routes
}

// serveStatus answers GET /status.
func (h *Handler) serveStatus(w http.ResponseWriter, r *http.Request) {
	h.serveLatest(w, r, "status", func(s *StatusAnswer) any { return s })
}

// serveServices answers GET /status/services.
func (h *Handler) serveServices(w http.ResponseWriter, r *http.Request) {
	h.serveLatest(w, r, "services", func(s *StatusAnswer) any {
		answer := ServicesAnswer{Head: s.head(), Services: []health.ScopeVerdict{}}
		for i := range s.Scopes {
			if s.Scopes[i].Kind == health.KindService {
				answer.Services = append(answer.Services, s.Scopes[i])
			}
		}
		return answer
	})
}

// serveSummary answers GET /status/summary.
func (h *Handler) serveSummary(w http.ResponseWriter, r *http.Request) {
	h.serveLatest(w, r, "summary", func(s *StatusAnswer) any {
		return SummaryAnswer{
			Head: s.head(), Since: s.Since, Confidence: s.Confidence, Blind: s.Blind, BlindReason: s.BlindReason,
			Bottleneck: s.Bottleneck, Summary: s.Summary, Explanation: s.Explanation, RecommendedActions: s.RecommendedActions,
		}
	})
}

// serveLatest answers with a part of the newest verdict.
func (h *Handler) serveLatest(w http.ResponseWriter, r *http.Request, name string, answer func(*StatusAnswer) any) {
	cluster, err := h.query(r).cluster()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	latest, err := h.latest.verdict(r.Context(), cluster)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	recorderOf(r).degraded = latest.status.Degraded
	b, err := latest.body(name, answer)
	if err != nil {
		h.fail(w, r, defect(err))
		return
	}
	h.send(w, r, http.StatusOK, b)
}

// serveIssues answers GET /status/issues.
func (h *Handler) serveIssues(w http.ResponseWriter, r *http.Request) {
	q := h.query(r)
	severity, err := q.severity()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	limit, err := q.limit()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	asked, err := q.timeRange()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	cursor, err := q.text("cursor")
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if asked == (timeRange{}) {
		if cursor != "" {
			h.fail(w, r, invalidParameter("cursor", cursor, "only a time range has pages", "give from or to as for the page before, or leave out the cursor"))
			return
		}
		h.serveLatest(w, r, fmt.Sprintf("issues of %s, %d", severity, limit), func(s *StatusAnswer) any {
			answer := IssuesAnswer{Head: s.head(), Issues: []ActiveIssue{}}
			for i := range s.Issues {
				issue := &s.Issues[i]
				if issue.Status == health.IssueOpen && issue.Severity >= severity && len(answer.Issues) < limit {
					answer.Issues = append(answer.Issues, ActiveIssue{Issue: *issue, ContributingFactors: factors(issue, s.Gates)})
				}
			}
			return answer
		})
		return
	}
	h.servePastIssues(w, r, dsql.IssueQuery{MinSeverity: severity, Limit: limit, Cursor: cursor}, asked.closed(q.now))
}

// servePastIssues answers GET /status/issues for a time range.
func (h *Handler) servePastIssues(w http.ResponseWriter, r *http.Request, query dsql.IssueQuery, asked timeRange) {
	cluster, err := h.query(r).cluster()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	latest, err := h.latest.verdict(r.Context(), cluster)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	store, err := h.store(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	query.Cluster, query.From, query.To = latest.status.Cluster, asked.from, asked.to
	page, err := store.Issues(r.Context(), query)
	if err != nil {
		if e := errorOf(err); query.Cursor != "" && e.Status == statusBadRequest {
			err = notACursor(query.Cursor)
		}
		h.fail(w, r, err)
		return
	}
	answer := IssuesAnswer{Head: latest.status.head(), Issues: make([]ActiveIssue, 0, len(page.Issues)), NextCursor: page.Next}
	for i := range page.Issues {
		issue := &page.Issues[i]
		answer.Issues = append(answer.Issues, ActiveIssue{
			Issue: issue.Issue, Openings: issue.Openings, ContributingFactors: factors(&issue.Issue, latest.status.Gates),
		})
	}
	h.answer(w, r, answer)
}

// factors are the gates of an issue that fire at its scope.
func factors(issue *health.Issue, gates []health.Gate) []health.Factor {
	found := []health.Factor{}
	for _, id := range issue.Gates {
		for i := range gates {
			g := &gates[i]
			if g.ID == id && g.Outcome == health.Fire && (g.Scope == issue.Scope || g.Scope.Queue() == issue.Scope) {
				found = append(found, health.Factor{Text: g.Finding, Gate: g.ID, Scope: g.Scope})
			}
		}
	}
	return found
}

// serveTimeline answers GET /status/timeline.
func (h *Handler) serveTimeline(w http.ResponseWriter, r *http.Request) {
	q := h.query(r)
	asked, err := q.timeRange()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	asked = asked.closed(q.now)
	store, cluster, err := h.clusterOf(r, q)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	answer, err := ReadTimeline(r.Context(), store, cluster, asked.from, asked.to)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.answer(w, r, answer)
}

// serveAssessments answers GET /assessments.
func (h *Handler) serveAssessments(w http.ResponseWriter, r *http.Request) {
	q := h.query(r)
	limit, err := q.limit()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	cursor, err := q.cursor()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	asked, err := q.timeRange()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	store, cluster, err := h.clusterOf(r, q)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	page, err := store.AssessmentSummaries(r.Context(), dsql.AssessmentQuery{
		Cluster: cluster, From: asked.from, To: asked.to, Limit: limit, Cursor: cursor,
	})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.answer(w, r, AssessmentsAnswer{
		Cluster: cluster, Assessments: append([]dsql.AssessmentSummary{}, page.Summaries...), NextCursor: page.Next,
	})
}

// clusterOf returns the store, and the cluster that a request is about.
func (h *Handler) clusterOf(r *http.Request, q query) (Store, string, error) {
	cluster, err := q.cluster()
	if err != nil {
		return nil, "", err
	}
	store, err := h.store(r.Context())
	if err != nil {
		return nil, "", err
	}
	if cluster == "" {
		known, err := h.latest.list(r.Context(), nil)
		if err != nil {
			return nil, "", err
		}
		if cluster, err = OnlyCluster(known); err != nil {
			return nil, "", err
		}
	}
	return store, cluster, nil
}

// serveAssessment answers GET /assessments/{id}.
func (h *Handler) serveAssessment(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	store, err := h.store(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	assessment, err := store.AssessmentByID(r.Context(), id)
	if err != nil {
		e := errorOf(err)
		switch e.Status {
		case statusBadRequest:
			e = invalidParameter("id", id, "this is no id of an assessment", "take one from GET /assessments")
		case statusNotFound:
			e = &Error{
				Status: statusNotFound, Code: CodeNotFound, Field: "id", Value: echo(id),
				Message: "the store has no such assessment", Remedy: "take one from GET /assessments; old ones are deleted",
			}
		}
		h.fail(w, r, e)
		return
	}
	h.answer(w, r, AssessmentAnswer{ID: dsql.AssessmentID(assessment.Cluster, assessment.At), Assessment: assessment})
}

// serveClusters answers GET /clusters.
func (h *Handler) serveClusters(w http.ResponseWriter, r *http.Request) {
	store, err := h.store(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	clusters, err := store.Clusters(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.answer(w, r, append([]dsql.Cluster{}, clusters...))
}

// serveActions answers POST /actions (requirement R10.3).
func (h *Handler) serveActions(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > maxBody {
		h.fail(w, r, &http.MaxBytesError{Limit: maxBody})
		return
	}
	h.fail(w, r, &Error{
		Status: http.StatusNotImplemented, Code: CodeNotImplemented,
		Message: "actions are not carried out: nothing in this system can change the cluster that it watches",
		Remedy:  "read recommended_actions of GET /status and act yourself",
	})
}

// serveHealthz answers GET /healthz.
func (h *Handler) serveHealthz(w http.ResponseWriter, r *http.Request) { h.serveOK(w, r) }

// serveReadyz answers GET /readyz. Why it is not ready is for the log: whoever
// asks has shown no token.
func (h *Handler) serveReadyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	store, err := h.store(ctx)
	if err == nil {
		err = store.Ping(ctx)
	}
	if err == nil {
		var schema dsql.SchemaStatus
		if schema, err = store.Schema(ctx); err == nil {
			err = schema.Err()
		}
	}
	if err != nil {
		h.options.Log.Warn("not ready", "error", err)
		h.fail(w, r, &Error{
			Status: http.StatusServiceUnavailable, Code: CodeStoreUnavailable,
			Message: "the store cannot be used", Remedy: "see the copilot's log, or run: copilot db check-connection",
		})
		return
	}
	h.serveOK(w, r)
}

// serveOK answers that all is well now, which nobody may keep.
func (h *Handler) serveOK(w http.ResponseWriter, r *http.Request) {
	b, err := encode(HealthAnswer{Status: "ok"})
	if err != nil {
		h.fail(w, r, defect(err))
		return
	}
	h.send(w, r, http.StatusOK, b)
}

//go:embed openapi.json
var openAPI []byte

// openAPIBody is the description as it is sent.
var openAPIBody = &body{plain: openAPI, tag: tagOf(openAPI)}

// serveOpenAPI answers GET /openapi.json.
func (h *Handler) serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "private, max-age="+fmt.Sprint(int(time.Hour.Seconds())))
	h.send(w, r, http.StatusOK, openAPIBody)
}
