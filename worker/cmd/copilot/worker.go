package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/worker/activities"
	"github.com/temporal-sre/copilot/worker/config"
	"github.com/temporal-sre/copilot/worker/telemetry"
	"github.com/temporal-sre/copilot/worker/workflows"
)

const (
	// tryTimeout bounds one attempt to reach the store or Temporal at start,
	// tryPause is the time between two.
	tryTimeout = 5 * time.Second
	tryPause   = time.Second
	// stopTimeout is how long activities under way may take to end when the
	// worker is asked to stop.
	stopTimeout = 10 * time.Second
	// judgeTimeout is how long a workflow may compute without a pause. Catching
	// up judges 20 observations in one go, which on a fraction of a processor can
	// take longer than the second that the SDK allows; half of the time that the
	// server allows a workflow task is left.
	judgeTimeout = 5 * time.Second
)

func newWorkerCommand() *cobra.Command {
	var o workerOptions
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Watch clusters for as long as it runs, and keep the record",
		Long: `Watch Temporal clusters for as long as it runs: at every interval look at their
metrics, judge, explain, and store the verdicts; assess every few minutes and at
every change of state; delete what is older than the retention.

What is watched is remembered by workflows on the copilot's own Temporal, which
need not be, and better is not, a cluster that is watched. Any number of workers
may run; there is one workflow for each cluster. Whatever passes while none runs,
or while the store is away, is made up for from the metrics' history.

One cluster is said with flags. Several are listed in a file (--config), each
with a fate of its own; SIGHUP reads it again. Workers that share a task queue
have to watch the same clusters.

Set up the store first: copilot db setup-schema.`,
		Example: `  copilot worker --prometheus-url http://localhost:9090 --cluster lab --selector 'cluster="lab"' \
    --temporal-address localhost:7233 --database-url postgres://postgres@localhost:5432/copilot
  copilot worker --prometheus-url https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1 --prometheus-sigv4 \
    --cluster prod --temporal-address temporal:7233 --dsql-endpoint abc123.dsql.eu-west-1.on.aws --settle 20s
  copilot worker --config copilot.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWorker(cmd.Context(), &o, cmd.ErrOrStderr())
		},
	}
	o.addFlags(cmd)
	return cmd
}

// runWorker runs until ctx ends, which is its orderly end, or the worker cannot
// go on.
func runWorker(ctx context.Context, o *workerOptions, stderr io.Writer) error {
	clusters, problems := o.settled()
	log := newLogger(stderr, o.logFormat)
	slog.SetDefault(log) // packages below log there
	store, err := openStore(ctx, o.store.config())
	if err := errors.Join(append(problems, err)...); err != nil {
		if store != nil {
			store.Close()
		}
		return usageError(underHeading(err.Error()))
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

	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	metrics := telemetry.NewMetrics(registry)
	tracing, flush, err := telemetry.Trace(ctx, thisVersion().Version)
	if err != nil {
		return usageError(err.Error())
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryTimeout)
		defer cancel()
		if err := flush(ctx); err != nil {
			log.Warn("the last traces are lost", "error", err)
		}
	}()
	c, err := o.connect(ctx, log, registry, tracing)
	if err != nil {
		return err
	}
	defer c.Close()
	server, err := o.serve(c, store, registry, log)
	if err != nil {
		return err
	}
	defer server.Close()

	fatal := make(chan error, 1)
	w := worker.New(c, o.temporal.taskQueue, o.workerSettings(fatal))
	workflows.Register(w)
	looked := new(activities.Observers)
	w.RegisterActivity(&activities.Activities{
		Clusters:  looked,
		Store:     store,
		Explainer: activities.Rules{},
		Metrics:   metrics,
		Log:       log,
	})
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker on task queue %q: %w", o.temporal.taskQueue, err)
	}
	defer w.Stop()
	defer server.Stopping()
	server.Started()

	watching := &watcher{
		log: log, client: c, taskQueue: o.temporal.taskQueue, versioned: o.deployment != "",
		observers: looked, metrics: metrics, registry: registry, starts: make(chan struct{}, startsAtOnce), running: map[string]*watched{},
	}
	defer watching.leave()
	if err := o.begin(ctx, watching, clusters); err != nil {
		return err
	}

	reread := make(chan os.Signal, 1)
	if o.file != "" {
		signal.Notify(reread, syscall.SIGHUP)
		defer signal.Stop(reread)
	}
	for {
		select {
		case err := <-fatal:
			return fmt.Errorf("the worker cannot go on: %w", err)
		case <-ctx.Done():
			log.Info("stopping; the workflows go on as soon as a worker runs again")
			return nil
		case <-reread:
			o = o.reload(ctx, log, watching)
		}
	}
}

// begin watches the clusters. A single one that cannot be watched ends the
// worker, since there is nothing else for it to do. Several have each a fate of
// their own; so has one whose worker is versioned, which gets no work before
// its version is made the current one.
func (o *workerOptions) begin(ctx context.Context, watching *watcher, clusters []config.Cluster) error {
	if !o.listed && !watching.versioned {
		return watching.one(ctx, &clusters[0])
	}
	watching.apply(ctx, clusters)
	if o.listed {
		watching.removeOthers(ctx, clusters)
	}
	return nil
}

// reload reads the configuration again and watches what it says now. One that
// does not work changes nothing.
func (o *workerOptions) reload(ctx context.Context, log *slog.Logger, watching *watcher) *workerOptions {
	fresh, clusters, err := o.again()
	if err != nil {
		log.Error("the configuration does not work and is left as it was", "file", o.file, "error", err)
		return o
	}
	before, after := o.fixed(), fresh.fixed()
	for name := range before {
		if before[name] != after[name] {
			log.Warn("this has changed and takes effect at the next start", "file", o.file, "setting", name)
		}
	}
	if fresh.listed != o.listed {
		return o
	}
	watching.apply(ctx, clusters)
	if fresh.listed {
		watching.removeOthers(ctx, clusters)
	}
	log.Info("the configuration was read again", "file", o.file, "clusters", len(clusters))
	return fresh
}

// workerSettings are the SDK's options of the worker.
func (o *workerOptions) workerSettings(fatal chan<- error) worker.Options {
	settings := worker.Options{
		WorkerStopTimeout:        stopTimeout,
		DeadlockDetectionTimeout: judgeTimeout,
		// A workflow that panics waits for a worker that does not.
		WorkflowPanicPolicy: worker.BlockWorkflow,
		OnFatalError: func(err error) {
			select {
			case fatal <- err:
			default: // the first one is told
			}
		},
	}
	if o.deployment != "" {
		settings.DeploymentOptions = worker.DeploymentOptions{
			UseVersioning: true,
			Version:       worker.WorkerDeploymentVersion{DeploymentName: o.deployment, BuildID: o.buildID},
		}
	}
	return settings
}

// connect waits for Temporal.
func (o *workerOptions) connect(ctx context.Context, log *slog.Logger, registry prometheus.Registerer, tracing interceptor.Interceptor) (c client.Client, err error) {
	options, err := o.temporal.options(log)
	if err != nil {
		return nil, usageError(err.Error())
	}
	if options.MetricsHandler, err = telemetry.SDK(registry); err != nil {
		return nil, err
	}
	if tracing != nil {
		options.Interceptors = []interceptor.ClientInterceptor{tracing}
	}
	err = reach(ctx, log, "Temporal", o.wait, func(ctx context.Context) (err error) {
		c, err = o.temporal.dial(ctx, options)
		return err
	}, temporalIsHopeless)
	return c, err
}

// serve tells of the worker over HTTP. That another process has the usual
// address is no reason not to watch; that it has the one asked for is.
func (o *workerOptions) serve(c client.Client, store *dsql.Store, registry prometheus.Gatherer, log *slog.Logger) (*telemetry.Server, error) {
	if o.listen == "off" {
		return nil, nil
	}
	server, err := telemetry.Serve(o.listen, registry, map[string]telemetry.Check{
		"store": store.Ping,
		"temporal": func(ctx context.Context) error {
			if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
				return errors.New(grpcReason(err))
			}
			return nil
		},
	}, log)
	switch {
	case err == nil:
		log.Info("telling of itself", "metrics", "http://"+server.Address()+"/metrics")
		return server, nil
	case errors.Is(err, syscall.EADDRINUSE) && o.listen == defaultListen:
		log.Warn("no metrics and no health over HTTP: another process has the address; choose one with --listen", "address", o.listen)
		return nil, nil
	}
	return nil, fmt.Errorf("%w; choose another address with --listen, or off", err)
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

// holdsPassword tells whether a URL does.
func holdsPassword(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	_, set := u.User.Password()
	return set
}
