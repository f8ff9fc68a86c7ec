package health

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// The gates of the cluster and of its services.

var ruleTargetsDown = Rule{
	ID: "telemetry.targets_down", level: Critical, Unit: "1",
	Question: "Does Prometheus reach the server's instances?",
	Signals:  []SignalID{ServerUp, WorkerTasksCompleted, PollFailures},
	Doctrine: "Targets that Prometheus itself reports down, all of them, are evidence of a dead cluster, unless the workers still complete tasks and none of their polls fails.",
	Source:   "Prometheus, the up metric",
}

// targetsDown looks at the replicas of one service, or of all when service is
// empty. Work that workers complete speaks for a living server that Prometheus
// alone cannot reach; not so when the workers' own polls fail as well, since
// their rates still tell of what was completed before.
func targetsDown(s sight, service string) Gate {
	scope := ClusterScope()
	if service != "" {
		scope = ServiceScope(service)
	}
	g := newGate(&ruleTargetsDown, scope)
	up, total := 0, 0
	var down []string
	if m := s.o.Signal(ServerUp); m.Usable() {
		for i := range m.Samples {
			at := m.Samples[i].Scope
			if at.Kind != KindReplica || (service != "" && at.Service != service) {
				continue
			}
			total++
			if m.Samples[i].Value > 0 {
				up++
			} else if !slices.Contains(down, at.Name) {
				down = append(down, at.Name)
			}
		}
	}
	if total == 0 {
		return g.decide(unknownQuantity, 0, false)
	}
	alive := s.worker && s.cluster(WorkerTasksCompleted) > 0 && !(s.cluster(PollFailures) > 0)
	g = g.decide(Quantity(up), 0, up == 0 && !alive)
	if service != "" && g.Outcome == Fire {
		// One service without instances is judged by the progress that it costs.
		g = g.at(Stressed)
	}
	return g.because(func() string {
		if service != "" {
			return fmt.Sprintf("every instance of %s is down: %s", service, strings.Join(down, ", "))
		}
		return fmt.Sprintf("every instance of the server is down: %s", strings.Join(down, ", "))
	})
}

var ruleAccepting = Rule{
	ID: "progress.accepting", level: Critical, Unit: "1",
	Question: "Does the server turn what clients ask for into state transitions?",
	Signals:  []SignalID{Arrivals, StateTransitions},
	Doctrine: "Every accepted start or signal is itself one state transition; fewer transitions than arrivals means that work is not accepted.",
	Source:   "Temporal server, history service",
}

func accepting(s sight, t *Track, now instant.Instant, every time.Duration) Gate {
	g := newGate(&ruleAccepting, ServiceScope("history"))
	arrivals, transitions := s.cluster(Arrivals), s.cluster(StateTransitions)
	if arrivals.Known() && !(arrivals > 0) {
		return g // nothing is asked
	}
	// Starts that only find a running workflow make no transition; where that
	// is usual, half of the usual is the limit.
	limit := Quantity(transitionsPerArrival)
	if usual := t.usual(StateTransitions) / t.usual(Arrivals); usual < 1 {
		limit *= usual
	}
	value := transitions / arrivals
	if !(value < limit) {
		return g.decide(value, limit, false)
	}
	silent := every + clusterSilence(t, now, func(c *ClusterPoint) bool { return c.Transitions < limit*c.Arrivals })
	g = g.over(silent).decide(value, limit, true)
	if float64(arrivals)*silent.Seconds() < expectedEvents && silent < longSilence {
		g = g.at(Stressed)
	}
	switch {
	case silent <= s.scrape():
		g = g.at(Happy) // the services are not scraped at the same instant
	case transitions >= servedShare*t.usual(StateTransitions):
		g = g.at(Stressed) // clients that make sure that a workflow runs start none
	}
	return g.because(func() string {
		return fmt.Sprintf("%.3g starts and signals arrive a second, and state transitions fall to %s", arrivals, orNone(transitions))
	})
}

