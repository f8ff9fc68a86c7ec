package main

// insights is the dashboard that one opens first (requirement R7).
func insights() dashboard {
	hero := copilotPanel(heroPlugin, "Copilot Insights", "The verdict, since when, how sure, why, what to do and what not to do.", 24, 20,
		ask("status", "status", object{"live": true}), ask("issues", "issues", nil), ask("actions", "actions", nil), ask("summary", "summary", nil),
		ask("scopes", "scopes", nil), ask("services", "services", nil), ask("timeline", "timeline", nil))
	// The ribbon shows a day, whatever the dashboard's time range is.
	hero["timeFrom"], hero["hideTimeOverride"] = "24h", true
	hero["options"] = object{
		"filterVariable": "state", "ribbon": true, "columns": "auto", "density": "comfortable", "guideBaseUrl": "",
	}

	services := table("Services", "The services of the Temporal server, the worst first.", 8, 8, ask("A", "services", inState()),
		"kind", "namespace", "share", "asked", "served", "waiting", "oldest_sec", "pollers", "trend")
	link(services, "name", "Server Health", "/d/copilot-server-health"+same)
	scopes := table("Namespaces and task queues", "Where work is done, the worst first.", 16, 8, ask("A", "scopes", inState()), "trend", "gates")
	link(scopes, "name",
		"All workers", "/d/copilot-workers"+same,
		"Workers of this task queue", "/d/copilot-workers"+same+"&var-queue=${__value.raw:percentencode}")

	guided := table("Suggested actions", "What the rules suggest, the most trusted first. Nothing here carries one out.", 12, 9,
		ask("A", "actions", nil), "id", "parameters", "gates")
	override(guided, "confidence", "custom.cellOptions", object{"type": "gauge", "mode": "basic"})
	issues := table("Open issues", "What is wrong now, the worst first.", 12, 9, ask("A", "issues", inState()),
		"id", "kind", "status", "changed_at", "gates")
	logs := table("Log pattern alerts", "What is in the logs, what is news first. Logs explain a state and never decide it.", 12, 7, ask("A", "log_patterns", nil),
		"id", "first_at", "last_at", "lag", "sample")
	override(logs, "service", "custom.cellOptions", object{"type": "pill"})
	changes := table("State changes", "When the state changed, and the rules that had fired.", 12, 7, ask("A", "transitions", inState()))

	return dashboard{
		uid: "copilot-insights", title: "Copilot Insights", from: "now-6h",
		description: "Is the Temporal cluster making forward progress? The copilot's verdict with all that it rests on.",
		variables: []object{
			sourceVariable("copilot", "Copilot", copilotPlugin, "temporal-sre-copilot"), clusterVariable(), stateVariable(),
		},
		panels: []object{
			hero,
			signalGrid("Forward progress", "The signals that decide the state.",
				"state_transitions_per_sec", "arrivals_per_sec", "workflow_tasks_completed_per_sec", "activity_tasks_completed_per_sec",
				"backlog_count", "backlog_age_sec"),
			signalGrid("Pressure", "The signals that explain it.",
				"request_latency_ms", "dsql_latency_ms", "persistence_errors_per_sec", "occ_conflicts_per_sec",
				"connection_pool_utilization", "shard_churn_per_sec"),
			signalGrid("Workers", "How the workers fare.",
				"pollers", "worker_slots_available", "worker_slots_used", "worker_schedule_to_start_ms",
				"sticky_cache_misses_per_sec", "poll_failures_per_sec"),
			services, scopes, issues, guided,
			stateTimeline("Timeline", 24, 6, inState()),
			logs, changes,
		},
	}
}

// signalGrid shows some signals as tiles with sparklines.
func signalGrid(title, description string, signals ...string) object {
	p := copilotPanel("stat", title, description, 8, 8, ask("A", "signals", object{"signals": signals}))
	p["options"] = object{
		"colorMode": "none", "graphMode": "area", "textMode": "value_and_name", "justifyMode": "auto", "orientation": "auto", "wideLayout": true,
		"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
	defaults(p)["color"] = object{"mode": "fixed", "fixedColor": "blue"}
	defaults(p)["noValue"] = "no data"
	return p
}

// same keeps the time range, the data source and the cluster on the way to
// another dashboard.
const same = "?${__url_time_range}&${copilot:queryparam}&${cluster:queryparam}"

// link makes the values of a field links to other dashboards, given as a title
// and a URL each.
func link(p object, name string, titlesAndURLs ...string) {
	var links []object
	for i := 0; i+1 < len(titlesAndURLs); i += 2 {
		links = append(links, object{"title": titlesAndURLs[i], "url": titlesAndURLs[i+1]})
	}
	override(p, name, "links", links)
}
