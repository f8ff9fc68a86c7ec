package baseline

import (
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/health"
)

// steady is a cluster that works, at 100 transitions a second.
func steady() reading {
	return reading{
		transitions: 100, historyTasks: 200, completed: 10,
		persistenceP95: 20, persistenceP99: 50, frontendP99: 100,
		workflowSlots: 100, activitySlots: 100, workflowTaskStart: 10,
	}
}

func TestFixedLimits(t *testing.T) {
	with := func(change func(*reading)) reading {
		r := steady()
		change(&r)
		return r
	}
	collapsed := with(func(r *reading) { r.transitions, r.frontendErrors = 0.1, 1 })
	slow := with(func(r *reading) { r.persistenceP99 = 250 })
	for name, c := range map[string]struct {
		readings []reading
		want     string
	}{
		"steady":                              {[]reading{steady()}, "h"},
		"nothing seen is taken for idle":      {[]reading{{}}, "h"},
		"critical takes three in a row":       {[]reading{steady(), collapsed, collapsed, collapsed, collapsed}, "hsscc"},
		"and leaves at once":                  {[]reading{collapsed, collapsed, collapsed, steady()}, "ssch"},
		"slow persistence":                    {[]reading{slow, steady()}, "sh"},
		"persistence is slow for ever":        {[]reading{slow, slow, slow, slow, slow}, "sssss"},
		"most workflows fail":                 {[]reading{with(func(r *reading) { r.completed, r.failed = 1, 9 })}, "s"},
		"empty polls":                         {[]reading{with(func(r *reading) { r.pollTimeouts = 0.4 })}, "s"},
		"empty polls without demand":          {[]reading{{transitions: 1, historyTasks: 1, failed: 0.1, pollTimeouts: 0.9}}, "h"},
		"history tasks stand still":           {[]reading{with(func(r *reading) { r.historyTasks = 0 })}, "s"},
		"nobody takes what waits in matching": {[]reading{with(func(r *reading) { r.completed = 0 })}, "h"},
	} {
		m := machine{state: health.Happy, seesHistoryTasks: true}
		var said strings.Builder
		for _, r := range c.readings {
			m.evaluate(&r)
			said.WriteByte(m.state.String()[0])
		}
		if said.String() != c.want {
			t.Errorf("%s: %s, want %s", name, said.String(), c.want)
		}
	}
}

// A limit is not applied to what the recording does not hold.
func TestFixedLimitsWithoutHistoryTasks(t *testing.T) {
	m := machine{state: health.Happy}
	r := steady()
	r.historyTasks = 0
	m.evaluate(&r)
	if m.state != health.Happy {
		t.Errorf("state is %s", m.state)
	}
}

func TestBands(t *testing.T) {
	m := machine{}
	for i, c := range []struct {
		transitions float64
		want        int
	}{
		{600, 2}, // at once at the first time
		{460, 2}, // within the hysteresis
		{440, 1},
		{540, 1},
		{2000, 2},
		{1, 1}, // one at a time
		{1, 0},
		{54, 0}, // within the hysteresis
		{56, 1},
	} {
		m.band, m.placed = m.place(c.transitions), true
		if m.band != c.want {
			t.Errorf("%d: %v transitions a second are in band %d, want %d", i, c.transitions, m.band, c.want)
		}
	}
}

func TestFixedLimitsBottleneck(t *testing.T) {
	for want, change := range map[health.Bottleneck]func(*reading){
		health.BottleneckHealthy: func(*reading) {},
		health.BottleneckServer:  func(r *reading) { r.persistenceP95 = 300 },
		health.BottleneckWorker:  func(r *reading) { r.workflowTaskStart = 60 },
		health.BottleneckMixed:   func(r *reading) { r.historyBacklog, r.activitySlots = 700, 0 },
	} {
		r := steady()
		change(&r)
		m := machine{}
		m.evaluate(&r)
		if got := m.bottleneck(&r); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
