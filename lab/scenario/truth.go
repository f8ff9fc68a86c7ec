package scenario

import (
	"cmp"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// TruthAt places the scenario's truth in time: begin is when it was played.
// What no interval covers is happy, with no part impaired.
func (s *Scenario) TruthAt(begin instant.Instant, selector string) score.Truth {
	at := func(d Duration) instant.Instant { return begin.Add(d.Value()) }
	truth := score.Truth{
		Scenario: s.Name, Description: s.Description,
		From: begin, To: at(s.Duration), StepSeconds: int(s.Step.Value() / time.Second), Selector: selector,
	}
	happy := func(from, to Duration) {
		if from < to {
			truth.Intervals = append(truth.Intervals, score.Interval{
				From: at(from), To: at(to), States: []health.State{health.Happy},
				Bottleneck: []health.Bottleneck{health.BottleneckHealthy},
				Impaired:   &[]score.Part{}, Transition: *s.Transition,
			})
		}
	}
	var last Duration
	for _, interval := range s.Truth {
		happy(last, interval.From)
		last = interval.To
		truth.Intervals = append(truth.Intervals, interval.at(at, *s.Transition))
	}
	happy(last, s.Duration)
	for _, interval := range s.Logs {
		truth.Logs = append(truth.Logs, interval.at(at))
	}
	for _, f := range s.Faults {
		fault := score.Fault{Kind: string(f.Kind), From: at(f.At), To: at(Duration(f.End(s.Duration.Value())))}
		if slices.Contains(Passing(), f.Kind) {
			fault.To = fault.From
		}
		truth.Faults = append(truth.Faults, fault)
	}
	return truth
}

func (i Interval) at(at func(Duration) instant.Instant, transition int) score.Interval {
	placed := score.Interval{
		From: at(i.From), To: at(i.To), States: states(i.States), Blind: i.Blind, Transition: transition,
	}
	if i.Transition != nil {
		placed.Transition = *i.Transition
	}
	for _, b := range i.Bottleneck {
		placed.Bottleneck = append(placed.Bottleneck, health.Bottleneck(b))
	}
	if i.Impaired == nil {
		return placed
	}
	parts := []score.Part{}
	for _, part := range *i.Impaired {
		one := score.Part{Kind: health.KindTaskQueue, Namespace: cmp.Or(part.Namespace, "default"), Name: part.Queue, States: states(part.States)}
		if part.Queue == "" {
			one.Kind, one.Name = health.KindNamespace, one.Namespace
		}
		parts = append(parts, one)
	}
	placed.Impaired = &parts
	return placed
}

// states reads names that have been checked.
func states(names []string) []health.State {
	var all []health.State
	for _, name := range names {
		if state, err := health.ParseState(name); err == nil {
			all = append(all, state)
		}
	}
	return all
}
