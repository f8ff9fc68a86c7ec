package narrative

import "github.com/temporal-sre/copilot/pkg/health"

// processPatterns are about a process of the server as a whole.
func processPatterns() []Pattern {
	return []Pattern{
		{
			ID: "process.panic", Severity: health.LogError,
			Title: "server code panicked",
			Meaning: "A defect in the server, or in a plugin compiled into it, was met. A captured panic fails one request or task, which is " +
				"tried again; it does not mean that the process ended.",
			Services: serverServices,
			Match: []Match{
				{Message: []string{"Panic is captured", "Panic captured"}, Levels: failing},
				{Error: []string{"panic: "}, Levels: failing},
				{Levels: []string{"panic"}},
			},
			Gates:  []string{"progress.refused", "progress.collapsed", "progress.dispatch", "telemetry.targets_down"},
			Source: server + "common/log/panic.go, common/metrics/panic.go, service/frontend/nexus_handler.go",
		},
		{
			ID: "process.crash", Severity: health.LogError,
			Title: "a process crashed",
			Meaning: "A Go process, of the server or of a worker, ended with a stack trace: a defect, or memory that ran out. The orchestrator " +
				"starts it again.",
			Match: []Match{{Message: []string{
				"panic: runtime error", "fatal error: concurrent map", "fatal error: all goroutines are asleep", "runtime: out of memory",
				"[signal SIGSEGV",
			}}},
			Gates:  []string{"telemetry.targets_down", "worker.pollers.none", "pressure.shard_churn", "progress.collapsed", "progress.head_of_line"},
			Source: "Go runtime",
		},
		{
			ID: "process.deadlock", Severity: health.LogError,
			Title: "the server's deadlock detector fired",
			Meaning: "A lock or a loop of this process did not answer in time. It is a lock inside the process, not one of the database; a process " +
				"starved of CPU shows the same. A detector that is told to ends the process.",
			Services: serverServices,
			Match:    []Match{{Message: []string{"potential deadlock detected", "marking grpc services unhealthy"}}},
			Gates:    []string{"progress.accepting", "progress.dispatch", "progress.collapsed", "pressure.request_latency", "telemetry.targets_down"},
			Source:   server + "common/deadlock/deadlock.go",
		},
		{
			ID: "process.fatal", Severity: health.LogError,
			Title:    "a server process gave up",
			Meaning:  "The process ends itself after this line, or could not start. Its text tells why; the orchestrator starts the process again.",
			Services: serverServices,
			Match: []Match{
				{Levels: []string{"fatal"}},
				{Message: []string{"OnStart hook failed", "Unable to start server", "Unable to create server"}},
			},
			Gates:  []string{"telemetry.targets_down", "progress.collapsed", "progress.refused"},
			Source: server + "cmd/server/main.go, temporal/fx.go, and the Fatal calls of every service",
		},
		{
			ID: "process.start", Severity: health.LogEvent,
			Title:    "a server process started",
			Meaning:  "An instance came up: a deploy, a scale-out, or a restart after a crash. By itself it is no fault.",
			Services: serverServices,
			Match: []Match{{Levels: informs, Message: []string{
				"Starting server for services", "Starting to serve on frontend listener", "Starting to serve on history listener",
				"Starting to serve on matching listener", "Starting to serve on worker listener",
			}}},
			Gates:  []string{"pressure.shard_churn", "pressure.request_latency", "pressure.persistence_latency", "progress.dispatch"},
			Source: server + "temporal/server_impl.go, service/*/service.go",
		},
		{
			ID: "process.stop", Severity: health.LogEvent,
			Title:    "a server process stopped",
			Meaning:  "An instance was asked to stop and hands its work over: a deploy or a scale-in. A process that was killed or crashed does not write it.",
			Services: serverServices,
			Match: []Match{{Levels: informs, Message: []string{
				"Received interrupt signal, stopping the server", "ShutdownHandler: ", "frontend stopped", "history stopped", "matching stopped",
				"worker service stopped",
			}}},
			Gates:  []string{"pressure.shard_churn", "telemetry.targets_down", "progress.refused", "progress.dispatch", "progress.head_of_line"},
			Source: server + "temporal/fx.go, service/*/service.go",
		},
	}
}
