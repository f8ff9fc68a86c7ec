package health

import (
	"testing"
	"time"
)

// Every entry of the action catalogue is complete, justified by a gate that
// exists, and scales nothing down (R10.2, R14.5).
func TestEveryActionIsStructured(t *testing.T) {
	gates := map[string]bool{}
	for _, r := range []Rule{
		ruleHeadOfLine, ruleServedFallsAway, ruleCompleting, ruleWaiting, rulePollsThrottled, rulePollers, ruleSlots, ruleScheduleToStart,
		ruleBusinessFailures, ruleTargetsDown, ruleAccepting, ruleDispatch, ruleRefused, ruleDemandImpaired, ruleCollapsed,
		rulePersistenceLatency, ruleRequestLatency, rulePersistenceErrors, ruleThrottled, rulePool, ruleShardChurn,
	} {
		gates[r.ID] = true
		if r.Question == "" || r.Doctrine == "" || r.Source == "" || len(r.Signals) == 0 {
			t.Errorf("gate %s is incomplete: %+v", r.ID, r)
		}
	}
	for _, r := range remedies {
		issue := Issue{Scope: TaskQueueScope("default", "orders"), Gates: r.gates}
		for _, gate := range r.gates {
			if !gates[gate] {
				t.Errorf("%s rests on gate %s, which does not exist", r.id, gate)
			}
		}
		found := false
		for _, a := range actionsFor(&issue) {
			if a.ID != r.id {
				continue
			}
			found = true
			if a.Type == "" || a.Action == "" || a.Target != issue.Scope || a.Risk == "" || a.Guide == "" || len(a.Gates) == 0 ||
				a.Confidence <= 0 || a.Confidence >= 1 {
				t.Errorf("action %s is incomplete: %+v", r.id, a)
			}
			if a.Type == ActionScale && a.Parameters["direction"] != "up" {
				t.Errorf("%s scales %s", r.id, a.Parameters["direction"])
			}
		}
		if !found {
			t.Errorf("%s is not suggested for its own gates", r.id)
		}
	}
}

// Whoever proposes it: no worker is scaled down while one has no free slot or
// tasks wait (R14.5).
func TestNeverScaleDownWhileWorkersAreFull(t *testing.T) {
	down := Action{Type: ActionScale, Parameters: map[string]string{"direction": "down"}}
	up := Action{Type: ActionScale, Parameters: map[string]string{"direction": "up"}}
	full := func(int) simCluster {
		c := healthyCluster(healthyQueue("orders", 60))
		c.queues[0].activity.slots = 0
		return c
	}
	waiting := func(int) simCluster {
		c := healthyCluster(healthyQueue("orders", 60))
		c.queues[0].activity.waiting, c.queues[0].activity.oldest = 10, 2
		return c
	}
	idle := func(int) simCluster { return healthyCluster(healthyQueue("orders", 60)) }
	for name, c := range map[string]struct {
		at        func(int) simCluster
		forbidden bool
	}{"full": {full, true}, "waiting": {waiting, true}, "idle": {idle, false}} {
		assessments := run(3, c.at)
		a := &assessments[2]
		if _, forbidden := Forbidden(a, down); forbidden != c.forbidden {
			t.Errorf("%s: scaling down is forbidden: %v", name, forbidden)
		}
		if _, forbidden := Forbidden(a, up); forbidden {
			t.Errorf("%s: scaling up is forbidden", name)
		}
	}
	blind := simCluster{failed: true}.observe(start.Add(time.Minute))
	a, _ := Evaluate(Window{}, blind)
	if _, forbidden := Forbidden(&a, down); !forbidden {
		t.Error("scaling down is allowed in the dark")
	}
}
