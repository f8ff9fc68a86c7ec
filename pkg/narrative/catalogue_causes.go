package narrative

import (
	"slices"

	"github.com/temporal-sre/copilot/pkg/health"
)

// causePatterns are told by what an error says of its cause, whichever part of
// the server met it.
func causePatterns() []Pattern {
	return []Pattern{
		{
			ID: "auth.denied", Severity: health.LogError,
			Title: "authentication or authorization failed",
			Meaning: "Callers' claims could not be read or verified, or the keys to verify them could not be fetched. A call that is merely not " +
				"permitted is not logged by the server.",
			Services: serverServices,
			Match: []Match{
				{Levels: failing, Message: []string{
					"Authorization error", "Authorization internal error", "error during initial retrieval of token keys", "error while refreshing token keys",
					"failed to get claims",
				}},
				{Error: []string{"PermissionDenied", "Unauthenticated", "Request unauthorized", "Jwt is expired", "token is expired"}},
			},
			Gates:  []string{"progress.refused", "worker.pollers.none", "progress.collapsed"},
			Source: server + "common/authorization/interceptor.go, default_token_key_provider.go",
		},
		{
			ID: "tls.failing", Severity: health.LogError,
			Title: "TLS fails or certificates expire",
			Meaning: "A certificate has expired, is about to, or is not trusted, or a handshake failed. Connections that are open go on; new ones " +
				"between services, workers or the database fail.",
			Services: serverServices,
			Match: []Match{
				{Levels: failing, Message: []string{
					"failed to load certificates", "error while checking for certificate expiration", "error while looking up per-host provider",
					"cannot find a per-host provider", "certificate with thumbprint", "Failed to create tls config",
				}},
				{Error: []string{"x509: ", "tls: ", "authentication handshake failed", "SSL is not enabled on the server", "server refused TLS connection"}},
			},
			Gates:  []string{"progress.refused", "worker.pollers.none", "progress.collapsed", "telemetry.targets_down"},
			Source: server + "common/rpc/encryption; Go crypto/tls, crypto/x509",
		},
		{
			ID: "rpc.exhausted.persistence", Severity: health.LogWarning,
			Title: "the limit of persistence calls is reached",
			Meaning: "The server holds back its own calls because a limit of its configuration says so (persistenceMaxQPS and its kin). The " +
				"database itself may be idle.",
			Services: serverServices,
			Match:    exhausted("Persistence Max QPS Reached"),
			Gates:    []string{"pressure.throttled", "progress.refused", "progress.dispatch", "progress.waiting", "pressure.request_latency"},
			Source:   server + "common/persistence/persistence_rate_limited_clients.go",
		},
		{
			ID: "rpc.exhausted.rps", Severity: health.LogWarning,
			Title: "the limit of requests is reached",
			Meaning: "A namespace or an instance of the frontend has had its share of requests a second. That is a limit of the configuration, not " +
				"of the machine.",
			Services: serverServices,
			Match: exhausted("namespace rate limit exceeded", "service rate limit exceeded", "Read API rate limit exceeded",
				"business ID reuse rate limit exceeded", "too many requests issued to Worker Deployment"),
			Gates:  []string{"pressure.throttled", "pressure.polls_throttled", "progress.refused", "worker.pollers.none"},
			Source: server + "common/rpc/interceptor/rate_limit.go, namespace_rate_limit.go",
		},
		{
			ID: "rpc.exhausted.concurrent", Severity: health.LogWarning,
			Title:    "the limit of concurrent requests is reached",
			Meaning:  "A namespace has as many requests or polls open at once as it may have. More workers only meet the limit sooner.",
			Services: serverServices,
			Match: exhausted("concurrent poller limit exceeded", "too many concurrent waiters", "Max concurrent batch operations",
				"concurrent in-flight updates"),
			Gates:  []string{"pressure.polls_throttled", "pressure.throttled", "worker.pollers.none", "progress.refused"},
			Source: server + "common/rpc/interceptor/concurrent_request_limit.go",
		},
		{
			ID: "rpc.exhausted.aps", Severity: health.LogWarning,
			Title:    "the limit of actions is reached",
			Meaning:  "A namespace has had its actions a second. In Temporal Cloud that is the limit of the contract; work is delayed, not lost.",
			Services: serverServices,
			Match:    exhausted("Action per second limit exceeded"),
			Gates:    []string{"pressure.throttled", "progress.refused"},
			Source:   server + "service/history/consts/const.go",
		},
		{
			ID: "rpc.exhausted.overloaded", Severity: health.LogError,
			Title: "a part of the server is overloaded",
			Meaning: "A service sheds load: a queue or cache inside it is full. Unlike a limit of the configuration, this is about what the " +
				"instances can do.",
			Services: serverServices,
			Match: exhausted("cache capacity is fully occupied", "Too many outstanding appends", "circuit breaker rejection",
				"consistent query buffer is full"),
			Gates:  []string{"pressure.throttled", "progress.refused", "pressure.request_latency", "progress.dispatch"},
			Source: server + "common/cache/lru.go, service/matching/task_writer.go, service/history/consts/const.go",
		},
		{
			ID: "rpc.exhausted.busy", Severity: health.LogWarning,
			Title: "single workflows are too busy",
			Meaning: "Too much happens at once to one workflow, such as signals by the hundred, so its lock is contended. Other workflows are not " +
				"affected, and more hardware does not help.",
			Services: serverServices,
			Match:    exhausted("Workflow is busy", "workflow operation can not be applied because workflow is closing", "workflow update is not yet accepted"),
			Gates:    []string{"pressure.throttled", "pressure.request_latency"},
			Source:   server + "service/history/consts/const.go",
		},
		{
			ID: "rpc.exhausted", Severity: health.LogWarning,
			Title:    "a limit is reached",
			Meaning:  "Requests or tasks were held back because of a limit that is not named more closely.",
			Services: serverServices,
			Match:    exhausted("ResourceExhausted", "resource exhausted", "rate limit exceeded", "archival rate limited"),
			Gates:    []string{"pressure.throttled", "pressure.polls_throttled", "progress.refused"},
			Source:   "Temporal API 1.64, serviceerror.ResourceExhausted",
		},
		{
			ID: "persistence.denied", Severity: health.LogError,
			Title: "the database refuses the server's credentials or rights",
			Meaning: "A password or token is wrong or has expired, or the role lacks a right. Open connections may go on for a while; new ones " +
				"fail. It is not about the callers of the server.",
			Services: serverServices,
			Match: []Match{{Error: []string{
				"SQLSTATE 28", "SQLSTATE 42501", "password authentication failed", "unable to accept connection, access denied", "no pg_hba.conf entry",
				"permission denied for", "Access denied for user", "Wrong user to action mapping",
			}}},
			Gates: []string{
				"pressure.persistence_errors", "progress.refused", "progress.accepting", "progress.dispatch", "progress.collapsed",
				"telemetry.targets_down",
			},
			Source: "PostgreSQL, error codes class 28 and 42501; Aurora DSQL, authentication; MySQL, error 1045",
		},
		{
			ID: "persistence.exhausted", Severity: health.LogError,
			Title: "the database accepts no more connections",
			Meaning: "The database's own limit of connections, or of new connections a second, is reached. More replicas or bigger pools make it " +
				"worse.",
			Services: serverServices,
			Match: []Match{{Error: []string{
				"SQLSTATE 53300", "SQLSTATE 53400", "too many clients already", "too many connections", "too many open connections",
				"remaining connection slots are reserved", "unable to accept connection, rate exceeded",
			}}},
			Gates:  []string{"pressure.connection_pool", "pressure.persistence_errors", "pressure.persistence_latency", "progress.refused", "progress.dispatch"},
			Source: "PostgreSQL, error codes class 53; Aurora DSQL, quotas; MySQL, error 1040",
		},
		{
			ID: "persistence.conflict", Severity: health.LogWarning,
			Title: "transactions of the database conflict",
			Meaning: "Two transactions changed the same rows, or the schema changed meanwhile, and one has to be tried again (optimistic " +
				"concurrency). Some of it is normal; much of it means hot rows, or migrations under load. Nothing is lost.",
			Services: serverServices,
			Match: []Match{{Error: []string{
				"SQLSTATE 40001", "OC000", "OC001", "could not serialize access", "change conflicts with another transaction",
				"schema has been updated by another transaction", "SQLSTATE 40P01", "Deadlock found when trying to get lock", "database is locked",
			}}},
			Gates:  []string{"pressure.persistence_errors", "pressure.persistence_latency", "pressure.request_latency"},
			Source: "PostgreSQL, error codes class 40; Aurora DSQL, concurrency control; MySQL, error 1213",
		},
		{
			ID: "rpc.canceled", Severity: health.LogWarning,
			Title: "calls were given up",
			Meaning: "A call ended because its caller went away or stopped: a process that shuts down, a client that gave up. It is seldom a fault " +
				"of its own; restarts bring some.",
			Services: serverServices,
			Match:    []Match{{Error: []string{"context canceled", "code = Canceled", "transaction has already been committed or rolled back"}}},
			Gates:    []string{"pressure.request_latency"},
			Follows:  []string{"process.stop", "worker.stop", "rpc.deadline"},
			Source:   "Go context; " + server + "common/persistence/persistence_metric_clients.go",
		},
		{
			ID: "rpc.unavailable", Severity: health.LogError,
			Title: "services of the cluster do not reach one another",
			Meaning: "Calls between frontend, history, matching and worker find nobody: an instance is gone and not yet out of the ring, or the " +
				"network fails. Right after an instance went it is normal for half a minute. It is not about the database.",
			Services: serverServices,
			Match: []Match{
				{Message: []string{"network dial error"}},
				{Error: unreachablePeer},
			},
			Gates: []string{
				"progress.refused", "progress.dispatch", "progress.collapsed", "progress.head_of_line", "telemetry.targets_down",
				"pressure.request_latency", "pressure.shard_churn",
			},
			Follows: []string{"process.stop", "process.fatal", "process.crash", "process.panic", "tls.failing"},
			Source:  server + "common/rpc/dial_tracer.go, client/*/metric_client.go; grpc-go",
		},
		{
			ID: "shard.unknown", Severity: health.LogError,
			Title: "history shards have no certain owner",
			Meaning: "An instance does not know whether it still holds a shard, since a write to the database failed or timed out, or it is just " +
				"taking the shard over. Requests for workflows of that shard fail until it knows. Where it goes on, look at the database.",
			Services: serverServices,
			Match:    []Match{{Error: []string{"shard status unknown"}}},
			Gates: []string{
				"pressure.persistence_errors", "pressure.persistence_latency", "pressure.shard_churn", "progress.accepting", "progress.refused",
				"progress.dispatch", "progress.collapsed", "progress.head_of_line", "pressure.request_latency",
			},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "rpc.exhausted.persistence"},
			Source:  server + "service/history/shard/context_impl.go",
		},
		{
			ID: "shard.lost", Severity: health.LogWarning,
			Title: "history shards belong to somebody else now",
			Meaning: "An instance was asked about a shard that another one holds, or found that it was taken over. While members change it is " +
				"normal and short; if it goes on, instances disagree about who is there.",
			Services: serverServices,
			Match: []Match{
				{Error: []string{
					"Shard is owned", "ShardOwnershipLost", "shard ownership lost", "Failed to update shard. Previous range ID",
					"Failed to lock shard. Previous range ID", "shard closed",
				}},
				{Message: []string{"ShardOwnershipLostError"}},
			},
			Gates:   []string{"pressure.shard_churn", "progress.dispatch", "progress.accepting", "pressure.request_latency", "progress.refused"},
			Follows: []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "process.stop", "process.fatal", "process.crash", "membership.changed"},
			Source:  server + "common/serviceerror/shard_ownership_lost.go, common/persistence/sql/shard.go, common/persistence/cassandra/errors.go",
		},
		{
			ID: "matching.moved", Severity: health.LogWarning,
			Title: "task queues belong to somebody else now",
			Meaning: "A matching instance found that another one holds a task queue's partition, or the table of Nexus endpoints. While members " +
				"change it is normal and short. Tasks are kept.",
			Services: serverServices,
			Match:    []Match{{Error: []string{"task queue ownership lost", "endpoints table ownership lost", "Task queue range ID was", "task queue closed"}}},
			Gates:    []string{"pressure.shard_churn", "progress.head_of_line", "worker.schedule_to_start", "worker.pollers.none"},
			Follows:  []string{"persistence.unavailable", "persistence.exhausted", "persistence.denied", "persistence.conflict", "process.stop", "process.fatal", "process.crash", "membership.changed"},
			Source:   server + "service/matching/db.go, matching_engine.go, common/persistence/sql/task_v1.go",
		},
		{
			ID: "persistence.unavailable", Severity: health.LogError,
			Title: "the database does not answer",
			Meaning: "Connections to the database are refused, reset or time out, or it does not answer in time: it is down, fails over, is cut " +
				"off, or is too slow to answer. Every service of the cluster depends on it.",
			Services: serverServices,
			Match: []Match{
				{Message: []string{"unable to refresh database connection pool", "did not refresh database connection pool", "unable to refresh gocql session", "did not refresh gocql session"}},
				{Error: databaseGone},
				{Message: slices.Concat(persistenceMessages, persistenceUsers), Error: timeouts},
			},
			Gates: []string{
				"pressure.persistence_errors", "pressure.persistence_latency", "pressure.connection_pool", "progress.refused", "progress.accepting",
				"progress.dispatch", "progress.collapsed", "progress.head_of_line", "pressure.request_latency", "telemetry.targets_down",
			},
			Source: server + "common/persistence/sql/common.go, common/persistence/sql/sqlplugin/db_handle.go; pgx, lib/pq, go-sql-driver, gocql",
		},
	}
}

