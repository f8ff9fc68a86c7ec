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
// in the catalogue: how history's queues fare, and how clients and workers do.
var explaining = []string{
	"task_errors", "task_requests", "sync_match_unavailable",
	"temporal_long_request", "temporal_request_failure",
	"temporal_workflow_task_queue_poll_succeed", "temporal_workflow_task_queue_poll_empty",
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
	for _, counter := range []string{
		"temporal_worker_start", "temporal_poller_start", "temporal_workflow_completed", "temporal_long_request",
		"temporal_request_failure", "temporal_workflow_task_queue_poll_succeed", "temporal_workflow_task_queue_poll_empty",
	} {
		names = append(names, counter, counter+"_total")
	}
	slices.Sort(names)
	return []string{fmt.Sprintf("{__name__=~%q}", strings.Join(slices.Compact(names), "|"))}
}
