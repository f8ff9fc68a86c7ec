package workflows

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// said is an Explainer made of one function.
type said func(context.Context, activities.Evidence) (health.Explanation, error)

func (f said) Explain(ctx context.Context, e activities.Evidence) (health.Explanation, error) {
	return f(ctx, e)
}

// watched is a world in which a cluster was observed for some minutes and then
// served nothing, so that its state has changed.
func watched(t *testing.T) *world {
	t.Helper()
	w := &world{serve: func(i instant.Instant) float64 {
		if i.Before(at("12:03:00")) {
			return 10
		}
		return 0
	}}
	newRun(t, w, at("12:00:07")).playFor(5*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	return w
}

// assess plays an assessment.
func assess(t *testing.T, w *world, in AssessInput) (AssessResult, time.Duration, error) {
	t.Helper()
	r := newRun(t, w, at("12:06:00"))
	r.ExecuteWorkflow(AssessHealthWorkflow, in)
	var result AssessResult
	err := r.GetWorkflowError()
	if err == nil {
		err = r.GetWorkflowResult(&result)
	}
	return result, r.Now().Sub(at("12:06:00").Time()), err
}

// better are words of a model that the evidence bears.
func better(_ context.Context, e activities.Evidence) (health.Explanation, error) {
	return health.Explanation{By: "model", Summary: "The cluster has a problem. " + e.Assessment.Explanation.Summary}, nil
}

func TestTheRulesWordsStandWhenNobodyElseHasOthers(t *testing.T) {
	w := watched(t)
	before := w.rows[len(w.rows)-1].assessment
	result, _, err := assess(t, w, AssessInput{Cluster: "lab", Trigger: BySchedule})
	if err != nil {
		t.Fatal(err)
	}
	if result.AssessmentID != dsql.AssessmentID("lab", before.At) || result.At != before.At || result.State != before.State ||
		result.Trigger != BySchedule || result.Explanation.Summary != before.Explanation.Summary || result.Explanation.By != "rules" {
		t.Errorf("the result is %+v", result)
	}
	if result.Stored || result.Failure != "" || w.keeps != 0 {
		t.Errorf("stored %t, failure %q, %d times", result.Stored, result.Failure, w.keeps)
	}
}

// A Health_Assessment is produced also when all is well (R9.3).
func TestAnAssessmentWhileAllIsWell(t *testing.T) {
	w := &world{}
	newRun(t, w, at("12:00:07")).playFor(2*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
	result, _, err := assess(t, w, AssessInput{Cluster: "lab", Trigger: BySchedule})
	if err != nil || result.State != health.Happy || result.Explanation.Summary == "" {
		t.Errorf("%v: %+v", err, result)
	}
}

func TestOtherWordsTakeThePlaceOfTheRules(t *testing.T) {
	w := watched(t)
	w.explainer = said(better)
	before := w.rows[len(w.rows)-1].assessment
	result, _, err := assess(t, w, AssessInput{Cluster: "lab", Trigger: ByHand})
	if err != nil || !result.Stored || result.Failure != "" || result.Explanation.By != "model" {
		t.Fatalf("%v: %+v", err, result)
	}
	after := w.rows[len(w.rows)-1].assessment
	if after.Explanation.By != "model" {
		t.Errorf("the store holds words by %q", after.Explanation.By)
	}
	after.Explanation = before.Explanation
	if text(t, after) != text(t, before) {
		t.Error("more than the words has changed")
	}
}

// Whatever the explainer does, the verdict and the rules' words stand, and the
// assessment ends within 30 seconds (R4.7, R4.8).
func TestABadExplainerLosesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		explainer said
		says      string
	}{
		"fails": {func(context.Context, activities.Evidence) (health.Explanation, error) {
			return health.Explanation{}, errors.New("model throttled")
		}, "model throttled"},
		"panics": {func(context.Context, activities.Evidence) (health.Explanation, error) { panic("nil map") }, "panicked: nil map"},
		"lies about a gate": {func(context.Context, activities.Evidence) (health.Explanation, error) {
			return health.Explanation{By: "model", Summary: "All well.", Factors: []health.Factor{{Text: "x", Gate: "made.up"}}}, nil
		}, `gate "made.up"`},
		"lies about a number": {func(context.Context, activities.Evidence) (health.Explanation, error) {
			return health.Explanation{By: "model", Summary: "31337 tasks wait."}, nil
		}, "number 31337"},
		"has nothing to say": {func(context.Context, activities.Evidence) (health.Explanation, error) {
			return health.Explanation{By: "model"}, nil
		}, "summary"},
		"pretends to be the rules": {func(context.Context, activities.Evidence) (health.Explanation, error) {
			return health.Explanation{By: "rules", Summary: "All well."}, nil
		}, "they did not"},
	} {
		t.Run(name, func(t *testing.T) {
			w := watched(t)
			w.explainer = test.explainer
			before := text(t, w.rows[len(w.rows)-1].assessment)
			result, took, err := assess(t, w, AssessInput{Cluster: "lab", Trigger: BySchedule})
			if err != nil || result.Stored || result.Explanation.By != "rules" || !strings.Contains(result.Failure, test.says) {
				t.Errorf("%v: %+v", err, result)
			}
			if took > AssessTimeout || w.keeps != 0 || text(t, w.rows[len(w.rows)-1].assessment) != before {
				t.Errorf("took %s, %d attempts to store", took, w.keeps)
			}
		})
	}
}

