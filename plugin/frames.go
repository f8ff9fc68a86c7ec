package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// frameVersion is the version of the data plane contract that the frames keep.
var frameVersion = data.FrameTypeVersion{0, 1}

// unobserved stands in a timeline for time in which nobody looked.
const unobserved = "unobserved"

// stateMappings show a state as a word with its colour.
var stateMappings = data.ValueMappings{data.ValueMapper{
	health.Happy.String():    {Text: "Happy", Color: "green", Index: 0},
	health.Stressed.String(): {Text: "Stressed", Color: "orange", Index: 1},
	health.Critical.String(): {Text: "Critical", Color: "red", Index: 2},
	health.Unknown.String():  {Text: "Unknown", Color: "gray", Index: 3},
	unobserved:               {Text: "Not observed", Color: "transparent", Index: 4},
}}

// stateNumberMappings do the same for the numbers of the states.
var stateNumberMappings = data.ValueMappings{data.ValueMapper{
	"0": {Text: "Unknown", Color: "gray", Index: 0},
	"1": {Text: "Happy", Color: "green", Index: 1},
	"2": {Text: "Stressed", Color: "orange", Index: 2},
	"3": {Text: "Critical", Color: "red", Index: 3},
}}

// bottleneckMappings name the layer that makes work wait.
var bottleneckMappings = data.ValueMappings{data.ValueMapper{
	string(health.BottleneckHealthy): {Text: "None", Color: "green", Index: 0},
	string(health.BottleneckServer):  {Text: "Server", Color: "orange", Index: 1},
	string(health.BottleneckWorker):  {Text: "Workers", Color: "orange", Index: 2},
	string(health.BottleneckMixed):   {Text: "Server and workers", Color: "orange", Index: 3},
	string(health.BottleneckUnknown): {Text: "Unknown", Color: "gray", Index: 4},
}}

// blindMappings tell whether the copilot could see the cluster.
var blindMappings = data.ValueMappings{data.ValueMapper{
	"false": {Text: "Sees", Color: "green", Index: 0},
	"true":  {Text: "Blind", Color: "purple", Index: 1},
}}

// riskMappings show what an action may cost when it is wrong.
var riskMappings = data.ValueMappings{data.ValueMapper{
	string(health.RiskNone):   {Text: "None", Color: "gray", Index: 0},
	string(health.RiskLow):    {Text: "Low", Color: "blue", Index: 1},
	string(health.RiskMedium): {Text: "Medium", Color: "orange", Index: 2},
	string(health.RiskHigh):   {Text: "High", Color: "red", Index: 3},
}}

// severityMappings show the severity of an issue, which is the state that it
// argues for.
var severityMappings = data.ValueMappings{data.ValueMapper{
	health.Happy.String():    {Text: "Remark", Color: "blue", Index: 0},
	health.Stressed.String(): {Text: "Stressed", Color: "orange", Index: 1},
	health.Critical.String(): {Text: "Critical", Color: "red", Index: 2},
}}

// kindMappings name the kinds of place in a cluster.
var kindMappings = data.ValueMappings{data.ValueMapper{
	string(health.KindCluster):   {Text: "Cluster", Index: 0},
	string(health.KindService):   {Text: "Service", Index: 1},
	string(health.KindNamespace): {Text: "Namespace", Index: 2},
	string(health.KindTaskQueue): {Text: "Task queue", Index: 3},
	string(health.KindReplica):   {Text: "Replica", Index: 4},
}}

// outcomeMappings show the answer of a gate.
var outcomeMappings = data.ValueMappings{data.ValueMapper{
	string(health.Fire):      {Text: "Fires", Color: "orange", Index: 0},
	string(health.Undecided): {Text: "Not known", Color: "gray", Index: 1},
	string(health.Pass):      {Text: "Passes", Color: "green", Index: 2},
}}

