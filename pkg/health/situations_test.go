package health

import (
	"slices"
	"testing"
	"time"
)

// Situations that fixed limits on rates and latencies misjudge, each with the
// verdict that is right. Every situation begins after a healthy half hour
// (unless usual says otherwise) and lasts for 20 evaluations.
func TestSituations(t *testing.T) {
	const before, during = 60, 20
	busy := func(rate float64) func(int) simCluster {
		return func(int) simCluster { return healthyCluster(healthyQueue("orders", rate)) }
	}
	stall := func(rate float64) func(int) simCluster {
		return func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate))
			c.queues[0] = c.queues[0].stalled(time.Duration(i+1) * 30 * time.Second)
			c.transitions, c.workers = c.starts, false
			return c
		}
	}
	for _, s := range []struct {
		name string
		// usual is how the cluster was before, situation how it is then.
		usual, situation func(i int) simCluster
		// want lists the states that are right at the end; never the ones that
		// must not occur at all.
		want, never []State
		bottleneck  Bottleneck
		check       func(t *testing.T, last Assessment)
	}{
		{
			name: "1 Prometheus is down", usual: busy(100),
			situation: func(int) simCluster { return simCluster{failed: true} },
			want:      []State{Happy}, never: []State{Stressed, Critical},
			check: func(t *testing.T, a Assessment) {
				if !a.Blind {
					t.Error("not said to be blind")
				}
			},
		},
		{
			name: "1 every process is dead", usual: busy(100),
			situation: func(int) simCluster { return simCluster{down: 3} },
			want:      []State{Critical}, bottleneck: BottleneckServer,
		},
		{name: "2 total stall at 800 transitions a second", usual: busy(200), situation: stall(200), want: []State{Critical}},
		{name: "3 all workers gone, starts go on", usual: busy(50), situation: stall(50), want: []State{Critical}, bottleneck: BottleneckWorker},
		{
			name: "4 one activity queue two hours behind", usual: busy(100),
			situation: func(i int) simCluster {
				c := healthyCluster(healthyQueue("orders", 100), healthyQueue("reports", 0))
				c.queues[1].activity = simFlow{asked: 0.2, backlogged: 0.2, waiting: 1400, oldest: 7200 + refreshed(time.Duration(i)*30*time.Second), slots: -1}
				return c
			},
			want: []State{Stressed}, never: []State{Critical},
			check: func(t *testing.T, a Assessment) {
				if s := scopeState(a, TaskQueueScope("default", "reports")); s != Critical {
					t.Errorf("the queue is %s", s)
				}
			},
		},
		{
			name: "5 the frontend refuses every call", usual: busy(80),
			situation: func(int) simCluster {
				c := healthyCluster()
				c.requests, c.refused = 500, 500
				return c
			},
			want: []State{Critical}, bottleneck: BottleneckServer,
		},
		{
			name: "6 from 1000 to 4 transitions a second with demand", usual: busy(250),
			situation: func(i int) simCluster {
				c := stall(250)(i)
				c.queues[0].workflow.started, c.queues[0].workflow.completed = 1, 1
				c.queues[0].workflow.pollers = 1
				return c
			},
			want: []State{Critical},
		},
		{
			name: "6b from 1000 to 20, backlog 100 s, slow persistence", usual: busy(250),
			situation: func(i int) simCluster {
				c := stall(250)(i)
				c.persistence = 450
				c.queues[0].workflow.started, c.queues[0].workflow.completed, c.queues[0].workflow.oldest = 8, 8, 100
				return c
			},
			want: []State{Stressed, Critical},
		},
		{
			name: "7 all workflows of a small cluster fail", usual: busy(1.2),
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 1.2))
				c.queues[0].failed = c.queues[0].closed
				return c
			},
			want: []State{Happy}, never: []State{Stressed, Critical},
			check: func(t *testing.T, a Assessment) {
				if len(a.Issues) == 0 || a.Issues[0].Kind != "business.failures" {
					t.Errorf("no issue: %+v", a.Issues)
				}
			},
		},
		{
			name: "8 three of four workflows fail in business code", usual: busy(200),
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 200))
				c.queues[0].closed, c.queues[0].failed = 10, 7.5
				return c
			},
			want: []State{Happy}, never: []State{Critical},
		},
		{
			name: "9 idle with a few callers' errors", usual: busy(0),
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 0))
				c.requests = 0.4
				return c
			},
			want: []State{Happy}, never: []State{Stressed, Critical},
		},
		{
			name: "9b idle with a few failed workflows", usual: busy(0),
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 0.1))
				c.queues[0].closed, c.queues[0].failed = 0.15, 0.15
				return c
			},
			want: []State{Happy}, never: []State{Stressed, Critical},
		},
		{
			name: "10 almost nothing to do, slow queue histogram", usual: busy(0.1),
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 0.1))
				c.transitions = 0.4
				return c
			},
			want: []State{Happy}, never: []State{Stressed, Critical},
		},
		{
			name: "11 persistence of 350 ms that was always there",
			usual: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 150))
				c.persistence = 350
				return c
			},
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 150))
				c.persistence = 360
				return c
			},
			want: []State{Happy}, never: []State{Stressed, Critical},
		},
		{
			name: "11 persistence at forty times its usual for minutes", usual: busy(150),
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 150))
				c.persistence = 350
				return c
			},
			want: []State{Stressed}, never: []State{Critical}, bottleneck: BottleneckServer,
		},
		{
			name: "13 a deletion storm and no pollers", usual: busy(60),
			situation: func(i int) simCluster {
				c := stall(60)(i)
				c.requests, c.persistence = 900, 60
				c.queues[0].workflow.oldest = 900 + refreshed(time.Duration(i)*30*time.Second)
				return c
			},
			want: []State{Critical}, bottleneck: BottleneckWorker,
		},
		{
			name: "13 a deletion storm alone", usual: busy(60),
			situation: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 0))
				c.requests, c.persistence = 900, 60
				return c
			},
			want: []State{Happy}, never: []State{Stressed, Critical},
		},
		{
			name: "14 a backlog of 400 s in two of three samples", usual: busy(60),
			situation: func(i int) simCluster {
				c := healthyCluster(healthyQueue("orders", 60))
				if i%3 != 2 {
					c.queues[0].activity.waiting, c.queues[0].activity.oldest = 900, 400
				}
				return c
			},
			want: []State{Stressed, Critical},
		},
		{
			name: "16 one workflow with 20,000 transitions, one a second", usual: busy(1),
			situation: busy(1),
			want:      []State{Happy}, never: []State{Stressed, Critical},
		},
		{
			name: "17 from a stall to all good",
			usual: func(i int) simCluster {
				if i < 40 {
					return busy(60)(i)
				}
				return stall(60)(i - 40)
			},
			situation: busy(60),
			want:      []State{Happy},
		},
		{
			name: "B1 no worker telemetry, tasks wait",
			usual: func(int) simCluster {
				c := healthyCluster(healthyQueue("orders", 60))
				c.workers = false
				return c
			},
			situation: func(i int) simCluster {
				c := healthyCluster(healthyQueue("orders", 60))
				c.workers = false
				f := &c.queues[0].activity
				f.started, f.completed, f.backlogged, f.slots = 40, 40, 20, -1
				f.waiting, f.oldest = 20*30*float64(i+1), refreshed(time.Duration(i)*10*time.Second)
				return c
			},
			want: []State{Stressed}, never: []State{Critical}, bottleneck: BottleneckUnknown,
		},
		{
			name: "B2 a fleet that only runs workflows",
			usual: func(int) simCluster {
				q := healthyQueue("orders", 60)
				q.activity = simFlow{pollers: -1, slots: -1}
				return healthyCluster(q)
			},
			situation: func(int) simCluster {
				q := healthyQueue("orders", 60)
				q.activity = simFlow{pollers: -1, slots: -1}
				return healthyCluster(q)
			},
			want: []State{Happy}, bottleneck: BottleneckHealthy,
		},
		{
			name: "B3 activities wait a minute, one of a thousand slots is free", usual: busy(60),
			situation: func(i int) simCluster {
				c := healthyCluster(healthyQueue("orders", 60))
				f := &c.queues[0].activity
				f.started, f.completed, f.backlogged, f.slots, f.pollers = 50, 50, 10, 1, 2
				f.waiting, f.oldest = 600+300*float64(i), 60+refreshed(time.Duration(i)*5*time.Second)
				return c
			},
			want: []State{Stressed}, never: []State{Critical}, bottleneck: BottleneckWorker,
		},
		{
			name: "B4 190 slots free and tasks wait because the server is slow", usual: busy(60),
			situation: func(i int) simCluster {
				c := healthyCluster(healthyQueue("orders", 60))
				f := &c.queues[0].activity
				f.started, f.completed, f.backlogged, f.slots, f.pollers = 40, 40, 20, 190, 4
				f.waiting, f.oldest = 600*float64(i+1), 60+refreshed(time.Duration(i)*15*time.Second)
				return c
			},
			want: []State{Stressed}, never: []State{Critical}, bottleneck: BottleneckServer,
		},
		{
			name: "G critical names its gate", usual: busy(60), situation: stall(60), want: []State{Critical},
			check: func(t *testing.T, a Assessment) {
				if ids := a.GatesFired(); len(ids) == 0 || len(a.Actions) == 0 || len(a.Issues) == 0 {
					t.Errorf("gates %v, actions %v, issues %v", ids, a.Actions, a.Issues)
				}
			},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			assessments := run(before+during, func(i int) simCluster {
				if i < before {
					return s.usual(i)
				}
				return s.situation(i - before)
			})
			last := assessments[len(assessments)-1]
			if !slices.Contains(s.want, last.State) {
				t.Errorf("the end is %s, want one of %v; gates: %v\nall: %v", last.State, s.want, last.GatesFired(), states(assessments[before:]))
			}
			for i, a := range assessments[before:] {
				if slices.Contains(s.never, a.State) {
					t.Fatalf("evaluation %d is %s; gates: %v", i, a.State, a.GatesFired())
				}
			}
			if s.bottleneck != "" && last.Bottleneck != s.bottleneck {
				t.Errorf("the bottleneck is %s, want %s", last.Bottleneck, s.bottleneck)
			}
			if s.check != nil {
				s.check(t, last)
			}
		})
	}
}
