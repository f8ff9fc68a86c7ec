package narrative

import "github.com/temporal-sre/copilot/pkg/health"

// outsidePatterns are about what is beside the path of a workflow task: stores
// and clusters of their own, whose connections fail by themselves. They are told
// by their messages, whatever the error says.
func outsidePatterns() []Pattern {
	return []Pattern{
		{
			ID: "visibility.failing", Severity: health.LogError,
			Title: "the visibility store fails",
			Meaning: "Listing, counting and searching workflows fails or is late, and closed workflows may show as running. Workflows " +
				"themselves do not depend on it.",
			Services: serverServices,
			Match: []Match{
				{Levels: failing, Message: []string{
					"Operation failed with an error.", "ES request failed.", "Unable to commit bulk ES request.", "List query exceeded threshold",
					"Count query exceeded threshold", "Get query exceeded threshold",
					"Unable to get Elasticsearch cluster status", "Unable to update Elasticsearch mapping",
				}},
				{Levels: failing, Component: "es-visibility-manager"},
				{Levels: failing, Component: "indexer"},
			},
			Gates:  []string{"pressure.persistence_errors", "pressure.persistence_latency", "pressure.request_latency"},
			Source: server + "common/persistence/visibility",
		},
		{
			ID: "archival.failing", Severity: health.LogWarning,
			Title:    "archival fails",
			Meaning:  "Closed workflows could not be archived and are tried again; they are kept until then. Running workflows do not depend on it.",
			Services: serverServices,
			Match: []Match{
				{Levels: failing, Message: []string{
					"failed to archive target", "failed to archive workflow", "Failed to parse history URI.", "Failed to parse visibility URI.",
					"Dropping archival task",
				}},
				{Levels: failing, Component: "archiver"},
			},
			Gates:  []string{"progress.dispatch"},
			Source: server + "service/history/archival/archiver.go",
		},
		{
			ID: "replication.failing", Severity: health.LogError,
			Title: "replication between clusters fails",
			Meaning: "Changes do not reach another cluster, or come late. This cluster's own workflows go on; a failover now would lose what was " +
				"not replicated.",
			Services: serverServices,
			Match: []Match{
				{Levels: failing, Message: []string{
					"replication task encountered error", "Failed to get replication tasks", "Failed to apply replication tasks", "ReplicationServiceError",
					"ReplicationStreamError", "replication is not making progress", "Stop the replication stream", "BiDirectionStream close error",
					"error resend history", "SyncWorkflowState failed", "failed to apply replication task",
				}},
				{Levels: failing, Component: "replication-task-processor"},
				{Levels: failing, Component: "history-replicator"},
			},
			Gates:  []string{"progress.dispatch"},
			Source: server + "service/history/replication, service/worker/replicator",
		},
		{
			ID: "nexus.failing", Severity: health.LogWarning,
			Title: "calls to Nexus endpoints or callbacks fail",
			Meaning: "What the server calls on behalf of workflows does not answer or refuses. It is tried again; the fault is most often with " +
				"whom it calls.",
			Services: serverServices,
			Match: []Match{{Levels: failing, Message: []string{
				"Callback request failed", "Nexus StartOperation request failed", "Nexus CancelOperation request failed",
				"received error from remote cluster for forwarded Nexus",
			}}},
			Gates:  []string{"progress.dispatch"},
			Source: server + "components/nexusoperations/executors.go, components/callbacks/nexus_invocation.go",
		},
	}
}
