package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/worker/activities"
	"github.com/temporal-sre/copilot/worker/workflows"
)

const (
	// tryTimeout bounds one attempt to reach the store or Temporal at start,
	// tryPause is the time between two.
	tryTimeout = 5 * time.Second
	tryPause   = time.Second
	// workflowTimeout bounds the start of the workflow. A worker that was
	// killed keeps its workflows for ten seconds, the workflow task timeout.
	workflowTimeout = 45 * time.Second
	// stopTimeout is how long activities under way may take to end when the
	// worker is asked to stop.
	stopTimeout = 10 * time.Second
)

// workerOptions are the settings of the worker.
type workerOptions struct {
	prometheus prometheusFlags
	store      storeFlags
	cluster    string
	only       string // one Temporal namespace of the cluster; empty: all
	config     workflows.ObserveConfig
	address    string
	namespace  string
	taskQueue  string
	wait       time.Duration
	logFormat  string
}

// workerEnv names the environment variables that stand in for flags which are
// not given.
var workerEnv = map[string]string{
	"cluster":            "COPILOT_CLUSTER",
	"namespace":          "COPILOT_NAMESPACE",
	"temporal-address":   "COPILOT_TEMPORAL_ADDRESS",
	"temporal-namespace": "COPILOT_TEMPORAL_NAMESPACE",
	"task-queue":         "COPILOT_TASK_QUEUE",
	"interval":           "COPILOT_INTERVAL",
	"settle":             "COPILOT_SETTLE",
	"catch-up":           "COPILOT_CATCH_UP",
	"warm-up":            "COPILOT_WARM_UP",
	"start-timeout":      "COPILOT_START_TIMEOUT",
	"log-format":         "COPILOT_LOG_FORMAT",
}

func newWorkerCommand() *cobra.Command {
	var o workerOptions
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Watch a cluster for as long as it runs, and keep the record",
		Long: `Watch a Temporal cluster for as long as it runs: at every interval look at its
metrics, judge, explain, and store the verdict.

What is watched is remembered by a workflow on the copilot's own Temporal, which
need not be, and better is not, the cluster that is watched. Any number of
workers may run; there is one workflow for each cluster. Whatever passes while
none runs, or while the store is away, is made up for from the metrics' history.

Workers that share a task queue have to watch the same cluster: give each
cluster its own.

Set up the store first: copilot db setup-schema.`,
		Example: `  copilot worker --prometheus-url http://localhost:9090 --cluster lab --selector 'cluster="lab"' \
    --temporal-address localhost:7233 --database-url postgres://postgres@localhost:5432/copilot
  copilot worker --prometheus-url https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1 --prometheus-sigv4 \
    --cluster prod --temporal-address temporal:7233 --dsql-endpoint abc123.dsql.eu-west-1.on.aws --settle 20s`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWorker(cmd.Context(), o, fromEnv(cmd.Flags(), workerEnv), cmd.ErrOrStderr())
		},
	}
	addPrometheusFlags(cmd, &o.prometheus)
	addStoreFlags(cmd, &o.store)
	usual := workflows.DefaultObserveConfig()
	f := cmd.Flags()
	f.StringVar(&o.cluster, "cluster", "", "name of the monitored cluster (env COPILOT_CLUSTER; default: what the selector says)")
	f.StringVar(&o.only, "namespace", "", "look only at the task queues of this Temporal namespace (env COPILOT_NAMESPACE)")
	f.StringVar(&o.address, "temporal-address", "localhost:7233", "host:port of the Temporal that runs the copilot's workflows (env COPILOT_TEMPORAL_ADDRESS)")
	f.StringVar(&o.namespace, "temporal-namespace", "default", "its namespace for them (env COPILOT_TEMPORAL_NAMESPACE)")
	f.StringVar(&o.taskQueue, "task-queue", "temporal-sre-copilot", "its task queue for them (env COPILOT_TASK_QUEUE)")
	f.DurationVar(&o.config.Interval, "interval", usual.Interval, "time between observations (env COPILOT_INTERVAL)")
	f.DurationVar(&o.config.Settle, "settle", usual.Settle, "how long metrics take to arrive: each observation waits for them (env COPILOT_SETTLE)")
	f.DurationVar(&o.config.CatchUp, "catch-up", usual.CatchUp, "how long an outage of worker or store may last without losing observations (env COPILOT_CATCH_UP)")
	f.DurationVar(&o.config.WarmUp, "warm-up", usual.WarmUp, "how far the first start looks back, to know what is usual (env COPILOT_WARM_UP)")
	f.DurationVar(&o.wait, "start-timeout", 30*time.Second, "how long to wait for Temporal and the store at start (env COPILOT_START_TIMEOUT)")
	f.StringVar(&o.logFormat, "log-format", "text", "form of the log on stderr, text or json (env COPILOT_LOG_FORMAT)")
	return cmd
}

