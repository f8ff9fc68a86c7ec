package health

import (
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// SignalID names a signal of the catalogue (package signals). It is the name
// under which its value appears in JSON (requirement R6.2) and in the store.
type SignalID string

// Class says what part a signal plays (requirements R1.2 and R14.1).
type Class string

// The classes of signal.
const (
	// Primary signals decide the state: they measure forward progress.
	Primary Class = "primary"
	// Amplifier signals explain why the state changed.
	Amplifier Class = "amplifier"
	// Worker signals tell the workers' side of the story (R14).
	Worker Class = "worker"
	// Telemetry signals tell whether the others can be believed.
	Telemetry Class = "telemetry"
)

// Status says what became of a signal's query. Missing is not zero: an empty
// answer, a failed query and a 0 are different things.
type Status string

// The statuses of a measurement.
const (
	// OK: the value is there and fresh.
	OK Status = "ok"
	// Stale: a value is there but older than the observer trusts.
	Stale Status = "stale"
	// Missing: the query was answered, with nothing.
	Missing Status = "missing"
	// Failed: the query was not answered, or with an error.
	Failed Status = "error"
)

// Sample is one value of a signal at one scope.
type Sample struct {
	Scope Scope   `json:"scope,omitzero"`
	Value float64 `json:"value"`
}

// Measurement is what one signal said in one observation, with its provenance.
type Measurement struct {
	Signal SignalID `json:"signal"`
	Class  Class    `json:"class"`
	// Unit is the unit of the values in UCUM-like spelling: "1/s", "s", "ms",
	// "1" for counts and ratios.
	Unit   string `json:"unit"`
	Status Status `json:"status"`
	// Reason says in words why the status is not OK, or why a 0 is believed.
	Reason string `json:"reason,omitempty"`
	// Value is the signal rolled up to the cluster as the catalogue says; nil
	// when there is none. It is never 0 for want of data.
	Value *float64 `json:"value,omitempty"`
	// Samples are the values by scope, ordered by scope, one a scope.
	Samples []Sample `json:"samples,omitempty"`
}

// At returns the value at a scope, and whether there is one.
func (m *Measurement) At(scope Scope) (float64, bool) {
	if m == nil {
		return 0, false
	}
	i, found := slices.BinarySearchFunc(m.Samples, scope, func(s Sample, want Scope) int { return s.Scope.Compare(want) })
	if !found {
		return 0, false
	}
	return m.Samples[i].Value, true
}

// Usable tells whether the measurement may be judged by.
func (m *Measurement) Usable() bool { return m != nil && m.Status == OK }

// Source tells where an observation comes from and how it was asked for.
// Together with the catalogue it reproduces every query.
type Source struct {
	// Dialect names the metric naming of the server and of the workers, as
	// "server=tally sdk=tally".
	Dialect string `json:"dialect"`
	// Selector narrows every query to one cluster, in PromQL matcher syntax
	// without braces.
	Selector string `json:"selector,omitempty"`
	// Window is the range over which rates are taken.
	Window time.Duration `json:"window_ns"`
	// Requests counts the HTTP requests that the observation cost.
	Requests int `json:"requests"`
}

// Observation is everything that was seen of one cluster at one instant.
type Observation struct {
	Cluster string          `json:"cluster"`
	At      instant.Instant `json:"at"`
	Source  Source          `json:"source"`
	// Measurements are ordered by signal, one a signal.
	Measurements []Measurement `json:"measurements"`
	// Omitted counts the task queues left out because there were more than
	// the observer's limit; the busiest are kept.
	Omitted int `json:"omitted_task_queues,omitempty"`
	// Logs is what was read from the logs; nil where no log source is configured.
	// The rules do not look at it.
	Logs *LogReading `json:"logs,omitempty"`
}

// Signal returns the measurement of a signal, or nil when it was not asked for.
func (o *Observation) Signal(id SignalID) *Measurement {
	i, found := slices.BinarySearchFunc(o.Measurements, id, func(m Measurement, want SignalID) int {
		switch {
		case m.Signal < want:
			return -1
		case m.Signal > want:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &o.Measurements[i]
}

// Normalize brings measurements and samples into their canonical order, so
// that the order in which series arrived cannot matter.
func (o *Observation) Normalize() {
	slices.SortFunc(o.Measurements, func(a, b Measurement) int {
		switch {
		case a.Signal < b.Signal:
			return -1
		case a.Signal > b.Signal:
			return 1
		}
		return 0
	})
	for i := range o.Measurements {
		slices.SortFunc(o.Measurements[i].Samples, func(a, b Sample) int { return a.Scope.Compare(b.Scope) })
	}
}
