// Package apitest makes verdicts to test with: those that the rules come to on
// a small cluster of which one task queue loses its workers.
package apitest

import (
	"time"

	"github.com/temporal-sre/copilot/pkg/explain"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Interval is the time between two looks at the cluster.
const Interval = 30 * time.Second

// Healthy is how long the cluster is well before the workers of one of its two
// queues go.
const Healthy = 3 * time.Minute

// Look is one look at a cluster with the verdict on it.
type Look struct {
	Observation health.Observation
	Assessment  health.Assessment
}

// Incident returns the looks at a cluster from an instant on, for some time,
// oldest first.
func Incident(cluster string, from instant.Instant, length time.Duration) []Look {
	var looks []Look
	var window health.Window
	for at := from; at.Before(from.Add(length)); at = at.Add(Interval) {
		stalled := at.Sub(from.Add(Healthy))
		o := observe(cluster, at, max(stalled, 0))
		var a health.Assessment
		a, window = health.Evaluate(window, o)
		a.Explanation = explain.Rules(&a)
		looks = append(looks, Look{Observation: o, Assessment: a})
	}
	return looks
}

// rate is how many tasks of each kind a queue is asked for, in 1/s.
const rate = 30

// observe is what the cluster looks like when queue billing has been without
// workers for some time.
func observe(cluster string, at instant.Instant, stalled time.Duration) health.Observation {
	o := health.Observation{
		Cluster: cluster, At: at,
		Source: health.Source{Dialect: "server=tally sdk=tally", Window: 2 * time.Minute, Requests: 6},
	}
	put := func(id health.SignalID, class health.Class, unit string, value float64, samples ...health.Sample) {
		o.Measurements = append(o.Measurements, health.Measurement{Signal: id, Class: class, Unit: unit, Status: health.OK, Value: &value, Samples: samples})
	}
	served := func(running float64) float64 {
		if stalled > 0 {
			return 0
		}
		return running
	}
	var added, started, activities, executed, pollers, slots, ups []health.Sample
	billing := health.TaskQueueScope("default", "billing")
	for _, kind := range []health.TaskType{health.WorkflowTasks, health.ActivityTasks} {
		orders, stopped := health.TaskQueueScope("default", "orders").Of(kind), billing.Of(kind)
		added = append(added, health.Sample{Scope: orders, Value: rate}, health.Sample{Scope: stopped, Value: rate})
		started = append(started, health.Sample{Scope: orders, Value: rate}, health.Sample{Scope: stopped, Value: served(rate)})
		pollers = append(pollers, health.Sample{Scope: orders, Value: 4}, health.Sample{Scope: stopped, Value: served(4)})
		executed = append(executed, health.Sample{Scope: orders, Value: rate})
		slots = append(slots, health.Sample{Scope: orders, Value: 90})
		if kind == health.ActivityTasks {
			activities = []health.Sample{{Scope: orders, Value: rate}, {Scope: stopped, Value: served(rate)}}
		}
	}
	for _, service := range []string{"frontend", "history", "matching"} {
		ups = append(ups, health.Sample{Scope: health.Scope{Kind: health.KindReplica, Name: "a", Service: service}, Value: 1})
	}
	namespace := health.NamespaceScope("default")
	put(health.ServerUp, health.Telemetry, "1", 3, ups...)
	put(health.ServerTelemetryAge, health.Telemetry, "s", 3, health.Sample{Value: 3})
	put(health.Arrivals, health.Primary, "1/s", 20, health.Sample{Scope: namespace, Value: 20})
	put(health.WorkflowStarts, health.Primary, "1/s", 20, health.Sample{Scope: namespace, Value: 20})
	put(health.StateTransitions, health.Primary, "1/s", 2*(rate+served(rate)), health.Sample{Scope: namespace, Value: 2 * (rate + served(rate))})
	put(health.WorkflowTasksCompleted, health.Primary, "1/s", rate+served(rate), health.Sample{Scope: namespace, Value: rate + served(rate)})
	put(health.ActivityTasksCompleted, health.Primary, "1/s", rate+served(rate), activities...)
	put(health.TasksAdded, health.Primary, "1/s", 4*rate, added...)
	put(health.TasksStarted, health.Primary, "1/s", 2*(rate+served(rate)), started...)
	if stalled > 0 {
		var count, oldest []health.Sample
		for _, kind := range []health.TaskType{health.WorkflowTasks, health.ActivityTasks} {
			count = append(count, health.Sample{Scope: billing.Of(kind), Value: rate * stalled.Seconds()})
			oldest = append(oldest, health.Sample{Scope: billing.Of(kind), Value: stalled.Seconds()})
		}
		put(health.BacklogCount, health.Primary, "1", 2*rate*stalled.Seconds(), count...)
		put(health.BacklogAge, health.Primary, "s", stalled.Seconds(), oldest...)
	}
	put(health.Requests, health.Primary, "1/s", 6*rate, health.Sample{Scope: health.ServiceScope("frontend"), Value: 6 * rate})
	put(health.Pollers, health.Worker, "1", 8+2*served(4), pollers...)
	put(health.PersistenceLatency, health.Amplifier, "ms", 8, health.Sample{Value: 8})
	put(health.PersistenceRequests, health.Amplifier, "1/s", 500, health.Sample{Value: 500})
	put(health.SlotsAvailable, health.Worker, "1", 180, slots...)
	put(health.WorkerTasksCompleted, health.Worker, "1/s", 2*rate, executed...)
	o.Measurements = append(o.Measurements, health.Measurement{
		Signal: health.OCCConflicts, Class: health.Amplifier, Unit: "1/s", Status: health.Missing, Reason: "no series",
	})
	o.Normalize()
	return o
}
