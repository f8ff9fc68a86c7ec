package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	metricsclient "github.com/prometheus/client_golang/prometheus"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/worker/activities"
	"github.com/temporal-sre/copilot/worker/config"
	"github.com/temporal-sre/copilot/worker/schedules"
	"github.com/temporal-sre/copilot/worker/telemetry"
	"github.com/temporal-sre/copilot/worker/workflows"
)

const (
	// workflowTimeout bounds the start of the workflow. A worker that was
	// killed keeps its workflows for ten seconds, the workflow task timeout.
	workflowTimeout = 45 * time.Second
	// againPause is the time between two attempts to watch a cluster.
	againPause = 30 * time.Second
	// startsAtOnce bounds the attempts under way: a thousand clusters at once are
	// more than Temporal answers in time.
	startsAtOnce = 32
)

// watcher sees to it that each cluster of the configuration is watched, and no
// other: that its workflow runs as configured and its schedules are there.
type watcher struct {
	log       *slog.Logger
	client    client.Client
	taskQueue string
	versioned bool
	observers *activities.Observers
	metrics   *telemetry.Metrics
	registry  metricsclient.Registerer

	starts  chan struct{}       // one for each attempt under way
	running map[string]*watched // by cluster; only the worker's main loop uses it
}

// watched is a cluster as it is configured now.
type watched struct {
	config config.Cluster
	cancel context.CancelFunc // ends the attempts to watch it
	done   chan struct{}      // closed when they have ended
}

// stop ends the attempts to watch a cluster and waits until they have ended, so
// that none of them undoes what comes after.
func (o *watched) stop() {
	o.cancel()
	<-o.done
}

// leave ends all attempts. The workflows go on.
func (w *watcher) leave() {
	for _, one := range w.running {
		one.stop()
	}
}

// one watches the only cluster of a worker. The error is that it cannot be
// watched; schedules that cannot be made are tried again later.
func (w *watcher) one(ctx context.Context, c *config.Cluster) error {
	observer, logs, err := w.look(c)
	if err != nil {
		return usageError(err.Error())
	}
	if err := w.tryPrometheus(ctx, c, observer); err != nil {
		return err
	}
	w.observers.Set(c.Name, observer, logs)
	w.metrics.Watched(c.Name, false)
	if err := w.observe(ctx, c); err != nil {
		return err
	}
	w.try(ctx, c, func(ctx context.Context) error { return w.schedule(ctx, c) })
	return nil
}

// apply watches the clusters of a configuration as it says, and no longer those
// that have left it. It does not wait: a cluster that cannot be watched is tried
// again until it can, without any effect on the others.
func (w *watcher) apply(ctx context.Context, clusters []config.Cluster) {
	for name := range w.running {
		if !slices.ContainsFunc(clusters, func(c config.Cluster) bool { return c.Name == name }) {
			w.forget(ctx, name)
		}
	}
	for i := range clusters {
		c := &clusters[i]
		if is := w.running[c.Name]; is != nil {
			if reflect.DeepEqual(is.config, *c) {
				continue
			}
			is.stop()
		}
		observer, logs, err := w.look(c)
		if err != nil {
			w.log.Error("the cluster cannot be watched as configured", "cluster", c.Name, "error", err)
			w.metrics.Watched(c.Name, false)
			continue
		}
		w.metrics.Watched(c.Name, false)
		w.try(ctx, c, func(ctx context.Context) error {
			if err := w.tryPrometheus(ctx, c, observer); err != nil {
				return err
			}
			w.observers.Set(c.Name, observer, logs)
			return errors.Join(w.observe(ctx, c), w.schedule(ctx, c))
		})
	}
}

// look makes what looks at a cluster's metrics and, unless they are not to be
// read, its logs.
func (w *watcher) look(c *config.Cluster) (*prometheus.Observer, activities.LogReader, error) {
	metrics := c.Prometheus
	metrics.Logger, metrics.Registerer = w.log, w.registry
	// Half a second less, so that it is Prometheus' timeout that is reported.
	metrics.Timeout = cmp.Or(metrics.Timeout, c.Observe.ObserveTimeout()-500*time.Millisecond)
	observer, err := prometheus.New(metrics)
	if err != nil || c.Loki.URL == "" {
		return observer, nil, err
	}
	read := *c
	read.Loki.Logger, read.Loki.Registerer = w.log, w.registry
	logs, err := read.Logs()
	return observer, logs, err
}

// try does what makes a cluster watched, again and again until it succeeds, the
// cluster is configured anew, or the worker stops.
func (w *watcher) try(ctx context.Context, c *config.Cluster, attempt func(context.Context) error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	w.running[c.Name] = &watched{config: *c, cancel: cancel, done: done}
	go func() {
		defer close(done)
		for {
			select {
			case w.starts <- struct{}{}:
			case <-ctx.Done():
				return
			}
			err := attempt(ctx)
			<-w.starts
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				w.metrics.Watched(c.Name, true)
				return
			}
			w.metrics.Failed(telemetry.Temporal, c.Name)
			w.log.Error("the cluster is not watched as configured; trying again", "cluster", c.Name, "in", againPause.String(), "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(againPause):
			}
		}
	}()
}

// forget no longer watches a cluster.
func (w *watcher) forget(ctx context.Context, name string) {
	if is := w.running[name]; is != nil {
		is.stop()
		delete(w.running, name)
	}
	w.observers.Remove(name)
	w.metrics.Forget(name)
	if err := w.cancel(ctx, name); err != nil {
		w.log.Error("a cluster that left the configuration is still observed", "cluster", name, "error", err)
	}
}

