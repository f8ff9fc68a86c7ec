// Package api holds the JSON that the copilot speaks: what `copilot check -o
// json` prints, what the HTTP API answers, and what the plugin passes on.
package api

import (
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Status is the verdict on a cluster with what it rests on (requirement
// R6.2).
type Status struct {
	Cluster     string          `json:"cluster"`
	HealthState health.State    `json:"health_state"`
	ObservedAt  instant.Instant `json:"observed_at"`
	// IntervalSec is the time between two evaluations, in seconds.
	IntervalSec float64 `json:"interval_sec"`
	// AgeSec is how long ago ObservedAt was when the status was read, in
	// seconds; Stale tells that nobody has judged the cluster since for longer
	// than a verdict holds.
	AgeSec float64 `json:"age_sec"`
	Stale  bool    `json:"stale"`
	// Since is when the cluster took its state; null before it has one.
	Since       instant.Instant   `json:"since"`
	Confidence  float64           `json:"confidence"`
	Coverage    float64           `json:"coverage"`
	Blind       bool              `json:"blind"`
	BlindReason string            `json:"blind_reason,omitempty"`
	Bottleneck  health.Bottleneck `json:"bottleneck"`
	Summary     string            `json:"summary"`

	// PrimarySignals, Amplifiers and WorkerSignals hold the value of each
	// signal for the whole cluster, null where there is none.
	PrimarySignals map[health.SignalID]*float64 `json:"primary_signals"`
	Amplifiers     map[health.SignalID]*float64 `json:"amplifiers"`
	WorkerSignals  map[health.SignalID]*float64 `json:"worker_signals"`
	// LogPatterns is null with a reason where logs could not be read, and empty
	// where they were read and nothing was found; else what was found in the last
	// five minutes, the most telling first. It explains the state and has no part
	// in it.
	LogPatterns       []health.LogPattern `json:"log_patterns"`
	LogPatternsReason string              `json:"log_patterns_reason,omitempty"`
	// LogsReadTo is up to when the logs were read; null where none were.
	LogsReadTo instant.Instant `json:"logs_read_to"`

	RecommendedActions []health.Action       `json:"recommended_actions"`
	Explanation        health.Explanation    `json:"explanation"`
	Progress           health.Progress       `json:"progress"`
	Scopes             []health.ScopeVerdict `json:"scopes"`
	Issues             []health.Issue        `json:"issues"`
	Gates              []health.Gate         `json:"gates"`
	Source             health.Source         `json:"source"`
	// Signals tells of each signal whether and why it could be used.
	Signals []SignalStatus `json:"signals"`
}

// StaleAfter tells from which age on a verdict no longer speaks for now: after
// four observations missed, where one is made every interval.
func StaleAfter(interval time.Duration) time.Duration { return 4 * interval }

// Aged sets the status' age as seen at an instant.
func (s *Status) Aged(now instant.Instant) {
	age := now.Sub(s.ObservedAt)
	s.AgeSec, s.Stale = age.Seconds(), age > StaleAfter(time.Duration(s.IntervalSec*float64(time.Second)))
}

// SignalStatus is the provenance of one signal.
type SignalStatus struct {
	Signal health.SignalID `json:"signal"`
	Class  health.Class    `json:"class"`
	Unit   string          `json:"unit"`
	Status health.Status   `json:"status"`
	Reason string          `json:"reason,omitempty"`
}

// NoLogSource is the reason for having no log patterns where nobody said where
// the logs are.
const NoLogSource = "no log source is configured"

// NewStatus joins an assessment with the observation that it judged.
func NewStatus(a health.Assessment, o health.Observation) Status {
	s := Status{
		Cluster: a.Cluster, HealthState: a.State, ObservedAt: a.At, IntervalSec: a.IntervalSec, Since: a.Since,
		Confidence: a.Confidence, Coverage: a.Coverage, Blind: a.Blind, BlindReason: a.BlindReason,
		Bottleneck: a.Bottleneck, Summary: a.Explanation.Summary,
		PrimarySignals:     map[health.SignalID]*float64{},
		Amplifiers:         map[health.SignalID]*float64{},
		WorkerSignals:      map[health.SignalID]*float64{},
		RecommendedActions: a.Actions, Explanation: a.Explanation, Progress: a.Progress,
		Scopes: a.Scopes, Issues: a.Issues, Gates: a.Gates, Source: o.Source,
		Signals: make([]SignalStatus, 0, len(o.Measurements)),
	}
	if a.Logs == nil {
		s.LogPatternsReason = NoLogSource
	} else {
		s.LogPatterns, s.LogPatternsReason, s.LogsReadTo = a.Logs.Patterns, a.Logs.Reason, a.Logs.To
	}
	for i := range o.Measurements {
		m := &o.Measurements[i]
		var value *float64
		if m.Usable() {
			value = m.Value
		}
		switch m.Class {
		case health.Primary:
			s.PrimarySignals[m.Signal] = value
		case health.Amplifier:
			s.Amplifiers[m.Signal] = value
		case health.Worker:
			s.WorkerSignals[m.Signal] = value
		}
		s.Signals = append(s.Signals, SignalStatus{Signal: m.Signal, Class: m.Class, Unit: m.Unit, Status: m.Status, Reason: m.Reason})
	}
	return s
}
