package score

import (
	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// incidents finds the incidents of a truth and how the verdicts met them.
func incidents(truth *Truth, verdicts []api.Verdict) []Incident {
	var all []Incident
	for i := 0; i < len(truth.Intervals); i++ {
		if truth.Intervals[i].allows(health.Happy) {
			continue
		}
		one := Incident{From: truth.Intervals[i].From}
		for ; i < len(truth.Intervals) && !truth.Intervals[i].allows(health.Happy); i++ {
			one.To = truth.Intervals[i].To
			one.Required = max(one.Required, truth.Intervals[i].required())
		}
		all = append(all, one)
	}
	for i := range all {
		until := truth.To
		if i+1 < len(all) {
			until = all[i+1].From
		}
		all[i].meet(truth, verdicts, until)
	}
	return all
}

// meet follows the verdicts from the begin of an incident until the next one.
func (i *Incident) meet(truth *Truth, verdicts []api.Verdict, until instant.Instant) {
	last := health.Happy
	count := 0
	for n := range verdicts {
		v := &verdicts[n]
		if !v.Time.After(i.From) {
			last = v.HealthState
			continue
		}
		if v.Time.After(until) {
			break
		}
		count++
		bad := v.HealthState > health.Happy
		// An unwell cluster before the incident is not detected by it.
		if bad && i.ToStressed == 0 && v.Time.Before(i.grace(truth)) {
			i.ToStressed = count
		}
		if v.HealthState == health.Critical && i.Required == health.Critical && i.ToCritical == 0 && v.Time.Before(i.grace(truth)) {
			i.ToCritical = count
		}
		if bad && last <= health.Happy {
			i.Entries++
		}
		if !bad && last > health.Happy {
			i.Exits++
		}
		last = v.HealthState
	}
	i.Missed = i.ToStressed == 0 || i.Required == health.Critical && i.ToCritical == 0
}

// grace is until when an incident counts as detected.
func (i *Incident) grace(truth *Truth) instant.Instant {
	return i.To.Add(truth.Step() * 2)
}

// unfounded counts the changes from Happy that no incident explains. Those
// after the first incident began are counted with the incidents.
func unfounded(truth *Truth, verdicts []api.Verdict, incidents []Incident) int {
	until := truth.To
	if len(incidents) > 0 {
		until = incidents[0].From
	}
	count, allowed := 0, 0
	last := health.Happy
	for i := range verdicts {
		v := &verdicts[i]
		at, known := truth.at(v.Time)
		if !known || v.Time.After(until) {
			continue
		}
		if v.HealthState > health.Happy && last <= health.Happy {
			if truth.Intervals[at].allows(v.HealthState) {
				allowed++
			} else {
				count++
			}
		}
		last = v.HealthState
	}
	return count + max(0, allowed-1)
}
