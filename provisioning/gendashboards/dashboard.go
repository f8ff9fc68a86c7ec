package main

import "strings"

// object is a JSON object.
type object = map[string]any

// The plugins that the dashboards use beside Grafana's own.
const (
	copilotPlugin = "temporalsre-copilot-datasource"
	heroPlugin    = "temporalsre-copilothero-panel"
)

// Data sources are variables, so that a dashboard works wherever it is imported.
// The copilot's is provisioned under the uid that the variable begins with.
var (
	copilot    = object{"type": copilotPlugin, "uid": "${copilot}"}
	prometheus = object{"type": "prometheus", "uid": "${prometheus}"}
	loki       = object{"type": "loki", "uid": "${loki}"}
)

// dashboard is what one of them differs by.
type dashboard struct {
	uid, title, description string
	from                    string
	variables               []object
	panels                  []object
}

// model is the dashboard as Grafana reads it.
func (d dashboard) model() object {
	place(d.panels)
	return object{
		"uid": d.uid, "title": d.title, "description": d.description,
		"tags": []string{"temporal", "copilot"}, "schemaVersion": 41, "version": 1, "editable": true,
		"timezone": "browser", "graphTooltip": 1, "refresh": "30s",
		"time":       object{"from": d.from, "to": "now"},
		"timepicker": object{"refresh_intervals": []string{"10s", "30s", "1m", "5m"}},
		"links": []object{{
			"type": "dashboards", "title": "Temporal", "tags": []string{"temporal", "copilot"}, "asDropdown": false,
			"includeVars": true, "keepTime": true, "targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
		}},
		"annotations": object{"list": []object{
			mark("State changes", "transitions", "purple", true),
			mark("Issues", "issues", "orange", false),
		}},
		"templating": object{"list": d.variables},
		"panels":     d.panels,
	}
}

// mark is an annotation of what the copilot saw.
func mark(name, events, colour string, on bool) object {
	return object{
		"name": name, "datasource": copilot, "enable": on, "iconColor": colour,
		"target": object{"refId": "Anno", "queryType": "annotations", "events": events, "cluster": "$cluster"},
	}
}

// place puts panels from left to right, and in the next line when one is full.
// The height of a line is that of its first panel. What is in a row that is
// closed stands below it.
func place(panels []object) {
	x, y, height, id := 0, 0, 0, 0
	var put func(panels []object)
	put = func(panels []object) {
		for _, panel := range panels {
			at := panel["gridPos"].(object)
			if x+at["w"].(int) > 24 {
				x, y = 0, y+height
			}
			if x == 0 {
				height = at["h"].(int)
			}
			id++
			at["x"], at["y"], panel["id"] = x, y, id
			x += at["w"].(int)
			if inside, ok := panel["panels"].([]object); ok {
				put(inside)
			}
		}
	}
	put(panels)
}

// sourceVariable lets one choose a data source.
func sourceVariable(name, label, plugin, uid string) object {
	v := object{
		"type": "datasource", "name": name, "label": label, "query": plugin,
		"hide": 0, "multi": false, "includeAll": false, "regex": "", "refresh": 1, "options": []object{},
	}
	if uid != "" {
		v["current"] = object{"text": "Temporal SRE Copilot", "value": uid}
	}
	return v
}

// clusterVariable lets one choose a cluster that the copilot observes.
func clusterVariable() object {
	return object{
		"type": "query", "name": "cluster", "label": "Cluster", "datasource": copilot,
		"query":      object{"refId": "Variable", "queryType": "variables", "list": "clusters"},
		"definition": "clusters", "hide": 0, "multi": false, "includeAll": false, "regex": "", "refresh": 1, "sort": 1, "options": []object{},
	}
}

// textVariable is typed in.
func textVariable(name, label, description, value string) object {
	return object{
		"type": "textbox", "name": name, "label": label, "description": description, "query": value, "hide": 0,
		"current": object{"text": value, "value": value}, "options": []object{},
	}
}

// stateVariable is what the hero panel's filter sets.
func stateVariable() object {
	options := []object{{"text": "All", "value": "$__all", "selected": true}}
	for _, name := range []string{"happy", "stressed", "critical"} {
		options = append(options, object{"text": strings.ToUpper(name[:1]) + name[1:], "value": name, "selected": false})
	}
	return object{
		"type": "custom", "name": "state", "label": "State", "description": "Narrows the dashboard down to what is in a state.",
		"query": "Happy : happy, Stressed : stressed, Critical : critical",
		"hide":  0, "multi": false, "includeAll": true, "allValue": "all",
		"current": object{"text": "All", "value": "$__all"}, "options": options,
	}
}

