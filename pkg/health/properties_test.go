package health

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// anyRate draws a traffic rate over four orders of magnitude.
func anyRate(t *rapid.T) float64 {
	return rapid.SampledFrom([]float64{0.5, 2, 5, 30, 200, 2000, 20000}).Draw(t, "rate")
}

// anyCluster draws a cluster in any condition, sane or not.
func anyCluster(t *rapid.T) simCluster {
	amount := rapid.Float64Range(0, 500)
	flow := func(label string) simFlow {
		return simFlow{
			asked: amount.Draw(t, label), backlogged: amount.Draw(t, label), started: amount.Draw(t, label), completed: amount.Draw(t, label),
			waiting: amount.Draw(t, label), oldest: amount.Draw(t, label),
			pollers: rapid.Float64Range(-1, 5).Draw(t, label), slots: rapid.Float64Range(-1, 5).Draw(t, label),
		}
	}
	c := simCluster{
		arrivals: amount.Draw(t, "arrivals"), starts: amount.Draw(t, "starts"), transitions: amount.Draw(t, "transitions"),
		persistence: amount.Draw(t, "persistence"), requests: amount.Draw(t, "requests"), refused: amount.Draw(t, "refused"),
		throttled: amount.Draw(t, "throttled"),
		up:        rapid.IntRange(0, 2).Draw(t, "up"), down: rapid.IntRange(0, 2).Draw(t, "down"),
		workers: rapid.Bool().Draw(t, "workers"),
		failed:  rapid.IntRange(0, 4).Draw(t, "failed") == 0, missing: rapid.IntRange(0, 4).Draw(t, "missing") == 0,
		age: rapid.Float64Range(0, 400).Draw(t, "age"),
	}
	for _, name := range []string{"billing", "orders"}[:rapid.IntRange(0, 2).Draw(t, "queues")] {
		c.queues = append(c.queues, simQueue{
			namespace: "default", name: name, workflow: flow(name + " workflow"), activity: flow(name + " activity"),
			closed: amount.Draw(t, "closed"), failed: amount.Draw(t, "failed workflows"),
		})
	}
	return c
}

// H1: canonical transitions only, one step an evaluation, for every scope.
func TestH1CanonicalTransitionsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Window{}
		before, seen := map[Scope]State{}, map[Scope]bool{}
		for i := range rapid.IntRange(1, 40).Draw(t, "evaluations") {
			var a Assessment
			a, w = Evaluate(w, anyCluster(t).observe(start.Add(time.Duration(i)*30*time.Second)))
			after := map[Scope]State{ClusterScope(): a.State}
			for _, s := range a.Scopes {
				after[s.Scope] = s.State
			}
			for scope, state := range after {
				was, known := before[scope]
				if !known || was == Unknown {
					if state == Critical && !seen[scope] {
						t.Fatalf("%s begins as critical", scope)
					}
					seen[scope] = state != Unknown
					continue
				}
				if step := int(state) - int(was); step < -1 || step > 1 || state == Unknown {
					t.Fatalf("%s went from %s to %s in one evaluation", scope, was, state)
				}
			}
			before = after
			if a.Transition != nil && a.Transition.To != a.State {
				t.Fatalf("transition to %s recorded in state %s", a.Transition.To, a.State)
			}
		}
	})
}

// H2: an idle cluster is Happy, whatever the noise.
func TestH2IdleIsHappy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, a := range run(40, func(int) simCluster {
			c := healthyCluster()
			c.transitions = rapid.Float64Range(0, 5).Draw(t, "system transitions")
			c.requests = rapid.Float64Range(0, 3).Draw(t, "requests")
			c.persistence = rapid.Float64Range(1, 90).Draw(t, "persistence")
			q := healthyQueue("orders", 0)
			q.workflow.pollers = rapid.Float64Range(0, 9).Draw(t, "pollers")
			q.activity.pollers = q.workflow.pollers
			if rapid.IntRange(0, 9).Draw(t, "failures") == 0 {
				q.closed, q.failed = 0.15, 0.15
			}
			c.queues = []simQueue{q}
			return c
		}) {
			if a.State != Happy {
				t.Fatalf("an idle cluster is %s: %v", a.State, a.GatesFired())
			}
		}
	})
}

