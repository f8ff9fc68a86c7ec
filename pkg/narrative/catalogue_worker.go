package narrative

import "github.com/temporal-sre/copilot/pkg/health"

// workerPatterns are about workers: what the SDK writes, and what the server
// writes of the answers of workers. The server's own worker service uses the
// SDK too, so they are not bound to a service.
func workerPatterns() []Pattern {
	return []Pattern{
		{
			ID: "worker.nondeterminism", Severity: health.LogError,
			Title: "workflow code does not match its history",
			Meaning: "Workflow code was changed in a way that running workflows cannot follow. Their tasks fail until the code fits again; the " +
				"server is not at fault, and other workflows go on.",
			Match: []Match{
				{Error: nondeterminism},
				{Message: nondeterminism},
				{Levels: informs, Message: []string{"Non-Deterministic Error"}},
			},
			Gates:  []string{"progress.completing", "business.failures"},
			Source: goSDK + "internal/internal_task_handlers.go; the other SDKs' errors; " + server + "service/frontend/workflow_handler.go",
		},
		{
			ID: "worker.deadlock", Severity: health.LogError,
			Title: "workflow code blocked its worker",
			Meaning: "Workflow code ran for over a second without yielding: it waits for something that is not the SDK's, or the worker has no " +
				"CPU. It is not a deadlock of the server or of the database.",
			Match: []Match{
				{Error: []string{"TMPRL1101", "Potential deadlock detected"}},
				{Message: []string{"TMPRL1101"}},
			},
			Gates:  []string{"progress.completing", "worker.slots.exhausted", "worker.schedule_to_start"},
			Source: goSDK + "internal/internal_workflow.go; the other SDKs use the same code",
		},
		{
			ID: "worker.panic", Severity: health.LogError,
			Title:   "worker code panicked",
			Meaning: "Workflow or activity code panicked. The task fails and is tried again; the worker itself goes on, and so do other tasks.",
			Match: []Match{{Levels: failing, Message: []string{
				"Workflow panic", "Activity panic.", "LocalActivity panic.", "Workflow task processing panic.", "Unhandled panic.",
				"Panic captured while handling Nexus task",
			}}},
			Gates:  []string{"progress.completing", "worker.slots.exhausted", "business.failures"},
			Source: goSDK + "internal/internal_task_handlers.go, internal_task_pollers.go, internal_worker_base.go",
		},
		{
			ID: "worker.poll_failing", Severity: health.LogError,
			Title: "workers cannot poll for tasks",
			Meaning: "Polls are refused or do not reach the frontend: it is away, throttles, or rejects the credentials; the error tells which. " +
				"Tasks wait meanwhile. It is seldom the worker's own fault.",
			Match: []Match{{Levels: failing, Message: []string{
				"Failed to poll for task", "Worker received non-retriable error. Shutting down", "Failed polling worker command task",
				"Failure in poller thread", "gRPC call poll_",
			}}},
			Gates:   []string{"worker.pollers.none", "progress.head_of_line", "progress.served_falls_away", "pressure.polls_throttled", "telemetry.targets_down"},
			Follows: []string{"process.stop", "process.fatal", "process.crash", "rpc.unavailable", "rpc.exhausted.rps", "rpc.exhausted.concurrent", "auth.denied", "tls.failing"},
			Source:  goSDK + "internal/internal_worker_base.go; Java SDK, Poller; Core SDK, retry.rs",
		},
		{
			ID: "worker.failing", Severity: health.LogError,
			Title: "workflow tasks fail or are answered in vain",
			Meaning: "Workers take workflow tasks and cannot complete them, or the server does not accept the answer. The same task comes again, " +
				"so the workflow does not move. That is code, a data converter or an answer that came too late, not a lost task.",
			Match: []Match{
				{Levels: failing, Message: []string{
					"Failed to process workflow task", "Workflow task postprocess error", "Workflow task preprocess error", "Workflow task completion exceeds",
					"Critical attempts processing workflow task", "workflow task failed", "Error processing nexus task",
					"Handler returned error while processing Nexus task", "Workflow task processing failure", "Failed activation on workflow", "Failed handling activation on workflow",
				}},
				{Levels: informs, Message: []string{
					"Task processing failed with error", "Task processing failed with client side error", "Failing the workflow task.",
				}},
			},
			Gates:   []string{"progress.completing", "progress.served_falls_away", "worker.slots.exhausted", "business.failures"},
			Follows: []string{"worker.nondeterminism", "worker.panic", "worker.deadlock"},
			Source: goSDK + "internal/internal_task_pollers.go, internal_worker_base.go; " + server +
				"service/history/workflow/workflow_task_state_machine.go, service/history/api/respondworkflowtaskfailed; Java SDK, WorkflowTaskHandler; " +
				"Python and .NET SDKs, workflow worker",
		},
		{
			ID: "worker.activity_failing", Severity: health.LogWarning,
			Title: "activities fail",
			Meaning: "Activity code returned an error, or came too late, and is tried again as its retry policy says. That is the application or " +
				"what it calls, not Temporal; retries of many activities fill slots and queues.",
			Match: []Match{
				{Levels: failing, Message: []string{
					"Activity error.", "Activity task postprocess error", "RecordActivityHeartbeat with error", "LocalActivity completed after activity deadline",
					"Activity failure. ActivityId", "Completing activity as failed",
				}},
				{Levels: informs, Message: []string{"Activity complete after timeout."}},
			},
			Gates:   []string{"business.failures", "worker.slots.exhausted", "worker.schedule_to_start", "progress.completing"},
			Follows: []string{"worker.panic"},
			Source:  goSDK + "internal/internal_task_handlers.go, internal_task_pollers.go; Java SDK, ActivityTaskExecutors; Python SDK, _activity.py",
		},
		{
			ID: "worker.start", Severity: health.LogEvent,
			Title:   "a worker started",
			Meaning: "A worker came up: a deploy, a scale-out or a restart. By itself it is no fault.",
			Match:   []Match{{Levels: informs, Message: []string{"Started Worker"}}},
			Gates:   []string{"worker.pollers.none", "worker.schedule_to_start", "progress.completing"},
			Source:  goSDK + "internal/internal_worker.go, internal_worker_base.go",
		},
		{
			ID: "worker.stop", Severity: health.LogEvent,
			Title:   "a worker stopped",
			Meaning: "A worker ended in an orderly way: a deploy or a scale-in. A worker that was killed does not write it.",
			Match:   []Match{{Levels: informs, Message: []string{"Stopped Worker", "Worker has been stopped.", "Worker graceful stop timed out."}}},
			Gates:   []string{"worker.pollers.none", "worker.slots.exhausted", "progress.head_of_line", "progress.completing"},
			Source:  goSDK + "internal/internal_worker.go, internal_worker_base.go",
		},
	}
}

// nondeterminism are texts of errors that say so, in several SDKs.
var nondeterminism = []string{
	"TMPRL1100", "nondeterministic workflow", "Non deterministic workflow", "NonDeterministicException", "NondeterminismError", "Nondeterminism error",
}
