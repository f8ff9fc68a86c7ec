package health

import "slices"

// flow is how work moves through one kind of task of one task queue in one
// observation.
type flow struct {
	scope      Scope
	asked      Quantity // tasks added, 1/s
	backlogged Quantity // the part of them that found no poller, 1/s
	started    Quantity // tasks handed to a worker, 1/s
	completed  Quantity // tasks answered by a worker, 1/s
	waiting    Quantity // stored tasks
	oldest     Quantity // age of the oldest stored task, s
	pollers    Quantity // open polls
	slots      Quantity // free slots of the fullest worker
	latency    Quantity // schedule-to-start p99, ms
}

// sight answers questions about one observation, telling what is not there
// from what is zero.
type sight struct {
	o *Observation
	// Whether the server's and the workers' telemetry can be believed.
	server, worker bool
}

// cluster returns the cluster-wide value of a signal.
func (s sight) cluster(id SignalID) Quantity {
	m := s.o.Signal(id)
	if !m.Usable() || m.Value == nil {
		return unknownQuantity
	}
	return Quantity(*m.Value)
}

// rate returns an event rate at a scope. When the signal was measured but has
// no series there, nothing of the kind has happened there: that is a zero.
func (s sight) rate(id SignalID, scope Scope) Quantity {
	m := s.o.Signal(id)
	if !m.Usable() {
		return unknownQuantity
	}
	v, _ := m.At(scope)
	return Quantity(v)
}

// gauge returns a level at a scope, unknown when no series tells it.
func (s sight) gauge(id SignalID, scope Scope) Quantity {
	m := s.o.Signal(id)
	if !m.Usable() {
		return unknownQuantity
	}
	v, found := m.At(scope)
	if !found {
		return unknownQuantity
	}
	return Quantity(v)
}

// flows lists the flow of every kind of task of every task queue that any
// signal names, ordered by scope.
func (s sight) flows() []flow {
	var scopes []Scope
	for _, id := range []SignalID{TasksAdded, TasksStarted, BacklogCount, Pollers} {
		m := s.o.Signal(id)
		if !m.Usable() {
			continue
		}
		for i := range m.Samples {
			if scope := m.Samples[i].Scope; scope.Kind == KindTaskQueue && scope.TaskType != "" {
				scopes = append(scopes, scope)
			}
		}
	}
	slices.SortFunc(scopes, Scope.Compare)
	scopes = slices.Compact(scopes)

	flows := make([]flow, 0, len(scopes))
	for _, scope := range scopes {
		f := flow{
			scope:      scope,
			asked:      s.rate(TasksAdded, scope),
			backlogged: s.rate(TasksBacklogged, scope),
			started:    s.rate(TasksStarted, scope),
			waiting:    s.gauge(BacklogCount, scope),
			oldest:     s.gauge(BacklogAge, scope),
			pollers:    s.rate(Pollers, scope), // no series: never polled
			latency:    s.gauge(ScheduleToStart, scope),
			completed:  unknownQuantity,
			slots:      unknownQuantity,
		}
		if f.waiting == 0 {
			f.oldest = 0
		}
		if s.worker {
			f.slots = s.gauge(SlotsAvailable, scope)
		}
		switch scope.TaskType {
		case ActivityTasks:
			f.completed = s.rate(ActivityTasksCompleted, scope)
		case WorkflowTasks:
			f.completed = s.workflowTasksCompleted(scope, f.started)
		}
		flows = append(flows, f)
	}
	return flows
}

// workflowTasksCompleted estimates the workflow tasks answered at one queue.
// The server counts them by namespace only; the workers, where they report,
// count them by queue.
func (s sight) workflowTasksCompleted(scope Scope, started Quantity) Quantity {
	if s.worker {
		if own := s.gauge(WorkerTasksCompleted, scope); own.Known() {
			return min(own, started)
		}
	}
	inNamespace := Quantity(0)
	m := s.o.Signal(TasksStarted)
	if !m.Usable() {
		return unknownQuantity
	}
	for i := range m.Samples {
		if at := m.Samples[i].Scope; at.TaskType == WorkflowTasks && at.Namespace == scope.Namespace {
			inNamespace += Quantity(m.Samples[i].Value)
		}
	}
	answered := s.gauge(WorkflowTasksCompleted, NamespaceScope(scope.Namespace))
	if !answered.Known() || inNamespace <= 0 {
		return unknownQuantity
	}
	return started * min(1, answered/inNamespace)
}

// active tells whether the flow has work: something arrives, waits or is
// being taken.
func (f *flow) active() bool {
	return f.asked > 0 || f.waiting >= 1 || f.started > 0
}

// catchingUp tells whether more is taken than arrives.
func (f *flow) catchingUp() bool { return f.started > f.asked*(1+taken) }

// served is what users call served: completions where they are known, else
// what was handed over.
func (f *flow) served() Quantity {
	if f.completed.Known() {
		return f.completed
	}
	return f.started
}