// H3: a total stall is Critical through Stressed at any scale: Stressed within
// two evaluations and Critical within four of the first that shows it.
func TestH3StallIsCriticalThroughStressed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate(t)
		const before = 30
		workers := rapid.Bool().Draw(t, "worker telemetry")
		assessments := run(before+20, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate), healthyQueue("billing", rate/2))
			c.workers = workers
			if i >= before {
				since := time.Duration(i-before+1) * 30 * time.Second
				for q := range c.queues {
					c.queues[q] = c.queues[q].stalled(since)
				}
				c.transitions = c.starts
				c.workers = false
			}
			return c
		})
		expectStall(t, assessments, before, rate)
		last := assessments[len(assessments)-1]
		if last.Bottleneck != BottleneckWorker {
			t.Fatalf("all workers gone is %s", last.Bottleneck)
		}
		if s := scopeState(last, TaskQueueScope("default", "orders")); s != Critical {
			t.Fatalf("the dead queue is %s", s)
		}
	})
}

// H3 again, when it is the server that accepts nothing: clients ask, and no
// transition happens.
func TestH3ServerThatAcceptsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate(t)
		const before = 30
		assessments := run(before+20, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate))
			if i >= before {
				c.transitions = 0
				c.queues[0].workflow = simFlow{pollers: 4, slots: 90}
				c.queues[0].activity = simFlow{pollers: 4, slots: 90}
			}
			return c
		})
		expectStall(t, assessments, before, rate)
		if b := assessments[len(assessments)-1].Bottleneck; b != BottleneckServer {
			t.Fatalf("a server that accepts nothing is %s", b)
		}
	})
}

// expectStall checks the way of the state through a stall. Where so little
// arrives that chance explains a silence of minutes, more time is allowed.
func expectStall(t *rapid.T, assessments []Assessment, before int, rate float64) {
	for i, a := range assessments[:before] {
		if a.State != Happy {
			t.Fatalf("healthy evaluation %d is %s: %v", i, a.State, a.GatesFired())
		}
	}
	toStressed, toCritical := 2, 4
	if rate < 5 {
		toStressed, toCritical = 3, 8
	}
	if s := assessments[before+toStressed-1].State; s < Stressed {
		t.Fatalf("%d evaluations into the stall the cluster is %s", toStressed, s)
	}
	if a := assessments[before+toCritical-1]; a.State != Critical {
		t.Fatalf("%d evaluations into the stall the cluster is %s: %v", toCritical, a.State, a.GatesFired())
	}
	for i, a := range assessments[before+toCritical-1:] {
		if a.State != Critical {
			t.Fatalf("the stall goes on and evaluation %d is %s", i, a.State)
		}
	}
}

// H5: workflows that fail are progress.
func TestH5BusinessFailuresAreProgress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := max(2, anyRate(t)) // below, half a minute may pass without a failure
		part := rapid.Float64Range(0.2, 1).Draw(t, "part that fails")
		assessments := run(20, func(int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate))
			c.queues[0].failed = part * c.queues[0].closed
			return c
		})
		last := assessments[len(assessments)-1]
		if last.State != Happy {
			t.Fatalf("business failures make the cluster %s: %v", last.State, last.GatesFired())
		}
		if len(last.Issues) != 1 || last.Issues[0].Kind != "business.failures" {
			t.Fatalf("the failures are not among the issues: %+v", last.Issues)
		}
	})
}

// H6: clients that stop sending leave the cluster Happy.
func TestH6LessDemandIsNotLessHealth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate(t)
		left := rapid.Float64Range(0, 1).Draw(t, "part that goes on")
		for i, a := range run(60, func(i int) simCluster {
			if i >= 30 {
				return healthyCluster(healthyQueue("orders", rate*left))
			}
			return healthyCluster(healthyQueue("orders", rate))
		}) {
			if a.State != Happy {
				t.Fatalf("evaluation %d is %s: %v", i, a.State, a.GatesFired())
			}
		}
	})
}

