package signals

import (
	"fmt"

	"github.com/temporal-sre/copilot/pkg/health"
)

const (
	// shardReport is a range in which every history shard reports at least
	// twice: each does so about every five minutes.
	shardReport = "11m"
	// recently is how long a server instance counts as new: a rolling restart
	// of a service is over by then.
	recently = "10m"
)

// internals are what the server says of itself: its queues, its matching, its
// ring.
var internals = []Definition{
	{
		ID: health.SyncMatchRatio, Class: health.Amplifier, Origin: FromServer, Service: "matching", Scope: health.KindTaskQueue, Unit: "1", Rollup: Min,
		Title: "Sync match rate", Meaning: "Part of the tasks handed to pollers that had not to be stored first; doctrine wants 95 % where tasks arrive evenly.",
		Source: "matching poll_success, poll_success_sync",
		query: func(b builder) string {
			all := sumBy(byQueue, b.rate("poll_success", userNamespaces, userQueues))
			return ratio(sumBy(byQueue, b.rate("poll_success_sync", userNamespaces, userQueues)), all)
		},
	},
	{
		ID: health.PersistenceThrottled, Class: health.Amplifier, Origin: FromServer, Scope: health.KindCluster, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Throttled persistence calls", Meaning: "Calls that the server's own limits kept from the database.",
		Source: "persistence_errors_resource_exhausted",
		query: func(b builder) string {
			return sumBy("", b.rateFromBirth("persistence_errors_resource_exhausted"+b.naming.Counter))
		},
	},
	{
		ID: health.HistoryPendingTasks, Class: health.Amplifier, Origin: FromServer, Service: "history", Scope: health.KindCluster, Unit: "1", Rollup: Max,
		Title: "Pending history tasks", Meaning: "Tasks that a shard's queue holds in memory, on average over the shards, in the kind of queue that has most; reported every few minutes.",
		Source: "history pending_tasks",
		query: func(b builder) string {
			return aggregate("max", "", b.histogramMean("pending_tasks", "operation", shardReport))
		},
	},
	{
		ID: health.HistoryBacklogAge, Class: health.Amplifier, Origin: FromServer, Service: "history", Scope: health.KindCluster, Unit: "s", Rollup: Max, Optional: true,
		Title: "History backlog age", Meaning: "99th percentile over the shards of the age of the oldest task that history has not processed; servers before its introduction do not export it.",
		Source: "history shardinfo_immediate_queue_backlog_age",
		query: func(b builder) string {
			b.window = shardReport
			return b.p99("shardinfo_immediate_queue_backlog_age", "") + " / 1000"
		},
	},
	{
		ID: health.MembershipChanges, Class: health.Amplifier, Origin: FromServer, Scope: health.KindCluster, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Membership changes", Meaning: "Changes of the ring of servers, each counted by every server that noticed it: deploys make some, and so do servers that lose each other.",
		Source: "membership_changed_count",
		query:  func(b builder) string { return sumBy("", b.rate("membership_changed_count")) },
	},
	{
		ID: health.ServerRestarts, Class: health.Amplifier, Origin: FromServer, Scope: health.KindService, Unit: "1", Rollup: Sum, Events: true,
		Title: "New server instances", Meaning: "Server instances that were not there ten minutes ago: started, replaced, or back from being away.",
		Source: "restarts; the counter itself is 1 on every instance",
		query: func(b builder) string {
			started := b.series("restarts"+b.naming.Counter, `service_name!=""`)
			// Where nothing is known of ten minutes ago, nothing is new.
			return aggregate("count", "service_name", fmt.Sprintf("(%s unless %s offset %s) and on () (count(%s offset %s) > 0)",
				started, started, recently, started, recently))
		},
	},
}

// database are the signals of the Aurora DSQL plugin, which other databases do
// not have. Each is by replica where one bad replica hides in a sum.
var database = []Definition{
	{
		ID: health.PoolWaits, Class: health.Amplifier, Origin: FromDatabase, Scope: health.KindReplica, Unit: "1/s", Rollup: Sum, Optional: true,
		Title: "Waits for a connection", Meaning: "Calls that found no free connection in the pool and waited, by replica.",
		Source: "DSQL plugin dsql_pool_wait_total",
		query: func(b builder) string {
			return sumBy("instance, service_name", b.pluginRate("dsql_pool_wait_total"))
		},
	},
	{
		ID: health.ReservoirFill, Class: health.Amplifier, Origin: FromDatabase, Scope: health.KindReplica, Unit: "1", Rollup: Min, Optional: true,
		Title: "Connection reservoir", Meaning: "Connections kept ready as a part of how many should be, by replica.",
		Source: "DSQL plugin dsql_reservoir_size, dsql_reservoir_target",
		query: func(b builder) string {
			return aggregate("min", "instance, service_name", fmt.Sprintf("%s / (%s > 0)", b.series("dsql_reservoir_size"), b.series("dsql_reservoir_target")))
		},
	},
	{
		ID: health.ReservoirEmpty, Class: health.Amplifier, Origin: FromDatabase, Scope: health.KindReplica, Unit: "1/s", Rollup: Sum, Optional: true,
		Title: "Reservoir empty", Meaning: "Attempts to take a connection from an empty reservoir, by replica.",
		Source: "DSQL plugin dsql_reservoir_empty_total",
		query: func(b builder) string {
			return sumBy("instance, service_name", b.pluginRate("dsql_reservoir_empty_total"))
		},
	},
	{
		ID: health.ConnectionFailures, Class: health.Amplifier, Origin: FromDatabase, Scope: health.KindReplica, Unit: "1/s", Rollup: Sum, Optional: true,
		Title: "Connections not renewed", Meaning: "Connections that the reservoir could not open and tokens that it could not get, by replica.",
		Source: "DSQL plugin dsql_reservoir_refill_failures_total, dsql_token_refresh_failures_total",
		query: func(b builder) string {
			return sumOf("instance, service_name", b.pluginRate("dsql_reservoir_refill_failures_total"), b.pluginRate("dsql_token_refresh_failures_total"))
		},
	},
}

