package health

import (
	"cmp"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

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
	used       Quantity // used slots of all workers
	latency    Quantity // schedule-to-start p99, ms
	// throttled is the part of the namespace's polls for work that the server
	// refuses, from 0 to 1.
	throttled Quantity
}

// sight answers questions about one observation, telling what is not there
// from what is zero.
type sight struct {
	o *Observation
	// Whether the server's and the workers' telemetry can be believed.
	server, worker bool
}

// scrape is the time between two scrapes, after which services that are scraped
// one after the other have all been seen.
func (s sight) scrape() time.Duration { return s.o.Source.Window / windowScrapes }

// cluster returns the cluster-wide value of a signal.
func (s sight) cluster(id SignalID) Quantity {
	m := s.o.Signal(id)
	if !m.Usable() || m.Value == nil {
		return unknownQuantity
	}
	return Quantity(*m.Value)
}

// rate returns an event rate at a scope; see rateAt.
func (s sight) rate(id SignalID, scope Scope) Quantity { return rateAt(s.o.Signal(id), scope) }

// rateAt returns an event rate at a scope. When the signal was measured but has
// no series there, nothing of the kind has happened there: that is a zero.
func rateAt(m *Measurement, scope Scope) Quantity {
	if !m.Usable() {
		return unknownQuantity
	}
	v, _ := m.At(scope)
	return Quantity(v)
}

// gauge returns a level at a scope; see gaugeAt.
func (s sight) gauge(id SignalID, scope Scope) Quantity { return gaugeAt(s.o.Signal(id), scope) }

// gaugeAt returns a level at a scope, unknown when no series tells it.
func gaugeAt(m *Measurement, scope Scope) Quantity {
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
	scopes := make([]Scope, 0, 64)
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

	answered, throttled := s.answeredShare(), s.throttledShare()
	asked, backlogged, started := s.o.Signal(TasksAdded), s.o.Signal(TasksBacklogged), s.o.Signal(TasksStarted)
	waiting, oldest, latency := s.o.Signal(BacklogCount), s.o.Signal(BacklogAge), s.o.Signal(ScheduleToStart)
	pollers, slots := s.o.Signal(Pollers), s.o.Signal(SlotsAvailable)
	flows := make([]flow, 0, len(scopes))
	for _, scope := range scopes {
		f := flow{
			scope:      scope,
			asked:      rateAt(asked, scope),
			backlogged: rateAt(backlogged, scope),
			started:    rateAt(started, scope),
			waiting:    gaugeAt(waiting, scope),
			oldest:     gaugeAt(oldest, scope),
			pollers:    pollersAt(pollers, scope),
			latency:    gaugeAt(latency, scope),
			completed:  unknownQuantity,
			slots:      unknownQuantity,
			used:       unknownQuantity,
			throttled:  unknownQuantity,
		}
		if f.waiting == 0 {
			f.oldest = 0
		}
		if throttled != nil {
			f.throttled = throttled[scope.Namespace]
		}
		if s.worker {
			f.slots = gaugeAt(slots, scope)
			f.used = s.gauge(SlotsUsed, scope)
		}
		switch scope.TaskType {
		case ActivityTasks:
			f.completed = s.rate(ActivityTasksCompleted, scope)
		case WorkflowTasks:
			if part, ok := answered[scope.Namespace]; ok {
				f.completed = min(f.started*part, f.started*(1-s.failedShare(scope)))
			}
		}
		flows = append(flows, f)
	}
	return flows
}

// failedShare is the part of the workflow tasks of a queue in which the
// workers' own code failed, 0 where they do not tell.
func (s sight) failedShare(scope Scope) Quantity {
	if !s.worker {
		return 0
	}
	failed, executed := s.rate(WorkflowTaskFailures, scope), s.rate(WorkerTasksCompleted, scope)
	if !(failed > 0) {
		return 0
	}
	return failed / max(failed, Quantity(executed.Or(0)))
}

// unanswered finds the queues that the workflow tasks which were started and
// not answered are of. The server counts answers by namespace only; a queue
// whose workers answer none is told by what follows from answers and has
// ceased: its activities, which it used to have, and its workflows' ends.
func (s sight) unanswered(w *Window, flows []flow) {
	for start := 0; start < len(flows); {
		end := start
		for end < len(flows) && flows[end].scope.Namespace == flows[start].scope.Namespace {
			end++
		}
		s.unansweredIn(w, flows[start:end])
		start = end
	}
}

// unansweredIn does so for the flows of one namespace.
func (s sight) unansweredIn(w *Window, flows []flow) {
	var missing, others, muted Quantity
	var mute []*flow
	for i := range flows {
		f := &flows[i]
		if f.scope.TaskType != WorkflowTasks || !(f.started > 0) || !f.completed.Known() {
			continue
		}
		// What the queue's own failures explain is not missing.
		answerable := s.answerable(f)
		missing += answerable - min(f.completed, answerable)
		if s.ceased(w, f.scope.Queue()) {
			mute = append(mute, f)
			muted += answerable
		} else {
			others += f.started
		}
	}
	if len(mute) == 0 || !(missing > 0) || missing > muted+taken*others {
		return // others lose answers, too, so these need not be the ones
	}
	slices.SortStableFunc(mute, func(a, b *flow) int { return cmp.Compare(b.started, a.started) })
	for _, f := range mute {
		lost := min(missing, s.answerable(f))
		f.completed = s.answerable(f) - lost
		missing -= lost
	}
	for i := range flows {
		f := &flows[i]
		if f.scope.TaskType == WorkflowTasks && f.started > 0 && f.completed.Known() && !slices.Contains(mute, f) {
			f.completed = s.answerable(f) - min(missing*f.started/others, s.answerable(f))
		}
	}
}

