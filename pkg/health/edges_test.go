package health

import (
	"fmt"
	"testing"
	"time"
)

// Situations at the edges of the rules, each of which once gave a wrong
// verdict. They begin after 30 healthy evaluations.
func TestEdges(t *testing.T) {
	const before = 30
	busy := healthyCluster(healthyQueue("orders", 30))
	without := func(c simCluster, at int, ids ...SignalID) Observation {
		o := c.observe(start.Add(time.Duration(at) * 30 * time.Second))
		for i := range o.Measurements {
			for _, id := range ids {
				if o.Measurements[i].Signal == id {
					o.Measurements[i].Status, o.Measurements[i].Value, o.Measurements[i].Samples = Failed, nil, nil
				}
			}
		}
		return o
	}
	plain := func(at int, c simCluster) Observation { return without(c, at) }
	down := func(o Observation, service string) Observation {
		for i := range o.Measurements {
			if m := &o.Measurements[i]; m.Signal == ServerUp {
				for j := range m.Samples {
					if m.Samples[j].Scope.Service == service {
						m.Samples[j].Value = 0
					}
				}
			}
		}
		return o
	}
	for _, e := range []struct {
		name     string
		length   int
		usual    *simCluster
		then     func(i, at int) Observation
		want     State
		never    State // Unknown for none
		bottom   Bottleneck
		evidence string
	}{
		{
			name: "queries that fail in a stall do not end it", length: 30, want: Critical, never: Unknown,
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.queues[0] = c.queues[0].stalled(time.Duration(i+1) * 30 * time.Second)
				c.transitions = c.starts
				if i < 12 {
					return plain(at, c)
				}
				return without(c, at, TasksAdded, TasksStarted, TasksBacklogged, BacklogCount, BacklogAge)
			},
		},
		{
			name: "a server without the up metric that accepts nothing", length: 12, want: Critical,
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.transitions, c.queues[0].workflow, c.queues[0].activity = 0, simFlow{pollers: 4, slots: 90}, simFlow{pollers: 4, slots: 90}
				return without(c, at, ServerUp)
			},
		},
		{
			name: "one of 33 workers reports", length: 12, want: Happy, never: Stressed,
			then: func(_, at int) Observation {
				o := plain(at, busy)
				for i := range o.Measurements {
					if o.Measurements[i].Signal == WorkerTasksCompleted {
						for j := range o.Measurements[i].Samples {
							o.Measurements[i].Samples[j].Value /= 33
						}
					}
				}
				return o
			},
		},
		{
			name: "every workflow task fails after a deploy", length: 12, want: Critical, evidence: "progress.completing",
			then: func(_, at int) Observation {
				o := plain(at, busy)
				for i := range o.Measurements {
					if o.Measurements[i].Signal == WorkflowTasksCompleted {
						for j := range o.Measurements[i].Samples {
							o.Measurements[i].Samples[j].Value = 0
						}
					}
				}
				return o
			},
		},
		{
			name: "a surge of thirty times the usual, served at full capacity", length: 12, want: Stressed, never: Critical,
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				f := &c.queues[0].workflow
				f.asked, f.started, f.completed, f.backlogged = 900, 42, 42, 858
				f.waiting, f.oldest, f.pollers, f.slots = 858*30*float64(i+1), refreshed(time.Duration(i)*25*time.Second), 0, 0
				return plain(at, c)
			},
		},
		{
			name: "one task now and then, taken after a while", length: 36, want: Stressed, never: Critical,
			usual: &simCluster{up: 1, workers: true, age: 3, queues: []simQueue{healthyQueue("orders", 0)}},
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 0))
				f := &c.queues[0].activity
				if i%12 == 3 || i%12 == 4 {
					f.asked, f.backlogged, f.pollers = 0.03, 0.03, 0
				}
				if i%12 == 5 {
					f.started, f.completed = 0.03, 0.03
				}
				return plain(at, c)
			},
		},
		{
			name: "a gauge left over from a partition that moved", length: 12, want: Happy, never: Critical,
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.queues[0].workflow.waiting, c.queues[0].workflow.oldest = 3, 45
				return plain(at, c)
			},
		},
		{
			name: "a server that does not tell of pollers", length: 12, want: Stressed, bottom: BottleneckUnknown,
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				f := &c.queues[0].workflow
				f.started, f.completed, f.backlogged = 20, 20, 10
				f.waiting, f.oldest = 300*float64(i+1), 40+10*float64(i)
				c.queues[0].workflow.pollers, c.queues[0].activity.pollers = -1, -1
				c.queues[0].workflow.slots, c.queues[0].activity.slots = -1, -1
				return plain(at, c)
			},
		},
		{
			name: "all polls busy at the scrape, all tasks served", length: 12, want: Happy, never: Stressed,
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.queues[0].workflow.backlogged, c.queues[0].workflow.pollers = 0.2, 0
				return plain(at, c)
			},
		},
		{
			name: "a backlog whose partition is unloaded is not served", length: 26, want: Critical, evidence: "progress.head_of_line",
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.queues[0] = c.queues[0].stalled(time.Duration(min(i, 6)+1) * 30 * time.Second)
				c.transitions = c.starts
				f := &c.queues[0].workflow
				if i > 6 { // clients give up
					c.arrivals, c.starts, c.transitions, f.asked, f.backlogged = 0, 0, 0, 0, 0
					f.oldest += refreshed(time.Duration(i-6) * 30 * time.Second)
				}
				if i > 16 {
					f.waiting, f.oldest = 0, 0
				}
				return plain(at, c)
			},
		},
		{
			name: "workers that drained their queue and left", length: 12, want: Happy, never: Critical,
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30), healthyQueue("batch", 0))
				f := &c.queues[1].workflow
				f.pollers, f.slots = 0, -1
				switch { // the gauge is refreshed a minute later
				case i < 2:
					f.started, f.completed, f.waiting, f.oldest, f.pollers = 40, 40, 80, 20, 3
				case i < 4:
					f.waiting, f.oldest = 80, 20
				}
				return plain(at, c)
			},
		},
		{
			name: "polls refused by a limit of the namespace", length: 12, want: Stressed, bottom: BottleneckServer, evidence: "pressure.polls_throttled",
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				f := &c.queues[0].workflow
				f.started, f.completed, f.backlogged, f.pollers = 18, 18, 12, 0
				f.waiting, f.oldest = 12*30*float64(i+1), refreshed(time.Duration(i)*20*time.Second)
				o := plain(at, c)
				rate := 11.0
				o.Measurements = append(o.Measurements, Measurement{
					Signal: PollsThrottled, Class: Amplifier, Status: OK, Value: &rate,
					Samples: []Sample{{NamespaceScope("default"), rate}},
				})
				o.Normalize()
				return o
			},
		},
		{
			name: "the workflow code of one queue panics", length: 12, want: Stressed, never: Critical, bottom: BottleneckWorker, evidence: "progress.completing",
			usual: &simCluster{
				queues: []simQueue{healthyQueue("billing", 10), healthyQueue("orders", 30)}, arrivals: 13, starts: 13, transitions: 160,
				requests: 240, persistence: 8, up: 1, workers: true, age: 3,
			},
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("billing", 10), healthyQueue("orders", 30))
				billing := &c.queues[0]
				billing.workflow.completed, billing.closed = 0, 0
				billing.activity = simFlow{pollers: 4, slots: 90}
				return plain(at, c)
			},
		},
		{
			name: "every instance of matching is killed", length: 8, want: Critical, bottom: BottleneckServer, evidence: "telemetry.targets_down",
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.queues[0].workflow, c.queues[0].activity, c.queues[0].closed = simFlow{slots: 90, pollers: -1}, simFlow{slots: 90, pollers: -1}, 0
				c.transitions, c.requests = c.arrivals, c.arrivals
				o := without(c, at, TasksAdded, TasksBacklogged, BacklogCount, BacklogAge, Pollers)
				return down(o, "matching")
			},
		},
		{
			name: "clients make sure that a workflow runs, which starts none", length: 12, want: Stressed, never: Critical,
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 15))
				c.arrivals, c.starts, c.requests = c.arrivals+200, c.starts+200, c.requests+200
				return plain(at, c)
			},
		},
		{
			name: "one client hammers beyond its limit, all others are served", length: 12, want: Stressed, never: Critical,
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.requests, c.refused, c.throttled = c.requests+20_000, 20_000, 20_000
				return plain(at, c)
			},
		},
		{
			name: "an idle worker with one slot beside a slow server", length: 12, want: Critical, bottom: BottleneckServer,
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 3))
				c.queues[0].activity = simFlow{
					asked: 3, backlogged: 3, started: 0.2, completed: 0.2, waiting: 300, oldest: 120 + 30*float64(i), pollers: 5, slots: 1,
				}
				o := plain(at, c)
				none := 0.0
				o.Measurements = append(o.Measurements, Measurement{
					Signal: SlotsUsed, Class: Worker, Status: OK, Value: &none,
					Samples: []Sample{{TaskQueueScope("default", "orders").Of(ActivityTasks), 0}},
				})
				o.Normalize()
				return o
			},
		},
		{
			name: "traffic begins, and history is scraped after the frontend", length: 1, want: Happy,
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.transitions = 0
				o := plain(at, c)
				o.Source.Window = 3 * time.Minute
				return o
			},
		},
		{
			name: "a queue abandoned long ago beside little traffic", length: 30, want: Stressed, never: Critical,
			then: func(i, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 0.5), healthyQueue("old", 0))
				f := &c.queues[1].workflow
				f.waiting, f.oldest, f.pollers, f.slots = 3000, 500_000+refreshed(time.Duration(i)*30*time.Second), 0, -1
				return plain(at, c)
			},
		},
		{
			name: "old evidence does not count after a gap", length: 1, want: Stressed, never: Critical,
			then: func(_, at int) Observation {
				c := healthyCluster(healthyQueue("orders", 30))
				c.queues[0] = c.queues[0].stalled(time.Hour)
				return plain(at+200, c)
			},
			usual: func() *simCluster {
				c := healthyCluster(healthyQueue("orders", 30))
				c.queues[0] = c.queues[0].stalled(0)
				return &c
			}(),
		},
	} {
		t.Run(e.name, func(t *testing.T) {
			w, usual := Window{}, busy
			n := before
			if e.usual != nil {
				usual = *e.usual
				if e.length == 1 {
					n = 2 // two evaluations of evidence, and then the gap
				}
			}
			var a Assessment
			for i := range n {
				_, w = Evaluate(w, plain(i, usual))
			}
			for i := range e.length {
				a, w = Evaluate(w, e.then(i, n+i))
				if e.never != Unknown && a.State == e.never {
					t.Fatalf("evaluation %d is %s: %v", i, a.State, a.GatesFired())
				}
			}
			if a.State != e.want {
				t.Errorf("the end is %s, want %s: %v", a.State, e.want, a.GatesFired())
			}
			if e.bottom != "" && a.Bottleneck != e.bottom {
				t.Errorf("the bottleneck is %s, want %s", a.Bottleneck, e.bottom)
			}
			if e.evidence != "" {
				found := false
				for _, id := range a.GatesFired() {
					found = found || id == e.evidence
				}
				if !found {
					t.Errorf("%s has not fired: %v", e.evidence, a.GatesFired())
				}
			}
		})
	}
}

