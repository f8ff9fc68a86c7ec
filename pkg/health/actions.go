package health

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// remedy is an entry of the action catalogue.
type remedy struct {
	id         string
	gates      []string // any of these justifies it
	action     ActionType
	text       string // with at most one %s: the targets' names
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
		text: "restart the workers of %s, or roll their last deployment back", parameters: map[string]string{"component": "worker"},
	},
	{
		id: "check-queue-name", gates: []string{rulePollers.ID}, action: ActionAlert, risk: RiskNone, trust: 0.64, guide: "queue-name",
		text: "check that a worker registers on %s: a renamed queue looks the same",
	},
	{
		id: "add-workers", gates: []string{ruleSlots.ID}, action: ActionScale, risk: RiskLow, trust: 0.8, guide: "slots-exhausted",
		text: "add workers to %s, or raise their slots", parameters: map[string]string{"component": "worker", "direction": "up"},
	},
	{
		id: "restart-some-workers", gates: []string{ruleSlots.ID}, action: ActionRestart, risk: RiskMedium, trust: 0.45, guide: "sticky-queues",
		text: "after adding workers, restart a part of the old ones of %s: sticky queues keep running workflows on them", parameters: map[string]string{"component": "worker", "share": "0.25"},
	},
	{
		id: "unblock-workers", gates: []string{ruleCompleting.ID}, action: ActionRestart, risk: RiskMedium, trust: 0.7, guide: "workers-hang",
		text: "read the logs of the workers of %s, which take tasks and answer none: roll their last deployment back, or restart them", parameters: map[string]string{"component": "worker"},
	},
	{
		id: findSlowLayer, gates: []string{ruleWaiting.ID, ruleServedFallsAway.ID, ruleHeadOfLine.ID}, action: ActionAlert, risk: RiskNone, trust: 0.4, guide: "backlog",
		text: "compare free slots with open polls on %s: free slots accuse the server, none accuses the workers",
	},
	{
		id: "start-server", gates: []string{ruleTargetsDown.ID}, action: ActionRestart, risk: RiskLow, trust: 0.75, guide: "server-down",
		text: "see why no instance of %s answers, and start what is not running", parameters: map[string]string{"component": "server"},
	},
	{
		id: "check-persistence", gates: []string{ruleAccepting.ID, ruleDispatch.ID, rulePersistenceLatency.ID, rulePersistenceErrors.ID, ruleRefused.ID},
		action: ActionAlert, risk: RiskNone, trust: 0.7, guide: "persistence",
		text: "look at the database first: load, locks, failovers, network",
	},
	{
		id: "enlarge-pool", gates: []string{rulePool.ID}, action: ActionConfigure, risk: RiskMedium, trust: 0.55, guide: "connection-pool",
		text: "raise the maximum of open connections of the exhausted replica, within the database's limit", parameters: map[string]string{"setting": "maxConns"},
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
		if because := remedies[i].justifiedBy(issue); len(because) > 0 {
			actions = append(actions, remedies[i].at([]Scope{issue.Scope}, because))
		}
	}
	return actions
}

// justifiedBy returns the gates of an issue that justify the remedy.
func (r *remedy) justifiedBy(issue *Issue) []string {
	if r.id == findSlowLayer && slices.ContainsFunc(issue.Gates, func(id string) bool { return namesLayer[id] }) {
		return nil
	}
	var because []string
	for _, gate := range issue.Gates {
		if slices.Contains(r.gates, gate) {
			because = append(because, gate)
		}
	}
	return because
}

// findSlowLayer is the remedy for a queue of which no gate says which layer
// makes it wait; namesLayer holds those that do.
const findSlowLayer = "find-slow-layer"

var namesLayer = map[string]bool{rulePollers.ID: true, ruleSlots.ID: true, rulePollsThrottled.ID: true, ruleCompleting.ID: true}

// at makes one action of the remedy for all scopes that need it, of which
// there is at least one.
func (r *remedy) at(scopes []Scope, because []string) Action {
	a := Action{
		ID: r.id, Type: r.action, Action: r.text, Target: scopes[0],
		Parameters: r.parameters, Risk: r.risk, Confidence: r.trust, Gates: because, Guide: r.guide,
	}
	names := make([]string, 0, len(scopes))
	for _, s := range scopes {
		if s.IsCluster() {
			names, a.Target = []string{"the server"}, s
			break
		}
		names = append(names, s.Name)
		switch {
		case a.Target == s:
		case a.Target.Namespace == s.Namespace && s.Namespace != "":
			a.Target = NamespaceScope(s.Namespace)
		default:
			a.Target = ClusterScope()
		}
	}
	if len(names) > 1 {
		a.Parameters = maps.Clone(a.Parameters)
		if a.Parameters == nil {
			a.Parameters = map[string]string{}
		}
		a.Parameters["of"] = strings.Join(names, ",")
	}
	if strings.Contains(r.text, "%s") {
		a.Action = fmt.Sprintf(r.text, List(names))
	}
	return a
}

// suggested gathers the remedies for the issues whose evidence is there now,
// the most trusted first, less what is forbidden or beside the point: while
// the server is the bottleneck of a Critical cluster, advice on workers is
// (requirement R14.3). One remedy for several queues is one action.
func suggested(a *Assessment) []Action {
	actions := make([]Action, 0, len(remedies))
	for i := range remedies {
		r := &remedies[i]
		var scopes []Scope
		var because []string
		for j := range a.Issues {
			issue := &a.Issues[j]
			if issue.Status != IssueOpen || issue.Quiet > 0 {
				continue
			}
			gates := r.justifiedBy(issue)
			if len(gates) == 0 {
				continue
			}
			scopes = append(scopes, issue.Scope)
			for _, id := range gates {
				if !slices.Contains(because, id) {
					because = append(because, id)
				}
			}
		}
		if len(scopes) == 0 {
			continue
		}
		a.byShare(scopes)
		action := r.at(slices.Compact(scopes), because)
		irrelevant := a.State == Critical && a.Bottleneck == BottleneckServer && action.Parameters["component"] == "worker"
		if _, forbidden := Forbidden(a, action); !forbidden && !irrelevant {
			actions = append(actions, action)
		}
	}
	slices.SortStableFunc(actions, func(a, b Action) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return actions
}

// byShare orders scopes by their share of the demand, the largest first.
func (a *Assessment) byShare(scopes []Scope) {
	share := func(s Scope) float64 {
		for i := range a.Scopes {
			if a.Scopes[i].Scope == s {
				return a.Scopes[i].Progress.Share
			}
		}
		return 0
	}
	slices.SortFunc(scopes, func(x, y Scope) int { return cmp.Or(cmp.Compare(share(y), share(x)), x.Compare(y)) })
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