// caching are the workers' caches and polls (requirement R14.6).
var caching = []Definition{
	{
		ID: health.StickyCacheSize, Class: health.Worker, Origin: FromWorkers, Scope: health.KindNamespace, Unit: "1", Rollup: Sum,
		Title: "Sticky cache size", Meaning: "Workflows in the workers' caches. A process has one cache for all of its task queues.",
		Source: "SDK temporal_sticky_cache_size",
		query: func(b builder) string {
			return sumBy("namespace", aggregate("max", "job, instance, namespace", b.series("temporal_sticky_cache_size", userWorkerQueues)))
		},
	},
	{
		ID: health.StickyCacheEvictions, Class: health.Worker, Origin: FromWorkers, Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Sticky cache evictions", Meaning: "Workflows thrown out of a worker's cache to make room: each will be replayed from its history.",
		Source: "SDK temporal_sticky_cache_total_forced_eviction",
		query: func(b builder) string {
			return sumBy("namespace", b.rate("temporal_sticky_cache_total_forced_eviction", userNamespaces))
		},
	},
	{
		ID: health.WorkflowTaskFailures, Class: health.Worker, Origin: FromWorkers, Scope: health.KindTaskQueue, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Workflow tasks failed", Meaning: "Workflow tasks in which the workers' code failed or panicked, non-determinism after a deployment included; the server tries them again and again.",
		Source: "SDK temporal_workflow_task_execution_failed",
		query: func(b builder) string {
			return ofType("Workflow", sumBy(byWorkerQueue, b.rateFromBirth("temporal_workflow_task_execution_failed"+b.naming.Counter, userWorkerQueues)))
		},
	},
	{
		ID: health.LongPollLatency, Class: health.Worker, Origin: FromWorkers, Scope: health.KindNamespace, Unit: "ms", Rollup: Max,
		Title: "Long poll duration", Meaning: "Mean duration of the workers' polls: up to a minute where there is nothing to do. The SDKs' buckets end before that, so a percentile would say nothing.",
		Source: "SDK temporal_long_request_latency",
		query: func(b builder) string {
			return b.timerMean("temporal_long_request_latency", "namespace", userNamespaces, `operation=~"Poll.*"`)
		},
	},
	{
		ID: health.PollersPerSlot, Class: health.Worker, Origin: FromWorkers, Scope: health.KindTaskQueue, Unit: "1", Rollup: Max,
		Title: "Pollers per slot", Meaning: "Pollers for each task slot, of the worker that has the most; above 1 some poll for tasks that nobody could run. Absent with resource-based slot suppliers.",
		Source: "SDK temporal_num_pollers, temporal_worker_task_slots_available, temporal_worker_task_slots_used",
		query: func(b builder) string {
			return ofType("Workflow", pollersPerSlot(b, `poller_type=~".*workflow.*"`, `worker_type="WorkflowWorker"`)) + " or " +
				ofType("Activity", pollersPerSlot(b, `poller_type="activity_task"`, `worker_type="ActivityWorker"`))
		},
	},
}

// pollersPerSlot compares the pollers and the slots of each worker process and
// keeps the worst of a task queue.
func pollersPerSlot(b builder, pollers, slots string) string {
	const byWorker = "job, instance, " + byWorkerQueue
	of := func(name, kind string) string { return sumBy(byWorker, b.series(name, userWorkerQueues, kind)) }
	return aggregate("max", byWorkerQueue, fmt.Sprintf("%s / (%s + %s > 0)", of("temporal_num_pollers", pollers),
		of("temporal_worker_task_slots_available", slots), of("temporal_worker_task_slots_used", slots)))
}

// pluginRate is the rate of a counter of the DSQL plugin, which names it in
// full itself.
func (b builder) pluginRate(name string) string {
	return fmt.Sprintf("rate(%s[%s])", b.series(name), b.window)
}

// ratio is a part of a whole; a part without series is none of it.
func ratio(part, whole string) string {
	return fmt.Sprintf("(%s or 0 * %s) / (%s > 0)", part, whole, whole)
}