// clusterSilence returns for how long the cluster's points have shown
// something, looking back from the newest.
func clusterSilence(t *Track, now instant.Instant, shows func(*ClusterPoint) bool) time.Duration {
	var since time.Duration
	for i := len(t.Trend) - 1; i >= 0; i-- {
		p := &t.Trend[i]
		if p.Cluster == nil || !shows(p.Cluster) {
			break
		}
		since = now.Sub(p.At)
	}
	return since
}

var ruleDispatch = Rule{
	ID: "progress.dispatch", level: Critical, Unit: "1",
	Question: "Do started workflows get their workflow tasks?",
	Signals:  []SignalID{WorkflowStarts, TasksAdded, WorkflowTasksCompleted},
	Doctrine: "A started workflow needs a workflow task; starts without tasks mean that the history queues do not move.",
	Source:   "Temporal server, transfer queue",
}

func dispatch(s sight, t *Track, flows []flow, now instant.Instant, every time.Duration) Gate {
	g := newGate(&ruleDispatch, ServiceScope("history"))
	starts := s.cluster(WorkflowStarts)
	if starts.Known() && !(starts > 0) {
		return g // nothing is started
	}
	added := Quantity(0)
	if !s.o.Signal(TasksAdded).Usable() {
		added = unknownQuantity
	}
	for i := range flows {
		if flows[i].scope.TaskType == WorkflowTasks {
			added += flows[i].asked
		}
	}
	value := (added + Quantity(s.cluster(WorkflowTasksCompleted).Or(0))) / starts
	enough := float64(starts)*every.Seconds() >= expectedEvents
	silent := every + clusterSilence(t, now, func(c *ClusterPoint) bool { return c.Arrivals > 0 })
	g = g.over(every).decide(value, tasksPerArrival, value < tasksPerArrival && enough)
	if silent <= s.scrape() {
		return g.at(Happy) // the services are not scraped at the same instant
	}
	if !(t.usual(TasksAdded) > 0) {
		// Delayed starts look the same, so a cluster that was never seen to
		// dispatch is only suspected.
		g = g.at(Stressed)
	}
	return g.because(func() string {
		return fmt.Sprintf("%.3g workflows start a second, and workflow tasks fall to %s", starts, orNone(added))
	})
}

var ruleRefused = Rule{
	ID: "progress.refused", level: Critical, Unit: "1",
	Question: "What part of the requests does the server fail for reasons of its own?",
	Signals:  []SignalID{Requests, RequestsRefused},
	Doctrine: "A request refused is demand turned away before it becomes work. Errors of the caller do not count.",
	Source:   "conservation of work",
}

// refused looks at the requests that carry work. What is throttled is told
// apart: a client beyond its limit is refused the rest, and that is pressure.
func refused(s sight, t *Track, service string, every time.Duration) Gate {
	scope := ServiceScope(service)
	g := newGate(&ruleRefused, scope)
	requests, bad := s.rate(Requests, scope), s.rate(RequestsRefused, scope)
	if requests.Known() && !(requests > 0) {
		return g // nobody asks
	}
	value := bad / requests
	enough := float64(bad)*every.Seconds() >= expectedEvents
	if service == "frontend" && enough {
		failed := (bad - Quantity(s.cluster(Throttled).Or(0))) / requests
		served := s.cluster(StateTransitions) >= servedShare*t.usual(StateTransitions)
		if failed >= refusedCritical || value >= throttledCritical && !served {
			return g.decide(value, refusedCritical, true).
				because(func() string {
					return fmt.Sprintf("%s refuses %.0f %% of %.3g requests a second", service, 100*value, requests)
				})
		}
	}
	return g.at(Stressed).decide(value, refusedStressed, value >= refusedStressed && enough).
		because(func() string {
			return fmt.Sprintf("%s fails %.0f %% of %.3g requests a second", service, 100*value, requests)
		})
}