// yesMappings show a flag that is no good news when it is set.
var yesMappings = data.ValueMappings{data.ValueMapper{
	"false": {Text: "No", Color: "text", Index: 0},
	"true":  {Text: "Yes", Color: "purple", Index: 1},
}}

// guides is where runbooks are read, and the only place that says so: the panels
// take it from the frames. Grafana puts a runbook's name in.
const guides = "https://github.com/temporal-sre/copilot/blob/main/runbooks/${__value.raw}.md"

// field makes a field with a name for people and one sentence about it.
func field(name, title, description string, values any) *data.Field {
	f := data.NewField(name, nil, values)
	f.Config = &data.FieldConfig{DisplayNameFromDS: title, Description: description}
	return f
}

// withUnit sets the unit that values are shown in.
func withUnit(f *data.Field, unit string) *data.Field {
	f.Config.Unit = unit
	return f
}

// withMappings sets how values are shown.
func withMappings(f *data.Field, mappings data.ValueMappings) *data.Field {
	f.Config.Mappings = mappings
	return f
}

// column makes the values of a field out of rows.
func column[Row, Value any](rows []Row, value func(*Row) Value) []Value {
	values := make([]Value, len(rows))
	for i := range rows {
		values[i] = value(&rows[i])
	}
	return values
}

// table makes a frame that table panels show.
func table(name string, fields ...*data.Field) *data.Frame {
	frame := data.NewFrame(name, fields...)
	frame.Meta = &data.FrameMeta{
		Type:                   data.FrameTypeTable,
		TypeVersion:            frameVersion,
		PreferredVisualization: data.VisTypeTable,
	}
	return frame
}

// withLink makes values links.
func withLink(f *data.Field, title, url string) *data.Field {
	f.Config.Links = append(f.Config.Links, data.DataLink{Title: title, URL: url, TargetBlank: true})
	return f
}

// asShare shows values from 0 to 1 as percentages.
func asShare(f *data.Field) *data.Field {
	f.Config.Unit = "percentunit"
	f.Config.SetMin(0).SetMax(1).SetDecimals(0)
	return f
}

// optional is a text that may not be there: an empty one is none.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// kindOf names the kind of a scope; the zero value is the cluster.
func kindOf(scope health.Scope) string {
	if scope.IsCluster() {
		return string(health.KindCluster)
	}
	return string(scope.Kind)
}

// listed joins ids for a cell of a table.
func listed(ids []string) string { return strings.Join(ids, ", ") }

// jsonList writes numbers as a JSON array, which is how a cell holds a trend.
func jsonList(numbers []float64) (string, error) {
	if len(numbers) == 0 {
		return "[]", nil
	}
	text, err := json.Marshal(numbers)
	return string(text), err
}

// ratio makes a field of values from 0 to 1, shown as a percentage.
func ratio(name, title, description string, value float64) *data.Field {
	return asShare(field(name, title, description, []float64{value}))
}

// grafanaUnit is Grafana's name for a unit of the catalogue.
func grafanaUnit(unit string) string {
	switch unit {
	case "1/s":
		return "cps"
	case "1":
		return "short"
	}
	return unit // s, ms
}

// moment is an instant as a nullable value: the zero instant is no time.
func moment(at instant.Instant) *time.Time {
	if at.IsZero() {
		return nil
	}
	t := at.Time()
	return &t
}

// scopeWords names a place in the cluster for people.
func scopeWords(scope health.Scope) string {
	switch scope.Kind {
	case health.KindTaskQueue:
		words := scope.Namespace + "/" + scope.Name
		if scope.TaskType != "" {
			words += fmt.Sprintf(" (%s tasks)", scope.TaskType)
		}
		return words
	case health.KindService:
		return scope.Name + " service"
	case health.KindNamespace:
		return "namespace " + scope.Name
	case health.KindReplica:
		return strings.TrimSpace(scope.Service + " replica " + scope.Name)
	}
	return "cluster"
}

// age words a duration as people say it, in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