// panel makes a panel of a size in grid units.
func panel(kind, title, description string, w, h int) object {
	return object{
		"type": kind, "title": title, "description": description, "gridPos": object{"w": w, "h": h},
		"fieldConfig": object{"defaults": object{}, "overrides": []object{}}, "options": object{},
	}
}

// ask makes a query of the copilot's data source about the chosen cluster.
func ask(refID, queryType string, fields object) object {
	query := object{"refId": refID, "datasource": copilot, "queryType": queryType, "cluster": "$cluster"}
	for name, value := range fields {
		query[name] = value
	}
	return query
}

// inState narrows a query down to what is in the chosen state.
func inState() object { return object{"states": []string{"$state"}} }

// copilotPanel shows what the copilot says.
func copilotPanel(kind, title, description string, w, h int, queries ...object) object {
	p := panel(kind, title, description, w, h)
	p["datasource"], p["targets"] = copilot, queries
	return p
}

// table shows a frame; what is hidden is there for other panels and programs.
func table(title, description string, w, h int, query object, hidden ...string) object {
	p := copilotPanel("table", title, description, w, h, query)
	exclude := object{}
	for _, name := range hidden {
		exclude[name] = true
	}
	p["transformations"] = []object{{"id": "organize", "options": object{"excludeByName": exclude, "indexByName": object{}, "renameByName": object{}}}}
	p["options"] = object{"showHeader": true, "cellHeight": "sm", "footer": object{"show": false}}
	defaults(p)["custom"] = object{"align": "auto", "cellOptions": object{"type": "auto"}, "filterable": true}
	for _, name := range []string{"state", "severity", "risk", "to", "from", "outcome"} {
		override(p, name, "custom.cellOptions", object{"type": "color-text"})
	}
	return p
}

// defaults are the settings of all fields of a panel.
func defaults(p object) object { return p["fieldConfig"].(object)["defaults"].(object) }

// override sets a property of one field of a panel.
func override(p object, name, property string, value any) {
	config := p["fieldConfig"].(object)
	config["overrides"] = append(config["overrides"].([]object), object{
		"matcher": object{"id": "byName", "options": name}, "properties": []object{{"id": property, "value": value}},
	})
}

// chart draws Prometheus queries over time.
func chart(title, description, unit string, w int, lines ...line) object {
	p := panel("timeseries", title, description, w, 8)
	p["datasource"] = prometheus
	targets := make([]object, len(lines))
	for i, l := range lines {
		targets[i] = object{
			"refId": string(rune('A' + i)), "datasource": prometheus, "expr": l.expr, "legendFormat": l.legend,
			"range": true, "editorMode": "code",
		}
	}
	p["targets"] = targets
	defaults(p)["unit"] = unit
	defaults(p)["custom"] = object{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": false}
	p["options"] = object{
		"legend":  object{"displayMode": "table", "placement": "bottom", "calcs": []string{"lastNotNull", "max"}, "showLegend": true},
		"tooltip": object{"mode": "multi", "sort": "desc"},
	}
	return p
}

// verdicts is the strip of states on top of the dashboards that show metrics: the
// charts below it are read against it.
func verdicts() []object {
	now := copilotPanel("stat", "Verdict", "What the copilot says now.", 4, 4, ask("A", "status", nil))
	now["options"] = object{
		"colorMode": "background", "textMode": "value", "graphMode": "none", "justifyMode": "center",
		"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "/^State$/", "values": false},
	}
	return []object{now, stateTimeline("Verdicts over time", 20, 4, nil)}
}

// stateTimeline draws the states of the time range.
func stateTimeline(title string, w, h int, fields object) object {
	p := copilotPanel("state-timeline", title, "The state in each stretch of time, and whether the copilot could see the cluster.", w, h,
		ask("A", "timeline", fields))
	p["options"] = object{
		"mergeValues": true, "showValue": "auto", "rowHeight": 0.9, "alignValue": "left",
		"legend": object{"showLegend": true, "displayMode": "list", "placement": "bottom"}, "tooltip": object{"mode": "single"},
	}
	defaults(p)["custom"] = object{"fillOpacity": 75, "lineWidth": 0}
	return p
}
