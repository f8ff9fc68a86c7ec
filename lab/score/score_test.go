package score

import (
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const step = 15 * time.Second

var begin = instant.FromUnix(1_800_000_000)

func at(evaluation int) instant.Instant { return begin.Add(time.Duration(evaluation) * step) }

// stall is happy, critical from evaluation 10 to 20, and happy until 40.
func stall() *Truth {
	none, billing := []Part{}, []Part{{Kind: health.KindTaskQueue, Namespace: "default", Name: "billing"}}
	return &Truth{
		From: at(0), To: at(40), StepSeconds: 15,
		Intervals: []Interval{
			{From: at(0), To: at(10), States: []health.State{health.Happy}, Impaired: &none, Transition: 2},
			{
				From: at(10), To: at(20), States: []health.State{health.Critical}, Transition: 4,
				Bottleneck: []health.Bottleneck{health.BottleneckWorker}, Impaired: &billing,
			},
			{From: at(20), To: at(40), States: []health.State{health.Happy}, Impaired: &none, Transition: 6},
		},
	}
}

// play makes verdicts of letters: h, s, c, one an evaluation.
func play(states string) []api.Verdict {
	names := map[rune]health.State{'h': health.Happy, 's': health.Stressed, 'c': health.Critical, 'u': health.Unknown}
	var verdicts []api.Verdict
	for i, letter := range states {
		v := api.Verdict{Time: at(i), HealthState: names[letter], Bottleneck: health.BottleneckHealthy}
		if v.HealthState >= health.Stressed {
			v.Bottleneck = health.BottleneckWorker
			v.Impaired = []api.ImpairedScope{{Kind: health.KindTaskQueue, Namespace: "default", Name: "billing", State: v.HealthState}}
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

func TestPerfect(t *testing.T) {
	s := Of(stall(), play("uhhhhhhhhhhhssccccccccccsshhhhhhhhhhhhhh"))
	if s.Evaluations != 40 || s.Judged != 40-3-5-7 || s.Right != s.Judged || s.FalseCriticals != 0 || len(s.Wrong) != 0 {
		t.Errorf("%+v", s)
	}
	if s.BottleneckRight != 5 || s.BottleneckJudged != 5 || s.ScopeRight != s.ScopeJudged || s.ScopeJudged != 25 {
		t.Errorf("bottleneck %d of %d, scope %d of %d", s.BottleneckRight, s.BottleneckJudged, s.ScopeRight, s.ScopeJudged)
	}
	if len(s.Incidents) != 1 {
		t.Fatalf("%d incidents", len(s.Incidents))
	}
	if i := s.Incidents[0]; i.Missed || i.ToStressed != 2 || i.ToCritical != 4 || i.Entries != 1 || i.Exits != 1 {
		t.Errorf("%+v", i)
	}
}

func TestFlapping(t *testing.T) {
	s := Of(stall(), play("hhhhhhhhhhhssccschhccsschhhhhhhhhhhhhhhh"))
	if i := s.Incidents[0]; i.Entries != 2 || i.Exits != 2 {
		t.Errorf("%+v", i)
	}
}

func TestMissed(t *testing.T) {
	for name, states := range map[string]string{
		"never seen":    "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
		"only stressed": "hhhhhhhhhhhssssssssssssshhhhhhhhhhhhhhhh",
		"seen too late": "hhhhhhhhhhhhhhhhhhhhhhhhhsscchhhhhhhhhhh",
	} {
		if s := Of(stall(), play(states)); !s.Incidents[0].Missed {
			t.Errorf("%s: %+v", name, s.Incidents[0])
		}
	}
}

func TestFalseCritical(t *testing.T) {
	for name, c := range map[string]struct {
		states string
		want   int
	}{
		"long before":                  {"hhhhcchhhhhhssccccccccccsshhhhhhhhhhhhhh", 2},
		"while the state steps down":   {"hhhhhhhhhhhhssccccccccccccchhhhhhhhhhhhh", 0},
		"after the allowed transition": {"hhhhhhhhhhhhssccccccccccccccchhhhhhhhhhh", 2},
	} {
		if s := Of(stall(), play(c.states)); s.FalseCriticals != c.want {
			t.Errorf("%s: %d false Criticals, want %d", name, s.FalseCriticals, c.want)
		}
	}
	// In a transition towards a state that is not Critical, from one that is not.
	truth := stall()
	truth.Intervals[1].States = []health.State{health.Stressed}
	if s := Of(truth, play("hhhhhhhhhhhhcshhssssssssshhhhhhhhhhhhhhh")); s.FalseCriticals != 1 {
		t.Errorf("%d false Criticals in a transition, want 1", s.FalseCriticals)
	}
}

func TestScopes(t *testing.T) {
	queue := func(name string, state health.State) api.ImpairedScope {
		return api.ImpairedScope{Kind: health.KindTaskQueue, Namespace: "default", Name: name, State: state}
	}
	want := []Part{{Kind: health.KindTaskQueue, Namespace: "default", Name: "billing", States: []health.State{health.Critical}}}
	for name, c := range map[string]struct {
		said  []api.ImpairedScope
		right bool
	}{
		"as wanted":       {[]api.ImpairedScope{queue("billing", health.Critical), {Kind: health.KindNamespace, Name: "default"}}, true},
		"too mild":        {[]api.ImpairedScope{queue("billing", health.Stressed)}, false},
		"none":            {nil, false},
		"another one too": {[]api.ImpairedScope{queue("billing", health.Critical), queue("orders", health.Stressed)}, false},
	} {
		if fault := scopeFault(want, c.said); (fault == "") != c.right {
			t.Errorf("%s: %q", name, fault)
		}
	}
}

func TestBlindness(t *testing.T) {
	truth := stall()
	truth.Intervals[0].Blind = new(true)
	verdicts := play("hhhhhhhhhh")
	verdicts[5].Blind = true
	if s := Of(truth, verdicts); s.BlindJudged != 7 || s.BlindRight != 1 {
		t.Errorf("%d of %d", s.BlindRight, s.BlindJudged)
	}
}
