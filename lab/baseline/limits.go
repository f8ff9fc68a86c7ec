package baseline

import (
	"math"

	"github.com/temporal-sre/copilot/pkg/signals"
)

// The fixed limits are those of the project's predecessor, a research prototype
// in Python (github.com/iw/temporal-sre-copilot, February 2026, MIT): the
// facts, written down anew. It chooses one of three sets of limits by the
// cluster's throughput.

// band is a set of limits and the throughput that it is for.
type band struct {
	// upTo is the throughput, in state transitions a second, from which the
	// next band holds.
	upTo float64

	// Critical if fewer state transitions (1/s), or fewer history tasks (1/s);
	// Happy needs minHealthy transitions a second.
	minTransitions, minHealthy, minHistoryTasks float64
	// Critical if fewer than minCompleted of the workflows that end succeed,
	// provided that at least completedFrom end a second.
	completedFrom float64
	// Critical above maxBacklog, Stressed above stressBacklog: the 95th
	// percentile of the time that history tasks wait, in seconds.
	maxBacklog, stressBacklog float64
	// Stressed above: p99 latencies in milliseconds, and the share of polls
	// that end empty.
	maxFrontend, maxPersistence, maxPollTimeouts float64
}

var bands = []band{
	{ // "starter"
		upTo: 50, minTransitions: 0.5, minHealthy: 0.5, minHistoryTasks: 0.5, completedFrom: 0.5,
		maxBacklog: 600, stressBacklog: 120, maxFrontend: 5000, maxPersistence: 500, maxPollTimeouts: 0.5,
	},
	{ // "mid-scale"
		upTo: 500, minTransitions: 3, minHealthy: 5, minHistoryTasks: 3, completedFrom: 3,
		maxBacklog: 300, stressBacklog: 60, maxFrontend: 2000, maxPersistence: 200, maxPollTimeouts: 0.3,
	},
	{ // "high-throughput"
		upTo: math.Inf(1), minTransitions: 5, minHealthy: 10, minHistoryTasks: 5, completedFrom: 5,
		maxBacklog: 300, stressBacklog: 30, maxFrontend: 1000, maxPersistence: 100, maxPollTimeouts: 0.1,
	},
}

// Limits that are the same in every band.
const (
	// bandHysteresis is by how much a boundary between bands has to be passed.
	bandHysteresis = 0.10
	// criticalInARow is how many evaluations in a row a Critical takes.
	criticalInARow = 3

	minCompleted         = 0.30 // of the workflows that end; below is Critical
	healthyCompleted     = 0.85 // below is not Happy, from healthyCompletedFrom ends a second on
	healthyCompletedFrom = 1.0
	maxPersistenceErrors = 50.0 // 1/s; above is Critical
	maxShardChurn        = 5.0  // 1/s; above is Stressed
	// demand is the throughput, 1/s, below which frontend latency and empty
	// polls are not looked at.
	demand = 5.0

	// A cluster is idle, and Happy, below all of these.
	idleRate      = 5.0 // transitions and history tasks, 1/s
	idleErrors    = 0.1 // errors of the frontend, of persistence, failed workflows, 1/s
	idleBacklog   = 5.0 // seconds
	idleDeletions = 1.0 // 1/s
	idleCleanups  = 0.5 // 1/s

	// A cluster that deletes that much, 1/s, is busy with itself.
	busyDeletions = 5.0
	busyCleanups  = 1.0

	// Leaving Critical takes values this far on the good side of the limits.
	clearRate    = 1.5
	clearBacklog = 0.75

	// maxWorkflowTaskStart is the 95th percentile of the time until a workflow
	// task starts, in milliseconds, above which workers are the bottleneck.
	maxWorkflowTaskStart = 50.0
)

