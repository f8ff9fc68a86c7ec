//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/temporaltest"
	"github.com/temporal-sre/copilot/worker/workflows"
)

// shared is a buffer that is written while it is read.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, log *shared, is func() bool) {
	t.Helper()
	watch := instant.StartStopwatch()
	for !is() {
		if watch.Elapsed() > 3*time.Minute { // seconds, where there is time for it
			t.Fatalf("after %s still not: %s\nthe worker said:\n%s", watch.Elapsed(), what, log)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// A worker watches two clusters on a real Temporal server. One has a Prometheus
// that is not there, which is no matter for the other; one leaves the
// configuration while the worker runs. The metrics themselves are looked at in
// lab/integration, beside a real Prometheus.
func TestSeveralClusters(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Temporal server")
	}
	address := temporaltest.Start(t)
	database := postgrestest.NewDatabase(t)
	copilot(t, "db", "setup-schema", "--database-url", database).succeeds(t, "setup-schema")
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":"success","data":[]}`)
	}))
	defer empty.Close()

	clusters := func(names ...string) string {
		text := "temporal: {address: \"" + address + "\"}\nlisten: 127.0.0.1:0\nobserve: {interval: 1s, settle: 0s, warm_up: 0s}\nclusters:\n"
		for _, name := range names {
			url := empty.URL
			if name == "broken" {
				url = "http://127.0.0.1:2"
			}
			text += "  - {name: " + name + ", prometheus: {url: \"" + url + "\"}}\n"
		}
		return text
	}
	path := filepath.Join(t.TempDir(), "copilot.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(clusters("well", "broken"))

	ctx, stop := context.WithCancel(t.Context())
	log, ended := new(shared), make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"worker", "--config", path, "--database-url", database}, io.Discard, log)
	}()
	defer stop()

	c, err := client.DialContext(t.Context(), client.Options{HostPort: address, DataConverter: workflows.DataConverter()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	scheduled := func(id string) bool {
		_, err := c.ScheduleClient().GetHandle(t.Context(), id).Describe(t.Context())
		return err == nil
	}
	saved := func(cluster string) int64 {
		value, err := c.QueryWorkflow(t.Context(), workflows.ObserveWorkflowID(cluster), "", workflows.QueryState)
		var state workflows.ObserveState
		if err != nil || value.Get(&state) != nil {
			return 0
		}
		return state.Counts.Saved
	}
	eventually(t, "both are watched, and scheduled", log, func() bool {
		return saved("well") > 1 && saved("broken") > 1 &&
			scheduled("assess/well") && scheduled("retain/well") && scheduled("assess/broken") && scheduled("retain/broken")
	})

	// A scheduled and a manual assessment that mean the same verdict are one.
	if err := c.ScheduleClient().GetHandle(t.Context(), "assess/well").Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
		t.Fatal(err)
	}
	answer := copilot(t, "assess", "--cluster", "well", "--temporal-address", address, "-o", "json")
	var result workflows.AssessResult
	if err := json.Unmarshal([]byte(answer.stdout), &result); err != nil || result.AssessmentID == "" || result.Explanation.Summary == "" {
		t.Fatalf("%v: %+v", err, answer)
	}
	assessed := c.GetWorkflow(t.Context(), workflows.AssessWorkflowID("well", result.At), "")
	var record workflows.AssessResult
	if err := assessed.Get(t.Context(), &record); err != nil || record.AssessmentID != result.AssessmentID {
		t.Errorf("%v: the record is %+v, the answer %+v", err, record, result)
	}
	copilot(t, "assess", "--cluster", "nobody", "--temporal-address", address).
		fails(t, "unknown cluster", exitFailure, `cluster "nobody" is not known`)

	// Retention on a store in which nothing is old.
	if err := c.ScheduleClient().GetHandle(t.Context(), "retain/well").Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "old history was looked for", log, func() bool { return strings.Contains(log.String(), "old history was deleted") })

	// What the worker tells of itself.
	_, metrics, _ := strings.Cut(log.String(), "metrics=http://")
	metrics, _, _ = strings.Cut(metrics, "/metrics")
	get := func(path string) string {
		response, err := http.Get("http://" + metrics + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	eventually(t, "it tells of both clusters, and is ready", log, func() bool {
		text := get("/metrics")
		return strings.Contains(text, `copilot_cluster_watched{cluster="well"} 1`) &&
			strings.Contains(text, `copilot_cluster_watched{cluster="broken"} 1`) &&
			strings.Contains(text, `copilot_blind{cluster="broken"} 1`) &&
			strings.Contains(text, "copilot_temporal_workflow_completed") &&
			get("/readyz") == "store: ok\ntemporal: ok\nworker: ok\n"
	})

	// One leaves, one comes, and a file that does not work changes nothing.
	write(clusters("well", "new"))
	hangUp(t)
	eventually(t, "the new one is watched and the other is not", log, func() bool {
		described, err := c.DescribeWorkflowExecution(t.Context(), workflows.ObserveWorkflowID("broken"), "")
		return err == nil && described.GetWorkflowExecutionInfo().GetCloseTime() != nil &&
			saved("new") > 0 && scheduled("assess/new") && !scheduled("assess/broken") && !scheduled("retain/broken")
	})
	write("clusters: [{name: well}]")
	hangUp(t)
	eventually(t, "the mistake is told", log, func() bool { return strings.Contains(log.String(), "is left as it was") })
	before := saved("well")
	eventually(t, "watching goes on", log, func() bool { return saved("well") > before })

	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d\n%s", code, log)
	}
	if text := log.String(); strings.Contains(text, "panic") {
		t.Errorf("the worker said:\n%s", text)
	}
}

// hangUp sends this process what asks a worker to read its file again.
func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}
