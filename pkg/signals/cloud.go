package signals

import (
	"fmt"

	"github.com/temporal-sre/copilot/pkg/health"
)

// Temporal Cloud exports its metrics through an OpenMetrics endpoint
// (docs.temporal.io/cloud/metrics/openmetrics/metrics-reference): gauges that
// hold rates and percentiles of a minute, three minutes late. It has nothing
// of the database, the shards or the instances of the server, which are not
// the user's to mend.

const (
	cloudQueues      = `temporal_task_queue!~"temporal[._-]sys.*|default[._-]worker[._-]tq|__sticky__"`
	byCloudNamespace = "temporal_namespace"
	byCloudQueue     = "temporal_namespace, temporal_task_queue, task_type"
	// cloudDelay is how many seconds after the fact Cloud publishes a minute.
	cloudDelay = 180
	// backlogTrend is a range with enough one-minute samples for a slope.
	backlogTrend = "8m"
	// Requests that make a state transition each when they succeed.
	cloudTransitions = `operation=~"(Start|Signal|SignalWithStart|Update|RequestCancel|Terminate|Reset)WorkflowExecution|ExecuteMultiOperation|RespondWorkflowTask(Completed|Failed)|RespondActivityTask(Completed|Failed|Canceled)(ById)?"`
)

// notInCloud is why a signal has no query in Temporal Cloud.
const notInCloud = "Temporal Cloud does not export this"

// cloudRequest renders the query of a signal of the server in Temporal Cloud.
// All of Cloud's metrics come from one endpoint, so one is alive when any is.
func (d Definition) cloudRequest(selector string) Request {
	d.Service = ""
	query, exists := cloudQueries[d.ID]
	switch {
	case d.ID == health.ServerUp:
		return Request{Definition: d, Absent: "Temporal Cloud shows no instances: a scrape of its metrics that fails says nothing about the service"}
	case !exists:
		return Request{Definition: d, Absent: notInCloud}
	}
	return Request{Definition: d, Query: query(builder{naming: CloudServer, selector: selector})}
}

// InCloud tells whether Temporal Cloud exports the signal, or what it can be
// worked out from. The workers' own metrics are the same everywhere.
func (d Definition) InCloud() bool {
	_, exists := cloudQueries[d.ID]
	return exists || d.Origin == FromWorkers
}

