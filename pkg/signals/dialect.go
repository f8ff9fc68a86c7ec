package signals

import (
	"fmt"
	"strings"
)

// Naming is how one exporter spells the kinds of metric. Temporal's metrics
// have the same base names everywhere and differ in their suffixes.
type Naming struct {
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

// String names the dialect as users know it, or spells its parts when it is a
// mixture.
func (n Naming) String() string {
	switch n {
	case TallyServer:
		return "tally"
	case OTelServer:
		return "opentelemetry"
	case Naming{Counter: "_total", Timer: "_seconds", Millis: 1000}:
		return "prometheus"
	}
	unit := "s"
	if n.Millis == 1 {
		unit = "ms"
	}
	return fmt.Sprintf("counter=%q timer=%q(%s) histogram=%q", n.Counter, n.Timer, unit, n.Histogram)
}

// TallyServer is the server's default: no suffixes, timers in seconds.
var TallyServer = Naming{Millis: 1000}

// OTelServer is the server with framework "opentelemetry" and its default
// options.
var OTelServer = Naming{Counter: "_total", Timer: "_milliseconds", Millis: 1, Histogram: "_ratio"}

// GoSDK is the Go and Java SDKs' naming through tally with the Prometheus
// naming scope.
var GoSDK = Naming{Counter: "_total", Timer: "_seconds", Millis: 1000}

// Dialect is how a deployment names the metrics of its server and of its
// workers.
type Dialect struct {
	Server Naming
	// Workers lists every naming that the fleet uses; it is empty when no
	// worker exports metrics.
	Workers []Naming
}

// String describes the dialect in one line, as in
// "server=tally workers=prometheus".
func (d Dialect) String() string {
	workers := make([]string, 0, len(d.Workers))
	for _, n := range d.Workers {
		workers = append(workers, n.String())
	}
	if len(workers) == 0 {
		workers = []string{"none"}
	}
	return "server=" + d.Server.String() + " workers=" + strings.Join(workers, "+")
}

// Sanitized tells whether the server replaces every character of a label
// value that is not a letter, digit or underscore, as tally's reporter does.
func (d Dialect) Sanitized() bool { return d.Server.Counter == "" && d.Server.Histogram == "" }

// Sanitize does the same to a name, so that the workers' spelling of a task
// queue meets the server's.
func Sanitize(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, name)
}
