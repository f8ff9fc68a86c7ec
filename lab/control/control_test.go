package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// fakeLab has one queue.
type fakeLab struct {
	running bool
	killed  bool
	rate    float64
}

func (f *fakeLab) State() State {
	return State{
		PID:       42,
		StartedAt: instant.FromUnix(1_795_489_470),
		Workers:   []Worker{{Queue: "billing", Running: f.running}},
		Load:      &Load{PerSecond: f.rate},
	}
}

func (f *fakeLab) StopWorkers(_ context.Context, queue string, kill bool) error {
	if queue != "billing" {
		return fmt.Errorf("unknown task queue %q", queue)
	}
	f.running, f.killed = false, kill
	return nil
}

func (f *fakeLab) StartWorkers(context.Context, string) error {
	f.running = true
	return nil
}

func (f *fakeLab) SetRate(perSecond float64) error {
	f.rate = perSecond
	return nil
}

func serve(t *testing.T, lab *fakeLab) (*Client, string) {
	t.Helper()
	server := httptest.NewServer(Handler(lab))
	t.Cleanup(server.Close)
	client, err := NewClient(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client, server.URL
}

func TestClientControlsTheLab(t *testing.T) {
	lab := &fakeLab{running: true}
	client, _ := serve(t, lab)
	if state, err := client.StopWorkers(t.Context(), "billing", true); err != nil || state.Workers[0].Running || !lab.killed {
		t.Errorf("stop: %+v, %v, killed %v", state, err, lab.killed)
	}
	if state, err := client.StartWorkers(t.Context(), "billing"); err != nil || !state.Workers[0].Running {
		t.Errorf("start: %+v, %v", state, err)
	}
	if state, err := client.SetRate(t.Context(), 12.5); err != nil || state.Load.PerSecond != 12.5 {
		t.Errorf("rate: %+v, %v", state, err)
	}
	if state, err := client.State(t.Context()); err != nil || state.PID != 42 {
		t.Errorf("state: %+v, %v", state, err)
	}
	if _, err := client.StopWorkers(t.Context(), "refunds", false); err == nil || !strings.Contains(err.Error(), `unknown task queue "refunds"`) {
		t.Errorf("stop of an unknown queue: %v", err)
	}
}

func TestBadRequestsChangeNothing(t *testing.T) {
	lab := &fakeLab{running: true, rate: 10}
	_, url := serve(t, lab)
	for _, path := range []string{"/v1/load/rate", "/v1/load/rate?per_second=fast", "/v1/workers/billing/stop?kill=maybe"} {
		response, err := http.Post(url+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("POST %s: %s, want 400", path, response.Status)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/workers/billing/stop", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "cross-site") // as a browser says of another site's page
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another site: %s, want 403", response.Status)
	}
	if !lab.running || lab.rate != 10 {
		t.Errorf("the lab changed: %+v", lab)
	}
}

func TestNoLabNamesTheRemedy(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	if _, err := NewClient(""); !errors.Is(err, ErrNoLab) {
		t.Errorf("without a state file: %v, want %v", err, ErrNoLab)
	}
	client, err := NewClient("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.State(t.Context()); !errors.Is(err, ErrNoLab) {
		t.Errorf("with nobody listening: %v, want %v", err, ErrNoLab)
	}
}

func TestStateFileBelongsToItsLab(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache", "lab.json")
	state := (&fakeLab{}).State()
	if err := state.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: the file holds a password", info.Mode())
	}
	if read, err := ReadFile(path); err != nil || read.StartedAt != state.StartedAt {
		t.Errorf("read back %+v, %v", read, err)
	}
	if err := RemoveFile(path, state.PID+1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("another lab removed it: %v", err)
	}
	if err := RemoveFile(path, state.PID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its own lab did not remove it: %v", err)
	}
}
