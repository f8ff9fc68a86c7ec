package main

// workers is how task queues and the workers behind them fare.
func workers() dashboard {
	queue := textVariable("queue", "Task queue", "A regular expression; task queues whose name fits it are shown.", ".*")
	return dashboard{
		uid: "copilot-workers", title: "Workers", from: "now-3h",
		description: "Task queues and the workers behind them: backlog, pollers, slots, schedule-to-start, sticky cache.",
		variables:   metricVariables(append(logVariables(), queue)...),
		panels: append(verdicts(),
			chart("Waiting tasks", "Stored tasks that wait, refreshed once a minute.", "short", 8,
				line{gauge("sum", "approximate_backlog_count", userPolls+`, partition!="__sticky__"`, "namespace, taskqueue, task_type"), "{{namespace}}/{{taskqueue}} {{task_type}}"}),
			chart("Age of the oldest waiting task", "Growing by a second a second: the head of the queue does not move.", "s", 8,
				line{gauge("max", "approximate_backlog_age_seconds", userPolls+`, partition!="__sticky__"`, "namespace, taskqueue, task_type"), "{{namespace}}/{{taskqueue}} {{task_type}}"}),
			chart("Open polls", "Polls that wait at the server for a task.", "short", 8,
				line{gauge("sum", "pending_polls", userPolls, "namespace, taskqueue, task_type"), "{{namespace}}/{{taskqueue}} {{task_type}}"}),
			chart("Tasks added", "Those that go to the backlog found no poll that waited.", "cps", 12,
				line{rate("tasks_added", userPolls, "taskqueue, task_add_result"), "{{taskqueue}} {{task_add_result}}"}),
			chart("Tasks without a poller", "Late: the first comes minutes after the last poller has gone.", "cps", 12,
				line{rate("no_poller_tasks", userPolls, "taskqueue"), "{{taskqueue}}"}),
			chart("Free slots of each worker", "0: this worker polls no more. Resource-based slot suppliers have none to show.", "short", 12,
				line{gauge("min", "temporal_worker_task_slots_available", workerPolls, "instance, task_queue, worker_type"), "{{instance}} {{task_queue}} {{worker_type}}"}),
			chart("Used slots", "Tasks that are being worked on.", "short", 12,
				line{gauge("sum", "temporal_worker_task_slots_used", workerPolls, "task_queue, worker_type"), "{{task_queue}} {{worker_type}}"}),
			chart("Workflow tasks: schedule to start, p95", "As the workers see it. More than 50 ms is pressure.", "s", 12,
				line{quantile(0.95, "temporal_workflow_task_schedule_to_start_latency", workerPolls, "task_queue"), "{{task_queue}}"}),
			chart("Activities: schedule to start, p95", "As the workers see it.", "s", 12,
				line{quantile(0.95, "temporal_activity_schedule_to_start_latency", workerPolls, "task_queue"), "{{task_queue}}"}),
			chart("Pollers of the workers", "More pollers than slots make no sense.", "short", 8,
				line{gauge("sum", "temporal_num_pollers", workerPolls, "task_queue, poller_type"), "{{task_queue}} {{poller_type}}"}),
			chart("Sticky cache", "Misses and evictions cost reads of whole histories.", "cps", 8,
				line{rate("temporal_sticky_cache_hit", workerSide, ""), "hits"},
				line{rate("temporal_sticky_cache_miss", workerSide, ""), "misses"},
				line{rate("temporal_sticky_cache_total_forced_eviction", workerSide, ""), "evictions"}),
			chart("Requests of the workers that failed", "Polls and other requests.", "cps", 8,
				line{rate("temporal_long_request_failure", workerSide, ""), "polls"},
				line{rate("temporal_request_failure", workerSide, ""), "other requests"}),
			logs(" |~ "+workersLog),
		),
	}
}
