package workflows

import (
	"compress/gzip"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// histories are recorded from a real server; testdata/README.md says how.
const histories = "testdata/*.json.gz"

// The workflow of today issues the commands that it issued when the histories
// were recorded. If this fails, workflows that run now would get stuck: keep
// the old commands behind workflow.GetVersion.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob(histories)
	if err != nil || len(files) == 0 {
		t.Fatalf("no histories in testdata (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: DataConverter()})
			if err != nil {
				t.Fatal(err)
			}
			Register(replayer)
			history := readHistory(t, file)
			if err := replayer.ReplayWorkflowHistory(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), history); err != nil {
				t.Error(err)
			}
		})
	}
}

// A replay that notices nothing would pass every test. This one takes an
// activity out of a history and has to notice.
func TestReplayNoticesOtherCommands(t *testing.T) {
	files, err := filepath.Glob(histories)
	if err != nil || len(files) == 0 {
		t.Fatalf("no histories in testdata (%v)", err)
	}
	history := readHistory(t, files[0])
	for _, event := range history.Events {
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled != nil {
			scheduled.ActivityType.Name = "Other"
			break
		}
	}
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: DataConverter()})
	if err != nil {
		t.Fatal(err)
	}
	Register(replayer)
	if err := replayer.ReplayWorkflowHistory(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), history); err == nil {
		t.Error("a history of other commands was replayed without complaint")
	}
}

// TestRecordHistories records the histories anew, on the Temporal server that
// COPILOT_RECORD_ON names. It takes about a minute and is skipped otherwise.
func TestRecordHistories(t *testing.T) {
	address := os.Getenv("COPILOT_RECORD_ON")
	if address == "" {
		t.Skip("COPILOT_RECORD_ON names no Temporal server")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	log := sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(t.Output(), nil)))
	c, err := client.DialContext(ctx, client.Options{
		HostPort: address, Identity: "recorder", DataConverter: DataConverter(), Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	// Some attempts to observe and to save fail, at fixed places.
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
	}
	queue := "record-" + instant.System.Now().String()
	work := func() worker.Worker {
		worker.PurgeStickyWorkflowCache()
		k := worker.New(c, queue, worker.Options{})
		Register(k)
		k.RegisterActivity(&mortal{world: w, Activities: w.activities()})
		if err := k.Start(); err != nil {
			t.Fatal(err)
		}
		return k
	}

	config := ObserveConfig{Interval: time.Second, Settle: 300 * time.Millisecond, CatchUp: time.Minute, WarmUp: 30 * time.Second}
	first, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: ObserveWorkflowID(queue), TaskQueue: queue},
		ObserveClusterWorkflow, ObserveInput{Cluster: "lab", Config: config, TicksInRun: 20})
	if err != nil {
		t.Fatal(err)
	}
	k := work()
	time.Sleep(8 * time.Second)
	k.Stop()
	time.Sleep(5 * time.Second) // ticks to catch up with
	k = work()
	time.Sleep(4 * time.Second)
	faster := config
	faster.Interval = 2 * time.Second
	update, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: first.GetID(), UpdateName: UpdateConfigure, Args: []any{faster}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil || update.Get(ctx, nil) != nil {
		t.Fatalf("update: %v", err)
	}
	var last string
	for last == "" || last == first.GetRunID() {
		time.Sleep(time.Second)
		d, err := c.DescribeWorkflowExecution(ctx, first.GetID(), "")
		if err != nil {
			t.Fatal(err)
		}
		last = d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	time.Sleep(5 * time.Second)
	if err := c.CancelWorkflow(ctx, first.GetID(), last); err != nil {
		t.Fatal(err)
	}
	_ = c.GetWorkflow(ctx, first.GetID(), last).Get(ctx, nil)
	k.Stop()

	writeHistory(ctx, t, c, first.GetID(), first.GetRunID(), "testdata/observe_cluster_faults_continued.json.gz")
	writeHistory(ctx, t, c, first.GetID(), last, "testdata/observe_cluster_cancelled.json.gz")
}

func readHistory(t *testing.T, path string) *historypb.History {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	history, err := client.HistoryFromJSON(unzipped, client.HistoryJSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return history
}

func writeHistory(ctx context.Context, t *testing.T, c client.Client, id, run, path string) {
	t.Helper()
	history := &historypb.History{}
	events := c.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		history.Events = append(history.Events, event)
	}
	text, err := protojson.Marshal(history)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(file)
	if _, err := zipped.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d events", path, len(history.Events))
}
