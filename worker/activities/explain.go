package activities

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/explain"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/telemetry"
)

// Evidence is what an explainer may speak of.
type Evidence struct {
	// Assessment is the verdict as the rules gave it, with the rules' words.
	Assessment health.Assessment
	// Observation is what the verdict rests on.
	Observation health.Observation
}

// Explainer puts a verdict into words. It decides nothing: what it says is
// used only as far as the evidence bears it (see [Activities.Explain]).
type Explainer interface {
	// Explain returns the words, or why it has none. The context ends when the
	// time for it is over. By of the answer names who wrote it.
	Explain(ctx context.Context, e Evidence) (health.Explanation, error)
}

// Rules is the Explainer that is always there: package explain's.
type Rules struct{}

// Explain never fails.
func (Rules) Explain(_ context.Context, e Evidence) (health.Explanation, error) {
	return explain.Rules(&e.Assessment), nil
}

// byRules is the name under which the rules' own words are stored.
const byRules = "rules"

// beat is how often Explain and Retain say that they are alive. Their
// heartbeat timeouts are several times as long.
const beat = time.Second

// Bounds of an explanation, in bytes of text and in factors.
const (
	maxSummary = 2000
	maxFactor  = 500
	maxFactors = 10
)

// NewestResult names an assessment.
type NewestResult struct {
	AssessmentID string          `json:"assessment_id"`
	At           instant.Instant `json:"at"`
}

// Newest returns the newest assessment of a cluster. Errors are
// ErrStoreUnavailable and, for a cluster that was not assessed yet,
// ErrNoAssessment.
func (a *Activities) Newest(ctx context.Context, cluster string) (NewestResult, error) {
	ask, done := withMargin(ctx)
	defer done()
	newest, err := a.Store.Newest(ask, cluster)
	if err != nil {
		return NewestResult{}, a.unread(cluster, err)
	}
	return NewestResult{AssessmentID: dsql.AssessmentID(cluster, newest.At), At: newest.At}, nil
}

// ExplainRequest names the assessment to put into words.
type ExplainRequest struct {
	Cluster      string `json:"cluster"`
	AssessmentID string `json:"assessment_id"`
	// Trigger is what asked for it, for the worker's metrics.
	Trigger string `json:"trigger"`
}

// ExplainResult is a verdict in short with the words for it.
type ExplainResult struct {
	At          instant.Instant    `json:"at"`
	State       health.State       `json:"health_state"`
	Since       instant.Instant    `json:"since"`
	Blind       bool               `json:"blind,omitempty"`
	Explanation health.Explanation `json:"explanation"`
	// Replaces means that the words are others than the stored ones and are to
	// be stored in their place.
	Replaces bool `json:"replaces,omitempty"`
	// Failure says why the words are the stored ones although the explainer was
	// asked for others; empty otherwise.
	Failure string `json:"failure,omitempty"`
}

// Explain has a stored assessment put into words. An explainer that fails,
// panics, takes too long, or says what the evidence does not bear is no error:
// the stored words then stand and Failure says why. Errors are
// ErrStoreUnavailable, ErrWorkerStopped and ErrNoAssessment.
func (a *Activities) Explain(ctx context.Context, req ExplainRequest) (ExplainResult, error) {
	stop := a.alive(ctx)
	defer stop()
	ask, done := withMargin(ctx)
	defer done()

	assessment, err := a.Store.AssessmentByID(ask, req.AssessmentID)
	if err != nil {
		return ExplainResult{}, a.unread(req.Cluster, err)
	}
	if assessment.Cluster != req.Cluster {
		return ExplainResult{}, temporal.NewNonRetryableApplicationError(fmt.Sprintf(
			"assessment %s is of cluster %q, not of %q", req.AssessmentID, assessment.Cluster, req.Cluster), ErrNoAssessment, nil)
	}
	observation, err := a.Store.Observation(ask, req.Cluster, assessment.At)
	if err != nil {
		return ExplainResult{}, a.unread(req.Cluster, err)
	}

	stored := assessment.Explanation
	result := ExplainResult{
		At: assessment.At, State: assessment.State, Since: assessment.Since, Blind: assessment.Blind, Explanation: stored,
	}
	watch := instant.StartStopwatch()
	said, err := safely(ask, a.Explainer, Evidence{Assessment: assessment, Observation: observation})
	if err == nil {
		said, err = borne(said, &assessment)
	}
	a.Metrics.Explained(req.Cluster, watch.Elapsed())
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ExplainResult{}, temporal.NewApplicationError("the worker was stopped while it explained", ErrWorkerStopped)
	case err != nil:
		result.Failure = err.Error()
		a.Metrics.Failed(telemetry.Explainer, req.Cluster)
		a.Log.WarnContext(ctx, "no other words for the verdict; the stored ones stand", "cluster", req.Cluster,
			"assessment", req.AssessmentID, "error", err)
	case said.By != byRules:
		result.Explanation, result.Replaces = said, true
	}
	a.Metrics.Assessed(req.Cluster, req.Trigger, result.Explanation.By, result.Failure != "")
	return result, nil
}

// KeepRequest is an explanation to store in place of an assessment's own.
type KeepRequest struct {
	Cluster      string             `json:"cluster"`
	AssessmentID string             `json:"assessment_id"`
	Explanation  health.Explanation `json:"explanation"`
}