// cloudQueries are the signals' queries in Temporal Cloud.
var cloudQueries = map[health.SignalID]func(b builder) string{
	health.Arrivals: func(b builder) string {
		return admitted(b, `operation=~"(Start|Signal|SignalWithStart)WorkflowExecution"`)
	},
	health.WorkflowStarts: func(b builder) string { return admitted(b, `operation="StartWorkflowExecution"`) },
	// Cloud does not count transitions. What clients and workers bring about and
	// the start of each task make one each; timers and the server's own do not
	// show.
	health.StateTransitions: func(b builder) string {
		return sumOf(byCloudNamespace, answered(b, cloudTransitions), b.cloud("poll_success_count", cloudQueues))
	},
	health.WorkflowTasksCompleted: func(b builder) string { return answered(b, `operation="RespondWorkflowTaskCompleted"`) },
	health.ActivityTasksCompleted: func(b builder) string {
		return activityScope(sumOf("temporal_namespace, temporal_task_queue",
			b.cloud("activity_success_count", cloudQueues), b.cloud("activity_task_fail_count", cloudQueues)))
	},
	health.WorkflowsClosed: func(b builder) string {
		rates := make([]string, 0, 6)
		for _, outcome := range []string{"success", "failed", "timeout", "terminate", "cancel", "continued_as_new"} {
			rates = append(rates, b.cloud("workflow_"+outcome+"_count", cloudQueues))
		}
		return sumOf("temporal_namespace, temporal_task_queue", rates...)
	},
	// What came in is what went out and what the backlog grew by.
	health.TasksAdded: func(b builder) string {
		return fmt.Sprintf("clamp_min(%s, 0)", sumOf(byCloudQueue, b.cloud("poll_success_count", cloudQueues), b.backlogGrowth()))
	},
	// And what was stored is that without what was handed over at once.
	health.TasksBacklogged: func(b builder) string {
		return fmt.Sprintf("clamp_min(%s, 0)", sumOf(byCloudQueue, b.cloud("poll_success_count", cloudQueues), b.backlogGrowth(),
			"-1 * "+b.cloud("poll_success_sync_count", cloudQueues)))
	},
	health.TasksStarted: func(b builder) string { return sumBy(byCloudQueue, b.cloud("poll_success_count", cloudQueues)) },
	health.BacklogCount: func(b builder) string {
		return sumBy(byCloudQueue, b.cloud("approximate_backlog_count", cloudQueues))
	},
	health.Requests: func(b builder) string { return ofFrontend(sumBy("", b.cloud("service_request_count", carriesWork))) },
	health.RequestsRefused: func(b builder) string {
		return ofFrontend(sumOf("", b.cloud("service_error_count", carriesWork), b.cloud("service_request_throttled_count", carriesWork),
			b.cloud("resource_exhausted_error_count", carriesWork)))
	},
	health.RequestLatency: func(b builder) string {
		return ofFrontend("1000 * " + aggregate("max", "", b.cloud("service_latency_p99", noLongPolls)))
	},
	health.Throttled: func(b builder) string {
		return sumOf(byCloudNamespace, b.cloud("service_request_throttled_count", carriesWork), b.cloud("resource_exhausted_error_count", carriesWork))
	},
	health.PollsThrottled: func(b builder) string {
		const polls = `operation=~"Poll.*TaskQueue"`
		return sumOf(byCloudNamespace, b.cloud("service_request_throttled_count", polls), b.cloud("resource_exhausted_error_count", polls))
	},
	// Cloud tells the limits of the namespace from everything else.
	health.ThrottledByRate: func(b builder) string {
		return sumBy(byCloudNamespace, b.cloud("service_request_throttled_count"))
	},
	health.ThrottledByOverload: func(b builder) string {
		return sumBy(byCloudNamespace, b.cloud("resource_exhausted_error_count"))
	},
	health.SyncMatchRatio: func(b builder) string {
		return ratio(sumBy(byCloudQueue, b.cloud("poll_success_sync_count", cloudQueues)), sumBy(byCloudQueue, b.cloud("poll_success_count", cloudQueues)))
	},
	health.WorkflowsFailed: func(b builder) string {
		return sumBy("temporal_namespace, temporal_task_queue", b.cloud("workflow_failed_count", cloudQueues))
	},
	// An age within the usual delay is no age.
	health.ServerTelemetryAge: func(b builder) string {
		return fmt.Sprintf(`label_replace(clamp_min(time() - max(timestamp(%s) or timestamp(%s)) - %d, 0), "service_name", "cloud", "", "")`,
			b.cloud("service_request_count"), b.cloud("total_action_count"), cloudDelay)
	},
}

// cloud writes an instant selector of a metric of Temporal Cloud.
func (b builder) cloud(name string, matchers ...string) string {
	return b.series("temporal_cloud_v1_"+name, matchers...)
}

// backlogGrowth is the slope of the backlog, by everything that Cloud tells
// apart.
func (b builder) backlogGrowth() string {
	return fmt.Sprintf("deriv(%s[%s])", b.cloud("approximate_backlog_count", cloudQueues), backlogTrend)
}

// admitted is the rate of requests that were not throttled. Cloud does not
// tell the caller's mistakes.
func admitted(b builder, operations string) string {
	return less(sumBy(byCloudNamespace, b.cloud("service_request_count", operations)),
		sumOf(byCloudNamespace, b.cloud("service_request_throttled_count", operations), b.cloud("resource_exhausted_error_count", operations)))
}

// answered is the rate of requests that were neither throttled nor failed.
func answered(b builder, operations string) string {
	return less(sumBy(byCloudNamespace, b.cloud("service_request_count", operations)),
		sumOf(byCloudNamespace, b.cloud("service_request_throttled_count", operations), b.cloud("resource_exhausted_error_count", operations),
			b.cloud("service_error_count", operations)))
}

// ofFrontend names the service that Cloud's users meet.
func ofFrontend(expr string) string {
	return fmt.Sprintf(`label_replace(%s, "service_name", "frontend", "", "")`, expr)
}
