package main

// What tells the level of a line in the formats of Temporal's server and SDKs.
const (
	errorLines = "`(?i)\"level\":\"(error|panic|fatal)\"|\\slevel=(error|panic|fatal)|\\t(error|panic|fatal)\\t`"
	badLines   = "`(?i)\"level\":\"(warn|error|panic|fatal)\"|\\slevel=(warn|error|panic|fatal)|\\t(warn|error|panic|fatal)\\t`"
	storeLines = "`(?i)persistence|sql|database|connection pool|SQLSTATE|40001|OC00[01]`"
	// workersLog tells the lines of SDK workers: those of the server name no
	// worker.
	workersLog = "`WorkerID`"
)

// logVariables choose where the logs are and which of them are meant.
func logVariables() []object {
	return []object{
		sourceVariable("loki", "Loki", "loki", ""),
		textVariable("logs", "Logs", `What tells the logs of this cluster from others, as in job="temporal", cluster="prod".`, `job="temporal"`),
	}
}

// logs is a closed row, so that nothing is asked of a Loki that is not there
// unless somebody wants to look. The filters narrow the lines down, as in
// "|~ `text`".
func logs(filters string) object {
	row := panel("row", "Logs", "", 24, 1)
	row["collapsed"] = true
	of := "{$logs} |~ " + badLines + filters
	counts := logPanel("timeseries", "Lines by writer", "Warnings and errors. What is new among them stands in Copilot Insights.", 8,
		"sum by (service_name) (count_over_time("+of+" [$__auto]))")
	defaults(counts)["custom"] = object{"drawStyle": "bars", "fillOpacity": 60, "lineWidth": 0, "stacking": object{"mode": "normal", "group": "A"}}
	lines := logPanel("logs", "Errors", "The newest lines; equal ones are shown once.", 16, "{$logs} |~ "+errorLines+filters)
	lines["options"] = object{
		"showTime": true, "wrapLogMessage": true, "enableLogDetails": true, "prettifyLogMessage": false,
		"sortOrder": "Descending", "dedupStrategy": "signature", "showLabels": false, "showCommonLabels": false,
	}
	row["panels"] = []object{counts, lines}
	return row
}

// logPanel shows what a Loki answers.
func logPanel(kind, title, description string, w int, expr string) object {
	p := panel(kind, title, description, w, 9)
	p["datasource"] = loki
	p["targets"] = []object{{
		"refId": "A", "datasource": loki, "expr": expr, "queryType": "range", "editorMode": "code",
		"legendFormat": "{{service_name}}", "maxLines": 200,
	}}
	return p
}