// reading is what one evaluation reads. What Prometheus does not answer reads
// as 0, as it did in the predecessor.
type reading struct {
	transitions, historyTasks, shardChurn float64 // 1/s
	completed, failed                     float64 // workflows, 1/s
	historyBacklog                        float64 // p95, s
	frontendErrors, persistenceErrors     float64 // 1/s
	frontendP99                           float64 // ms
	persistenceP95, persistenceP99        float64 // ms
	pollTimeouts                          float64 // share of the polls
	deletions, cleanups                   float64 // 1/s
	workflowSlots, activitySlots          float64 // free, over all workers
	workflowTaskStart                     float64 // p95, ms
}

// input is one value of a reading and the query for it.
type input struct {
	query string
	into  func(*reading) *float64
}

// historyTasksMetric is the base name of what counts the tasks of the history
// service.
const historyTasksMetric = "task_requests"

// inputs are the predecessor's queries, with the names that the recorded server
// has. Three differ, all in favour of the predecessor: transitions are counted
// by the count of the histogram, not by the sum of its values, which makes one
// long workflow look like many; the p99 of those values is not taken for a
// latency; and the label of workflow tasks is the one that the server writes.
func inputs(n signals.Naming) []input {
	counter := func(name, labels string) string { return "sum(rate(" + name + n.Counter + labels + "[1m]))" }
	quantile := func(q, name, labels string) string {
		return "histogram_quantile(" + q + ", sum by (le) (rate(" + name + n.Timer + "_bucket" + labels + "[5m])))"
	}
	millis := func(query string) string {
		if n.Millis == 1 {
			return query
		}
		return "1000 * " + query
	}
	const history, frontend = `{service_name="history"}`, `{service_name="frontend"}`
	polls := "(" + counter("poll_success", "") + " + " + counter("poll_timeouts", "") + " + 0.001)"
	return []input{
		{"sum(rate(state_transition_count" + n.Histogram + "_count[1m]))", func(r *reading) *float64 { return &r.transitions }},
		{counter("workflow_success", ""), func(r *reading) *float64 { return &r.completed }},
		{counter("workflow_failed", ""), func(r *reading) *float64 { return &r.failed }},
		{"0.001 * " + millis(quantile("0.95", "task_latency_queue", history)), func(r *reading) *float64 { return &r.historyBacklog }},
		{counter(historyTasksMetric, history), func(r *reading) *float64 { return &r.historyTasks }},
		{"sum(rate(sharditem_created_count" + n.Counter + "[5m]))", func(r *reading) *float64 { return &r.shardChurn }},
		{counter("service_error_with_type", frontend), func(r *reading) *float64 { return &r.frontendErrors }},
		{
			millis(quantile("0.99", "service_latency", `{service_name="frontend", operation!~"Poll.*TaskQueue"}`)),
			func(r *reading) *float64 { return &r.frontendP99 },
		},
		{counter("poll_timeouts", "") + " / " + polls, func(r *reading) *float64 { return &r.pollTimeouts }},
		{millis(quantile("0.95", "persistence_latency", history)), func(r *reading) *float64 { return &r.persistenceP95 }},
		{millis(quantile("0.99", "persistence_latency", history)), func(r *reading) *float64 { return &r.persistenceP99 }},
		{counter("persistence_errors", history), func(r *reading) *float64 { return &r.persistenceErrors }},
		{counter(historyTasksMetric, `{task_type=~".*Delete.*"}`), func(r *reading) *float64 { return &r.deletions }},
		{counter("workflow_cleanup_delete", ""), func(r *reading) *float64 { return &r.cleanups }},
		{`sum(temporal_worker_task_slots_available{worker_type="WorkflowWorker"})`, func(r *reading) *float64 { return &r.workflowSlots }},
		{`sum(temporal_worker_task_slots_available{worker_type="ActivityWorker"})`, func(r *reading) *float64 { return &r.activitySlots }},
		{
			millis(quantile("0.95", "task_schedule_to_start_latency", `{service_name="matching", task_type="Workflow"}`)),
			func(r *reading) *float64 { return &r.workflowTaskStart },
		},
	}
}
