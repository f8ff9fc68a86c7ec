package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/plugin/plugintest"
)

// The built plugin answers over gRPC from a store that a real worker filled
// while it watched a real cluster. The frames' shape is held to a golden file;
// their values are those of this run, and are compared with the store.
func TestAgainstRealWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("brings up a Temporal cluster")
	}
	dir := publicDir(t)
	for program, source := range map[string]struct{ module, pkg string }{
		"lab": {"../lab", "./cmd/lab"}, "copilot": {"..", "./worker/cmd/copilot"},
	} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, program), source.pkg)
		cmd.Dir = source.module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", program, err, out)
		}
	}
	state := filepath.Join(dir, "state.json")
	start(t, filepath.Join(dir, "lab"), "up", "--second-temporal", "--state", state, "--scrape-interval", "1s", "--data-dir", filepath.Join(dir, "data"))
	var lab struct {
		Copilot struct {
			Address string `json:"address"`
		} `json:"copilot_temporal"`
		Prometheus struct {
			URL string `json:"url"`
		} `json:"prometheus"`
		Postgres struct {
			URL string `json:"url"`
		} `json:"postgres"`
	}
	await(t, "the lab to be up", 2*time.Minute, func() bool {
		text, err := os.ReadFile(state)
		return err == nil && json.Unmarshal(text, &lab) == nil
	})
	store := migrate(t, lab.Postgres.URL)
	defer store.Close()
	start(t, filepath.Join(dir, "copilot"), "worker", "--prometheus-url", lab.Prometheus.URL, "--selector", `cluster="lab"`,
		"--cluster", "lab", "--temporal-address", lab.Copilot.Address, "--database-url", lab.Postgres.URL, "--interval", "2s")
	await(t, "the worker to store verdicts", 2*time.Minute, func() bool {
		page, err := store.AssessmentSummaries(t.Context(), dsql.AssessmentQuery{
			Cluster: "lab", From: instant.System.Now().Add(-time.Hour), To: instant.System.Now(), Limit: 100,
		})
		seen := 0
		for _, a := range page.Summaries {
			if !a.Blind {
				seen++
			}
		}
		// The first of them may be too early for rates.
		return err == nil && seen >= 8
	})

	binary := filepath.Join(dir, "plugin")
	if err := plugintest.Build(t.Context(), "..", binary); err != nil {
		t.Fatal(err)
	}
	plugin, err := plugintest.Start(binary, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Stop()
	source := sourceAt(t, lab.Postgres.URL)
	wantHealth(t, plugin, source, true, "lab")

	now := instant.System.Now()
	var shape strings.Builder
	ask := func(queryType string, fields map[string]any) data.Frames {
		answer, err := plugin.Query(t.Context(), source, plugintest.Query{Type: queryType, Fields: fields, From: now.Add(-10 * time.Minute), To: now, MaxDataPoints: 1000})
		if err != nil || answer.Error != "" {
			t.Fatalf("%s: %v %s", queryType, err, answer.Error)
		}
		for _, frame := range answer.Frames {
			fmt.Fprintf(&shape, "%s: frame %q of type %q\n", queryType, frame.Name, frame.Meta.Type)
			for _, field := range frame.Fields {
				unit := ""
				if field.Config != nil {
					unit = field.Config.Unit
				}
				fmt.Fprintf(&shape, "  %s: %s in %q of %s\n", field.Name, field.Type().ItemTypeString(), unit, field.Labels)
			}
		}
		return answer.Frames
	}
	latest, err := store.Latest(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	status := ask("status", nil)
	if field, _ := status[0].FieldByName("state"); field == nil || !strings.Contains(fmt.Sprint(field.CopyAt(0)), latest.State.String()) {
		t.Errorf("the store says %s, the status frame: %v", latest.State, status[0].Fields)
	}
	if timeline := ask("timeline", nil); len(timeline) == 0 || timeline[0].Rows() == 0 {
		t.Error("the timeline is empty")
	}
	for _, series := range ask("signals", map[string]any{"signals": []string{"state_transitions_per_sec", "dsql_latency_ms"}}) {
		if series.Rows() < 5 {
			t.Errorf("series %s has %d points", series.Name, series.Rows())
		}
	}

	golden := filepath.Join("testdata", "real_worker_shape.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(shape.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if shape.String() != string(want) {
		t.Errorf("the frames' shape is not that of %s; if that is meant, write it anew with -update:\n%s", golden, shape.String())
	}
}

// publicDir is a temporary directory that other users may enter: PostgreSQL
// runs as another one when the test runs as root, and t.TempDir is private.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "copilot-plugin-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start starts a program and ends it, by its own pid, with the test.
func start(t *testing.T, program string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		killed := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer killed.Stop()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), said.String())
		}
	})
}

// await waits until something holds.
func await(t *testing.T, what string, within time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(500 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", within, what)
		}
	}
}