// H7: a surge served at full capacity with a growing backlog is Stressed.
func TestH7SurgeAtCapacityIsStressed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate(t)
		surge := rapid.Float64Range(1.5, 8).Draw(t, "surge")
		capacity := rapid.Float64Range(1, 1.4).Draw(t, "capacity")
		assessments := run(70, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate))
			if i >= 30 {
				since := time.Duration(i-29) * 30 * time.Second
				f := &c.queues[0].activity
				served := rate * capacity
				f.asked, f.started, f.completed = rate*surge, served, served
				f.backlogged, f.slots, f.pollers = rate*surge-served, 0, 0
				f.waiting = (rate*surge - served) * since.Seconds()
				f.oldest = refreshed(time.Duration(float64(since) * (1 - 1/surge)))
			}
			return c
		})
		for i, a := range assessments {
			if a.State == Critical {
				t.Fatalf("evaluation %d of a surge at capacity is critical: %v", i, a.GatesFired())
			}
		}
		last := assessments[len(assessments)-1]
		if last.State != Stressed || last.Bottleneck != BottleneckWorker {
			t.Fatalf("a surge at capacity is %s, %s", last.State, last.Bottleneck)
		}
	})
}

// H8: one dead task queue makes the cluster Stressed and is named Critical;
// half of the demand impaired makes the cluster Critical.
func TestH8OneDeadQueueIsNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{5, 50, 5000}).Draw(t, "rate")
		share := rapid.SampledFrom([]float64{0.05, 0.2, 0.4, 0.6, 0.9}).Draw(t, "share of the dead queue")
		assessments := run(60, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate*(1-share)), healthyQueue("billing", rate*share))
			if i >= 30 {
				c.queues[1] = c.queues[1].stalled(time.Duration(i-29) * 30 * time.Second)
			}
			return c
		})
		last := assessments[len(assessments)-1]
		want := Stressed
		if share >= impairedShare {
			want = Critical
		}
		if last.State != want {
			t.Fatalf("with %.0f %% of the demand dead the cluster is %s", 100*share, last.State)
		}
		if s := scopeState(last, TaskQueueScope("default", "billing")); s != Critical {
			t.Fatalf("the dead queue is %s", s)
		}
		if s := scopeState(last, TaskQueueScope("default", "orders")); s != Happy {
			t.Fatalf("the other queue is %s", s)
		}
	})
}

// H10: telemetry lost holds the state, lowers the confidence and says why.
func TestH10BlindHoldsTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate(t)
		sick := rapid.Bool().Draw(t, "sick before")
		how := rapid.SampledFrom([]string{"failed", "missing", "stale"}).Draw(t, "how")
		assessments := run(60, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate))
			if sick && i >= 15 {
				c.queues[0] = c.queues[0].stalled(time.Duration(i-14) * 30 * time.Second)
				c.transitions = c.starts
			}
			if i >= 40 {
				c.failed, c.missing = how == "failed", how == "missing"
				if how == "stale" {
					c.age = 200
				}
			}
			return c
		})
		held := assessments[39].State
		confidence := assessments[39].Confidence
		for _, a := range assessments[40:] {
			if a.State != held || !a.Blind || a.BlindReason == "" {
				t.Fatalf("blind after %s: %s, blind %v because of %q", held, a.State, a.Blind, a.BlindReason)
			}
			if a.Confidence >= confidence && confidence > 0.001 {
				t.Fatalf("confidence went from %v to %v in the dark", confidence, a.Confidence)
			}
			confidence = a.Confidence
		}
		if confidence > 0.01 {
			t.Fatalf("after ten minutes in the dark the confidence is still %v", confidence)
		}
	})
}

// H10: nothing ever seen is unknown, never Happy.
func TestH10NeverSeenIsUnknown(t *testing.T) {
	for _, a := range run(10, func(int) simCluster { return simCluster{failed: true} }) {
		if a.State != Unknown || !a.Blind || a.Confidence != 0 {
			t.Fatalf("never seen and %s with confidence %v", a.State, a.Confidence)
		}
	}
}

// H10: every target down is a dead cluster, unless the workers still work.
func TestH10AllTargetsDownIsCritical(t *testing.T) {
	dead := func(i int) simCluster {
		c := healthyCluster(healthyQueue("orders", 50))
		if i >= 20 {
			c.up, c.down = 0, 2
		}
		return c
	}
	assessments := run(30, dead)
	if s := assessments[21].State; s != Stressed {
		t.Fatalf("two evaluations after its death the cluster is %s", s)
	}
	if a := assessments[29]; a.State != Critical || a.Blind || a.Bottleneck != BottleneckServer {
		t.Fatalf("a dead cluster is %s, blind %v, %s", a.State, a.Blind, a.Bottleneck)
	}
}

