package workflows

import (
	"compress/gzip"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"
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
	recorded := map[string]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: DataConverter()})
			if err != nil {
				t.Fatal(err)
			}
			Register(replayer)
			history := readHistory(t, file)
			recorded[history.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()] = true
			if err := replayer.ReplayWorkflowHistory(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), history); err != nil {
				t.Error(err)
			}
		})
	}
	for _, name := range []string{"ObserveClusterWorkflow", "AssessHealthWorkflow", "RetainHistoryWorkflow"} {
		if !recorded[name] {
			t.Errorf("no history of %s is recorded", name)
		}
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