var ruleDemandImpaired = Rule{
	ID: "progress.demand_impaired", level: Critical, Unit: "1",
	Question: "What part of the demand is not served?",
	Signals:  []SignalID{TasksAdded, TasksStarted, BacklogCount, BacklogAge},
	Doctrine: "The cluster's state follows from the share of demand that is impaired, not from one noisy queue.",
	Source:   "R12.1; half or more is Critical",
}

// demandImpaired takes the share of demand on queues that have stopped just
// now, and the names of those whose stop is confirmed: a small queue counts
// only then, or many queues would always have one that blinks.
func demandImpaired(known bool, share float64, queues []string) Gate {
	g := newGate(&ruleDemandImpaired, ClusterScope())
	value := Quantity(share)
	if !known {
		value = unknownQuantity
	}
	if share < impairedShare {
		g = g.at(Stressed)
	}
	return g.decide(value, impairedShare, len(queues) > 0 || share >= impairedShare).
		because(func() string {
			return fmt.Sprintf("%.0f %% of the demand is not served: %s", 100*share, listed(queues, 4))
		})
}

var ruleCollapsed = Rule{
	ID: "progress.collapsed", level: Critical, Unit: "1",
	Question: "Do transitions keep up with arrivals as they usually do?",
	Signals:  []SignalID{StateTransitions, Arrivals},
	Doctrine: "When arrivals go on and transitions fall to a fifth of the usual under visible pressure, processing has collapsed.",
	Source:   "conservation of work",
}

func collapsed(s sight, t *Track, pressed bool) Gate {
	g := newGate(&ruleCollapsed, ClusterScope())
	arrivals, transitions := s.cluster(Arrivals), s.cluster(StateTransitions)
	usualArrivals, usual := t.usual(Arrivals), t.usual(StateTransitions)
	if arrivals.Known() && !(arrivals > 0) {
		return g // less demand is not less health
	}
	value := transitions / usual
	goesOn := arrivals >= arrivalsGoOn*usualArrivals
	if !pressed {
		g = g.at(Happy) // another mix of workflows looks the same
	}
	return g.decide(value, collapsedShare, goesOn && value < collapsedShare).
		because(func() string {
			return fmt.Sprintf("state transitions fall to %s where %.3g a second are usual, with arrivals going on", orNone(transitions), usual)
		})
}

var rulePersistenceLatency = Rule{
	ID: "pressure.persistence_latency", level: Stressed, Unit: "ms",
	Question: "Is persistence far slower than it usually is here?",
	Signals:  []SignalID{PersistenceLatency},
	Doctrine: "Pressure is judged against the cluster's own slow baseline: ten times the usual p99 for minutes; 350 ms that was always there is not.",
	Source:   "measured on DSQL: p99 of 300 to 500 ms is normal",
}

var ruleRequestLatency = Rule{
	ID: "pressure.request_latency", level: Stressed, Unit: "ms",
	Question: "Is the frontend far slower than it usually is?",
	Signals:  []SignalID{RequestLatency},
	Doctrine: "Ten times the usual p99 for minutes and above a second; long polls do not count.",
	Source:   "the cluster's own baseline",
}

// slow is the gate for a latency against its own baseline.
func slow(r *Rule, scope Scope, what string, t *Track, now Quantity, floor float64, read func(*ClusterPoint) Quantity) Gate {
	g := newGate(r, scope)
	if !now.Known() {
		return g.decide(now, Quantity(floor), false)
	}
	usual := t.usual(r.Signals[0])
	limit := max(Quantity(floor), timesUsual*usual)
	return g.decide(now, limit, sustainedAbove(t.Trend, now, limit, read)).
		because(func() string {
			return fmt.Sprintf("%s takes %s (p99) where %s is usual", what, milliseconds(now), milliseconds(usual))
		})
}

var rulePersistenceErrors = Rule{
	ID: "pressure.persistence_errors", level: Stressed, Unit: "1",
	Question: "What part of the persistence calls fails?",
	Signals:  []SignalID{PersistenceErrors, PersistenceRequests},
	Doctrine: "Conflicts and time-outs are retried; one call in twenty failing is pressure, and not a stall while progress goes on.",
	Source:   "measured: 150 to 200 errors a second with 99.996 % success",
}

