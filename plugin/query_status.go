package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// answerStatus tells how the cluster is now: one row, made of its newest
// assessment. The time range does not matter. An alert rule or an expression
// gets one number instead.
func answerStatus(ctx context.Context, q *question) (data.Frames, error) {
	v, err := q.verdict(ctx)
	if err != nil {
		return nil, err
	}
	if q.numbers {
		frame, err := statusNumber(q, v)
		return data.Frames{frame}, err
	}
	frame := statusRow(v, q.now)
	frame.Meta.Channel = q.channel
	return data.Frames{frame}, nil
}

// statusRow is an assessment in one row of a table.
func statusRow(v *latest, now instant.Instant) *data.Frame {
	a := &v.assessment
	impaired := a.Impaired()
	names := make([]string, len(impaired))
	for i, scope := range impaired {
		names[i] = fmt.Sprintf("%s %s", scopeWords(scope.Scope), scope.State)
	}
	var usable, asked *int64
	if v.Asked > 0 {
		usable, asked = new(int64(v.Usable)), new(int64(v.Asked))
	}
	var previous *string
	if v.Previous != health.Unknown {
		previous = new(v.Previous.String())
	}
	return table("status",
		field("cluster", "Cluster", "The cluster that was judged.", []string{a.Cluster}),
		withMappings(field("state", "State", "Whether the cluster makes forward progress.", []string{a.State.String()}), stateMappings),
		field("since", "Since", "When the cluster took this state.", []*time.Time{moment(a.Since)}),
		ratio("confidence", "Confidence", "How sure the copilot is of the state.", a.Confidence),
		withMappings(field("bottleneck", "Bottleneck", "The layer that makes work wait.", []string{string(a.Bottleneck)}), bottleneckMappings),
		field("summary", "Summary", "What goes on, in words.", []string{a.Explanation.Summary}),
		field("issue", "Worst issue", "The most severe of the open issues.", []*string{worstIssue(a.Issues)}),
		field("impaired", "Impaired", "The parts of the cluster that are not well, the worst first.", []string{listed(names)}),
		withUnit(field("impaired_count", "Impaired parts", "How many parts of the cluster are not well.", []int64{int64(len(impaired))}), "short"),
		withUnit(field("asked_per_sec", "Asked", "Work that is asked for.", []*float64{a.Progress.Asked}), "cps"),
		withUnit(field("served_per_sec", "Served", "Work that is served.", []*float64{a.Progress.Served}), "cps"),
		withUnit(field("waiting", "Waiting", "Tasks that wait.", []*float64{a.Progress.Waiting}), "short"),
		withUnit(field("oldest_sec", "Oldest waiting", "The age of the oldest waiting task.", []*float64{a.Progress.OldestSec}), "s"),
		withMappings(field("blind", "Telemetry", "Whether the copilot could see the cluster. If not, the state is held.", []bool{a.Blind}), blindMappings),
		ratio("coverage", "Coverage", "How much of the evidence was there and fresh.", a.Coverage),
		field("observed_at", "Last analysis", "When the cluster was last judged.", []*time.Time{moment(a.At)}),
		withUnit(field("age_sec", "Age", "How long ago that was.", []float64{v.age(now).Seconds()}), "s"),
		withMappings(field("previous_state", "Before", "The state before this one.", []*string{previous}), stateMappings),
		withMappings(field("stale", "Stale", "Whether the last analysis is too old to speak for now.", []bool{v.isStale(now)}), yesMappings),
		withUnit(field("interval_sec", "Interval", "The time between two analyses.", []float64{v.interval().Seconds()}), "s"),
		withUnit(field("signals_usable", "Signals seen", "How many signals had a fresh value.", []*int64{usable}), "short"),
		withUnit(field("signals_asked", "Signals asked", "How many signals were asked for.", []*int64{asked}), "short"),
		field("blind_reason", "Why blind", "Why the cluster could not be seen.", []*string{optional(a.BlindReason)}),
		withMappings(field("degraded", "Degraded", "Whether this is from memory, because the store does not answer.", []bool{v.degraded != ""}), yesMappings),
		field("degraded_reason", "Why degraded", "Why the store does not answer.", []*string{optional(v.degraded)}),
		field("changed", "What changed", "Since when the state holds, and what came first.", []*string{optional(a.Explanation.Changed)}),
		field("would_change", "What would change it", "What would lead to another state.", []*string{optional(a.Explanation.WouldChange)}),
		field("explained_by", "In the words of", "Who wrote the summary: the rules, or a model.", []*string{optional(a.Explanation.By)}),
		withLink(field("guide", "Guide", "The runbook that says how to see the cluster again, if it cannot be seen.", []*string{sightGuide(v, now)}), "View guide", guides),
		field("assessment_id", "Assessment", "The id of the assessment.", []string{dsql.AssessmentID(a.Cluster, a.At)}),
	)
}