// H11: a signal that crosses its limit at each sample gives one entry and one
// exit.
func TestH11NoFlapping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := rapid.IntRange(2, 3).Draw(t, "period")
		assessments := run(120, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", 50))
			if i >= 30 && i < 90 && i%period != 0 {
				c.queues[0].activity.waiting, c.queues[0].activity.oldest = 500, 400
			}
			return c
		})
		changes := 0
		for _, a := range assessments {
			if a.Transition != nil {
				changes++
			}
		}
		if changes != 0 && changes != 2 {
			t.Fatalf("%d changes of state in one incident: %v", changes, states(assessments))
		}
		if s := assessments[len(assessments)-1].State; s != Happy {
			t.Fatalf("long after the incident the cluster is %s", s)
		}
	})
}

// H12 and H16: the order of the series does not matter, and the same input
// gives the same output, byte for byte.
func TestH12H16OrderAndDeterminism(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Window{}
		for i := range 6 {
			o := anyCluster(t).observe(start.Add(time.Duration(i) * 30 * time.Second))
			shuffled := shuffle(o, rapid.Int64().Draw(t, "seed"))
			given := marshal(t, w)
			a, next := Evaluate(w, o)
			b, other := Evaluate(w, shuffled)
			if !bytes.Equal(marshal(t, a), marshal(t, b)) || !bytes.Equal(marshal(t, next), marshal(t, other)) {
				t.Fatalf("another order of series gives another verdict:\n%s\n%s", marshal(t, a), marshal(t, b))
			}
			if !bytes.Equal(given, marshal(t, w)) {
				t.Fatal("Evaluate changed the window that it was given")
			}
			w = next
		}
	})
}

// The window survives the way through JSON, which it takes at every
// continue-as-new.
func TestWindowSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept, carried := Window{}, Window{}
		for i := range 12 {
			o := anyCluster(t).observe(start.Add(time.Duration(i) * 30 * time.Second))
			var a, b Assessment
			a, kept = Evaluate(kept, o)
			b, carried = Evaluate(carried, o)
			if !bytes.Equal(marshal(t, a), marshal(t, b)) {
				x, y := marshal(t, a), marshal(t, b)
				at := 0
				for at < len(x) && at < len(y) && x[at] == y[at] {
					at++
				}
				t.Fatalf("carried through JSON the window gives another verdict at %d:\n%s\n%s", i, x[max(0, at-300):min(len(x), at+200)], y[max(0, at-300):min(len(y), at+200)])
			}
			data := marshal(t, carried)
			carried = Window{}
			if err := json.Unmarshal(data, &carried); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func marshal(t *rapid.T, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func shuffle(o Observation, seed int64) Observation {
	r := rand.New(rand.NewSource(seed))
	o.Measurements = append([]Measurement(nil), o.Measurements...)
	r.Shuffle(len(o.Measurements), func(i, j int) { o.Measurements[i], o.Measurements[j] = o.Measurements[j], o.Measurements[i] })
	for i := range o.Measurements {
		s := append([]Sample(nil), o.Measurements[i].Samples...)
		r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
		o.Measurements[i].Samples = s
	}
	return o
}

func BenchmarkEvaluate(b *testing.B) {
	for _, queues := range []int{4, 40} {
		b.Run(map[int]string{4: "4queues", 40: "40queues"}[queues], func(b *testing.B) {
			c := simCluster{}
			list := make([]simQueue, 0, queues)
			for i := range queues {
				list = append(list, healthyQueue(string(rune('a'+i%26))+string(rune('a'+i/26)), 10))
			}
			c = healthyCluster(list...)
			w := Window{}
			for i := range 30 {
				_, w = Evaluate(w, c.observe(start.Add(time.Duration(i)*30*time.Second)))
			}
			o := c.observe(instant.FromUnix(start.Unix() + 900))
			b.ReportAllocs()
			for b.Loop() {
				Evaluate(w, o)
			}
		})
	}
}

// H4: pain without loss of progress is Stressed at most, and only when it is
// far beyond what is usual here and above the floor.
func TestH4PainIsStressedAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		usual := rapid.SampledFrom([]float64{2, 8, 40, 350}).Draw(t, "usual persistence p99")
		times := rapid.SampledFrom([]float64{1, 2, 5, 15, 40}).Draw(t, "times usual")
		rate := anyRate(t)
		assessments := run(80, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate))
			c.persistence = usual
			if i >= 60 {
				c.persistence = usual * times
			}
			return c
		})
		for i, a := range assessments {
			if a.State == Critical {
				t.Fatalf("evaluation %d is critical by latency alone: %v", i, a.GatesFired())
			}
		}
		last := assessments[len(assessments)-1]
		want := Happy
		if times > timesUsual && usual*times > persistenceFloor {
			want = Stressed
		}
		if last.State != want {
			t.Fatalf("persistence at %.0f ms where %.0f is usual is %s", usual*times, usual, last.State)
		}
		if want == Stressed && last.Bottleneck != BottleneckServer {
			t.Fatalf("slow persistence is %s", last.Bottleneck)
		}
	})
}

