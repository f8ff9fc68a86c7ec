// Package score compares verdicts with the truth. It is pure: it reads no
// clock, no files and no metrics.
package score

import (
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Truth is what was true of a cluster during a recording, known from what was
// done to it.
type Truth struct {
	Scenario    string          `json:"scenario"`
	Description string          `json:"description"`
	From        instant.Instant `json:"from"`
	To          instant.Instant `json:"to"`
	StepSeconds int             `json:"step_seconds"`
	// Selector narrows queries to the recorded cluster.
	Selector string `json:"selector"`
	// Intervals cover the recording from From to To in order, without gaps.
	Intervals []Interval `json:"intervals"`
	// Logs is what is to be found in the logs of some times, and what not. None:
	// not judged.
	Logs []LogInterval `json:"logs,omitempty"`
	// Faults is what was done, for people.
	Faults []Fault `json:"faults"`
	// Strain is how hard the machine was pressed meanwhile. Recordings from
	// before it was measured have none.
	Strain *Strain `json:"strain,omitempty"`
}

// Step is the time between two evaluations.
func (t *Truth) Step() time.Duration { return time.Duration(t.StepSeconds) * time.Second }

// Interval is a time, From included and To not, for which the truth is known.
type Interval struct {
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
	// States are those that are right.
	States []health.State `json:"states"`
	// Bottleneck lists those that are right. None: not judged.
	Bottleneck []health.Bottleneck `json:"bottleneck,omitempty"`
	// Impaired are the parts that have to be named, and the only task queues
	// that may be. Absent: not judged.
	Impaired *[]Part `json:"impaired,omitempty"`
	// Blind tells whether the evaluation has to say that it sees nothing.
	// Absent: not judged.
	Blind *bool `json:"blind,omitempty"`
	// Transition is how many evaluations a verdict may take to follow.
	Transition int `json:"transition"`
}

// LogInterval is what is to be found in the logs of a time, From included and
// To not. Those of a recording may lie over another.
type LogInterval struct {
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
	// Found are patterns, by their ids, that have to be found.
	Found []string `json:"found,omitempty"`
	// Tied are patterns that have to be tied to a gate.
	Tied []Tie `json:"tied,omitempty"`
	// NotFound are patterns that must not be found.
	NotFound []string `json:"not_found,omitempty"`
	// Nothing tells that no pattern of errors may be news. Others may be found.
	Nothing bool `json:"nothing,omitempty"`
}

// Tie is a pattern and a gate that it belongs to, by their ids.
type Tie struct {
	Pattern string `json:"pattern"`
	Gate    string `json:"gate"`
}

// Part is a part of the cluster that is impaired.
type Part struct {
	Kind      health.ScopeKind `json:"kind"`
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	// States are those that are right for this part. None: any but happy.
	States []health.State `json:"states,omitempty"`
}

// Fault is one thing that was done.
type Fault struct {
	Kind string          `json:"kind"`
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
}

// at finds the interval of a time.
func (t *Truth) at(now instant.Instant) (int, bool) {
	i := slices.IndexFunc(t.Intervals, func(i Interval) bool {
		return !now.Before(i.From) && now.Before(i.To)
	})
	return i, i >= 0
}

// required is the mildest state that is right: what a verdict has to reach.
func (i *Interval) required() health.State { return slices.Min(i.States) }

// allows tells whether a state is right.
func (i *Interval) allows(s health.State) bool { return slices.Contains(i.States, s) }
