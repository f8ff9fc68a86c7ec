package signals

import (
	"fmt"

	"github.com/temporal-sre/copilot/pkg/health"
)

// throttling are the requests refused with ResourceExhausted, by what can be
// done about it (enums/v1 ResourceExhaustedCause). Polls count too: workers
// whose polls a namespace's limit refuses starve beside full queues.
var throttling = []Definition{
	{
		ID: health.PollsThrottled, Class: health.Amplifier, Origin: FromServer, Service: "frontend", Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: "Throttled polls", Meaning: "Workers' polls that the frontend refused with ResourceExhausted: the tasks are there and may not be fetched.",
		Source: "service_errors_resource_exhausted",
		query: func(b builder) string {
			return exhausted(b, `operation=~"Poll.*TaskQueue"`, notBusyWorkflow)
		},
	},
	byCause(health.ThrottledByRate, "Throttled by rate limits", "RpsLimit|QpsLimit|ApsLimit|OpsLimit|BandwidthLimit|CallerRpsLimit",
		"Requests, polls included, beyond the rate that the namespace or the caller may have: a limit to raise, or a client to slow down."),
	byCause(health.ThrottledByConcurrency, "Throttled by concurrency", "ConcurrentLimit",
		"Requests beyond the number that may be open at once, which are nearly always polls: fewer pollers, or a higher limit."),
	byCause(health.ThrottledByPersistence, "Throttled by persistence limits", "PersistenceLimit|PersistenceStorageLimit",
		"Requests refused because the database calls that they need are beyond the limit."),
	byCause(health.ThrottledByOverload, "Throttled by overload", "SystemOverloaded|CircuitBreakerOpen",
		"Requests refused because the server is overloaded: the only cause that more capacity cures."),
	byCause(health.ThrottledByBusyWorkflow, "Throttled by busy workflows", "BusyWorkflow",
		"Requests refused because too many want the same workflow: contention on one workflow, not on the server."),
}

// byCause is the rate of requests refused for some of the causes.
func byCause(id health.SignalID, title, causes, meaning string) Definition {
	return Definition{
		ID: id, Class: health.Amplifier, Origin: FromServer, Service: "frontend", Scope: health.KindNamespace, Unit: "1/s", Rollup: Sum, Events: true,
		Title: title, Meaning: meaning,
		Source: "service_errors_resource_exhausted{resource_exhausted_cause}",
		query: func(b builder) string {
			return exhausted(b, fmt.Sprintf("resource_exhausted_cause=~%q", causes))
		},
	}
}

// exhausted is the rate, by namespace, of what the frontend refused with
// ResourceExhausted. The inner services' refusals reach the caller through it
// and would count twice.
func exhausted(b builder, matchers ...string) string {
	return sumBy("namespace", b.rateFromBirth("service_errors_resource_exhausted"+b.naming.Counter, append(matchers, frontend)...))
}
