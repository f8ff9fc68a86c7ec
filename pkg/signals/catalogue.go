package signals

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

// Origin is whose metrics a signal is made of.
type Origin string

// The origins of signals.
const (
	FromServer  Origin = "server"
	FromWorkers Origin = "workers"
	// FromDatabase is the Aurora DSQL plugin or the SQL pool, which not every
	// deployment has.
	FromDatabase Origin = "database"
)

// Rollup is how the values of the parts make the value of the cluster.
type Rollup string

// The ways to roll up.
const (
	Sum Rollup = "sum"
	Max Rollup = "max"
	Min Rollup = "min"
)

// Definition is one entry of the catalogue.
type Definition struct {
	ID     health.SignalID
	Class  health.Class
	Origin Origin
	// Service is the one Temporal service that the metrics come from; empty
	// when several do. Absence is believed only beside its living telemetry.
	Service string
	// Scope is the kind of scope that its samples have.
	Scope health.ScopeKind
	// Unit is that of the values: "1/s", "s", "ms" or "1".
	Unit   string
	Rollup Rollup
	// Events marks rates of counters. A counter does not exist before its
	// first event, so its absence beside living telemetry means none.
	Events bool
	// Optional marks what only some deployments export. Its absence beside
	// living telemetry is no gap in what is seen.
	Optional bool
	// Title is a short name for people; Meaning one sentence.
	Title, Meaning string
	// Source names where the knowledge of the metric comes from.
	Source string
	query  func(b builder) string
}

// Request is a rendered query of a signal.
type Request struct {
	Definition
	// Query is empty when the dialect has none; Absent then says why.
	Query, Absent string
}

// Matchers that keep the server's own work and its long polls out.
const (
	userQueues       = `taskqueue!~"temporal[._-]sys.*|default[._-]worker[._-]tq"`
	ownQueues        = `taskqueue=~"temporal[._-]sys.*|default[._-]worker[._-]tq"`
	userWorkerQueues = `task_queue!~"temporal[._-]sys.*|default[._-]worker[._-]tq"`
	userNamespaces   = `namespace!~"temporal[._-]system"`
	noLongPolls      = `operation!~"Poll.*|.*LongPoll.*|GetWorkflowExecutionHistory.*|.*GetTaskQueueUserData.*"`
	// Requests that only read carry no work.
	carriesWork = `operation!~"Poll.*|.*LongPoll.*|GetWorkflowExecutionHistory.*|.*GetTaskQueueUserData.*|List.*|Count.*|Scan.*|Describe.*|Get.*|Query.*"`
	// A busy workflow is contention on one workflow, not on the server.
	notBusyWorkflow = `resource_exhausted_cause!="BusyWorkflow"`
	frontend        = `service_name=~".*frontend.*"`
	notSticky       = `partition!="__sticky__"`
	// The Go SDK says workflow_sticky_task, the Core SDKs sticky_workflow_task.
	notStickyPoller = `poller_type!~".*sticky.*"`
	callersFault    = `error_type=~".*(AlreadyStarted|NotFound|InvalidArgument|PermissionDenied|FailedPrecondition|AlreadyExists|NamespaceNotActive|NotReady).*"`
	byQueue         = "namespace, taskqueue, task_type"
)

