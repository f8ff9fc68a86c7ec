package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/lab/logs"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/loki/lokitest"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// The logs of a recording are served with their own times, line by line: as
// many of each stream and second as were recorded.
func TestReplayOfLogs(t *testing.T) {
	if _, err := loki.Find(""); errors.Is(err, loki.ErrNoBinary) {
		t.Skipf("this test needs a real Loki: %v", err)
	}
	begin := instant.FromUnix(1_700_000_000)
	truth := &score.Truth{From: begin, To: begin.Add(time.Minute), StepSeconds: 15}
	dir := recorded(t, truth)
	server, err := Serve(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	if server.URL == "" {
		t.Error("the metrics are not served")
	}
	// The end is not part of the play, and what is counted at an instant is.
	end := truth.To.Add(-time.Millisecond)
	want := map[string]int{"one": 600, "two": 300}
	if got := lokitest.Count(t, server.LokiURL, `sum by (instance) (count_over_time({instance=~".+"}[1m]))`, end); !maps.Equal(got, want) {
		t.Errorf("%v lines, want %v: those before the end of the play", got, want)
	}
	if got := lokitest.Count(t, server.LokiURL, `sum(count_over_time({instance="one"} |= "/build/" [1m]))`, end); len(got) > 0 {
		t.Errorf("%v lines are not as they were to be kept", got)
	}
}

// recorded makes a recording with logs of two parts, which go on after its end,
// and with the metrics of another recording.
func recorded(t *testing.T, truth *score.Truth) string {
	t.Helper()
	dir := t.TempDir()
	var journal bytes.Buffer
	encoder := json.NewEncoder(&journal)
	for i := range 650 {
		at := truth.From.Add(time.Duration(i) * 100 * time.Millisecond).Time().UnixNano()
		for instance, every := range map[string]int{"one": 1, "two": 2} {
			if i%every != 0 {
				continue
			}
			entry := logs.Entry{Nanos: at, Labels: map[string]string{"instance": instance}, Line: fmt.Sprintf("/build/main.go failed %d times", i)}
			if err := encoder.Encode(entry); err != nil {
				t.Fatal(err)
			}
		}
	}
	content, err := json.Marshal(truth)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := os.ReadFile(filepath.Join("..", "recordings", "idle", MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"journal": journal.Bytes(), TruthFile: content, MetricsFile: metrics} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	clean := strings.NewReplacer("/build/", "").Replace
	kept, err := SaveLogs(dir, truth, filepath.Join(dir, "journal"), clean)
	if err != nil || !strings.HasPrefix(kept, "900 lines of logs") {
		t.Fatalf("SaveLogs = %q, %v", kept, err)
	}
	return dir
}

// Metrics alone are served without any Loki.
func TestServeMetricsNeedsNoLoki(t *testing.T) {
	t.Setenv(loki.BinaryEnv, filepath.Join(t.TempDir(), "none"))
	truth := &score.Truth{From: instant.FromUnix(1_700_000_000), To: instant.FromUnix(1_700_000_060), StepSeconds: 15}
	dir := recorded(t, truth)
	if _, err := Serve(t.Context(), dir, 0); !errors.Is(err, loki.ErrNoBinary) {
		t.Errorf("Serve without a Loki = %v, want %v", err, loki.ErrNoBinary)
	}
	server, err := ServeMetrics(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if server.LokiURL != "" {
		t.Error("there is a URL of a Loki that is not there")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
