package api

import (
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Degradation tells whether an answer is from memory, because the store did not
// give one (requirement R6.7). How old it is, the age of the verdict tells.
type Degradation struct {
	Degraded bool `json:"degraded"`
	// DegradedReason says why the store did not answer.
	DegradedReason string `json:"degraded_reason,omitempty"`
}

// StatusAnswer is the answer of GET /status.
type StatusAnswer struct {
	// AssessmentID names the verdict: GET /assessments/{id} has all of it, also
	// when it is not the newest any more.
	AssessmentID string `json:"assessment_id"`
	Degradation
	Status
}

// Head is what the answers about a part of the newest verdict have in common.
type Head struct {
	Cluster      string          `json:"cluster"`
	AssessmentID string          `json:"assessment_id"`
	HealthState  health.State    `json:"health_state"`
	ObservedAt   instant.Instant `json:"observed_at"`
	// AgeSec is how long ago ObservedAt was when the answer was made, in
	// seconds; Stale tells that nobody has judged the cluster since for longer
	// than a verdict holds.
	AgeSec float64 `json:"age_sec"`
	Stale  bool    `json:"stale"`
	Degradation
}

// head takes the common part out of a status.
func (s *StatusAnswer) head() Head {
	return Head{
		Cluster: s.Cluster, AssessmentID: s.AssessmentID, HealthState: s.HealthState, ObservedAt: s.ObservedAt,
		AgeSec: s.AgeSec, Stale: s.Stale, Degradation: s.Degradation,
	}
}

// ServicesAnswer is the answer of GET /status/services.
type ServicesAnswer struct {
	Head
	// Services are the services of the Temporal server that the telemetry tells
	// of, in the order of the verdict: the worst first.
	Services []health.ScopeVerdict `json:"services"`
}

// ActiveIssue is an issue with what contributes to it.
type ActiveIssue struct {
	health.Issue
	// Openings counts how often the issue was opened: 2 means that it came back
	// once. Only told for a time range.
	Openings int `json:"openings,omitempty"`
	// ContributingFactors are the gates that the issue rests on, as far as they
	// fire in the newest verdict, with what they found.
	ContributingFactors []health.Factor `json:"contributing_factors"`
}

// IssuesAnswer is the answer of GET /status/issues.
type IssuesAnswer struct {
	Head
	// Issues are the open ones, the worst first; for a time range all that were
	// open at some time in it.
	Issues []ActiveIssue `json:"issues"`
	// NextCursor is the parameter cursor of the next page of a time range; empty
	// on the last.
	NextCursor string `json:"next_cursor"`
}

// SummaryAnswer is the answer of GET /status/summary.
type SummaryAnswer struct {
	Head
	Since       instant.Instant   `json:"since"`
	Confidence  float64           `json:"confidence"`
	Blind       bool              `json:"blind"`
	BlindReason string            `json:"blind_reason,omitempty"`
	Bottleneck  health.Bottleneck `json:"bottleneck"`
	// Summary is the verdict in two or three sentences; Explanation has its
	// reasons, too.
	Summary            string             `json:"summary"`
	Explanation        health.Explanation `json:"explanation"`
	RecommendedActions []health.Action    `json:"recommended_actions"`
}

// TimelineInterval is a stretch of time in which the state was the same.
type TimelineInterval struct {
	dsql.Interval
	// Seconds is how long it is.
	Seconds float64 `json:"seconds"`
	// AssessmentID names the verdict that it began with. It is left out where
	// nobody looked, and where the range begins in the middle of the interval.
	AssessmentID string `json:"assessment_id,omitempty"`
}

// TimelineAnswer is the answer of GET /status/timeline.
type TimelineAnswer struct {
	Cluster string `json:"cluster"`
	// From is included and To is not.
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
	// Intervals are without gaps, the oldest first. There is none before the
	// cluster was first observed.
	Intervals []TimelineInterval `json:"intervals"`
	// Transitions are the changes of state with the gates that had fired, the
	// newest first, at most 1,000.
	Transitions []health.Transition `json:"transitions"`
}

// AssessmentsAnswer is the answer of GET /assessments.
type AssessmentsAnswer struct {
	Cluster string `json:"cluster"`
	// Assessments are the newest first.
	Assessments []dsql.AssessmentSummary `json:"assessments"`
	// NextCursor is the parameter cursor of the next page; empty on the last.
	NextCursor string `json:"next_cursor"`
}

// AssessmentAnswer is the answer of GET /assessments/{id}.
type AssessmentAnswer struct {
	ID string `json:"id"`
	health.Assessment
}

// HealthAnswer is the answer of GET /healthz and of GET /readyz.
type HealthAnswer struct {
	// Status is "ok".
	Status string `json:"status"`
}