// Catalogue returns every signal, ordered by id.
func Catalogue() []Definition {
	all := slices.Concat(progress, pressure, throttling, internals, database, workers, caching, telemetry)
	slices.SortFunc(all, func(a, b Definition) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// Lookup returns the definition of a signal.
func Lookup(id health.SignalID) (Definition, bool) {
	for _, d := range Catalogue() {
		if d.ID == id {
			return d, true
		}
	}
	return Definition{}, false
}

// Windows are the ranges over which rates are taken.
type Windows struct{ Server, Workers time.Duration }

// Requests renders every query for a dialect. The selector is a list of
// PromQL matchers without braces, or empty. A signal that the dialect does not
// have is left in with an empty query and the reason.
func Requests(d Dialect, selector string, windows Windows) []Request {
	definitions := Catalogue()
	requests := make([]Request, 0, len(definitions))
	for _, def := range definitions {
		switch {
		case def.Origin == FromWorkers:
			requests = append(requests, def.request(d.Workers, d.WorkersExported, selector, windows.Workers))
		case d.Server.Cloud:
			requests = append(requests, def.cloudRequest(selector))
		default:
			requests = append(requests, def.request([]Naming{d.Server}, d.ServerExported, selector, windows.Server))
		}
	}
	return requests
}

// request renders the query of a signal in every naming that is in use, and
// joins what they give.
func (d Definition) request(namings []Naming, exported bool, selector string, window time.Duration) Request {
	if len(namings) == 0 {
		return Request{Definition: d, Absent: "no worker exports metrics"}
	}
	queries := make([]string, 0, len(namings))
	for _, n := range namings {
		b := builder{naming: n, selector: selector, window: promDuration(window), seconds: window.Seconds()}
		if exported {
			queries = append(queries, exportedQuery(d, b))
			continue
		}
		queries = append(queries, d.query(b))
	}
	slices.Sort(queries)
	queries = slices.Compact(queries)
	if len(queries) == 1 {
		return Request{Definition: d, Query: queries[0]}
	}
	// A queue that is polled under two namings has a part in each.
	return Request{Definition: d, Query: joinNamings(d.Rollup, queries)}
}

// progress are the signals that decide.
var progress = []Definition{
	{
		ID: health.Arrivals, Class: health.Primary, Origin: FromServer, Service: "frontend", Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Arrivals", Meaning: "Workflow starts and signals that clients ask for; what the caller got wrong and what was throttled is left out.",
		Source: "frontend service_requests",
		query:  func(b builder) string { return arrivals(b, "(Start|Signal|SignalWithStart)WorkflowExecution") },
	},
	{
		ID: health.WorkflowStarts, Class: health.Primary, Origin: FromServer, Service: "frontend", Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Workflow starts", Meaning: "Workflows that clients start.",
		Source: "frontend service_requests",
		query:  func(b builder) string { return arrivals(b, "StartWorkflowExecution") },
	},
	{
		ID: health.StateTransitions, Class: health.Primary, Origin: FromServer, Service: "history", Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "State transitions", Meaning: "Workflow state transitions, by count: each sample of the metric is a workflow's cumulative count, so its sum says nothing.",
		Source: "history state_transition_count",
		query: func(b builder) string {
			return sumBy("namespace", b.histogramRate("state_transition_count", userNamespaces))
		},
	},
	{
		ID: health.WorkflowTasksCompleted, Class: health.Primary, Origin: FromServer, Service: "history", Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Workflow tasks completed", Meaning: "Workflow tasks that users' workers have answered.",
		Source: "history workflow_tasks_completed, frontend service_requests before it existed",
		query: func(b builder) string {
			answered := sumBy("namespace", b.rateFromBirth("workflow_tasks_completed"+b.naming.Counter, userNamespaces)) + " or " +
				sumBy("namespace", b.rate("service_requests", userNamespaces, frontend, `operation="RespondWorkflowTaskCompleted"`))
			// The server's own workers answer tasks in users' namespaces, too: those of
			// schedules and batches.
			own := sumBy("namespace", b.rateFromBirth("task_schedule_to_start_latency"+b.naming.Timer+"_count", userNamespaces, ownQueues, `task_type="Workflow"`))
			return less("("+answered+")", own)
		},
	},
	{
		ID: health.ActivityTasksCompleted, Class: health.Primary, Origin: FromServer, Service: "history", Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Activity tasks completed", Meaning: "Activity tasks that workers have answered, with success, failure or cancellation.",
		Source: "history activity_success, activity_task_fail, activity_cancel",
		query: func(b builder) string {
			return activityScope(sumOf("namespace, taskqueue",
				b.rateFromBirth("activity_success"+b.naming.Counter, userNamespaces, userQueues),
				b.rateFromBirth("activity_task_fail"+b.naming.Counter, userNamespaces, userQueues),
				b.rateFromBirth("activity_cancel"+b.naming.Counter, userNamespaces, userQueues)))
		},
	},
	{
		ID: health.WorkflowsClosed, Class: health.Primary, Origin: FromServer, Service: "history", Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Workflows closed", Meaning: "Workflows that reached any terminal state; a failure is one.",
		Source: "history workflow_success, _failed, _timeout, _terminate, _cancel, _continued_as_new",
		query: func(b builder) string {
			rates := make([]string, 0, 6)
			for _, outcome := range []string{"success", "failed", "timeout", "terminate", "cancel", "continued_as_new"} {
				rates = append(rates, b.rateFromBirth("workflow_"+outcome+b.naming.Counter, userNamespaces, userQueues))
			}
			return sumOf("namespace, taskqueue", rates...)
		},
	},
	{
		ID: health.TasksAdded, Class: health.Primary, Origin: FromServer, Service: "matching", Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Tasks added", Meaning: "Tasks that reached matching and were taken at once or stored, and activities started eagerly; a forwarded task counts once.",
		Source: "matching tasks_added, history activity_eager_execution",
		query: func(b builder) string {
			return sumOf(byQueue,
				b.rateFromBirth("tasks_added"+b.naming.Counter, userNamespaces, userQueues, `forwarded!="true"`, `task_add_result=~"sync_match|backlog"`),
				eager(b))
		},
	},
	{
		ID: health.TasksBacklogged, Class: health.Primary, Origin: FromServer, Service: "matching", Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Tasks backlogged", Meaning: "The part of the added tasks that found no poller and was stored.",
		Source: "matching tasks_added",
		query: func(b builder) string {
			return sumBy(byQueue, b.rateFromBirth("tasks_added"+b.naming.Counter, userNamespaces, userQueues, `forwarded!="true"`, `task_add_result="backlog"`))
		},
	},
	{
		ID: health.TasksStarted, Class: health.Primary, Origin: FromServer, Service: "history", Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Tasks started", Meaning: "Tasks handed to a worker, as history records it.",
		Source: "history task_schedule_to_start_latency, activity_eager_execution",
		query: func(b builder) string {
			return sumOf(byQueue, b.rateFromBirth("task_schedule_to_start_latency"+b.naming.Timer+"_count", userNamespaces, userQueues), eager(b))
		},
	},
	{
		ID: health.BacklogCount, Class: health.Primary, Origin: FromServer, Service: "matching", Scope: health.KindTaskQueue, Unit: "1", Rollup: Sum,
		Title: "Backlog", Meaning: "Stored tasks that wait, refreshed once a minute.",
		Source: "matching approximate_backlog_count",
		query: func(b builder) string {
			return sumBy(byQueue, b.series("approximate_backlog_count", userNamespaces, userQueues, notSticky))
		},
	},
	{
		ID: health.BacklogAge, Class: health.Primary, Origin: FromServer, Service: "matching", Scope: health.KindTaskQueue, Unit: "s", Rollup: Max,
		Title: "Backlog age", Meaning: "Age of the oldest stored task, refreshed once a minute.",
		Source: "matching approximate_backlog_age_seconds",
		query: func(b builder) string {
			return aggregate("max", byQueue, b.series("approximate_backlog_age_seconds", userNamespaces, userQueues, notSticky))
		},
	},
	{
		ID: health.Requests, Class: health.Primary, Origin: FromServer, Scope: health.KindService, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Requests", Meaning: "Requests that carry work, by service: without long polls and reads.",
		Source: "service_requests",
		query:  func(b builder) string { return sumBy("service_name", b.rate("service_requests", carriesWork)) },
	},
	{
		ID: health.RequestsRefused, Class: health.Primary, Origin: FromServer, Scope: health.KindService, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Requests refused", Meaning: "Requests that failed for the server's own reasons, throttling included; errors of the caller are not counted by the metric.",
		Source: "service_errors, service_errors_resource_exhausted",
		query: func(b builder) string {
			return sumOf("service_name", b.rateFromBirth("service_errors"+b.naming.Counter, carriesWork), b.rateFromBirth("service_errors_resource_exhausted"+b.naming.Counter, carriesWork, notBusyWorkflow))
		},
	},
}

func arrivals(b builder, operations string) string {
	ask := []string{userNamespaces, frontend, fmt.Sprintf("operation=~%q", operations)}
	return less(sumBy("namespace", b.rate("service_requests", ask...)),
		sumOf("namespace", b.rate("service_error_with_type", append(ask, callersFault)...), b.rate("service_errors_resource_exhausted", ask...)))
}

// eager is the rate of activities that a worker takes along with the answer
// to a workflow task. They never reach matching: they are asked for and
// started in one.
func eager(b builder) string {
	return activityScope(b.rate("activity_eager_execution", userNamespaces, userQueues))
}

// activityScope adds the label that the metric lacks, since it counts
// activities only.
func activityScope(expr string) string {
	return fmt.Sprintf(`label_replace(%s, "task_type", "Activity", "", "")`, expr)
}

// pressure are the signals that explain.
var pressure = []Definition{
	{
		ID: health.PersistenceLatency, Class: health.Amplifier, Origin: FromServer, Scope: health.KindCluster, Unit: "ms", Rollup: Max,
		Title: "Persistence latency", Meaning: "99th percentile of all persistence calls.",
		Source: "persistence_latency",
		query:  func(b builder) string { return b.p99("persistence_latency", "") },
	},
	{
		ID: health.PersistenceRequests, Class: health.Amplifier, Origin: FromServer, Scope: health.KindCluster, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Persistence calls", Meaning: "Calls to the database.",
		Source: "persistence_requests",
		query:  func(b builder) string { return sumBy("", b.rate("persistence_requests")) },
	},
	{
		ID: health.PersistenceErrors, Class: health.Amplifier, Origin: FromServer, Scope: health.KindCluster, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Persistence errors", Meaning: "Calls to the database that failed because the database did; misses and failed conditions are left out.",
		Source: "persistence_error_with_type; persistence_errors leaves time-outs out",
		query: func(b builder) string {
			return sumBy("", b.rateFromBirth("persistence_error_with_type"+b.naming.Counter, `error_type!~".*(NotFound|ConditionFailed|AlreadyExist|AlreadyStarted|ShardOwnershipLost|Canceled).*"`))
		},
	},
	{
		ID: health.OCCConflicts, Class: health.Amplifier, Origin: FromDatabase, Scope: health.KindCluster, Unit: "1/s", Rollup: Sum, Optional: true,
		Title: "OCC conflicts", Meaning: "Optimistic concurrency conflicts in Aurora DSQL; tens a second are retried without harm.",
		Source: "DSQL plugin dsql_tx_conflict_total",
		query: func(b builder) string {
			return sumBy("", b.pluginRate("dsql_tx_conflict_total"))
		},
	},
	{
		ID: health.PoolUtilization, Class: health.Amplifier, Origin: FromDatabase, Scope: health.KindReplica, Unit: "1", Rollup: Max, Optional: true,
		Title: "Connection pool in use", Meaning: "Used part of the database connections, by replica: a sum hides the exhausted one.",
		Source: "persistence_sql_in_use, persistence_sql_max_open_conn; dsql_pool_in_use, dsql_pool_max_open",
		query: func(b builder) string {
			used := func(inUse, open string) string {
				return aggregate("max", "instance, service_name", fmt.Sprintf("avg_over_time(%s[%s]) / (%s > 0)", b.series(inUse), b.window, b.series(open)))
			}
			return used("persistence_sql_in_use", "persistence_sql_max_open_conn") + " or " + used("dsql_pool_in_use", "dsql_pool_max_open")
		},
	},
	{
		ID: health.ShardChurn, Class: health.Amplifier, Origin: FromServer, Service: "history", Scope: health.KindCluster, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Shard churn", Meaning: "History shards created, removed or closed.",
		Source: "sharditem_created_count, sharditem_removed_count, shard_closed_count",
		query: func(b builder) string {
			return sumOf("", b.rate("sharditem_created_count"), b.rate("sharditem_removed_count"), b.rate("shard_closed_count"))
		},
	},
	{
		ID: health.RequestLatency, Class: health.Amplifier, Origin: FromServer, Scope: health.KindService, Unit: "ms", Rollup: Max,
		Title: "Request latency", Meaning: "99th percentile of requests by service, without long polls.",
		Source: "service_latency",
		query:  func(b builder) string { return b.p99("service_latency", "service_name", noLongPolls) },
	},
	{
		ID: health.Throttled, Class: health.Amplifier, Origin: FromServer, Service: "frontend", Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Throttled requests", Meaning: "Requests that the frontend refused with ResourceExhausted; a busy workflow is contention on one workflow and left out.",
		Source: "service_errors_resource_exhausted",
		query: func(b builder) string {
			return sumBy("namespace", b.rateFromBirth("service_errors_resource_exhausted"+b.naming.Counter, carriesWork, frontend, notBusyWorkflow))
		},
	},
	{
		ID: health.ScheduleToStart, Class: health.Amplifier, Origin: FromServer, Service: "history", Scope: health.KindTaskQueue, Unit: "ms", Rollup: Max,
		Title: "Schedule to start", Meaning: "99th percentile of the time between a task's scheduling and its start; only tasks that were started count.",
		Source: "history task_schedule_to_start_latency",
		query: func(b builder) string {
			return b.p99("task_schedule_to_start_latency", byQueue, userNamespaces, userQueues)
		},
	},
	{
		ID: health.WorkflowsFailed, Class: health.Amplifier, Origin: FromServer, Service: "history", Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Workflows failed", Meaning: "Workflows whose own code failed: a business outcome, and progress.",
		Source: "history workflow_failed",
		query: func(b builder) string {
			return sumBy("namespace, taskqueue", b.rate("workflow_failed", userNamespaces, userQueues))
		},
	},
	{
		ID: health.Pollers, Class: health.Worker, Origin: FromServer, Service: "matching", Scope: health.KindTaskQueue, Unit: "1", Rollup: Sum,
		Title: "Pollers", Meaning: "Polls open at a task queue, as matching counts them.",
		Source: "matching pending_polls",
		query: func(b builder) string {
			return sumBy(byQueue, b.series("pending_polls", userNamespaces, userQueues, notSticky))
		},
	},
}

const byWorkerQueue = "namespace, task_queue"

// ofType adds the label that tells workflow tasks from activity tasks.
func ofType(taskType, expr string) string {
	return fmt.Sprintf(`label_replace(%s, "task_type", %q, "", "")`, expr, taskType)
}

// workers are the signals that the SDKs report (requirements R14.1, R14.6).
var workers = []Definition{
	{
		ID: health.SlotsAvailable, Class: health.Worker, Origin: FromWorkers, Scope: health.KindTaskQueue, Unit: "1", Rollup: Min,
		Title: "Free task slots", Meaning: "Free slots of the fullest worker; absent with resource-based slot suppliers.",
		Source: "SDK temporal_worker_task_slots_available",
		query: func(b builder) string {
			return aggregate("min", byWorkerQueue+", worker_type", b.series("temporal_worker_task_slots_available", userWorkerQueues))
		},
	},
	{
		ID: health.SlotsUsed, Class: health.Worker, Origin: FromWorkers, Scope: health.KindTaskQueue, Unit: "1", Rollup: Sum,
		Title: "Used task slots", Meaning: "Used slots over all workers.",
		Source: "SDK temporal_worker_task_slots_used",
		query: func(b builder) string {
			return sumBy(byWorkerQueue+", worker_type", b.series("temporal_worker_task_slots_used", userWorkerQueues))
		},
	},
	{
		ID: health.WorkerTasksCompleted, Class: health.Worker, Origin: FromWorkers, Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Tasks executed by workers", Meaning: "Workflow and activity tasks as the workers themselves count them.",
		Source: "SDK temporal_workflow_task_execution_latency, temporal_activity_execution_latency",
		query: func(b builder) string {
			return ofType("Workflow", sumBy(byWorkerQueue, b.timerRate("temporal_workflow_task_execution_latency", userWorkerQueues))) + " or " +
				ofType("Activity", sumBy(byWorkerQueue, b.timerRate("temporal_activity_execution_latency", userWorkerQueues)))
		},
	},
	{
		ID: health.WorkerScheduleToStart, Class: health.Worker, Origin: FromWorkers, Scope: health.KindTaskQueue, Unit: "ms", Rollup: Max,
		Title: "Schedule to start (workers)", Meaning: "99th percentile as workers measure it.",
		Source: "SDK temporal_workflow_task_schedule_to_start_latency, temporal_activity_schedule_to_start_latency",
		query: func(b builder) string {
			return ofType("Workflow", b.p99("temporal_workflow_task_schedule_to_start_latency", byWorkerQueue, userWorkerQueues)) + " or " +
				ofType("Activity", b.p99("temporal_activity_schedule_to_start_latency", byWorkerQueue, userWorkerQueues))
		},
	},
	{
		ID: health.WorkerPollers, Class: health.Worker, Origin: FromWorkers, Scope: health.KindTaskQueue, Unit: "1", Rollup: Sum,
		Title: "Pollers (workers)", Meaning: "Pollers that the workers report, sticky ones excepted.",
		Source: "SDK temporal_num_pollers",
		query: func(b builder) string {
			return sumBy(byWorkerQueue+", poller_type", b.series("temporal_num_pollers", userWorkerQueues, notStickyPoller))
		},
	},
	{
		ID: health.StickyCacheHits, Class: health.Worker, Origin: FromWorkers, Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Sticky cache hits", Meaning: "Workflow tasks that found their workflow in the worker's cache.",
		Source: "SDK temporal_sticky_cache_hit",
		query: func(b builder) string {
			return sumBy("namespace", b.rate("temporal_sticky_cache_hit", userNamespaces))
		},
	},
	{
		ID: health.StickyCacheMisses, Class: health.Worker, Origin: FromWorkers, Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Sticky cache misses", Meaning: "Workflow tasks that had to replay history, which reads the database.",
		Source: "SDK temporal_sticky_cache_miss",
		query: func(b builder) string {
			return sumBy("namespace", b.rate("temporal_sticky_cache_miss", userNamespaces))
		},
	},
	{
		ID: health.PollFailures, Class: health.Worker, Origin: FromWorkers, Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Poll failures", Meaning: "Long polls that failed, as workers see it.",
		Source: "SDK temporal_long_request_failure",
		query: func(b builder) string {
			return sumBy("namespace", b.rateFromBirth("temporal_long_request_failure"+b.naming.Counter, userNamespaces))
		},
	},
}

// A target counts as one of Temporal's when it showed its mark within the
// last hour, so that a dead one is still known to be one.
const remembered = "1h"

// telemetry are the signals that tell whether the others can be believed.
var telemetry = []Definition{
	{
		ID: health.ServerUp, Class: health.Telemetry, Origin: FromServer, Scope: health.KindReplica, Unit: "1", Rollup: Sum,
		Title: "Server instances up", Meaning: "1 or 0 for each scrape target that is or was a Temporal server within the hour.",
		Source: "Prometheus up",
		query: func(b builder) string {
			return aggregate("max", "instance, service_name", fmt.Sprintf("max by (job, instance) (%s) * on (job, instance) group_right() group by (job, instance, service_name) (last_over_time(%s[%s]))",
				b.series("up"), b.series("restarts"+b.naming.Counter, `service_name!=""`), remembered))
		},
	},
	{
		ID: health.ServerTelemetryAge, Class: health.Telemetry, Origin: FromServer, Scope: health.KindService, Unit: "s", Rollup: Min,
		Title: "Age of server metrics", Meaning: "Age of the newest sample of each service; for the cluster that of the newest of all.",
		Source: "Prometheus timestamp()",
		query: func(b builder) string {
			return fmt.Sprintf("time() - max by (service_name) (timestamp(%s))", b.series("restarts"+b.naming.Counter, `service_name!=""`))
		},
	},
	{
		ID: health.WorkerUp, Class: health.Telemetry, Origin: FromWorkers, Scope: health.KindReplica, Unit: "1", Rollup: Sum,
		Title: "Worker instances up", Meaning: "1 or 0 for each scrape target that is or was a worker within the hour.",
		Source: "Prometheus up",
		query: func(b builder) string {
			marks := b.workerMarks(func(series string) string { return fmt.Sprintf("last_over_time(%s[%s])", series, remembered) })
			return aggregate("max", "instance", fmt.Sprintf("max by (job, instance) (%s) * on (job, instance) group_right() group by (job, instance) (%s)",
				b.series("up"), marks))
		},
	},
	{
		ID: health.WorkerTelemetryAge, Class: health.Telemetry, Origin: FromWorkers, Scope: health.KindCluster, Unit: "s", Rollup: Min,
		Title: "Age of worker metrics", Meaning: "Age of the newest sample of any worker.",
		Source: "Prometheus timestamp()",
		query: func(b builder) string {
			marks := b.workerMarks(func(series string) string { return fmt.Sprintf("timestamp(%s)", series) })
			return fmt.Sprintf("time() - max(%s)", marks)
		},
	},
}

// WorkerMarks are metrics of which every kind of worker exports one or another
// as long as it lives, whatever its SDK: those of a scrape target make it a
// worker. Their names are the same in every naming, or all spellings are here.
var WorkerMarks = []string{
	"temporal_num_pollers", "temporal_worker_task_slots_available", "temporal_worker_task_slots_used",
	"temporal_worker_start", "temporal_worker_start_total",
}

// workerMarks joins the marks of users' workers, each as a function gives it.
func (b builder) workerMarks(as func(series string) string) string {
	parts := make([]string, 0, len(WorkerMarks))
	for _, name := range WorkerMarks {
		parts = append(parts, as(b.series(name, userWorkerQueues)))
	}
	return strings.Join(parts, " or ")
}