// fromEnv sets the flags that were not given from the environment, and returns
// an error for each value that does not suit its flag.
func fromEnv(flags *pflag.FlagSet, names map[string]string) []error {
	var problems []error
	flags.VisitAll(func(flag *pflag.Flag) {
		value := os.Getenv(names[flag.Name])
		if value == "" || flag.Changed {
			return
		}
		if err := flag.Value.Set(value); err != nil {
			problems = append(problems, fmt.Errorf("%s=%s: %w", names[flag.Name], value, err))
			_ = flag.Value.Set(flag.DefValue) // no second complaint about half a value
		}
	})
	return problems
}

// runWorker runs until ctx ends, which is its orderly end, or the worker cannot
// go on.
func runWorker(ctx context.Context, o workerOptions, problems []error, stderr io.Writer) error {
	log := newLogger(stderr, o.logFormat)
	slog.SetDefault(log) // packages below log there
	observer, store, err := o.prepare(ctx, log, problems)
	if err != nil {
		return err
	}
	defer store.Close()

	err = reach(ctx, log, "the store", o.wait, func(ctx context.Context) error {
		schema, err := store.Schema(ctx)
		if kind := schema.Err(); err == nil && kind != nil {
			err = &dsql.SchemaError{Kind: kind, Status: schema, Target: store.Target()}
		}
		return err
	}, storeIsHopeless)
	if err != nil {
		return err
	}
	if err := o.tryPrometheus(ctx, log, observer); err != nil {
		return err
	}

	var c client.Client
	err = reach(ctx, log, "Temporal", o.wait, func(ctx context.Context) (err error) {
		c, err = o.dial(ctx, log)
		return err
	}, temporalIsHopeless)
	if err != nil {
		return err
	}
	defer c.Close()

	fatal := make(chan error, 1)
	w := worker.New(c, o.taskQueue, worker.Options{
		WorkerStopTimeout: stopTimeout,
		// A workflow that panics waits for a worker that does not.
		WorkflowPanicPolicy: worker.BlockWorkflow,
		OnFatalError:        func(err error) { fatal <- err },
	})
	w.RegisterWorkflow(workflows.ObserveClusterWorkflow)
	w.RegisterActivity(&activities.Activities{
		Observers: map[string]activities.Observer{o.cluster: observer},
		Store:     store,
		Log:       log,
	})
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker on task queue %q: %w", o.taskQueue, err)
	}
	if err := o.observe(ctx, log, c); err != nil {
		w.Stop()
		return err
	}

	select {
	case err = <-fatal:
		err = fmt.Errorf("the worker cannot go on: %w", err)
	case <-ctx.Done():
		log.Info("stopping; the workflow goes on as soon as a worker runs again", "cluster", o.cluster)
	}
	w.Stop()
	return err
}