// removeOthers ends what runs on this task queue for clusters that are not in
// the configuration: those that left it while no worker ran, too. What the
// store holds of them stays.
func (w *watcher) removeOthers(ctx context.Context, clusters []config.Cluster) {
	names := make([]string, 0, len(clusters))
	for i := range clusters {
		names = append(names, clusters[i].Name)
	}
	ctx, cancel := context.WithTimeout(ctx, workflowTimeout)
	defer cancel()
	gone, err := schedules.RemoveOthers(ctx, w.client.ScheduleClient(), w.taskQueue, names)
	observed, more := w.observedHere(ctx)
	for _, name := range observed {
		if !slices.Contains(names, name) && !slices.Contains(gone, name) {
			gone = append(gone, name)
		}
	}
	for _, name := range gone {
		w.log.Info("a cluster has left the configuration and is no longer watched; its history stays", "cluster", name)
		more = errors.Join(more, w.cancel(ctx, name))
	}
	if err := errors.Join(err, more); err != nil {
		w.log.Error("clusters that left the configuration may still be watched", "error", err)
	}
}

// observedHere lists the clusters that are observed on this task queue.
func (w *watcher) observedHere(ctx context.Context) ([]string, error) {
	prefix := workflows.ObserveWorkflowID("")
	page, err := w.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 1000,
		Query: fmt.Sprintf("WorkflowType = 'ObserveClusterWorkflow' AND ExecutionStatus = 'Running' AND TaskQueue = '%s'",
			strings.ReplaceAll(w.taskQueue, "'", `\'`)),
	})
	if err != nil {
		return nil, fmt.Errorf("list the workflows of task queue %q: %s", w.taskQueue, grpcReason(err))
	}
	var names []string
	for _, execution := range page.GetExecutions() {
		if name, ours := strings.CutPrefix(execution.GetExecution().GetWorkflowId(), prefix); ours {
			names = append(names, name)
		}
	}
	return names, nil
}

// cancel asks the workflow that observes a cluster to end, unless another task
// queue observes it.
func (w *watcher) cancel(ctx context.Context, cluster string) error {
	id := workflows.ObserveWorkflowID(cluster)
	if err := w.checkTaskQueue(ctx, cluster); err != nil {
		return err
	}
	err := w.client.CancelWorkflow(ctx, id, "")
	var none *serviceerror.NotFound
	if err != nil && !errors.As(err, &none) {
		return fmt.Errorf("cancel workflow %s: %s", id, grpcReason(err))
	}
	return nil
}

// tryPrometheus looks once at the metrics. Several clusters without a selector
// have to be told apart before anything is stored; all else may mend itself, and
// until it does, the verdicts say that they are blind.
func (w *watcher) tryPrometheus(ctx context.Context, c *config.Cluster, observer *prometheus.Observer) error {
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
		w.log.Warn("the cluster's metrics cannot be seen yet; watching goes on", "cluster", c.Name, "error", err)
	}
	return nil
}

// schedule makes the cluster's schedules what the configuration says.
func (w *watcher) schedule(ctx context.Context, c *config.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, workflowTimeout)
	defer cancel()
	return schedules.Ensure(ctx, w.client.ScheduleClient(), w.taskQueue, c.Plan())
}

// observe makes sure that the cluster is being observed as configured: it
// starts the workflow, or takes the one that runs and gives it the
// configuration.
func (w *watcher) observe(ctx context.Context, c *config.Cluster) error {
	id := workflows.ObserveWorkflowID(c.Name)
	ask, cancel := context.WithTimeout(ctx, workflowTimeout)
	defer cancel()
	if err := w.checkTaskQueue(ask, c.Name); err != nil {
		return err
	}
	start := w.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                w.taskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "observes cluster " + c.Name,
	}, workflows.ObserveClusterWorkflow, workflows.ObserveInput{Cluster: c.Name, Config: c.Observe})
	update, err := w.client.UpdateWithStartWorkflow(ask, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateName:   workflows.UpdateConfigure,
			Args:         []any{c.Observe},
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
	case ask.Err() != nil && w.versioned:
		return fmt.Errorf("workflow %s did not answer within %s: is this version the deployment's current one? (temporal worker deployment set-current-version)", id, workflowTimeout)
	case ask.Err() != nil:
		return fmt.Errorf("workflow %s did not answer within %s: see the log above, and its history in Temporal for workflow tasks that failed", id, workflowTimeout)
	default:
		return fmt.Errorf("start workflow %s: %s", id, grpcReason(err))
	}
	if before != c.Observe {
		w.log.Info("the running workflow was configured anew", "cluster", c.Name,
			"interval", c.Observe.Interval.String(), "interval_before", before.Interval.String())
	}
	w.log.Info("observing", "cluster", c.Name, "interval", c.Observe.Interval.String(),
		"workflow", id, "task_queue", w.taskQueue)
	return nil
}

// checkTaskQueue makes sure that a workflow which runs already is one that this
// worker takes part in.
func (w *watcher) checkTaskQueue(ctx context.Context, cluster string) error {
	id := workflows.ObserveWorkflowID(cluster)
	described, err := w.client.DescribeWorkflowExecution(ctx, id, "")
	var none *serviceerror.NotFound
	switch {
	case errors.As(err, &none):
		return nil
	case err != nil:
		return fmt.Errorf("look for workflow %s: %s", id, grpcReason(err))
	}
	info := described.GetWorkflowExecutionInfo()
	if queue := info.GetTaskQueue(); info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && queue != w.taskQueue {
		return fmt.Errorf("cluster %q is observed on task queue %q already: use --task-queue %s, or cancel workflow %s first",
			cluster, queue, queue, id)
	}
	return nil
}
