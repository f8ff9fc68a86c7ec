package schedules

import (
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/temporaltest"
	"github.com/temporal-sre/copilot/worker/workflows"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestDefaultsAreValid(t *testing.T) {
	if err := DefaultAssess().Validate(); err != nil {
		t.Error(err)
	}
	if err := DefaultRetain().Validate(); err != nil {
		t.Error(err)
	}
	if every := DefaultAssess().Every; every != 5*time.Minute {
		t.Errorf("assessed every %s (R9.1 asks for 5 minutes)", every)
	}
	if keep := DefaultRetain().Keep; keep < 7*24*time.Hour {
		t.Errorf("kept for %s (R5.3 asks for 7 days)", keep)
	}
}

func TestWhatAPlanMayNotSay(t *testing.T) {
	for says, err := range map[string]error{
		"every is 30s":          Assess{Every: 30 * time.Second, Overlap: Skip}.Validate(),
		"every is 25h0m0s":      Assess{Every: 25 * time.Hour, Overlap: Skip}.Validate(),
		"jitter is 3m0s":        Assess{Every: 5 * time.Minute, Jitter: 3 * time.Minute, Overlap: Skip}.Validate(),
		`overlap is "allow"`:    Assess{Every: 5 * time.Minute, Overlap: "allow"}.Validate(),
		"keep is 24h0m0s":       Retain{Keep: 24 * time.Hour, Every: time.Hour}.Validate(),
		"every is 1m0s; it has": Retain{Every: time.Minute}.Validate(),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error is %v, want %q", err, says)
		}
	}
}

// Schedules on a real server become what the plan says, whatever they were.
func TestSchedulesFollowThePlan(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Temporal server")
	}
	c, err := client.DialContext(t.Context(), client.Options{HostPort: temporaltest.Start(t), DataConverter: workflows.DataConverter()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, all := t.Context(), c.ScheduleClient()
	describe := func(id string) *client.ScheduleDescription {
		description, err := all.GetHandle(ctx, id).Describe(ctx)
		if err != nil {
			return nil
		}
		return description
	}
	ensure := func(p Plan) {
		t.Helper()
		if err := Ensure(ctx, all, "queue", p); err != nil {
			t.Fatal(err)
		}
	}

	plan := Plan{Cluster: "prod", Assess: DefaultAssess(), Retain: DefaultRetain()}
	ensure(plan)
	if err := all.GetHandle(ctx, "assess/prod").Pause(ctx, client.SchedulePauseOptions{Note: "maintenance"}); err != nil {
		t.Fatal(err)
	}
	ensure(plan) // a second worker
	plan.Assess = Assess{Every: 15 * time.Minute, Jitter: time.Minute, Overlap: BufferOne}
	ensure(plan)
	assess := describe("assess/prod")
	if assess == nil || describe("retain/prod") == nil {
		t.Fatal("a schedule is missing")
	}
	schedule := assess.Schedule
	if spec := schedule.Spec; len(spec.Intervals) != 1 || spec.Intervals[0].Every != 15*time.Minute || spec.Jitter != time.Minute {
		t.Errorf("assessed by %+v", spec)
	}
	if schedule.Policy.Overlap != enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE || schedule.Policy.CatchupWindow != catchUp {
		t.Errorf("the policy is %+v", schedule.Policy)
	}
	if !schedule.State.Paused || schedule.State.Note != "maintenance" {
		t.Errorf("who paused it is overruled: %+v", schedule.State)
	}
	action, ok := schedule.Action.(*client.ScheduleWorkflowAction)
	if !ok || action.TaskQueue != "queue" || action.WorkflowRunTimeout != workflows.AssessTimeout {
		t.Errorf("the action is %+v", schedule.Action)
	}

	// Another deployment keeps its hands off.
	err = Ensure(ctx, all, "other", plan)
	if err == nil || !strings.Contains(err.Error(), `it is of task queue "queue"`) {
		t.Errorf("error is %v", err)
	}

	plan.Assess.Every = 0
	ensure(plan)
	ensure(plan)
	if describe("assess/prod") != nil {
		t.Error("a schedule that is not wanted is there")
	}

	ensure(Plan{Cluster: "old", Assess: DefaultAssess(), Retain: DefaultRetain()})
	// Listing lags behind a little.
	watch, gone := instant.StartStopwatch(), []string(nil)
	for len(gone) == 0 && watch.Elapsed() < 3*time.Minute {
		if other, err := RemoveOthers(ctx, all, "other", nil); err != nil || len(other) != 0 {
			t.Fatalf("%v: another deployment removed %v", err, other)
		}
		if gone, err = RemoveOthers(ctx, all, "queue", []string{"prod"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(gone) != 1 || gone[0] != "old" {
		t.Errorf("gone are %v, want old", gone)
	}
	if describe("retain/prod") == nil {
		t.Error("a schedule of a cluster that stays is gone")
	}
}