// H11 at long periods: an incident that comes and goes settles, instead of
// changing the state each time.
func TestH11LongPeriods(t *testing.T) {
	for _, period := range []int{3, 5, 8} {
		changes := 0
		for i, a := range run(30+200, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", 50))
			if i >= 30 && (i/period)%2 == 0 {
				c.queues[0] = c.queues[0].stalled(time.Duration(i%period+1) * 30 * time.Second)
				c.transitions = c.starts
			}
			return c
		}) {
			if i >= 30 && a.Transition != nil {
				changes++
			}
		}
		if changes > 12 {
			t.Errorf("%d bad and %d good evaluations in turn: %d changes of state", period, period, changes)
		}
	}
}

// Among many task queues one always blinks; the cluster does not.
func TestManyBlinkingQueues(t *testing.T) {
	queues := make([]simQueue, 0, 100)
	for i := range 100 {
		queues = append(queues, healthyQueue(fmt.Sprintf("q%02d", i), 5))
	}
	for i, a := range run(100, func(i int) simCluster {
		c := healthyCluster(queues...)
		c.queues = append([]simQueue(nil), queues...)
		if i >= 30 {
			// Every evaluation another queue shows one bad sample.
			blinking := &c.queues[i*37%100]
			blinking.workflow.waiting, blinking.workflow.oldest, blinking.workflow.backlogged = 40, 35, 1
		}
		return c
	}) {
		if a.State != Happy {
			t.Fatalf("evaluation %d is %s: %v", i, a.State, a.GatesFired())
		}
	}
}
