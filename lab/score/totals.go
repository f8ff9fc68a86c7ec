package score

import (
	"math"
	"slices"

	"github.com/temporal-sre/copilot/pkg/health"
)

// Totals is what the scores of one judge on several recordings add up to.
type Totals struct {
	Judged, Right                     int
	FalseCriticals                    int
	Incidents, Missed                 int
	BottleneckRight, BottleneckJudged int
	ScopeRight, ScopeJudged           int
	// Flaps counts the changes from Happy and back beyond one of each for an
	// incident, and the changes from Happy that no incident explains.
	Flaps int
	// Stalls are the detections of the incidents that have to become Critical.
	Stalls []Detection
}

// Detection is after how many evaluations a state was reached, counted from
// the begin of an incident; Never if it was not.
type Detection struct{ ToStressed, ToCritical float64 }

// Never stands for a state that was not reached. It is more than any number of
// evaluations, so that a median counts what was missed as the slowest.
var Never = math.Inf(1)

// Add adds the score on one more recording.
func (t *Totals) Add(s *Score) {
	t.Judged += s.Judged
	t.Right += s.Right
	t.FalseCriticals += s.FalseCriticals
	t.BottleneckRight += s.BottleneckRight
	t.BottleneckJudged += s.BottleneckJudged
	t.ScopeRight += s.ScopeRight
	t.ScopeJudged += s.ScopeJudged
	t.Flaps += s.Unfounded
	for _, i := range s.Incidents {
		t.Incidents++
		if i.Missed {
			t.Missed++
		}
		t.Flaps += max(0, i.Entries-1) + max(0, i.Exits-1)
		if i.Required == health.Critical {
			t.Stalls = append(t.Stalls, i.Detection())
		}
	}
}

// Median is the median detection of the stalls; false if there was none.
func (t *Totals) Median() (Detection, bool) {
	if len(t.Stalls) == 0 {
		return Detection{}, false
	}
	return Detection{
		ToStressed: median(t.Stalls, func(d Detection) float64 { return d.ToStressed }),
		ToCritical: median(t.Stalls, func(d Detection) float64 { return d.ToCritical }),
	}, true
}

// median is the middle value, the slower of two in the middle.
func median(all []Detection, of func(Detection) float64) float64 {
	var values []float64
	for _, d := range all {
		values = append(values, of(d))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// Detection is how fast the incident was detected.
func (i *Incident) Detection() Detection {
	return Detection{ToStressed: orNever(i.ToStressed), ToCritical: orNever(i.ToCritical)}
}

func orNever(evaluations int) float64 {
	if evaluations == 0 {
		return Never
	}
	return float64(evaluations)
}
