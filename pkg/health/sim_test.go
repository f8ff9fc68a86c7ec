package health

import (
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// The tests speak to the rules through a small model of a cluster: what it
// looks like to Prometheus at one instant. Rates are in 1/s.

var start = instant.FromUnix(1_764_000_000)

// simQueue is one task queue as seen at one instant.
type simQueue struct {
	namespace, name string
	workflow        simFlow
	activity        simFlow
	closed, failed  float64
}

// simFlow is one kind of task of a queue. A negative pollers, waiting or slots
// leaves the series out.
type simFlow struct {
	asked, backlogged, started, completed float64
	waiting, oldest                       float64
	pollers, slots                        float64
}

// simCluster is a cluster as seen at one instant.
type simCluster struct {
	queues                         []simQueue
	arrivals, starts, transitions  float64
	persistence, requests, refused float64 // ms, 1/s, 1/s
	throttled                      float64
	up, down                       int
	workers                        bool // whether workers report
	failed                         bool // Prometheus does not answer
	missing                        bool // Prometheus answers with nothing
	age                            float64
}

// healthyFlow serves all that is asked.
func healthyFlow(rate float64) simFlow {
	return simFlow{asked: rate, started: rate, completed: rate, pollers: 4, slots: 90}
}

// healthyQueue serves rate workflow tasks and activity tasks a second each.
func healthyQueue(name string, rate float64) simQueue {
	return simQueue{namespace: "default", name: name, workflow: healthyFlow(rate), activity: healthyFlow(rate), closed: rate / 3}
}

// stalled turns a queue into one whose workers are gone: only workflow tasks
// of new starts arrive, and none is taken.
func (q simQueue) stalled(since time.Duration) simQueue {
	starts := q.workflow.asked / 3
	q.workflow = simFlow{
		asked: starts, backlogged: starts,
		waiting: starts * since.Seconds(), oldest: refreshed(since),
		slots: -1,
	}
	q.activity = simFlow{slots: -1}
	q.closed = 0
	return q
}

// refreshed is an age as the gauge shows it, which is refreshed once a minute.
func refreshed(age time.Duration) float64 { return age.Truncate(time.Minute).Seconds() }

// healthyCluster serves what its queues ask.
func healthyCluster(queues ...simQueue) simCluster {
	c := simCluster{queues: queues, persistence: 8, up: 1, workers: true, age: 3}
	for _, q := range queues {
		c.arrivals += q.workflow.asked / 3
		c.starts += q.workflow.asked / 3
		c.transitions += 2 * (q.workflow.asked + q.activity.asked)
		c.requests += 3 * (q.workflow.asked + q.activity.asked)
	}
	return c
}

// observe renders the cluster as an observation.
func (c simCluster) observe(at instant.Instant) Observation {
	o := Observation{Cluster: "sim", At: at}
	put := func(id SignalID, class Class, samples ...Sample) {
		m := Measurement{Signal: id, Class: class, Status: OK, Samples: samples}
		switch {
		case c.failed:
			m.Status, m.Reason, m.Samples = Failed, "connection refused", nil
		case c.missing:
			m.Status, m.Reason, m.Samples = Missing, "no series", nil
		default:
			sum, highest := 0.0, 0.0
			for _, s := range samples {
				sum += s.Value
				highest = max(highest, s.Value)
			}
			if id == BacklogAge {
				sum = highest
			}
			m.Value = &sum
		}
		o.Measurements = append(o.Measurements, m)
	}
	gone := func(id SignalID, class Class) {
		o.Measurements = append(o.Measurements, Measurement{Signal: id, Class: class, Status: Missing, Reason: "no series"})
	}

	var added, backlogged, started, count, oldest, pollers, slots, activities, executed, closed, failed []Sample
	perNamespace := map[string]float64{}
	for _, q := range c.queues {
		for _, f := range []struct {
			flow simFlow
			kind TaskType
		}{{q.workflow, WorkflowTasks}, {q.activity, ActivityTasks}} {
			scope := TaskQueueScope(q.namespace, q.name).Of(f.kind)
			added = append(added, Sample{scope, f.flow.asked})
			backlogged = append(backlogged, Sample{scope, f.flow.backlogged})
			started = append(started, Sample{scope, f.flow.started})
			if f.flow.pollers >= 0 {
				pollers = append(pollers, Sample{scope, f.flow.pollers})
			}
			if f.flow.waiting > 0 {
				count = append(count, Sample{scope, f.flow.waiting})
				oldest = append(oldest, Sample{scope, f.flow.oldest})
			}
			if f.flow.slots >= 0 {
				slots = append(slots, Sample{scope, f.flow.slots})
				executed = append(executed, Sample{scope, f.flow.completed})
			}
			if f.kind == ActivityTasks {
				activities = append(activities, Sample{scope, f.flow.completed})
			} else {
				perNamespace[q.namespace] += f.flow.completed
			}
		}
		closed = append(closed, Sample{TaskQueueScope(q.namespace, q.name), q.closed})
		failed = append(failed, Sample{TaskQueueScope(q.namespace, q.name), q.failed})
	}
	var completed []Sample
	for namespace, v := range perNamespace {
		completed = append(completed, Sample{NamespaceScope(namespace), v})
	}
	var ups []Sample
	for i := range c.up + c.down {
		value := 0.0
		if i < c.up {
			value = 1
		}
		for _, service := range []string{"frontend", "history", "matching"} {
			ups = append(ups, Sample{Scope{Kind: KindReplica, Name: string(rune('a' + i)), Service: service}, value})
		}
	}

	put(ServerUp, Telemetry, ups...)
	if c.up == 0 {
		// Series of targets that are down go stale at once.
		for _, id := range []SignalID{Arrivals, WorkflowStarts, StateTransitions, TasksAdded, TasksBacklogged, TasksStarted, BacklogCount, BacklogAge, Requests, RequestsRefused} {
			gone(id, Primary)
		}
		o.Normalize()
		return o
	}
	put(ServerTelemetryAge, Telemetry, Sample{Scope{}, c.age})
	put(Arrivals, Primary, Sample{NamespaceScope("default"), c.arrivals})
	put(WorkflowStarts, Primary, Sample{NamespaceScope("default"), c.starts})
	put(StateTransitions, Primary, Sample{NamespaceScope("default"), c.transitions})
	put(WorkflowTasksCompleted, Primary, completed...)
	put(ActivityTasksCompleted, Primary, activities...)
	put(TasksAdded, Primary, added...)
	put(TasksBacklogged, Primary, backlogged...)
	put(TasksStarted, Primary, started...)
	put(BacklogCount, Primary, count...)
	put(BacklogAge, Primary, oldest...)
	put(WorkflowsClosed, Primary, closed...)
	put(WorkflowsFailed, Amplifier, failed...)
	put(Requests, Primary, Sample{ServiceScope("frontend"), c.requests})
	put(RequestsRefused, Primary, Sample{ServiceScope("frontend"), c.refused})
	put(Throttled, Amplifier, Sample{NamespaceScope("default"), c.throttled})
	put(Pollers, Worker, pollers...)
	put(PersistenceRequests, Amplifier, Sample{Scope{}, c.requests * 4})
	put(PersistenceErrors, Amplifier, Sample{Scope{}, 0})
	put(PersistenceLatency, Amplifier, Sample{Scope{}, c.persistence})
	if c.workers {
		put(SlotsAvailable, Worker, slots...)
		put(WorkerTasksCompleted, Worker, executed...)
	}
	o.Normalize()
	return o
}

// run evaluates a cluster that changes from evaluation to evaluation, every
// 30 s, and returns all assessments.
func run(n int, at func(i int) simCluster) []Assessment {
	return runFrom(Window{}, 0, n, at)
}

func runFrom(w Window, first, n int, at func(i int) simCluster) []Assessment {
	assessments := make([]Assessment, 0, n)
	for i := first; i < first+n; i++ {
		var a Assessment
		a, w = Evaluate(w, at(i).observe(start.Add(time.Duration(i)*30*time.Second)))
		assessments = append(assessments, a)
	}
	return assessments
}

// states extracts the states.
func states(assessments []Assessment) []State {
	list := make([]State, 0, len(assessments))
	for _, a := range assessments {
		list = append(list, a.State)
	}
	return list
}

// scopeState returns the state of a scope in an assessment, Unknown when it
// is not there.
func scopeState(a Assessment, scope Scope) State {
	for _, s := range a.Scopes {
		if s.Scope == scope {
			return s.State
		}
	}
	return Unknown
}