var ruleThrottled = Rule{
	ID: "pressure.throttled", level: Stressed, Unit: "1",
	Question: "What part of the requests is throttled?",
	Signals:  []SignalID{Throttled, Requests},
	Doctrine: "Throttling is looked at first: while requests are refused, tuning workers is pointless.",
	Source:   "Temporal, worker performance guide",
}

var rulePool = Rule{
	ID: "pressure.connection_pool", level: Stressed, Unit: "1",
	Question: "Has every replica a free database connection?",
	Signals:  []SignalID{PoolUtilization},
	Doctrine: "An exhausted pool makes every call of that replica wait; a sum over replicas hides it.",
	Source:   "measured: 27 % in sum hid 6 of 16 replicas at 100 %",
}

// part is the gate for a ratio that must stay above its limit for a while.
func part(r *Rule, t *Track, now Quantity, limit float64, read func(*ClusterPoint) Quantity, finding string) Gate {
	return newGate(r, ClusterScope()).
		decide(now, Quantity(limit), sustainedAbove(t.Trend, now, Quantity(limit), read)).
		because(func() string { return fmt.Sprintf(finding, 100*now) })
}

var ruleShardChurn = Rule{
	ID: "pressure.shard_churn", level: Happy, Unit: "1/s",
	Question: "Do shards move between history instances?",
	Signals:  []SignalID{ShardChurn},
	Doctrine: "Shards move at every deploy and restart; it explains a dip, it decides nothing.",
	Source:   "measured: a killed node's shards move in about 25 s",
}

// listed joins names, at most n of them.
func listed(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[:n], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// clusterPoint gathers what is followed of the cluster.
func clusterPoint(s sight) ClusterPoint {
	requests := s.cluster(Requests)
	return ClusterPoint{
		Arrivals:    s.cluster(Arrivals),
		Transitions: s.cluster(StateTransitions),
		Persistence: s.cluster(PersistenceLatency),
		Latency:     s.gauge(RequestLatency, ServiceScope("frontend")),
		Errors:      ratio(s.cluster(PersistenceErrors), s.cluster(PersistenceRequests)),
		Throttled:   ratio(s.cluster(Throttled), requests),
		Pool:        s.cluster(PoolUtilization),
	}
}

// ratio divides. Nothing out of nothing is zero; something out of nothing is a
// contradiction between two metrics, and unknown.
func ratio(part, whole Quantity) Quantity {
	if part == 0 && whole == 0 {
		return 0
	}
	if q := part / whole; !math.IsInf(float64(q), 0) {
		return q
	}
	return unknownQuantity
}

// pressureGates runs the amplifiers' gates.
func pressureGates(s sight, t *Track, c ClusterPoint) []Gate {
	churn := s.cluster(ShardChurn)
	return []Gate{
		slow(&rulePersistenceLatency, ClusterScope(), "persistence", t, c.Persistence, persistenceFloor, func(p *ClusterPoint) Quantity { return p.Persistence }),
		part(&rulePersistenceErrors, t, c.Errors, persistenceErrorShare, func(p *ClusterPoint) Quantity { return p.Errors }, "%.0f %% of the persistence calls fail"),
		part(&ruleThrottled, t, c.Throttled, throttledShare, func(p *ClusterPoint) Quantity { return p.Throttled }, "%.1f %% of the requests are throttled"),
		part(&rulePool, t, c.Pool, poolExhausted, func(p *ClusterPoint) Quantity { return p.Pool }, "the fullest replica uses %.0f %% of its database connections"),
		newGate(&ruleShardChurn, ServiceScope("history")).decide(churn, 0, churn > 0).because(func() string { return fmt.Sprintf("%.2g shards change hands a second", churn) }),
		slow(&ruleRequestLatency, ServiceScope("frontend"), "the frontend", t, c.Latency, requestFloor, func(p *ClusterPoint) Quantity { return p.Latency }),
	}
}
