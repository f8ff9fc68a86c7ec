package score

import "fmt"

// rightShare of the judged evaluations have to be right.
const rightShare = 0.98

// Lacks says what a score lacks of the goals: no false Critical, no missed
// incident, and 98 % of the judged evaluations right. It returns nothing if
// the goals are met.
func (s *Score) Lacks() []string {
	var lacks []string
	if s.FalseCriticals > 0 {
		lacks = append(lacks, fmt.Sprintf("%d false Critical", s.FalseCriticals))
	}
	for _, incident := range s.Incidents {
		if incident.Missed {
			lacks = append(lacks, fmt.Sprintf("the incident from %s was missed: it had to become %s", incident.From, incident.Required))
		}
	}
	if s.Judged == 0 {
		return append(lacks, "nothing was judged")
	}
	if share := float64(s.Right) / float64(s.Judged); share < rightShare {
		lacks = append(lacks, fmt.Sprintf("%.1f %% of the evaluations are right (%d of %d), want %.0f %%", 100*share, s.Right, s.Judged, 100*rightShare))
	}
	return lacks
}
