package main

import (
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

// ratio makes a field of values from 0 to 1, shown as a percentage.
func ratio(name, title, description string, value float64) *data.Field {
	f := withUnit(field(name, title, description, []float64{value}), "percentunit")
	f.Config.SetMin(0).SetMax(1).SetDecimals(0)
	return f
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
