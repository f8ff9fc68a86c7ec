package score

import (
	"fmt"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Score says how right the verdicts on one recording are.
type Score struct {
	Scenario string `json:"scenario"`
	// Evaluations are all, Judged those outside the allowed transitions, Right
	// those of the judged whose state is right.
	Evaluations int `json:"evaluations"`
	Judged      int `json:"judged"`
	Right       int `json:"right"`
	// FalseCriticals counts evaluations that say Critical where the truth
	// allows it neither now nor, during a transition, just before.
	FalseCriticals int        `json:"false_criticals"`
	Incidents      []Incident `json:"incidents"`
	// Unfounded counts the changes from Happy before the first incident, or in
	// a recording without one, that the truth does not bear out: to a state
	// that it does not allow then, or for a second time.
	Unfounded int `json:"unfounded"`
	// BottleneckRight of BottleneckJudged evaluations name the right layer, and
	// ScopeRight of ScopeJudged the right parts of the cluster.
	BottleneckRight  int `json:"bottleneck_right"`
	BottleneckJudged int `json:"bottleneck_judged"`
	ScopeRight       int `json:"scope_right"`
	ScopeJudged      int `json:"scope_judged"`
	BlindRight       int `json:"blind_right"`
	BlindJudged      int `json:"blind_judged"`
	// Wrong tells of each evaluation that is not right, in order.
	Wrong []Wrong `json:"wrong"`
}

// Incident is a time during which the cluster was not Happy.
type Incident struct {
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
	// Required is the state that has to be reached.
	Required health.State `json:"required"`
	Missed   bool         `json:"missed"`
	// ToStressed and ToCritical are the numbers of evaluations from the begin
	// of the incident, the first counted as 1, until the state was reached; 0
	// if it never was. ToCritical counts only where Critical is required.
	ToStressed int `json:"to_stressed"`
	ToCritical int `json:"to_critical"`
	// Entries and Exits count the changes from Happy and back, until the next
	// incident. One of each is perfect.
	Entries int `json:"entries"`
	Exits   int `json:"exits"`
}

// Wrong is an evaluation that is not right.
type Wrong struct {
	Time instant.Instant `json:"time"`
	// What is wrong: state, false_critical, bottleneck, scope, blind.
	What string `json:"what"`
	Said string `json:"said"`
	Want string `json:"want"`
}

// Of scores the verdicts on one recording.
func Of(truth *Truth, verdicts []api.Verdict) Score {
	s := Score{Scenario: truth.Scenario}
	for i := range verdicts {
		s.judge(truth, &verdicts[i])
	}
	s.Incidents = incidents(truth, verdicts)
	s.Unfounded = unfounded(truth, verdicts, s.Incidents)
	return s
}

// judge scores one evaluation.
func (s *Score) judge(truth *Truth, v *api.Verdict) {
	at, known := truth.at(v.Time)
	if !known {
		return
	}
	s.Evaluations++
	interval := &truth.Intervals[at]
	inTransition := truth.inTransition(at, v.Time)
	allowedCritical := interval.allows(health.Critical) ||
		inTransition && at > 0 && truth.Intervals[at-1].allows(health.Critical)
	if v.HealthState == health.Critical && !allowedCritical {
		s.FalseCriticals++
		s.wrong(v, "false_critical", v.HealthState, interval.States)
	}
	if inTransition {
		return
	}
	s.Judged++
	if interval.allows(v.HealthState) {
		s.Right++
	} else if v.HealthState != health.Critical || allowedCritical {
		s.wrong(v, "state", v.HealthState, interval.States)
	}
	if len(interval.Bottleneck) > 0 {
		s.BottleneckJudged++
		if slices.Contains(interval.Bottleneck, v.Bottleneck) {
			s.BottleneckRight++
		} else {
			s.wrong(v, "bottleneck", v.Bottleneck, interval.Bottleneck)
		}
	}
	if interval.Impaired != nil {
		s.ScopeJudged++
		if fault := scopeFault(*interval.Impaired, v.Impaired); fault == "" {
			s.ScopeRight++
		} else {
			s.wrong(v, "scope", fault, *interval.Impaired)
		}
	}
	if interval.Blind != nil {
		s.BlindJudged++
		if v.Blind == *interval.Blind {
			s.BlindRight++
		} else {
			s.wrong(v, "blind", v.Blind, *interval.Blind)
		}
	}
}

func (s *Score) wrong(v *api.Verdict, what string, said, want any) {
	s.Wrong = append(s.Wrong, Wrong{Time: v.Time, What: what, Said: fmt.Sprint(said), Want: fmt.Sprint(want)})
}

// inTransition tells whether a verdict at a time may still follow the interval
// before.
func (t *Truth) inTransition(at int, now instant.Instant) bool {
	interval := &t.Intervals[at]
	return now.Sub(interval.From) <= time.Duration(interval.Transition)*t.Step()
}

// scopeFault says what is wrong with the parts that a verdict names, or
// nothing.
func scopeFault(want []Part, said []api.ImpairedScope) string {
	for _, part := range want {
		named := slices.ContainsFunc(said, func(i api.ImpairedScope) bool {
			return i.Kind == part.Kind && i.Namespace == part.Namespace && i.Name == part.Name &&
				(len(part.States) == 0 || slices.Contains(part.States, i.State))
		})
		if !named {
			return fmt.Sprintf("%s %s is not named as %v", part.Kind, part.Name, part.States)
		}
	}
	for _, i := range said {
		if i.Kind != health.KindTaskQueue {
			continue
		}
		wanted := slices.ContainsFunc(want, func(part Part) bool {
			return part.Kind == i.Kind && part.Namespace == i.Namespace && part.Name == i.Name
		})
		if !wanted {
			return fmt.Sprintf("%s %s is %s", i.Kind, i.Name, i.State)
		}
	}
	return ""
}
