package health

import (
	"cmp"
	"fmt"
	"slices"
)

// remedy is an entry of the action catalogue.
type remedy struct {
	id         string
	gates      []string // any of these justifies it
	action     ActionType
	text       string // one %s: the target's name
	parameters map[string]string
	risk       Risk
	// trust is how often the remedy is the right one when its gate has fired
	// and nothing else is known: a judgement, not a measurement. It orders the
	// suggestions.
	trust float64
	guide string
}

// remedies is the action catalogue, most trusted first for each cause.
// Nothing in it scales anything down (requirement R14.5).
var remedies = []remedy{
	{
		id: "restart-workers", gates: []string{rulePollers.ID}, action: ActionRestart, risk: RiskLow, trust: 0.86, guide: "workers-gone",
		text: "restart the workers of task queue %s, or roll their last deployment back", parameters: map[string]string{"component": "worker"},
	},
	{
		id: "check-queue-name", gates: []string{rulePollers.ID}, action: ActionAlert, risk: RiskNone, trust: 0.64, guide: "queue-name",
		text: "check that a worker registers on task queue %s: a renamed queue looks the same",
	},
	{
		id: "add-workers", gates: []string{ruleSlots.ID}, action: ActionScale, risk: RiskLow, trust: 0.8, guide: "slots-exhausted",
		text: "add workers to task queue %s, or raise their slots", parameters: map[string]string{"component": "worker", "direction": "up"},
	},
	{
		id: "restart-some-workers", gates: []string{ruleSlots.ID}, action: ActionRestart, risk: RiskMedium, trust: 0.45, guide: "sticky-queues",
		text: "after adding workers, restart a part of the old ones of %s: sticky queues keep running workflows on them", parameters: map[string]string{"component": "worker", "share": "0.25"},
	},
	{
		id: "unblock-workers", gates: []string{ruleCompleting.ID}, action: ActionRestart, risk: RiskMedium, trust: 0.7, guide: "workers-hang",
		text: "take a stack dump of a worker of %s and restart it: it takes tasks and answers none", parameters: map[string]string{"component": "worker"},
	},
	{
		id: "find-slow-layer", gates: []string{ruleWaiting.ID, ruleServedFallsAway.ID, ruleHeadOfLine.ID}, action: ActionAlert, risk: RiskNone, trust: 0.4, guide: "backlog",
		text: "compare free slots with open polls on %s: free slots accuse the server, none accuses the workers",
	},
	{
		id: "start-server", gates: []string{ruleTargetsDown.ID}, action: ActionRestart, risk: RiskLow, trust: 0.75, guide: "server-down",
		text: "see why no instance of %s answers Prometheus, and start what is not running", parameters: map[string]string{"component": "server"},
	},
	{
		id: "check-persistence", gates: []string{ruleAccepting.ID, ruleDispatch.ID, rulePersistenceLatency.ID, rulePersistenceErrors.ID, ruleRefused.ID},
		action: ActionAlert, risk: RiskNone, trust: 0.7, guide: "persistence",
		text: "look at the database behind %s first: load, locks, failovers, network",
	},
	{
		id: "enlarge-pool", gates: []string{rulePool.ID}, action: ActionConfigure, risk: RiskMedium, trust: 0.55, guide: "connection-pool",
		text: "raise the maximum of open connections of the exhausted replica of %s, within the database's limit", parameters: map[string]string{"setting": "maxConns"},
	},
	{
		id: "lift-throttle", gates: []string{ruleThrottled.ID, rulePollsThrottled.ID}, action: ActionConfigure, risk: RiskMedium, trust: 0.75, guide: "throttling",
		text: "find the cause of ResourceExhausted on %s: raise the limit that is hit, or slow the client that hits it", parameters: map[string]string{"setting": "rps"},
	},
	{
		id: "tell-owner", gates: []string{ruleBusinessFailures.ID}, action: ActionAlert, risk: RiskNone, trust: 0.6, guide: "business-failures",
		text: "tell the owners of the workflows on %s: their code fails, the cluster does its part",
	},
}

// actionsFor suggests remedies for one issue, the most trusted first.
func actionsFor(issue *Issue) []Action {
	var actions []Action
	for i := range remedies {
		r := &remedies[i]
		var because []string
		for _, gate := range issue.Gates {
			if slices.Contains(r.gates, gate) {
				because = append(because, gate)
			}
		}
		if len(because) == 0 {
			continue
		}
		name := issue.Scope.Name
		if issue.Scope.IsCluster() {
			name = "the cluster"
		}
		actions = append(actions, Action{
			ID: r.id, Type: r.action, Action: fmt.Sprintf(r.text, name), Target: issue.Scope,
			Parameters: r.parameters, Risk: r.risk, Confidence: r.trust, Gates: because, Guide: r.guide,
		})
	}
	return actions
}

// suggested gathers the actions of the issues whose evidence is there now, the
// most trusted first, less those that are forbidden.
func suggested(a *Assessment) []Action {
	actions := make([]Action, 0, len(a.Issues))
	for i := range a.Issues {
		if a.Issues[i].Status == IssueOpen && a.Issues[i].Quiet == 0 {
			actions = append(actions, a.Issues[i].Actions...)
		}
	}
	actions = slices.DeleteFunc(actions, func(action Action) bool {
		_, forbidden := Forbidden(a, action)
		return forbidden
	})
	slices.SortStableFunc(actions, func(a, b Action) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return actions
}

// Forbidden tells whether an action must not be suggested in the light of an
// assessment, whoever proposed it, and why (requirement R14.5).
func Forbidden(a *Assessment, action Action) (reason string, forbidden bool) {
	if action.Type != ActionScale || action.Parameters["direction"] != "down" {
		return "", false
	}
	if a.Blind {
		return "the workers cannot be seen now", true
	}
	for i := range a.Gates {
		g := &a.Gates[i]
		if g.ID == ruleSlots.ID && g.Value != nil && *g.Value == 0 {
			return "a worker of " + g.Scope.Name + " has no free slot", true
		}
	}
	for i := range a.Scopes {
		s := &a.Scopes[i]
		if s.Kind == KindTaskQueue && s.Progress.Waiting != nil && *s.Progress.Waiting >= 1 {
			return "tasks wait on " + s.Name, true
		}
	}
	return "", false
}
