package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/lab/logs"
	"github.com/temporal-sre/copilot/lab/loki"
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
	for instance, want := range map[string]int{"one": 600, "two": 300} {
		query := fmt.Sprintf(`sum(count_over_time({instance=%q}[1m]))`, instance)
		if got := number(t, server.LokiURL, query, truth.To); got != want {
			t.Errorf("%s: %d lines, want %d: those before the end of the play", instance, got, want)
		}
	}
	if got := number(t, server.LokiURL, `sum(count_over_time({instance="one"} |= "/build/" [1m]))`, truth.To); got != 0 {
		t.Errorf("%d lines are not as they were to be kept", got)
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

// number asks a Loki for the one number of a query.
func number(t *testing.T, base, query string, at instant.Instant) int {
	t.Helper()
	response, err := http.Get(base + "/loki/api/v1/query?" + url.Values{
		// The border is not part of what is counted, and the last line before it is.
		"query": {query}, "time": {strconv.FormatInt(at.Time().UnixNano()-1, 10)},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: %s: %v", query, response.Status, err)
	}
	if len(answer.Data.Result) == 0 {
		return 0
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
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