// sightGuideID is the runbook on getting telemetry back.
const sightGuideID = "telemetry-lost"

// sightGuide names the runbook for a copilot that is blind or silent.
func sightGuide(v *latest, now instant.Instant) *string {
	if !v.assessment.Blind && !v.isStale(now) {
		return nil
	}
	return new(sightGuideID)
}

// worstIssue returns the title of the most severe open issue, nil if there is none.
func worstIssue(issues []health.Issue) *string {
	var worst *health.Issue
	for i := range issues {
		issue := &issues[i]
		if issue.Status == health.IssueOpen && (worst == nil || issue.Severity > worst.Severity) {
			worst = issue
		}
	}
	if worst == nil {
		return nil
	}
	return &worst.Title
}

// measure is a number that an alert rule may ask for.
type measure struct {
	name, title, unit string
	// always is set for what is true of a stale assessment, too. Everything else
	// then has no number, so that the rule's "no data" applies: a copilot that
	// died while all was well must not be taken for a happy cluster.
	always bool
	of     func(v *latest, now instant.Instant) *float64
}

// measures are all there are; the first is what a query means that names none.
var measures = []measure{
	{"state", "State", "", false, func(v *latest, _ instant.Instant) *float64 { return new(float64(v.assessment.State)) }},
	{"blind", "Blind", "", true, func(v *latest, _ instant.Instant) *float64 { return asNumber(v.assessment.Blind) }},
	{"stale", "Stale", "", true, func(v *latest, now instant.Instant) *float64 { return asNumber(v.isStale(now)) }},
	{"age_sec", "Age", "s", true, func(v *latest, now instant.Instant) *float64 { return new(v.age(now).Seconds()) }},
	{"confidence", "Confidence", "percentunit", false, func(v *latest, _ instant.Instant) *float64 { return &v.assessment.Confidence }},
	{"coverage", "Coverage", "percentunit", false, func(v *latest, _ instant.Instant) *float64 { return &v.assessment.Coverage }},
	{"impaired_count", "Impaired parts", "short", false, func(v *latest, _ instant.Instant) *float64 { return new(float64(len(v.assessment.Impaired()))) }},
	{"asked_per_sec", "Asked", "cps", false, func(v *latest, _ instant.Instant) *float64 { return v.assessment.Progress.Asked }},
	{"served_per_sec", "Served", "cps", false, func(v *latest, _ instant.Instant) *float64 { return v.assessment.Progress.Served }},
	{"waiting", "Waiting", "short", false, func(v *latest, _ instant.Instant) *float64 { return v.assessment.Progress.Waiting }},
	{"oldest_sec", "Oldest waiting", "s", false, func(v *latest, _ instant.Instant) *float64 { return v.assessment.Progress.OldestSec }},
}

// asNumber is a truth as a number.
func asNumber(is bool) *float64 {
	if is {
		return new(1.0)
	}
	return new(0.0)
}

// statusNumber is what an alert rule compares: by default the state, 1 happy, 2
// stressed, 3 critical, 0 not known.
func statusNumber(q *question, v *latest) (*data.Frame, error) {
	name := or(q.measure, measures[0].name)
	i := slices.IndexFunc(measures, func(m measure) bool { return m.name == name })
	if i < 0 {
		names := make([]string, len(measures))
		for i, m := range measures {
			names[i] = m.name
		}
		return nil, badQuery("the query's field %q is %q; use one of: %s", "measure", name, listed(names))
	}
	m := measures[i]
	frame := numbersFrame("status")
	value := m.of(v, q.now)
	if value == nil || (v.isStale(q.now) && !m.always) {
		return frame, nil
	}
	labels := data.Labels{"cluster": v.assessment.Cluster}
	if m.name == "state" {
		frame.Fields = append(frame.Fields, stateNumber(v.assessment.State, labels))
		return frame, nil
	}
	number := withUnit(field(m.name, m.title, "A number of the newest assessment.", []float64{*value}), m.unit)
	number.Labels = labels
	frame.Fields = append(frame.Fields, number)
	return frame, nil
}

// numbersFrame makes a frame of numbers with labels, which alert rules and
// expressions take. Without a field it is "no data".
func numbersFrame(name string) *data.Frame {
	frame := data.NewFrame(name)
	frame.Meta = &data.FrameMeta{Type: data.FrameTypeNumericWide, TypeVersion: frameVersion}
	return frame
}

// stateNumber is a state as a number.
func stateNumber(state health.State, labels data.Labels) *data.Field {
	number := field("state", "State", "0 unknown, 1 happy, 2 stressed, 3 critical.", []float64{float64(state)})
	number.Labels = labels
	return withMappings(number, stateNumberMappings)
}