// KeepExplanation stores an explanation. Doing it twice is as good as once.
// Errors are ErrStoreUnavailable, ErrNoAssessment and ErrRecordRejected.
func (a *Activities) KeepExplanation(ctx context.Context, req KeepRequest) error {
	ask, done := withMargin(ctx)
	defer done()
	err := a.Store.SaveExplanation(ask, req.Cluster, req.AssessmentID, req.Explanation)
	switch {
	case err == nil:
		return nil
	case rejected(err):
		a.Metrics.Failed(telemetry.Store, req.Cluster)
		return temporal.NewNonRetryableApplicationError(err.Error(), ErrRecordRejected, nil)
	}
	return a.unread(req.Cluster, err)
}

// unread is the activity's error for one of the store's.
func (a *Activities) unread(cluster string, err error) error {
	var invalid *dsql.InvalidError
	var unknown *dsql.ErrUnknownCluster
	if errors.Is(err, dsql.ErrNotFound) || errors.As(err, &unknown) || errors.As(err, &invalid) {
		return temporal.NewNonRetryableApplicationError(err.Error(), ErrNoAssessment, nil)
	}
	a.Metrics.Failed(telemetry.Store, cluster)
	return temporal.NewApplicationError(err.Error(), ErrStoreUnavailable)
}

// alive sends heartbeats until it is stopped, so that the death of this worker
// is noticed in time for another one to try.
func (a *Activities) alive(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// safely asks an explainer that may panic or ignore its context. One that
// ignores it is left behind and its answer, should it come, is not looked at.
func safely(ctx context.Context, explainer Explainer, e Evidence) (health.Explanation, error) {
	type answer struct {
		explanation health.Explanation
		err         error
	}
	answers := make(chan answer, 1)
	go func() {
		var got answer
		defer func() {
			if r := recover(); r != nil {
				got.err = fmt.Errorf("the explainer panicked: %v", r)
			}
			answers <- got
		}()
		got.explanation, got.err = explainer.Explain(ctx, e)
	}()
	select {
	case got := <-answers:
		return got.explanation, got.err
	case <-ctx.Done():
		return health.Explanation{}, fmt.Errorf("the explainer did not answer in time: %w", ctx.Err())
	}
}

// number is a number in a text, with its fraction.
var number = regexp.MustCompile(`\d+(?:[.,]\d+)*`)

// borne returns an explanation as far as the assessment bears it: the reasons
// are of gates that fired, the numbers are those of the rules' own words, and
// what to avoid and what would change the verdict stay the rules'. The error
// says what is not so; the explanation as a whole is then not to be used.
func borne(e health.Explanation, a *health.Assessment) (health.Explanation, error) {
	own := explain.Rules(a)
	if e.By == byRules {
		if !reflect.DeepEqual(e, own) {
			return e, errors.New("the explanation says that the rules wrote it, and they did not")
		}
		return e, nil
	}
	switch {
	case e.By == "" || len(e.By) > maxFactor:
		return e, errors.New("the explanation does not say who wrote it")
	case strings.TrimSpace(e.Summary) == "" || len(e.Summary) > maxSummary:
		return e, fmt.Errorf("the summary has %d bytes; 1 to %d are allowed", len(e.Summary), maxSummary)
	case len(e.Factors) > maxFactors:
		return e, fmt.Errorf("%d factors; at most %d are allowed", len(e.Factors), maxFactors)
	}
	known := numbers(a, &own)
	texts := []string{e.Summary}
	for _, f := range e.Factors {
		fired := slices.ContainsFunc(a.Gates, func(g health.Gate) bool {
			return g.Outcome == health.Fire && g.ID == f.Gate && g.Scope == f.Scope
		})
		if !fired {
			return e, fmt.Errorf("a factor rests on gate %q, which did not fire there", f.Gate)
		}
		if len(f.Text) > maxFactor {
			return e, fmt.Errorf("a factor has %d bytes; at most %d are allowed", len(f.Text), maxFactor)
		}
		texts = append(texts, f.Text)
	}
	for _, text := range texts {
		for _, n := range number.FindAllString(text, -1) {
			if !known[n] {
				return e, fmt.Errorf("the number %s is not in the evidence", n)
			}
		}
	}
	e.Logs, e.Avoid, e.WouldChange = own.Logs, own.Avoid, own.WouldChange
	return e, nil
}

// numbers are those that the rules said of an assessment, and those in the
// names of its parts.
func numbers(a *health.Assessment, own *health.Explanation) map[string]bool {
	texts := []string{own.Summary, own.Changed, own.WouldChange, a.At.String(), a.Since.String()}
	texts = append(texts, own.Avoid...)
	texts = append(texts, own.Logs...)
	for _, f := range own.Factors {
		texts = append(texts, f.Text)
	}
	for i := range a.Gates {
		texts = append(texts, a.Gates[i].Finding, a.Gates[i].Scope.Name, a.Gates[i].Scope.Namespace)
	}
	for i := range a.Scopes {
		texts = append(texts, a.Scopes[i].Name, a.Scopes[i].Namespace)
	}
	known := map[string]bool{}
	for _, text := range texts {
		for _, n := range number.FindAllString(text, -1) {
			known[n] = true
		}
	}
	return known
}
