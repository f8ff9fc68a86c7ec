package narrative

import "github.com/temporal-sre/copilot/pkg/health"

// partPatterns are told by the part of the server that failed, where the error
// names no cause that is known.
func partPatterns() []Pattern {
	return []Pattern{
		{
			ID: "config.failing", Severity: health.LogWarning,
			Title: "the dynamic configuration is not as it should be",
			Meaning: "A value could not be read or has the wrong type. The server goes on with the values that it had, or with the default, so a " +
				"change that was meant may not be in force.",
			Services: serverServices,
			Match: []Match{{Levels: failing, Message: []string{
				"Unable to update dynamic config", "dynamic config error", "dynamic config warning", "Failed to convert value, using default",
				"Cached converted value has wrong type",
			}}},
			Gates:  []string{"pressure.throttled", "pressure.polls_throttled"},
			Source: server + "common/dynamicconfig/file_based_client.go, collection.go",
		},
		{
			ID: "membership.failing", Severity: health.LogError,
			Title: "instances do not find one another",
			Meaning: "An instance cannot write or read who is there, or its ring is not refreshed. New instances then get no work, and old ones " +
				"are still called.",
			Services: serverServices,
			Match: []Match{{Levels: failing, Message: []string{
				"Membership upsert failed", "error periodically refreshing ring", "error refreshing ring", "unable to bootstrap ringpop",
				"Failed to send listener notification, channel full", "Failed to evict self from membership ring", "unable to set ringpop label",
				"Failed to look up hosts", "service resolver timed out on shutdown",
			}}},
			Gates:   []string{"pressure.shard_churn", "progress.refused", "progress.dispatch", "telemetry.targets_down"},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict"},
			Source:  server + "common/membership/ringpop",
		},
		{
			ID: "shard.failing", Severity: health.LogError,
			Title:    "history shards cannot be loaded",
			Meaning:  "An instance tried to take over a shard and could not. Workflows of that shard stand still until somebody holds it.",
			Services: historyService,
			Match: []Match{{Levels: failing, Message: []string{
				"Error acquiring shard", "Couldn't acquire shard", "Failed to load shard", "Unable to create history shard context",
			}}},
			Gates:   []string{"progress.dispatch", "progress.accepting", "progress.refused", "pressure.shard_churn"},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict"},
			Source:  server + "service/history/shard/context_impl.go, controller_impl.go",
		},
		{
			ID: "rpc.deadline", Severity: health.LogWarning,
			Title: "calls are not answered in time",
			Meaning: "A call ran into its deadline. Who was too slow, a service or the database behind it, does not stand in the line; look at " +
				"the latencies.",
			Services: serverServices,
			Match: []Match{
				{Levels: failing, Error: []string{"context deadline exceeded", "DeadlineExceeded"}},
				{Levels: failing, Message: []string{"Slow gRPC call", "Context timeout is too short for long poll API"}},
			},
			Gates:   []string{"pressure.request_latency", "pressure.persistence_latency", "progress.refused", "progress.dispatch"},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "rpc.unavailable", "shard.unknown", "rpc.exhausted.persistence"},
			Source:  server + "common/rpc/interceptor; grpc-go",
		},
		{
			ID: "persistence.failing", Severity: health.LogError,
			Title: "calls to the database fail",
			Meaning: "The database answered with an error that is neither a lost connection nor a conflict nor a limit: a missing table or " +
				"right, a full disk, data that cannot be read. The error tells which.",
			Services: serverServices,
			Match: []Match{
				{Levels: failing, Message: persistenceMessages},
				{Levels: failing, Error: []string{"SQLSTATE ", "operation failed. Error:", "failed. Error:"}},
			},
			Gates: []string{
				"pressure.persistence_errors", "pressure.persistence_latency", "progress.refused", "progress.accepting", "progress.dispatch",
				"pressure.request_latency",
			},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict"},
			Source:  server + "common/persistence, service/history/workflow/transaction_impl.go",
		},
		{
			ID: "matching.failing", Severity: health.LogError,
			Title: "the matching service cannot manage its queues",
			Meaning: "Partitions of task queues could not be loaded, read, or kept in step with one another. Tasks are kept in the database and " +
				"handed out later. It says nothing of the workers.",
			Services: []string{"matching", "frontend"},
			Match: []Match{
				{Levels: failing, Message: []string{
					"error fetching user data from parent", "user data version mismatch", "user data update function failed", "failed to push new user data",
					"failed to load child partition", "error processing spooled task", "taskReader: unexpected error dispatching task",
					"dropping task due to non-nonretryable errors", "Unable to call matching.Poll", "requested task queue user data for version",
					"Failed to sync state after drain completion", "Failed to cancel outstanding poll", "long poll to refresh Nexus endpoints returned error",
				}},
				{Levels: failing, Component: "matching-engine"},
				{Levels: failing, Component: "taskqueue"},
			},
			Gates:   []string{"progress.head_of_line", "progress.served_falls_away", "progress.waiting", "worker.pollers.none", "worker.schedule_to_start"},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "rpc.unavailable", "rpc.exhausted.persistence"},
			Source:  server + "service/matching/user_data_manager.go, task_reader.go, service/frontend/workflow_handler.go",
		},
		{
			ID: "task.failing", Severity: health.LogWarning,
			Title: "the history service cannot process its tasks",
			Meaning: "Timers, transfers to matching and other internal tasks fail and are tried again. They are not the tasks of workers, and " +
				"none is lost unless it is said to be dropped or sent to the DLQ.",
			Services: historyService,
			Match: []Match{
				{Levels: failing, Message: []string{
					"Fail to process task", "Critical error processing task, retrying.", "Dropping task due to terminal error", "Marking task as terminally failed",
					"Task enqueued to DLQ", "Failed to write task to DLQ", "Queue reader unable to retrieve tasks", "Matching returned not found error for Add",
				}},
				{Levels: failing, Lifecycle: "ProcessingFailed"},
			},
			Gates:   []string{"progress.dispatch", "progress.collapsed", "progress.accepting"},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "rpc.unavailable", "shard.unknown"},
			Source:  server + "service/history/queues/executable.go, reader.go",
		},
		{
			ID: "workflow.too_large", Severity: health.LogWarning,
			Title: "workflows or payloads grow too large",
			Meaning: "A history, a workflow's state or a payload passed a warning or a limit. At the limit the server ends the workflow or rejects " +
				"the answer. It is the application's shape, not a fault of the cluster.",
			Match: []Match{{Levels: failing, Message: []string{
				"Blob data size exceeds", "history size exceeds", "history count exceeds", "mutable state size exceeds", "history size threshold breached",
				"TMPRL1103", "Attempted to upload payloads with size", "Attempted to upload memo with size", "input size exceeds the warning limit",
				"blob size exceeds the warning limit", "Search attributes size exceeds limits",
			}}},
			Gates:  []string{"pressure.persistence_latency", "progress.completing", "business.failures"},
			Source: server + "service/history/workflow/context.go, common/util.go; " + goSDK + "internal/payload_limits.go",
		},
		{
			ID: "rpc.failing", Severity: health.LogError,
			Title: "requests fail inside the server",
			Meaning: "A service answered a request with an error of its own, and the error names no cause that is known here. Errors of the caller " +
				"are not logged.",
			Services: serverServices,
			Match:    []Match{{Levels: failing, Message: []string{"service failures"}}},
			Gates:    []string{"progress.refused", "progress.accepting", "pressure.request_latency"},
			Follows:  []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "rpc.unavailable", "shard.unknown"},
			Source:   server + "common/rpc/interceptor/request_error_handler.go, mask_internal_error.go",
		},
		{
			ID: "rpc.retried", Severity: health.LogEvent,
			Title: "calls between services met an error",
			Meaning: "A call was answered with an error that the caller may handle, such as a worker whose sticky queue is gone. What fails for good " +
				"shows elsewhere.",
			Services: serverServices,
			Match:    []Match{{Message: []string{"client encountered error"}}},
			Gates:    []string{"pressure.request_latency"},
			Follows:  []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "rpc.unavailable", "shard.unknown", "membership.changed"},
			Source:   server + "client/*/metric_client.go",
		},
	}
}
