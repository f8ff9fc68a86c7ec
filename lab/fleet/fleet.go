// Package fleet runs the workers that do the lab's work: one process per task
// queue, so that what happens to one queue's workers happens to real processes
// and to nothing else.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uber-go/tally/v4"
	tallyprom "github.com/uber-go/tally/v4/prometheus"
	"go.temporal.io/sdk/client"
	sdktally "go.temporal.io/sdk/contrib/tally"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-sre/copilot/lab/workload"
)

// stopTimeout is how long a worker that is asked to stop lets its activities
// finish. They take some milliseconds.
const stopTimeout = 3 * time.Second

// Config describes one worker process.
type Config struct {
	Queue           string `json:"queue"`
	TemporalAddress string `json:"temporal_address"`
	Namespace       string `json:"namespace"`
	// MetricsAddress is the host:port where /metrics is served.
	MetricsAddress string `json:"metrics_address"`
	Tuning
	// Pace is how long activities take at first.
	Pace workload.Pace `json:"pace,omitzero"`
	// LogText makes the worker log as text, key=value, instead of JSON.
	LogText bool `json:"log_text,omitempty"`
}

// Tuning is how a worker differs from the SDK's defaults, which zeros stand
// for.
type Tuning struct {
	// ActivitySlots and WorkflowSlots bound the tasks that are worked on at a
	// time.
	ActivitySlots int `json:"activity_slots,omitempty"`
	WorkflowSlots int `json:"workflow_slots,omitempty"`
	// Pollers is the number of pollers for each kind of task.
	Pollers int `json:"pollers,omitempty"`
	// CachedWorkflows is the size of the sticky cache.
	CachedWorkflows int `json:"cached_workflows,omitempty"`
}

func (t Tuning) options() worker.Options {
	if t.CachedWorkflows > 0 {
		worker.SetStickyWorkflowCacheSize(t.CachedWorkflows) // of the whole process
	}
	return worker.Options{
		Interceptors:                           []interceptor.WorkerInterceptor{&workload.Poison{}},
		WorkerStopTimeout:                      stopTimeout,
		MaxConcurrentActivityExecutionSize:     t.ActivitySlots,
		MaxConcurrentWorkflowTaskExecutionSize: atLeastTwo(t.WorkflowSlots),
		MaxConcurrentActivityTaskPollers:       t.Pollers,
		MaxConcurrentWorkflowTaskPollers:       atLeastTwo(t.Pollers),
	}
}

// atLeastTwo is for what the SDK shares between the sticky and the normal
// queue: with one only it refuses to start.
func atLeastTwo(n int) int {
	if n == 1 {
		return 2
	}
	return n
}

// Logger returns the worker's own logger, which the SDK uses too.
func (c Config) Logger(out io.Writer) *slog.Logger {
	if c.LogText {
		return slog.New(slog.NewTextHandler(out, nil))
	}
	return slog.New(slog.NewJSONHandler(out, nil))
}

// Serve polls one task queue until the context ends. Without tuning everything
// about the worker is the SDK's default, as in most deployments. Each value
// from paces replaces the pace of its activities.
func Serve(ctx context.Context, cfg Config, paces <-chan workload.Pace, log *slog.Logger) error {
	workload.SetPace(cfg.Pace)
	metrics, err := serveMetrics(cfg.MetricsAddress)
	if err != nil {
		return err
	}
	defer metrics.close()

	connection, err := workload.Dial(ctx, client.Options{
		HostPort:       cfg.TemporalAddress,
		Namespace:      cfg.Namespace,
		Logger:         sdklog.NewStructuredLogger(log),
		MetricsHandler: sdktally.NewMetricsHandler(metrics.scope),
	})
	if err != nil {
		return err
	}
	defer connection.Close()

	poller := worker.New(connection, cfg.Queue, cfg.options())
	if err := workload.Register(poller, cfg.Queue); err != nil {
		return err
	}
	if err := poller.Start(); err != nil {
		return fmt.Errorf("start the worker of queue %s: %w", cfg.Queue, err)
	}
	defer poller.Stop()
	for {
		select {
		case <-ctx.Done():
			log.Info("worker stopped", "queue", cfg.Queue, "cause", context.Cause(ctx))
			return nil
		case err := <-metrics.failed:
			return err
		case pace := <-paces:
			workload.SetPace(pace)
			log.Info("pace changed", "queue", cfg.Queue, "activity_takes", pace.ActivityTakes.String(), "workflow_tasks_fail", pace.WorkflowTasksFail, "activities_panic", pace.ActivitiesPanic)
		}
	}
}

// metricsServer serves the SDK's metrics under the names that Temporal's Go
// documentation recommends: tally with the Prometheus naming scope.
type metricsServer struct {
	scope  tally.Scope
	http   *http.Server
	failed chan error
	stop   func() error // stops the scope's reporting
}

func serveMetrics(address string) (*metricsServer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve the worker's metrics: %w", err)
	}
	registry := prometheus.NewRegistry()
	reporter := tallyprom.NewReporter(tallyprom.Options{
		Registerer: registry,
		Gatherer:   registry,
		// Without this tally makes summaries of timers, which nobody can add up
		// over workers.
		DefaultTimerType: tallyprom.HistogramTimerType,
		OnRegisterError: func(err error) {
			slog.Warn("a metric could not be registered", "error", err)
		},
	})
	scope, closer := tally.NewRootScope(tally.ScopeOptions{
		CachedReporter:  reporter,
		Separator:       tallyprom.DefaultSeparator,
		SanitizeOptions: &sdktally.PrometheusSanitizeOptions,
	}, time.Second)

	mux := http.NewServeMux()
	mux.Handle("GET /metrics", reporter.HTTPHandler())
	server := &metricsServer{
		scope:  sdktally.NewPrometheusNamingScope(scope),
		http:   &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second},
		failed: make(chan error, 1),
		stop:   closer.Close,
	}
	go func() {
		if err := server.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			server.failed <- fmt.Errorf("serve the worker's metrics: %w", err)
		}
	}()
	return server, nil
}

func (s *metricsServer) close() {
	if err := errors.Join(s.http.Close(), s.stop()); err != nil {
		slog.Warn("stop serving metrics", "error", err)
	}
}
