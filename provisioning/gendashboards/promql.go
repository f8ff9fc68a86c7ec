package main

import (
	"fmt"
	"strings"
)

// What queries leave out: the server's own namespace and task queues, and
// requests that wait on purpose, without which an idle cluster reads a latency of
// 90 seconds.
const (
	ours          = `$selector`
	users         = ours + `, namespace!~"temporal[._-]system"`
	userQueues    = users + `, taskqueue!~"temporal[._-]sys.*|default[._-]worker[._-]tq"`
	userPolls     = userQueues + `, taskqueue=~"$queue"`
	workerPolls   = ours + `, namespace!~"temporal[._-]system", task_queue!~"temporal[._-]sys.*|default[._-]worker[._-]tq", task_queue=~"$queue"`
	workerSide    = ours + `, namespace!~"temporal[._-]system", service_name!="worker"`
	quickRequests = ours + `, operation!~"Poll.*|.*LongPoll.*|GetWorkflowExecutionHistory.*|.*GetTaskQueueUserData"`
)

// line is a query of a chart.
type line struct{ expr, legend string }

// either joins the ways to ask the same of metrics of different naming; the
// first that has series answers.
func either(ways ...string) string { return strings.Join(ways, " or ") }

// rate is how often a counter counts, by labels. Tally names counters as they
// are, OpenTelemetry and the SDKs' Prometheus naming add _total.
func rate(counter, selector, by string) string {
	way := func(suffix string) string {
		return fmt.Sprintf("sum%s (rate(%s%s{%s}[$__rate_interval]))", grouped(by), counter, suffix, selector)
	}
	return either(way(""), way("_total"))
}

// share is one counter's part of another.
func share(part, partSelector, whole, wholeSelector, by string) string {
	way := func(suffix string) string {
		return fmt.Sprintf("sum%[1]s (rate(%[2]s%[6]s{%[3]s}[$__rate_interval])) / sum%[1]s (rate(%[4]s%[6]s{%[5]s}[$__rate_interval]))",
			grouped(by), part, partSelector, whole, wholeSelector, suffix)
	}
	return either(way(""), way("_total"))
}

// quantile is a quantile of a timer in seconds, by labels. Tally and the SDKs
// measure in seconds, OpenTelemetry in milliseconds.
func quantile(q float64, timer, selector, by string) string {
	labels := "le"
	if by != "" {
		labels += ", " + by
	}
	way := func(suffix string) string {
		return fmt.Sprintf("histogram_quantile(%g, sum by (%s) (rate(%s%s_bucket{%s}[$__rate_interval])))", q, labels, timer, suffix, selector)
	}
	return either(way(""), way("_seconds"), way("_milliseconds")+" / 1000")
}

// gauge aggregates a gauge, by labels.
func gauge(aggregate, name, selector, by string) string {
	return fmt.Sprintf("%s%s (%s{%s})", aggregate, grouped(by), name, selector)
}

// grouped writes the labels to group by.
func grouped(by string) string {
	if by == "" {
		return ""
	}
	return " by (" + by + ")"
}

// metricVariables choose where the metrics are and which of them are meant.
func metricVariables(more ...object) []object {
	return append([]object{
		sourceVariable("copilot", "Copilot", copilotPlugin, "temporal-sre-copilot"), clusterVariable(),
		sourceVariable("prometheus", "Prometheus", "prometheus", ""),
		textVariable("selector", "Selector", `What tells the metrics of this cluster from others, as in cluster="prod".`, `job=~".+"`),
	}, more...)
}
