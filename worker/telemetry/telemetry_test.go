package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// get asks the server and returns the status with the body.
func get(t *testing.T, s *Server, path string) (int, string) {
	t.Helper()
	response, err := http.Get("http://" + s.Address() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// serve starts a server for a test.
func serve(t *testing.T, registry *prometheus.Registry, checks map[string]Check) *Server {
	t.Helper()
	s, err := Serve("127.0.0.1:0", registry, checks, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestMetricsAreServed(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	handler, err := SDK(registry)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, registry, nil)
	noon := instant.FromUnix(1_795_521_600)

	m.Watched("prod", true)
	m.Observed("prod", 40*time.Millisecond)
	m.Looked("prod", 2, false, noon)
	m.Looked("prod", 1, true, noon.Add(30*time.Second))
	m.Recorded("prod", time.Millisecond, Backlog{Unsaved: 3, Dropped: 7})
	m.Saved("prod", noon.Add(30*time.Second), true)
	m.Saved("prod", noon, false) // late: says nothing about now
	m.Failed(Store, "prod")
	m.Explained("prod", time.Second)
	m.Assessed("prod", "schedule", "rules", false)
	m.Deleted("prod", 20)
	m.Looked("old", 1, false, noon)
	m.Forget("old")
	handler.WithTags(map[string]string{"task_queue": "q"}).Counter("temporal_request").Inc(1)

	code, body := get(t, s, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	for _, line := range []string{
		`copilot_cluster_watched{cluster="prod"} 1`,
		`copilot_observations_total{cluster="prod",outcome="seen"} 2`,
		`copilot_observations_total{cluster="prod",outcome="blind"} 1`,
		`copilot_observed_timestamp_seconds{cluster="prod"} 1.79552163e+09`,
		`copilot_recorded_timestamp_seconds{cluster="prod"} 1.79552163e+09`,
		`copilot_blind{cluster="prod"} 1`,
		`copilot_unsaved_ticks{cluster="prod"} 2`,
		`copilot_lost_ticks{cluster="prod",why="dropped"} 7`,
		`copilot_failures_total{cluster="prod",system="store"} 1`,
		`copilot_failures_total{cluster="prod",system="prometheus"} 0`,
		`copilot_assessments_total{by="rules",cluster="prod",outcome="kept",trigger="schedule"} 1`,
		`copilot_deleted_ticks_total{cluster="prod"} 20`,
		`copilot_observe_duration_seconds_count{cluster="prod"} 1`,
		`copilot_temporal_request{task_queue="q"} 1`,
	} {
		if !strings.Contains(body, line) {
			t.Errorf("/metrics has no line %s", line)
		}
	}
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "copilot_") && !strings.HasPrefix(line, "#") {
			t.Errorf("a metric under a foreign name: %s", line)
		}
		if strings.Contains(line, `"old"`) {
			t.Errorf("a cluster that is gone is still told of: %s", line)
		}
	}
}

func TestNilMetricsCountNothing(*testing.T) {
	var m *Metrics
	m.Watched("prod", true)
	m.Observed("prod", 0)
	m.Looked("prod", 1, false, instant.FromUnix(0))
	m.Recorded("prod", 0, Backlog{})
	m.Saved("prod", instant.FromUnix(0), false)
	m.Failed(Store, "prod")
	m.Explained("prod", 0)
	m.Assessed("prod", "manual", "rules", false)
	m.Deleted("prod", 1)
	m.Forget("prod")
}

func TestHealthAndReadiness(t *testing.T) {
	var away atomic.Bool
	s := serve(t, prometheus.NewRegistry(), map[string]Check{
		"store": func(context.Context) error {
			if away.Load() {
				return errors.New("connection\nrefused")
			}
			return nil
		},
		"temporal": func(context.Context) error { return nil },
	})
	want := func(step string, code int, body string) {
		t.Helper()
		if gotCode, gotBody := get(t, s, "/readyz"); gotCode != code || gotBody != body {
			t.Errorf("%s: /readyz is %d %q, want %d %q", step, gotCode, gotBody, code, body)
		}
		if code, _ := get(t, s, "/healthz"); code != http.StatusOK {
			t.Errorf("%s: /healthz is %d", step, code)
		}
	}
	want("at first", 503, "store: ok\ntemporal: ok\nworker: starting\n")
	s.Started()
	want("started", 200, "store: ok\ntemporal: ok\nworker: ok\n")
	away.Store(true)
	want("without store", 503, "store: connection refused\ntemporal: ok\nworker: ok\n")
	away.Store(false)
	s.Stopping()
	want("stopping", 503, "store: ok\ntemporal: ok\nworker: stopping\n")
}

func TestAnAddressInUse(t *testing.T) {
	first := serve(t, prometheus.NewRegistry(), nil)
	_, err := Serve(first.Address(), prometheus.NewRegistry(), nil, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), first.Address()) {
		t.Errorf("error is %v", err)
	}
}

func TestTracesGoWhereTheEnvironmentSays(t *testing.T) {
	var posts atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			posts.Add(1)
		}
	}))
	defer collector.Close()

	for name, test := range map[string]struct {
		env    map[string]string
		traces bool
		err    string
	}{
		"nowhere":          {map[string]string{}, false, ""},
		"to a collector":   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}, true, ""},
		"disabled":         {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_SDK_DISABLED": "true"}, false, ""},
		"none":             {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_TRACES_EXPORTER": "none"}, false, ""},
		"unknown exporter": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_TRACES_EXPORTER": "zipkin"}, false, "use otlp or none"},
		"unknown protocol": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, false, "http/protobuf or grpc"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{
				"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED",
				"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
			} {
				t.Setenv(key, test.env[key])
			}
			posts.Store(0)
			tracing, end, err := Trace(t.Context(), "v1")
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error is %v, want %q", err, test.err)
				}
				return
			}
			if err != nil || (tracing != nil) != test.traces {
				t.Fatalf("interceptor %v, error %v", tracing, err)
			}
			if tracing != nil {
				var suite testsuite.WorkflowTestSuite
				suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
				env := suite.NewTestActivityEnvironment()
				env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{tracing}})
				nothing := func(context.Context) error { return nil }
				env.RegisterActivity(nothing)
				if _, err := env.ExecuteActivity(nothing); err != nil {
					t.Fatal(err)
				}
			}
			if err := end(t.Context()); err != nil {
				t.Error(err)
			}
			if sent := posts.Load() > 0; sent != test.traces {
				t.Errorf("traces sent: %t, want %t", sent, test.traces)
			}
		})
	}
}