// exhausted matches refusals by their texts.
func exhausted(texts ...string) []Match { return []Match{{Error: texts}} }

// unreachablePeer are errors of calls between services.
var unreachablePeer = []string{
	"transport: Error while dialing", "connection error: desc", "error reading from server", "error reading server preface", "transport is closing",
	"closing transport due to", "no children to pick from", "produced zero addresses", "code = Unavailable", "Not enough hosts to serve the request", "Frontend is not healthy yet",
	"the client connection is closing", "the connection is draining", "keepalive ping failed", "received prior goaway",
}

// databaseGone are errors of a database that is not there or lost.
var databaseGone = []string{
	"no usable database connection found", "database connection lost", "failed to connect to `", "bad connection", "invalid connection",
	"connection refused", "connection reset by peer", "broken pipe", "i/o timeout", "no such host", "network is unreachable", "no route to host",
	"unexpected EOF", "conn closed", "server closed the connection", "SQLSTATE 57P01", "SQLSTATE 57P02", "SQLSTATE 57P03", "SQLSTATE 08",
	"the database system is", "terminating connection due to", "read-only transaction", "Error: context deadline exceeded",
	"Error: timeout", "no hosts available in the pool", "no response received from cassandra",
	"Cannot achieve consistency level", "Operation timed out",
}

// timeouts are errors of calls that were not answered in time.
var timeouts = []string{"context deadline exceeded", "DeadlineExceeded", "timed out", "timeout", "EOF", "closed network connection"}

// persistenceMessages are messages of failed calls to the database. They are
// written in two spellings.
var persistenceMessages = []string{
	"Persistent store operation failure", "Persistent fetch operation Failure", "Operation failed with internal error.",
	"Update workflow execution operation failed.", "Set workflow execution operation failed.", "transaction rollback error",
	"Error updating queue state", "Error range completing queue task", "Failed to load look ahead task", "Error refreshing namespace cache",
	"Error refreshing remote cluster metadata", "Cache unable to retrieve event from store", "failed to refresh search attributes cache",
	"Error closing SQL database",
}

// persistenceUsers are messages of what cannot go on without the database.
var persistenceUsers = []string{"Queue reader unable to retrieve tasks", "Membership upsert failed", "Failed to load shard", "Error acquiring shard"}