// prepare checks every setting, so that all mistakes are told at once, and
// makes what needs no connection. problems are those found before.
func (o *workerOptions) prepare(ctx context.Context, log *slog.Logger, problems []error) (*prometheus.Observer, *dsql.Store, error) {
	metrics := o.prometheus.config()
	o.cluster = firstOf(o.cluster, prometheus.ClusterName(metrics.Selector, ""))
	metrics.Cluster, metrics.Namespace, metrics.Logger = o.cluster, o.only, log
	// Half a second less, so that it is Prometheus' timeout that is reported.
	metrics.Timeout = cmp.Or(metrics.Timeout, o.config.ObserveTimeout()-500*time.Millisecond)
	observer, err := prometheus.New(metrics)
	problems = append(problems, err)
	store, err := openStore(ctx, o.store.config())
	problems = append(problems, err, o.config.Validate())
	if host, port, err := net.SplitHostPort(o.address); err != nil || host == "" || port == "" {
		problems = append(problems, fmt.Errorf("--temporal-address %q: use host:port, such as localhost:7233", o.address))
	}
	for flag, value := range map[string]string{"temporal-namespace": o.namespace, "task-queue": o.taskQueue} {
		if value == "" {
			problems = append(problems, fmt.Errorf("--%s is empty", flag))
		}
	}
	if o.wait < time.Second || o.wait > time.Hour {
		problems = append(problems, fmt.Errorf("--start-timeout %s: use between 1s and 1h", o.wait))
	}
	if o.logFormat != "text" && o.logFormat != "json" {
		problems = append(problems, fmt.Errorf("--log-format %q: use text or json", o.logFormat))
	}
	if err := errors.Join(problems...); err != nil {
		if store != nil {
			store.Close()
		}
		return nil, nil, usageError(underHeading(err.Error()))
	}
	return observer, store, nil
}

// underHeading puts several lines below a heading; one line stays as it is.
func underHeading(lines string) string {
	if !strings.Contains(lines, "\n") {
		return lines
	}
	return "these settings do not work:\n  " + strings.ReplaceAll(lines, "\n", "\n  ")
}

// reach tries until something is there, waiting for it no longer than wait. It
// gives up at once when the error says that waiting is of no use.
func reach(ctx context.Context, log *slog.Logger, what string, wait time.Duration, try func(context.Context) error, hopeless func(error) bool) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var last error
	for {
		err := within(ctx, tryTimeout, try)
		if err == nil || hopeless(err) {
			return err
		}
		if last == nil {
			log.Warn("waiting for "+what, "error", err)
		}
		if last == nil || ctx.Err() == nil {
			last = err // else the attempt was cut short, and does not know why
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return last
		case <-time.After(tryPause):
		}
	}
}

func within(ctx context.Context, limit time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return try(ctx)
}

// storeIsHopeless tells whether the store's error stays until somebody acts.
func storeIsHopeless(err error) bool {
	var connect *dsql.ConnectError
	var schema *dsql.SchemaError
	return errors.As(err, &connect) && connect.Refused || errors.As(err, &schema)
}

// tryPrometheus looks once at the metrics. Several clusters without a selector
// have to be told apart before anything is stored; all else may mend itself, and
// until it does, the verdicts say that they are blind.
func (o *workerOptions) tryPrometheus(ctx context.Context, log *slog.Logger, observer *prometheus.Observer) error {
	now := instant.System.Now()
	err := within(ctx, tryTimeout, func(ctx context.Context) error {
		_, err := observer.Detect(ctx, now, now)
		return err
	})
	var several *prometheus.SeveralClustersError
	switch {
	case errors.As(err, &several):
		return streamError(err)
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		log.Warn("the cluster's metrics cannot be seen yet; watching goes on", "cluster", o.cluster, "error", err)
	}
	return nil
}

// errNoNamespace is the error for a namespace that does not exist.
type errNoNamespace struct{ address, namespace string }

func (e *errNoNamespace) Error() string {
	return fmt.Sprintf("Temporal at %s has no namespace %q: create it (temporal operator namespace create -n %s), or name another with --temporal-namespace",
		e.address, e.namespace, e.namespace)
}

