package workflows

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/worker/activities"
)

// retain plays a run and returns its result, or the next run's input.
func retain(t *testing.T, w *world, in RetainInput) (result RetainResult, next *RetainInput, err error) {
	t.Helper()
	r := newRun(t, w, at("12:00:00"))
	r.ExecuteWorkflow(RetainHistoryWorkflow, in)
	err = r.GetWorkflowError()
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		next = new(RetainInput)
		if err := DataConverter().FromPayloads(again.Input, next); err != nil {
			t.Fatal(err)
		}
		return result, next, nil
	}
	if err == nil {
		err = r.GetWorkflowResult(&result)
	}
	return result, nil, err
}

func TestOldHistoryIsDeletedInBatches(t *testing.T) {
	w := &world{old: 250}
	result, next, err := retain(t, w, RetainInput{Cluster: "lab", Keep: KeepLeast})
	if err != nil || next != nil || result.Deleted != 250 || w.old != 0 {
		t.Fatalf("%v: %+v, %d left", err, result, w.old)
	}
	if want := at("12:00:00").Add(-KeepLeast - clockMargin); result.Before != want || w.before != want {
		t.Errorf("deleted before %s, want %s", w.before, want)
	}
	if w.retains < 10 {
		t.Errorf("250 ticks went in %d batches", w.retains)
	}
}

func TestDeletingGoesOnAfterAnOutage(t *testing.T) {
	w := &world{old: 100, retain: func(attempt int) error {
		if attempt > 0 && attempt < 8 {
			return errors.New("connection refused")
		}
		return nil
	}}
	if _, _, err := retain(t, w, RetainInput{Cluster: "lab", Keep: KeepLeast}); err != nil || w.old != 0 {
		t.Errorf("%v, %d left", err, w.old)
	}
}

func TestALongRetentionIsContinuedAsNew(t *testing.T) {
	w := &world{old: 100}
	r := newRun(t, w, at("12:00:00"))
	r.OnActivity((*activities.Activities).Retain, mock.Anything, mock.Anything, mock.Anything).Return(activities.RetainResult{Deleted: 20, More: true}, nil)
	r.ExecuteWorkflow(RetainHistoryWorkflow, RetainInput{Cluster: "lab", Keep: KeepLeast, Rounds: 3})
	var again *workflow.ContinueAsNewError
	if err := r.GetWorkflowError(); !errors.As(err, &again) {
		t.Fatalf("the run ended with %v", err)
	}
	var next RetainInput
	if err := DataConverter().FromPayloads(again.Input, &next); err != nil {
		t.Fatal(err)
	}
	want := RetainInput{Cluster: "lab", Keep: KeepLeast, Rounds: 3, Before: at("12:00:00").Add(-KeepLeast - clockMargin), Deleted: 60}
	if next != want {
		t.Errorf("the next run's input is %+v, want %+v", next, want)
	}
}

func TestWhatRetentionRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		in      RetainInput
		refused error
		kind    string
	}{
		"no cluster":        {RetainInput{Keep: KeepLeast}, nil, "InvalidInput"},
		"too young":         {RetainInput{Cluster: "lab", Keep: 24 * time.Hour}, nil, "InvalidInput"},
		"for ever":          {RetainInput{Cluster: "lab", Keep: 2 * KeepMost}, nil, "InvalidInput"},
		"the store says no": {RetainInput{Cluster: "lab", Keep: KeepLeast}, &dsql.InvalidError{Message: "too young"}, activities.ErrRetentionRejected},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{old: 10, retain: func(int) error { return test.refused }}
			_, _, err := retain(t, w, test.in)
			var kind *temporal.ApplicationError
			if !errors.As(err, &kind) || kind.Type() != test.kind || w.old != 10 {
				t.Errorf("error is %v, %d left; want %s", err, w.old, test.kind)
			}
		})
	}
}
