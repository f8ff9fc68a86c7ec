package narrative

import "github.com/temporal-sre/copilot/pkg/health"

// eventPatterns are things that happen in a healthy cluster too and explain what
// is seen beside them.
func eventPatterns() []Pattern {
	return []Pattern{
		{
			ID: "membership.changed", Severity: health.LogEvent,
			Title: "a service's ring of members changed",
			Meaning: "Instances joined or left. Every instance writes it of every ring, so one change gives many lines. By itself it is no fault; " +
				"after it, shards and task queues move.",
			Services: serverServices,
			Match:    []Match{{Levels: informs, Message: []string{"Current reachable members"}}},
			Gates:    []string{"pressure.shard_churn", "pressure.request_latency", "progress.dispatch", "progress.head_of_line", "telemetry.targets_down"},
			Follows:  []string{"process.stop", "process.start", "process.fatal", "process.crash", "process.panic"},
			Source:   server + "common/membership/ringpop/service_resolver.go",
		},
		{
			ID: "shard.moved", Severity: health.LogEvent,
			Title: "history shards changed hands",
			Meaning: "An instance took over shards or gave them up. Workflows of a shard wait until its new owner has it, usually for some " +
				"seconds. At deploys and restarts that is normal.",
			Services: historyService,
			Match: []Match{
				{Levels: informs, Message: []string{"Acquired shard"}},
				{Levels: informs, Component: "shard-engine", Lifecycle: "Sta"},
				{Levels: informs, Component: "shard-engine", Lifecycle: "Stop"},
				{Levels: informs, Component: "shard-context", Lifecycle: "Sta"},
				{Levels: informs, Component: "shard-context", Lifecycle: "Stop"},
			},
			Gates:   []string{"pressure.shard_churn", "pressure.request_latency", "progress.dispatch", "progress.accepting", "progress.head_of_line"},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "shard.unknown", "shard.lost", "process.stop", "process.start", "process.fatal", "process.crash", "membership.changed"},
			Source:  server + "service/history/shard/context_impl.go",
		},
		{
			ID: "config.changed", Severity: health.LogEvent,
			Title:    "the dynamic configuration changed",
			Meaning:  "The server read new values of its dynamic configuration, limits among them. Somebody changed it.",
			Services: serverServices,
			Match:    []Match{{Levels: informs, Message: []string{"Updated dynamic config"}}},
			Gates:    []string{"pressure.throttled", "pressure.polls_throttled", "progress.refused"},
			Source:   server + "common/dynamicconfig/file_based_client.go",
		},
		{
			ID: "tls.changed", Severity: health.LogEvent,
			Title:    "TLS certificates were loaded again",
			Meaning:  "New certificates or certificate authorities are in use from here on. By itself it is no fault.",
			Services: serverServices,
			Match:    []Match{{Levels: informs, Message: []string{"loaded new TLS certificates"}}},
			Gates:    []string{"progress.refused", "worker.pollers.none", "telemetry.targets_down"},
			Source:   server + "common/rpc/encryption/local_store_cert_provider.go",
		},
		{
			ID: "config.notice", Severity: health.LogEvent,
			Title: "the server remarks on its configuration",
			Meaning: "At its start the server names something that is not configured, such as authorization or the port for Nexus. That may be " +
				"meant so.",
			Services: serverServices,
			Match: []Match{{Levels: []string{"warn"}, Message: []string{
				"Not using any authorizer", "HTTP API port has not been set", "ClusterInformation in static config is deprecated",
				"All remote cluster settings under ClusterMetadata", "SQLite MaxConns",
			}}},
			Source: server + "service/frontend/service.go, cmd/server/main.go, temporal/fx.go",
		},
	}
}
