package recording

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/temporal-sre/copilot/pkg/signals"
)

// metricName finds the metrics of a query of the catalogue: there each is
// written with braces.
var metricName = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{`)

// alerting are the base names of what usual alert rules read beside the
// catalogue, so that they can be tried on the same recordings.
var alerting = []string{
	"service_errors", "service_errors_resource_exhausted", "service_error_with_type",
	"poll_success", "poll_success_sync", "poll_timeouts", "no_poller_tasks", "pending_polls",
	"persistence_errors", "persistence_error_with_type", "restarts", "numshards_gauge", "membership_changed_count",
}

// explaining are base names of what helps to understand an incident and is not
// in the catalogue: how far the history queues are behind, and how clients and
// workers fare.
var explaining = []string{
	"pending_tasks_count", "pending_tasks_sum", "task_errors", "task_requests",
	"shardinfo_immediate_queue_backlog_age_count", "shardinfo_immediate_queue_backlog_age_sum",
	"persistence_errors_resource_exhausted", "sync_match_unavailable",
	"temporal_sticky_cache_size", "temporal_sticky_cache_total_forced_eviction",
	"temporal_long_request", "temporal_long_request_failure",
	"temporal_long_request_latency_seconds_count", "temporal_long_request_latency_seconds_sum",
	"temporal_request_failure", "temporal_workflow_task_queue_poll_succeed", "temporal_workflow_task_queue_poll_empty",
}

// Selectors are those of the series that a recording keeps: the metrics that
// the signal catalogue reads in either dialect, and those that usual alert
// rules read.
func Selectors() []string {
	names := []string{"up"}
	for _, dialect := range []signals.Dialect{
		{Server: signals.TallyServer, Workers: []signals.Naming{signals.GoSDK}},
		{Server: signals.OTelServer, Workers: []signals.Naming{signals.GoSDK}},
	} {
		for _, request := range signals.Requests(dialect, "", signals.Windows{}) {
			for _, match := range metricName.FindAllStringSubmatch(request.Query, -1) {
				names = append(names, match[1])
			}
		}
		for _, name := range slices.Concat(alerting, explaining) {
			names = append(names, name, name+dialect.Server.Counter)
		}
	}
	// Where the observer looks to tell the dialects apart.
	names = append(names, "temporal_worker_start", "temporal_worker_start_total", "temporal_long_request_total",
		"temporal_long_request_failure_total", "temporal_request_failure_total", "temporal_sticky_cache_total_forced_eviction_total",
		"temporal_workflow_task_queue_poll_succeed_total", "temporal_workflow_task_queue_poll_empty_total")
	slices.Sort(names)
	return []string{fmt.Sprintf("{__name__=~%q}", strings.Join(slices.Compact(names), "|"))}
}