// dial connects to Temporal and makes sure that the namespace is there.
func (o *workerOptions) dial(ctx context.Context, log *slog.Logger) (client.Client, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	c, err := client.DialContext(ctx, client.Options{
		HostPort:      o.address,
		Namespace:     o.namespace,
		Identity:      fmt.Sprintf("copilot %d@%s", os.Getpid(), host),
		Logger:        sdklog.NewStructuredLogger(log),
		DataConverter: workflows.DataConverter(),
	})
	if err != nil {
		return nil, fmt.Errorf("no Temporal server answers at %s (%s); check that it runs, or name another with --temporal-address", o.address, grpcReason(err))
	}
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &missing):
		err = &errNoNamespace{address: o.address, namespace: o.namespace}
	default:
		err = fmt.Errorf("ask Temporal at %s for namespace %q: %s", o.address, o.namespace, grpcReason(err))
	}
	c.Close()
	return nil, err
}

// temporalIsHopeless tells whether Temporal's error stays until somebody acts.
func temporalIsHopeless(err error) bool {
	var missing *errNoNamespace
	return errors.As(err, &missing)
}

// grpcReason is the last part of a gRPC error, which says what happened.
func grpcReason(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if i := strings.LastIndex(text, "desc = "); i >= 0 {
		text = text[i+len("desc = "):]
	}
	return strings.Trim(text, `"`)
}

// observe makes sure that the cluster is being observed as configured: it
// starts the workflow, or takes the one that runs and gives it the
// configuration.
func (o *workerOptions) observe(ctx context.Context, log *slog.Logger, c client.Client) error {
	id := workflows.ObserveWorkflowID(o.cluster)
	ask, cancel := context.WithTimeout(ctx, workflowTimeout)
	defer cancel()
	if err := o.checkTaskQueue(ask, c, id); err != nil {
		return err
	}
	start := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                o.taskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "observes cluster " + o.cluster,
	}, workflows.ObserveClusterWorkflow, workflows.ObserveInput{Cluster: o.cluster, Config: o.config})
	update, err := c.UpdateWithStartWorkflow(ask, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateName:   workflows.UpdateConfigure,
			Args:         []any{o.config},
			WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	var before workflows.ObserveConfig
	if err == nil {
		err = update.Get(ask, &before)
	}
	var rejected *temporal.ApplicationError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &rejected):
		return fmt.Errorf("workflow %s refuses the configuration: %s", id, rejected.Message())
	case ask.Err() != nil:
		return fmt.Errorf("workflow %s did not answer within %s: see the log above, and its history in Temporal for workflow tasks that failed", id, workflowTimeout)
	default:
		return fmt.Errorf("start workflow %s: %s", id, grpcReason(err))
	}
	if before != o.config {
		log.Info("the running workflow was configured anew", "cluster", o.cluster,
			"interval", o.config.Interval.String(), "interval_before", before.Interval.String())
	}
	log.Info("observing", "cluster", o.cluster, "interval", o.config.Interval.String(),
		"workflow", id, "temporal", o.address, "task_queue", o.taskQueue)
	return nil
}

// checkTaskQueue makes sure that a workflow which runs already is one that this
// worker takes part in.
func (o *workerOptions) checkTaskQueue(ctx context.Context, c client.Client, id string) error {
	described, err := c.DescribeWorkflowExecution(ctx, id, "")
	var none *serviceerror.NotFound
	switch {
	case errors.As(err, &none):
		return nil
	case err != nil:
		return fmt.Errorf("look for workflow %s: %s", id, grpcReason(err))
	}
	info := described.GetWorkflowExecutionInfo()
	if queue := info.GetTaskQueue(); info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && queue != o.taskQueue {
		return fmt.Errorf("cluster %q is observed on task queue %q already: use --task-queue %s, or cancel workflow %s first",
			o.cluster, queue, queue, id)
	}
	return nil
}

// sdkNoise are the fields that Temporal's SDK puts on every line and that say
// the same on all of them, or nothing to a person.
var sdkNoise = map[string]bool{"Namespace": true, "TaskQueue": true, "WorkerID": true, "WorkflowType": true, "RunID": true, "ActivityID": true}

// newLogger returns a logger that writes one line an event, in UTC.
func newLogger(w io.Writer, format string) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		if sdkNoise[a.Key] {
			return slog.Attr{}
		}
		if a.Key == slog.TimeKey {
			a.Value = slog.StringValue(instant.FromTime(a.Value.Time()).String())
		}
		return a
	}}
	if cmp.Or(format, "text") == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
