package score

import (
	"testing"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestTotals(t *testing.T) {
	var totals Totals
	for _, states := range []string{
		"hhhhhhhhhhhssccccccccccsshhhhhhhhhhhhhhh", // right
		"hhhhhhhhhhhhhhsschhccsschhhhhhhhhhhhhhhh", // slow, and in and out twice
		"hhshshhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", // twice out of nothing, and then missed
	} {
		s := Of(stall(), play(states))
		totals.Add(&s)
	}
	if totals.Incidents != 3 || totals.Missed != 1 {
		t.Errorf("%d of %d incidents are missed, want 1 of 3", totals.Missed, totals.Incidents)
	}
	if want := 2 + 2; totals.Flaps != want {
		t.Errorf("%d flaps, want %d", totals.Flaps, want)
	}
	if d, _ := totals.Median(); d.ToStressed != 4 || d.ToCritical != 6 {
		t.Errorf("the median detection is %+v, want 4 and 6 evaluations", d)
	}
}

// Half of the stalls missed are a detection that never comes.
func TestMedianOfMissed(t *testing.T) {
	totals := Totals{Stalls: []Detection{{ToStressed: 2, ToCritical: Never}, {ToStressed: 3, ToCritical: 4}}}
	if d, _ := totals.Median(); d.ToStressed != 3 || d.ToCritical != Never {
		t.Errorf("the median detection is %+v, want 3 and never", d)
	}
	if _, there := new(Totals).Median(); there {
		t.Error("there is a median of no stall")
	}
}

func TestUnfounded(t *testing.T) {
	quiet := stall()
	quiet.Intervals[1].States = []health.State{health.Happy, health.Stressed}
	for name, c := range map[string]struct {
		truth  *Truth
		states string
		want   int
	}{
		"none":                         {stall(), "hhhhhhhhhhhssccccccccccsshhhhhhhhhhhhhhh", 0},
		"before the incident":          {stall(), "hhhsshhhhhhssccccccccccsshhhhhhhhhhhhhhh", 1},
		"after it: counted with it":    {stall(), "hhhhhhhhhhhssccccccccccsshhhhhsshhhhhhhh", 0},
		"allowed once":                 {quiet, "hhhhhhhhhhhhsssshhhhhhhhhhhhhhhhhhhhhhhh", 0},
		"allowed, and flapping":        {quiet, "hhhhhhhhhhhhsshsshhhhhhhhhhhhhhhhhhhhhhh", 1},
		"allowed, and where it is not": {quiet, "hhshhhhhhhhhsshhhhhhhhhhhhhhhhhhhhhhhhhh", 1},
	} {
		if s := Of(c.truth, play(c.states)); s.Unfounded != c.want {
			t.Errorf("%s: %d unfounded, want %d", name, s.Unfounded, c.want)
		}
	}
}
