package baseline

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// Both files hold the same rules, but for the names of the metrics.
func TestRules(t *testing.T) {
	tally, err := readRules(signals.TallyServer)
	if err != nil {
		t.Fatal(err)
	}
	opentelemetry, err := readRules(signals.OTelServer)
	if err != nil {
		t.Fatal(err)
	}
	if len(tally) == 0 || len(tally) != len(opentelemetry) {
		t.Fatalf("%d and %d rules", len(tally), len(opentelemetry))
	}
	for i, one := range tally {
		other := opentelemetry[i]
		if one.Alert != other.Alert || one.For != other.For || one.Labels["severity"] != other.Labels["severity"] {
			t.Errorf("rule %d differs: %+v and %+v", i, one, other)
		}
		if severities[one.Labels["severity"]] == health.Unknown {
			t.Errorf("%s has the severity %q", one.Alert, one.Labels["severity"])
		}
		if one.Expr == "" || one.For == 0 {
			t.Errorf("%s has no expression or is not held", one.Alert)
		}
	}
}

func TestFires(t *testing.T) {
	const step = 15 * time.Second
	for name, c := range map[string]struct {
		active  []int // steps
		holdFor time.Duration
		want    []int
	}{
		"never":                          {nil, time.Minute, nil},
		"from its time on":               {[]int{3, 4, 5, 6, 7, 8}, time.Minute, []int{7, 8}},
		"too short":                      {[]int{3, 4, 5}, time.Minute, nil},
		"a gap begins anew":              {[]int{1, 2, 3, 4, 6, 7, 8, 9, 10}, time.Minute, []int{10}},
		"held for no time fires at once": {[]int{3}, 0, []int{3}},
	} {
		var samples []model.SamplePair
		for _, n := range c.active {
			samples = append(samples, model.SamplePair{Timestamp: timeOf(n, step), Value: 1})
		}
		var want []model.Time
		for _, n := range c.want {
			want = append(want, timeOf(n, step))
		}
		if got := fires(samples, step, c.holdFor); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func timeOf(n int, step time.Duration) model.Time {
	return model.Time(1_800_000_000_000).Add(time.Duration(n) * step)
}

func TestAlertsVerdict(t *testing.T) {
	billing := model.Metric{"namespace": "default", "taskqueue": "billing"}
	for name, c := range map[string]struct {
		firing []alert
		want   health.State
		queues int
	}{
		"nothing fires":        {nil, health.Happy, 0},
		"a warning":            {[]alert{{"A", health.Stressed, nil}}, health.Stressed, 0},
		"the gravest counts":   {[]alert{{"A", health.Critical, nil}, {"B", health.Stressed, billing}}, health.Critical, 1},
		"a queue is told once": {[]alert{{"A", health.Stressed, billing}, {"B", health.Critical, billing}}, health.Critical, 1},
	} {
		v := verdict(c.firing)
		if v.HealthState != c.want || len(v.Impaired) != c.queues {
			t.Errorf("%s: %s, %v", name, v.HealthState, v.Impaired)
		}
	}
}
