package signals

import (
	"fmt"
	"strings"
)

// Naming is how one exporter spells the kinds of metric. Temporal's metrics
// have the same base names everywhere and differ in their suffixes.
type Naming struct {
	// Cloud is Temporal Cloud's OpenMetrics endpoint, whose metrics have names
	// of their own (temporal_cloud_v1_…); the suffixes are then empty.
	Cloud bool
	// Counter is appended to counters: "" or "_total".
	Counter string
	// Timer is appended to timers before _bucket, _count and _sum: "",
	// "_seconds" or "_milliseconds".
	Timer string
	// Millis converts a timer's values to milliseconds: 1000 or 1.
	Millis float64
	// Histogram is appended to dimensionless histograms: "" or "_ratio".
	Histogram string
}

// TallyServer is the server's default: no suffixes, timers in seconds.
var TallyServer = Naming{Millis: 1000}

// OTelServer is the server with framework "opentelemetry" and its default
// options.
var OTelServer = Naming{Counter: "_total", Timer: "_milliseconds", Millis: 1, Histogram: "_ratio"}

// GoSDK is the Go and Java SDKs' naming through tally with the Prometheus
// naming scope.
var GoSDK = Naming{Counter: "_total", Timer: "_seconds", Millis: 1000}

// CloudServer is Temporal Cloud's OpenMetrics endpoint.
var CloudServer = Naming{Cloud: true}

// named are the namings that have a name, in the order in which they are
// listed to users.
var named = []struct {
	name   string
	naming Naming
}{
	{"tally", TallyServer},
	{"opentelemetry", OTelServer},
	{"prometheus", GoSDK},
	{"cloud", CloudServer},
}

// String names the naming as users know it, or spells its suffixes when it is
// a mixture, as in "counters:_total,timers:none/ms,histograms:none". The unit
// follows the suffix of the timers only where the suffix does not tell it.
func (n Naming) String() string {
	for _, known := range named {
		if n == known.naming {
			return known.name
		}
	}
	timers := suffixText(n.Timer)
	if n.Timer == "" {
		timers += "/" + unitText(n.Millis)
	}
	return fmt.Sprintf("counters:%s,timers:%s,histograms:%s", suffixText(n.Counter), timers, suffixText(n.Histogram))
}

func suffixText(suffix string) string {
	if suffix == "" {
		return "none"
	}
	return suffix
}

func unitText(millis float64) string {
	if millis == 1 {
		return "ms"
	}
	return "s"
}

// Sanitizes tells whether the naming looks like that of tally's reporter, which
// rewrites label values too. OpenTelemetry without suffixes looks the same and
// does not: it is a guess, for want of better evidence.
func (n Naming) Sanitizes() bool {
	return !n.Cloud && n.Counter == "" && n.Histogram == "" && n.Timer == ""
}

// Dialect is how a deployment names the metrics of its server and of its
// workers.
type Dialect struct {
	Server Naming
	// Workers lists every naming that the fleet uses; it is empty when no
	// worker exports metrics.
	Workers []Naming
	// Sanitized tells that the server or the workers replace every character
	// of a label value that is not a letter, digit or underscore. Names of
	// namespaces and task queues are then compared in that form.
	Sanitized bool
	// ServerExported and WorkersExported tell that Prometheus gives the targets
	// a label "namespace" of its own, as the Prometheus Operator does in
	// Kubernetes, and has renamed Temporal's to ExportedNamespace.
	ServerExported, WorkersExported bool
}

// ExportedNamespace is what Prometheus calls a label "namespace" that a target
// has a label for (scrape option honor_labels: false, the default).
const ExportedNamespace = "exported_namespace"

// String describes the dialect in one line, as in
// "server=tally workers=prometheus". ParseChoice reads it back. Whether names
// are sanitised is said where the server's naming does not imply it.
func (d Dialect) String() string {
	workers := make([]string, 0, len(d.Workers))
	for _, n := range d.Workers {
		workers = append(workers, n.String())
	}
	if len(workers) == 0 {
		workers = []string{noWorkers}
	}
	text := "server=" + d.Server.String() + " workers=" + strings.Join(workers, "+")
	switch {
	case d.Sanitized && !d.Server.Sanitizes():
		text += " names=" + namesSanitized
	case !d.Sanitized && d.Server.Sanitizes():
		text += " names=" + namesRaw
	}
	return text
}

// Sanitize replaces every character that is not a letter, digit or underscore,
// as tally's reporter does, so that one spelling of a task queue meets another.
func Sanitize(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, name)
}
