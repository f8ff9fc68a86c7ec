package workflows

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// recorder is where histories are recorded.
type recorder struct {
	client.Client
	t     *testing.T
	ctx   context.Context
	queue string
}

// record returns a recorder on the Temporal server that COPILOT_RECORD_ON
// names, or skips the test.
func record(t *testing.T) *recorder {
	t.Helper()
	address := os.Getenv("COPILOT_RECORD_ON")
	if address == "" {
		t.Skip("COPILOT_RECORD_ON names no Temporal server")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	c, err := client.DialContext(ctx, client.Options{
		HostPort: address, Identity: "recorder", DataConverter: DataConverter(),
		Logger: sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(t.Output(), nil))),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &recorder{Client: c, t: t, ctx: ctx, queue: "record-" + instant.System.Now().String()}
}

// work starts a worker in a world.
func (r *recorder) work(w *world) worker.Worker {
	r.t.Helper()
	worker.PurgeStickyWorkflowCache()
	k := worker.New(r.Client, r.queue, worker.Options{})
	Register(k)
	k.RegisterActivity(&mortal{world: w, Activities: w.activities()})
	if err := k.Start(); err != nil {
		r.t.Fatal(err)
	}
	return k
}

// start starts a workflow.
func (r *recorder) start(id string, workflow, in any) client.WorkflowRun {
	r.t.Helper()
	run, err := r.ExecuteWorkflow(r.ctx, client.StartWorkflowOptions{ID: id, TaskQueue: r.queue}, workflow, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

// TestRecordObserve records the histories of ObserveClusterWorkflow anew. It
// takes about a minute.
func TestRecordObserve(t *testing.T) {
	r := record(t)
	ctx := r.ctx
	begin := instant.System.Now()
	// Some attempts to observe and to save fail, at fixed places; later nothing
	// is served for some time, so that the state changes.
	w := &world{
		source: func(attempt int, _ activities.ObserveRequest) sourceMood {
			if attempt >= 12 && attempt < 18 {
				return sourceFails
			}
			return sourceWell
		},
		store: func(attempt int, _ instant.Instant) storeMood {
			if attempt >= 6 && attempt < 12 {
				return storeFails
			}
			return storeWell
		},
		serve: func(i instant.Instant) float64 {
			if since := i.Sub(begin); since > 20*time.Second && since < 35*time.Second {
				return 0
			}
			return 10
		},
	}
	config := ObserveConfig{Interval: time.Second, Settle: 300 * time.Millisecond, CatchUp: time.Minute, WarmUp: 30 * time.Second}
	first := r.start(ObserveWorkflowID(r.queue), ObserveClusterWorkflow, ObserveInput{Cluster: "lab", Config: config, TicksInRun: 30})
	k := r.work(w)
	time.Sleep(8 * time.Second)
	k.Stop()
	time.Sleep(5 * time.Second) // ticks to catch up with
	k = r.work(w)
	time.Sleep(4 * time.Second)
	faster := config
	faster.Interval = 2 * time.Second
	update, err := r.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: first.GetID(), UpdateName: UpdateConfigure, Args: []any{faster}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil || update.Get(ctx, nil) != nil {
		t.Fatalf("update: %v", err)
	}
	var last string
	for last == "" || last == first.GetRunID() {
		time.Sleep(time.Second)
		d, err := r.DescribeWorkflowExecution(ctx, first.GetID(), "")
		if err != nil {
			t.Fatal(err)
		}
		last = d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	time.Sleep(5 * time.Second)
	if err := r.CancelWorkflow(ctx, first.GetID(), last); err != nil {
		t.Fatal(err)
	}
	_ = r.GetWorkflow(ctx, first.GetID(), last).Get(ctx, nil)
	k.Stop()

	writeHistory(ctx, t, r.Client, first.GetID(), first.GetRunID(), "testdata/observe_cluster_assessed_continued.json.gz")
	writeHistory(ctx, t, r.Client, first.GetID(), last, "testdata/observe_cluster_assessed_cancelled.json.gz")
}

// TestRecordAssess records the histories of AssessHealthWorkflow anew.
func TestRecordAssess(t *testing.T) {
	r := record(t)
	for name, explainer := range map[string]said{
		"words": better,
		"rules": func(context.Context, activities.Evidence) (health.Explanation, error) {
			return health.Explanation{}, errors.New("model throttled")
		},
	} {
		w := watched(t)
		w.explainer = explainer
		k := r.work(w)
		newest := r.start("newest-"+name+"-"+r.queue, AssessHealthWorkflow, AssessInput{Cluster: "lab", Trigger: BySchedule})
		if err := newest.Get(r.ctx, nil); err != nil {
			t.Fatal(err)
		}
		at := w.rows[len(w.rows)-1].assessment.At
		writeHistory(r.ctx, t, r.Client, AssessWorkflowID("lab", at), "", "testdata/assess_health_"+name+".json.gz")
		writeHistory(r.ctx, t, r.Client, newest.GetID(), "", "testdata/assess_health_newest_"+name+".json.gz")
		joined := r.start("joined-"+name+"-"+r.queue, AssessHealthWorkflow, AssessInput{Cluster: "lab", Trigger: ByHand})
		var result AssessResult
		if err := joined.Get(r.ctx, &result); err != nil || !result.Joined {
			t.Fatalf("%v: %+v", err, result)
		}
		writeHistory(r.ctx, t, r.Client, joined.GetID(), "", "testdata/assess_health_joined_"+name+".json.gz")
		k.Stop()
		// The other world's verdicts are of the same instants.
		if _, err := r.WorkflowService().DeleteWorkflowExecution(r.ctx, deletion(AssessWorkflowID("lab", at))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
	}
}

// deletion asks for a workflow to be deleted.
func deletion(id string) *workflowservice.DeleteWorkflowExecutionRequest {
	return &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id},
	}
}

// TestRecordRetain records the histories of RetainHistoryWorkflow anew.
func TestRecordRetain(t *testing.T) {
	r := record(t)
	w := &world{old: 90, retain: func(attempt int) error {
		if attempt == 1 {
			return errors.New("connection refused")
		}
		return nil
	}}
	k := r.work(w)
	defer k.Stop()
	run := r.start("retain-"+r.queue, RetainHistoryWorkflow, RetainInput{Cluster: "lab", Keep: KeepLeast})
	if err := run.Get(r.ctx, nil); err != nil {
		t.Fatal(err)
	}
	writeHistory(r.ctx, t, r.Client, run.GetID(), "", "testdata/retain_history.json.gz")
}