// A worker that dies at the explanation, again and again, delays nothing beyond
// the 30 seconds either.
func TestAWorkerThatDiesExplaining(t *testing.T) {
	w := watched(t)
	r := newRun(t, w, at("12:06:00"))
	r.OnActivity((*activities.Activities).Explain, mock.Anything, mock.Anything, mock.Anything).Return(
		activities.ExplainResult{}, temporal.NewHeartbeatTimeoutError())
	r.ExecuteWorkflow(AssessHealthWorkflow, AssessInput{Cluster: "lab", AssessmentID: dsql.AssessmentID("lab", at("12:05:00"))})
	var result AssessResult
	if err := r.GetWorkflowResult(&result); err != nil || result.Failure == "" {
		t.Errorf("%v: %+v", err, result)
	}
	if took := r.Now().Sub(at("12:06:00").Time()); took > AssessTimeout {
		t.Errorf("took %s", took)
	}
}

func TestAnExplanationThatIsNotStoredIsToldOf(t *testing.T) {
	for name, unkept := range map[string]error{"store away": errors.New("connection refused"), "refused": errRefused} {
		t.Run(name, func(t *testing.T) {
			w := watched(t)
			w.explainer, w.unkept = said(better), unkept
			result, took, err := assess(t, w, AssessInput{Cluster: "lab", Trigger: BySchedule})
			if err != nil || result.Stored || !strings.Contains(result.Failure, unkept.Error()) {
				t.Errorf("%v: %+v", err, result)
			}
			if took > AssessTimeout || name == "refused" && w.keeps != 1 {
				t.Errorf("took %s and %d attempts", took, w.keeps)
			}
		})
	}
}

func TestWithoutAStoredVerdictThereIsNoAssessment(t *testing.T) {
	for name, test := range map[string]struct {
		world *world
		in    AssessInput
		kind  string
	}{
		"no name":          {&world{}, AssessInput{}, "InvalidInput"},
		"not assessed yet": {&world{}, AssessInput{Cluster: "lab"}, activities.ErrNoAssessment},
		"unknown id":       {&world{}, AssessInput{Cluster: "lab", AssessmentID: dsql.AssessmentID("lab", at("12:00:00"))}, activities.ErrNoAssessment},
		"of another":       {watched(t), AssessInput{Cluster: "other", AssessmentID: dsql.AssessmentID("lab", at("12:01:00"))}, activities.ErrNoAssessment},
		"store away":       {&world{unread: errors.New("connection refused")}, AssessInput{Cluster: "lab"}, activities.ErrStoreUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, took, err := assess(t, test.world, test.in)
			var kind *temporal.ApplicationError
			if !errors.As(err, &kind) || kind.Type() != test.kind {
				t.Errorf("error is %v, want %s", err, test.kind)
			}
			if took > AssessTimeout {
				t.Errorf("took %s", took)
			}
		})
	}
}

// Each change of the state starts one assessment, of the verdict that changed
// it, and observing goes on whatever becomes of that.
func TestAChangeOfStateIsAssessed(t *testing.T) {
	for name, fails := range map[string]bool{"well": false, "assessment fails": true} {
		t.Run(name, func(t *testing.T) {
			w := &world{serve: func(i instant.Instant) float64 {
				if i.Before(at("12:03:00")) {
					return 10
				}
				return 0
			}}
			r := newRun(t, w, at("12:00:07"))
			var asked []AssessInput
			r.OnWorkflow(AssessHealthWorkflow, mock.Anything, mock.Anything).Return(
				func(_ workflow.Context, in AssessInput) (AssessResult, error) {
					asked = append(asked, in)
					if fails {
						return AssessResult{}, errors.New("no")
					}
					return AssessResult{}, nil
				})
			r.playFor(6*time.Minute, ObserveInput{Cluster: "lab", Config: cold()})
			var got, want []string
			for _, in := range asked {
				if in.Trigger != ByTransition || in.Cluster != "lab" {
					t.Errorf("asked for %+v", in)
				}
				got = append(got, in.AssessmentID)
			}
			for _, row := range w.rows {
				if row.assessment.Transition != nil {
					want = append(want, dsql.AssessmentID("lab", row.assessment.At))
				}
			}
			if len(want) < 2 {
				t.Fatalf("the state changed %d times", len(want))
			}
			same(t, "assessed", got, want)
			same(t, "saved", w.instants(), ticks(at("12:00:00"), at("12:06:00"), 30*time.Second))
		})
	}
}