// answerable is the part of the workflow tasks taken from a queue that its
// workers' own code does not fail.
func (s sight) answerable(f *flow) Quantity { return f.started * (1 - s.failedShare(f.scope)) }

// ceased tells whether nothing follows any more from the workflow tasks of a
// queue: no activity is asked for, though that is usual, and no workflow ends.
func (s sight) ceased(w *Window, queue Scope) bool {
	activities := queue.Of(ActivityTasks)
	usual := w.known(activities)
	return usual != nil && usual.usual(TasksAdded) > 0 && s.rate(TasksAdded, activities) == 0 && s.rate(WorkflowsClosed, queue) == 0
}

// pollersAt returns the open polls at a queue. A queue without a series beside
// others that have one was never polled; without any series the server does
// not tell.
func pollersAt(m *Measurement, scope Scope) Quantity {
	if m != nil && len(m.Samples) == 0 {
		return unknownQuantity
	}
	return rateAt(m, scope)
}

// answeredShare tells for each namespace which part of the workflow tasks that
// were started there was answered. The server counts answers by namespace
// only. What workers count themselves is no better witness: they count tasks
// that failed, and not every worker reports.
func (s sight) answeredShare() map[string]Quantity {
	started := map[string]Quantity{}
	if m := s.o.Signal(TasksStarted); m.Usable() {
		for i := range m.Samples {
			if at := m.Samples[i].Scope; at.TaskType == WorkflowTasks {
				started[at.Namespace] += Quantity(m.Samples[i].Value)
			}
		}
	}
	share := make(map[string]Quantity, len(started))
	for namespace, rate := range started {
		share[namespace] = unknownQuantity
		if rate > 0 {
			share[namespace] = min(1, s.rate(WorkflowTasksCompleted, NamespaceScope(namespace))/rate)
		}
	}
	return share
}

// throttledShare tells for each namespace which part of its polls is refused.
// Only polls that end with a task are counted against those refused: empty ones
// are not wanted. It is nil when the signal was not measured.
func (s sight) throttledShare() map[string]Quantity {
	m := s.o.Signal(PollsThrottled)
	if !m.Usable() {
		return nil
	}
	share := map[string]Quantity{}
	for i := range m.Samples {
		if refused := Quantity(m.Samples[i].Value); refused > 0 {
			share[m.Samples[i].Scope.Namespace] = refused
		}
	}
	if len(share) == 0 {
		return share
	}
	taken := map[string]Quantity{}
	if m := s.o.Signal(TasksStarted); m.Usable() {
		for i := range m.Samples {
			taken[m.Samples[i].Scope.Namespace] += Quantity(m.Samples[i].Value)
		}
	}
	for namespace, refused := range share {
		share[namespace] = refused / (refused + taken[namespace])
	}
	return share
}

// waits tells whether work is left lying: tasks find no poller, or are stored.
func (f *flow) waits() bool { return f.backlogged > 0 || f.waiting >= 1 }

// takesLess tells whether less is taken than arrives.
func (f *flow) takesLess() bool { return f.started < f.asked*(1-taken) }

// lagging tells whether the flow takes less than arrives, or has let a task
// wait for long. A poll that is busy at the moment of a scrape makes neither.
func (f *flow) lagging() bool {
	return f.waits() && (f.takesLess() || f.oldest >= waitingAge)
}

// keepVanished keeps a backlog that has disappeared from the gauges without
// being taken, and tells whether it did so. The server unloads a partition that
// nobody polls and adds to, after some five minutes, and its gauges go with it;
// the tasks do not. What was not taken still waits. It is kept for one sliding
// window: longer than that, tasks may have timed out unseen.
func (f *flow) keepVanished(t *Track, now instant.Instant) bool {
	if f.waiting >= 1 || f.asked > 0 || f.started > 0 || f.pollers > 0 || len(t.Trend) == 0 {
		return false
	}
	last := &t.Trend[len(t.Trend)-1]
	if f.unseen() || !(last.Waiting >= 1) || (t.Trend[0].Vanished && len(t.Trend) == trendLength) {
		return false
	}
	// A gauge that has not been refreshed since the last task was taken says
	// nothing of what waits now.
	for i := len(t.Trend) - 1; ; i-- {
		if i < 0 || !(t.Trend[i].Waiting >= 1) || t.Trend[i].Started > 0 {
			return false
		}
		if now.Sub(t.Trend[i].At) >= 2*backlogRefresh {
			break
		}
	}
	f.waiting = last.Waiting
	f.oldest = last.Oldest + Quantity(now.Sub(last.At).Seconds())
	return true
}

// full tells whether the fullest worker has no slot left. One that has a single
// slot and does not use it is idle.
func (f *flow) full() bool {
	return f.slots <= 0 || f.slots <= slotBetweenTasks && !(f.used == 0)
}

// pollsRefused tells whether the server refuses a part of the polls that
// matters.
func (f *flow) pollsRefused() bool { return f.throttled >= throttledPolls }

// unseen tells whether the flow's decisive signals are missing.
func (f *flow) unseen() bool { return !f.asked.Known() || !f.started.Known() }

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