// H9: a rolling restart of the workers, in which each loses its polls for a
// moment and tasks wait for seconds, makes no Critical; neither does a scrape
// gap of a few samples.
func TestH9DeploysAndGapsAreNotCritical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate(t)
		kind := rapid.SampledFrom([]string{"rolling restart", "scrape gap"}).Draw(t, "kind")
		length := rapid.IntRange(1, 4).Draw(t, "evaluations")
		assessments := run(60, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate), healthyQueue("billing", rate))
			if i < 30 || i >= 30+length {
				return c
			}
			if kind == "scrape gap" {
				c.missing = true
				return c
			}
			for q := range c.queues {
				f := &c.queues[q].workflow
				f.backlogged, f.started, f.completed = f.asked/4, f.asked*0.9, f.asked*0.9
				f.waiting, f.oldest, f.pollers = f.asked/4, 3, 1
			}
			return c
		})
		for i, a := range assessments {
			if a.State == Critical {
				t.Fatalf("evaluation %d of a %s is critical: %v", i, kind, a.GatesFired())
			}
		}
		if a := assessments[len(assessments)-1]; a.State != Happy {
			t.Fatalf("long after a %s the cluster is %s", kind, a.State)
		}
	})
}

// H13: without worker telemetry, and with pollers at the queue, nobody accuses
// the workers.
func TestH13NoWorkerTelemetryAccusesNoWorker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Window{}
		for i := range 12 {
			c := anyCluster(t)
			c.workers = false
			for q := range c.queues {
				c.queues[q].workflow.pollers, c.queues[q].activity.pollers = 2, 2
			}
			var a Assessment
			a, w = Evaluate(w, c.observe(start.Add(time.Duration(i)*30*time.Second)))
			if a.Bottleneck == BottleneckWorker || a.Bottleneck == BottleneckMixed {
				t.Fatalf("without worker telemetry the cluster is %s: %v", a.Bottleneck, a.GatesFired())
			}
		}
	})
}

// H14: while the server is Critical, advice on workers is irrelevant.
func TestH14ServerFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := max(5, anyRate(t))
		assessments := run(50, func(i int) simCluster {
			c := healthyCluster(healthyQueue("orders", rate))
			if i >= 30 {
				// The frontend refuses everything, and the workers are full too.
				c.refused = c.requests
				f := &c.queues[0].activity
				f.backlogged, f.slots, f.pollers = f.asked, 0, 0
				f.waiting, f.oldest = rate*60, 120
			}
			return c
		})
		last := assessments[len(assessments)-1]
		if last.State != Critical || last.Bottleneck != BottleneckServer {
			t.Fatalf("a server that refuses everything is %s, %s: %v", last.State, last.Bottleneck, last.GatesFired())
		}
	})
}

// H15: one worker without a slot among many shows, though the sum looks fine:
// the signal is the least over the workers. The pool of connections is the
// fullest replica's.
func TestH15OneFullReplicaShows(t *testing.T) {
	assessments := run(50, func(i int) simCluster {
		c := healthyCluster(healthyQueue("orders", 60))
		if i >= 30 {
			f := &c.queues[0].activity
			f.slots, f.backlogged, f.started, f.completed = 0, 5, 55, 55
			f.waiting, f.oldest = 300, 20
		}
		return c
	})
	last := assessments[len(assessments)-1]
	found := false
	for _, g := range last.Gates {
		found = found || g.ID == ruleSlots.ID && g.Outcome == Fire
	}
	if !found || last.State != Stressed || last.Bottleneck != BottleneckWorker {
		t.Fatalf("one full worker: %s, %s, %v", last.State, last.Bottleneck, last.GatesFired())
	}
}
