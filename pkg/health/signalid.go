package health

// The signals that the rules read or that users see. Package signals holds
// what each means and how it is queried; the names are those of requirement
// R6.2 where it gives one.
const (
	// Arrivals: workflow starts and signals that clients asked for.
	Arrivals SignalID = "arrivals_per_sec"
	// WorkflowStarts: the part of them that starts a workflow.
	WorkflowStarts SignalID = "workflow_starts_per_sec"
	// StateTransitions: workflow state transitions, by count.
	StateTransitions SignalID = "state_transitions_per_sec"
	// WorkflowTasksCompleted: workflow tasks answered by workers, by namespace.
	WorkflowTasksCompleted SignalID = "workflow_tasks_completed_per_sec"
	// ActivityTasksCompleted: activity tasks answered by workers, with success
	// or failure, by task queue.
	ActivityTasksCompleted SignalID = "activity_tasks_completed_per_sec"
	// WorkflowsClosed: workflows that reached any terminal state.
	WorkflowsClosed SignalID = "workflows_closed_per_sec"
	// TasksAdded: tasks that reached matching, by task queue and type.
	TasksAdded SignalID = "tasks_added_per_sec"
	// TasksBacklogged: the part of them that found no poller and was stored.
	TasksBacklogged SignalID = "tasks_backlogged_per_sec"
	// TasksStarted: tasks handed to a worker, as history records it.
	TasksStarted SignalID = "tasks_started_per_sec"
	// BacklogCount: stored tasks that wait, by task queue and type.
	BacklogCount SignalID = "backlog_count"
	// BacklogAge: age of the oldest of them.
	BacklogAge SignalID = "backlog_age_sec"
	// Requests: requests by service, without long polls.
	Requests SignalID = "requests_per_sec"
	// RequestsRefused: the part that failed for the server's own reasons,
	// throttling included.
	RequestsRefused SignalID = "requests_refused_per_sec"

	// PersistenceLatency: 99th percentile over all services' persistence calls.
	PersistenceLatency SignalID = "dsql_latency_ms"
	// PersistenceRequests: persistence calls.
	PersistenceRequests SignalID = "persistence_requests_per_sec"
	// PersistenceErrors: persistence calls that failed because the store did.
	PersistenceErrors SignalID = "persistence_errors_per_sec"
	// OCCConflicts: optimistic concurrency conflicts in the database.
	OCCConflicts SignalID = "occ_conflicts_per_sec"
	// PoolUtilization: used part of the database connection pool, by replica.
	PoolUtilization SignalID = "connection_pool_utilization"
	// ShardChurn: shards created, removed or closed.
	ShardChurn SignalID = "shard_churn_per_sec"
	// RequestLatency: 99th percentile of requests by service, without long polls.
	RequestLatency SignalID = "request_latency_ms"
	// Throttled: requests refused with ResourceExhausted, whatever the cause.
	Throttled SignalID = "throttled_per_sec"
	// PollsThrottled: polls refused with ResourceExhausted, by namespace: workers
	// that may not poll starve beside full queues.
	PollsThrottled SignalID = "polls_throttled_per_sec"
	// The requests refused with ResourceExhausted, polls included, by cause: each
	// has a remedy of its own. They are by namespace.
	ThrottledByRate         SignalID = "throttled_by_rate_limit_per_sec"
	ThrottledByConcurrency  SignalID = "throttled_by_concurrency_per_sec"
	ThrottledByPersistence  SignalID = "throttled_by_persistence_per_sec"
	ThrottledByOverload     SignalID = "throttled_by_overload_per_sec"
	ThrottledByBusyWorkflow SignalID = "throttled_by_busy_workflow_per_sec"
	// PersistenceThrottled: persistence calls refused before they reached the
	// database, by the server's own limits.
	PersistenceThrottled SignalID = "persistence_throttled_per_sec"
	// SyncMatchRatio: part of the polls' tasks that were handed over without
	// being stored, by task queue and type.
	SyncMatchRatio SignalID = "sync_match_ratio"
	// HistoryPendingTasks: tasks that a shard's queue holds in memory, on average
	// in the fullest kind of queue.
	HistoryPendingTasks SignalID = "history_pending_tasks"
	// HistoryBacklogAge: 99th percentile over the shards of the age of the oldest
	// task that history has not processed.
	HistoryBacklogAge SignalID = "history_backlog_age_sec"
	// MembershipChanges: changes of the ring of servers that were noticed.
	MembershipChanges SignalID = "membership_changes_per_sec"
	// ServerRestarts: server instances that were not there ten minutes ago, by
	// service.
	ServerRestarts SignalID = "server_restarts"
	// PoolWaits: waits for a connection of the Aurora DSQL plugin's pool, by
	// replica.
	PoolWaits SignalID = "pool_waits_per_sec"
	// ReservoirFill: filled part of the plugin's reservoir of connections, by
	// replica.
	ReservoirFill SignalID = "reservoir_fill"
	// ReservoirEmpty: attempts to take a connection from an empty reservoir.
	ReservoirEmpty SignalID = "reservoir_empty_per_sec"
	// ConnectionFailures: connections and tokens that the plugin could not renew.
	ConnectionFailures SignalID = "connection_failures_per_sec"
	// ScheduleToStart: 99th percentile by task queue and type, server side.
	ScheduleToStart SignalID = "schedule_to_start_ms"
	// WorkflowsFailed: workflows that failed, by task queue: a business
	// outcome, which is progress.
	WorkflowsFailed SignalID = "workflows_failed_per_sec"

	// Pollers: polls open at a task queue, as matching counts them.
	Pollers SignalID = "pollers"
	// SlotsAvailable: free task slots of the fullest worker, by task queue and type.
	SlotsAvailable SignalID = "worker_slots_available"
	// SlotsUsed: used task slots over all workers, by task queue and type.
	SlotsUsed SignalID = "worker_slots_used"
	// WorkerTasksCompleted: tasks executed as the workers themselves count them.
	WorkerTasksCompleted SignalID = "worker_tasks_completed_per_sec"
	// WorkerScheduleToStart: 99th percentile as workers measure it.
	WorkerScheduleToStart SignalID = "worker_schedule_to_start_ms"
	// WorkerPollers: pollers as workers report them.
	WorkerPollers SignalID = "worker_pollers"
	// StickyCacheHits and StickyCacheMisses: the workers' workflow cache.
	StickyCacheHits   SignalID = "sticky_cache_hits_per_sec"
	StickyCacheMisses SignalID = "sticky_cache_misses_per_sec"
	// StickyCacheSize: workflows in the workers' caches; StickyCacheEvictions:
	// those thrown out to make room.
	StickyCacheSize      SignalID = "sticky_cache_size"
	StickyCacheEvictions SignalID = "sticky_cache_evictions_per_sec"
	// WorkflowTaskFailures: workflow tasks that the workers' code failed or
	// panicked in, as they count them; the server tries them again.
	WorkflowTaskFailures SignalID = "workflow_task_failures_per_sec"
	// PollFailures: long polls that failed, as workers see it.
	PollFailures SignalID = "poll_failures_per_sec"
	// LongPollLatency: mean duration of long polls, as workers see it.
	LongPollLatency SignalID = "long_poll_latency_ms"
	// PollersPerSlot: pollers for each task slot of the worker that has the most,
	// by task queue and type; above 1 some poll in vain.
	PollersPerSlot SignalID = "pollers_per_slot"

	// ServerUp and WorkerUp: 1 or 0 for each scrape target.
	ServerUp SignalID = "server_up"
	WorkerUp SignalID = "worker_up"
	// ServerTelemetryAge and WorkerTelemetryAge: age of the newest sample.
	ServerTelemetryAge SignalID = "server_telemetry_age_sec"
	WorkerTelemetryAge SignalID = "worker_telemetry_age_sec"
)
