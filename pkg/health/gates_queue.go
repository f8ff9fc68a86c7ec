package health

import (
	"fmt"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// The gates of one kind of task at one task queue. Each reads top to bottom as
// the doctrine that it applies.

var ruleHeadOfLine = Rule{
	ID: "progress.head_of_line", level: Critical, Unit: "1/s",
	Question: "Does anything take tasks from the head of this queue?",
	Signals:  []SignalID{TasksAdded, TasksBacklogged, TasksStarted, BacklogCount, BacklogAge},
	Doctrine: "Work that arrives or waits and is not taken at all is a stall, whatever the rates elsewhere.",
	Source:   "conservation of work; temporal#2526",
}

// headOfLine fires when work waits and next to nothing of what usually is, or
// of what arrives, is handed to a worker. Until enough hand-overs are overdue
// to exclude chance it argues for Stressed only.
func headOfLine(f *flow, t *Track, now instant.Instant, every time.Duration) Gate {
	g := newGate(&ruleHeadOfLine, f.scope)
	usual := t.usual(TasksStarted)
	limit := Quantity(taken * min(f.asked.Or(0), usual.Or(f.asked.Or(0))))
	if f.unseen() {
		return g.decide(unknownQuantity, limit, false)
	}
	grows, _ := t.ageGrows(now, f.oldest)
	waits := f.backlogged > 0 || (f.waiting >= 1 && grows)
	if !waits || f.started > limit {
		return g.decide(f.started, limit, false)
	}
	pace := func(asked Quantity) float64 { return usual.Or(asked.Or(0)) }
	silent, overdue := every, pace(f.asked)*every.Seconds()
	at := now
	for i := len(t.Trend) - 1; i >= 0; i-- {
		p := &t.Trend[i]
		if !(p.Asked > 0 || p.Waiting >= 1) || !(p.Started <= limit) {
			break // nothing was there to be taken, or something was taken
		}
		step := at.Sub(p.At)
		silent, overdue, at = silent+step, overdue+pace(p.Asked)*step.Seconds(), p.At
	}
	g = g.over(silent).decide(f.started, limit, true)
	if overdue < expectedEvents && (usual.Known() || silent < longSilence) {
		g = g.at(Stressed)
	}
	if f.started > 0 {
		return g.because(func() string {
			return fmt.Sprintf("%s tasks wait on %s and next to none is taken", f.scope.TaskType, f.scope.Name)
		})
	}
	return g.because(func() string {
		return fmt.Sprintf("%s tasks wait on %s and none is taken", f.scope.TaskType, f.scope.Name)
	})
}

var ruleServedFallsAway = Rule{
	ID: "progress.served_falls_away", level: Critical, Unit: "1",
	Question: "Is what this queue serves falling away from what is asked?",
	Signals:  []SignalID{TasksAdded, TasksStarted, BacklogAge},
	Doctrine: "A queue that serves less than half of what is asked, and less than half of what it used to, is losing work faster than it can catch up; a surge served at full capacity is not.",
	Source:   "conservation of work",
}

// servedFallsAway fires when less than half is served both of what is asked
// and of what is usual, while tasks wait.
func servedFallsAway(f *flow, t *Track) Gate {
	g := newGate(&ruleServedFallsAway, f.scope)
	if f.asked.Known() && !(f.asked > 0) {
		return g // nothing is asked
	}
	usual := t.usual(TasksStarted)
	value := f.started / min(f.asked, usual)
	return g.decide(value, servedShare, f.waits() && value < servedShare).
		because(func() string {
			return fmt.Sprintf("%s tasks on %s: %.3g a second are asked for and %s taken, usually %.3g", f.scope.TaskType, f.scope.Name, f.asked, orNone(f.started), usual)
		})
}

var ruleCompleting = Rule{
	ID: "progress.completing", level: Critical, Unit: "1",
	Question: "Do the workers answer the tasks that they take?",
	Signals:  []SignalID{TasksStarted, WorkflowTasksCompleted, ActivityTasksCompleted, WorkerTasksCompleted},
	Doctrine: "A task handed to a worker that never answers is dispatched, not served.",
	Source:   "conservation of work",
}

// completing fires when tasks are taken and next to none is answered. An
// activity may run for hours, so activities are accused only when their queue
// used to answer and tasks wait behind them.
func completing(f *flow, t *Track, now instant.Instant, every time.Duration) Gate {
	g := newGate(&ruleCompleting, f.scope)
	if f.started.Known() && !(f.started > 0) {
		return g // nothing is taken: head_of_line asks about that
	}
	value := f.completed / f.started
	mute := value < taken
	if f.scope.TaskType == ActivityTasks {
		mute = mute && t.usual(ActivityTasksCompleted) > 0 && f.backlogged > 0
	}
	if !mute {
		return g.decide(value, taken, false)
	}
	silent, overdue := every, float64(f.started)*every.Seconds()
	at := now
	for i := len(t.Trend) - 1; i >= 0; i-- {
		p := &t.Trend[i]
		if !(p.Started > 0) || !(p.Completed < taken*p.Started) {
			break
		}
		step := at.Sub(p.At)
		silent, overdue, at = silent+step, overdue+float64(p.Started)*step.Seconds(), p.At
	}
	g = g.over(silent).decide(value, taken, true)
	if overdue < expectedEvents || silent < completingFor {
		// An answer takes its time, and may be scraped later than the start.
		g = g.at(Stressed)
	}
	return g.because(func() string {
		return fmt.Sprintf("workers take %.3g %s tasks a second from %s and answer %s", f.started, f.scope.TaskType, f.scope.Name, orNone(f.completed))
	})
}

var ruleWaiting = Rule{
	ID: "progress.waiting", level: Stressed, Unit: "s",
	Question: "How long has the oldest task of this queue waited?",
	Signals:  []SignalID{BacklogAge, BacklogCount, TasksAdded, TasksStarted},
	Doctrine: "What is not served waits; a wait of half a minute is neither a hand-over of a shard nor a burst.",
	Source:   "measured: waits below 5 s at shard hand-over",
}

// waitingTooLong fires on an old head of the queue. A gauge that stands still
// for two refreshes while no task is stored is left over from a partition that
// moved.
func waitingTooLong(f *flow, t *Track, now instant.Instant) Gate {
	g := newGate(&ruleWaiting, f.scope)
	if f.waiting.Known() && f.waiting < 1 {
		return g.decide(0, waitingAge, false)
	}
	if !f.oldest.Known() {
		return g // no gauge: the queue never had a backlog
	}
	if f.oldest >= waitingAge && !(f.backlogged > 0) {
		if grows, known := t.ageGrows(now, f.oldest); known && !grows {
			g.Outcome = Undecided
			return g
		}
	}
	return g.decide(f.oldest, waitingAge, f.oldest >= waitingAge).
		because(func() string {
			return fmt.Sprintf("the oldest %s task on %s waits for %s", f.scope.TaskType, f.scope.Name, seconds(f.oldest))
		})
}

var rulePollers = Rule{
	ID: "worker.pollers.none", level: Stressed, Unit: "1",
	Question: "Does any worker poll this queue?",
	Signals:  []SignalID{Pollers, TasksAdded, TasksBacklogged, TasksStarted},
	Doctrine: "A queue without pollers is served by nobody; a worker without free slots does not poll either.",
	Source:   "Temporal, worker performance guide",
}

// pollersGone fires when tasks arrive, none polls and tasks are left lying. A
// poll that is refused is not open either, and that is not the workers' doing;
// where a backlog is worked off, polls are answered before they are counted;
// full workers, which report their slots, do not poll between two tasks; and
// where tasks wait for long and half of the usual is taken, somebody polls.
func pollersGone(f *flow, t *Track) Gate {
	g := newGate(&rulePollers, f.scope)
	gone := f.pollers == 0 && f.lagging() && !f.catchingUp() && !f.pollsRefused()
	full := f.slots.Known() && (f.full() || f.started > f.asked*taken)
	busy := f.oldest >= waitingAge && f.started > 0 && f.started >= servedShare*t.usual(TasksStarted)
	gone = gone && !full && !busy
	return g.decide(f.pollers, 0, gone).
		because(func() string { return fmt.Sprintf("no worker polls %s for %s tasks", f.scope.Name, f.scope.TaskType) })
}

var rulePollsThrottled = Rule{
	ID: "pressure.polls_throttled", level: Stressed, Unit: "1",
	Question: "May the workers poll, or does the server refuse their polls?",
	Signals:  []SignalID{PollsThrottled, TasksAdded, TasksStarted},
	Doctrine: "Throttling is looked at first: workers that may not poll starve beside a full queue, and more workers only poll more. Starts go before polls, so a limit shows here first.",
	Source:   "Temporal server, frontend rate limiter priorities",
}

// pollsThrottled fires when tasks are left lying while polls are refused.
func pollsThrottled(f *flow) Gate {
	g := newGate(&rulePollsThrottled, f.scope)
	return g.decide(f.throttled, throttledPolls, f.pollsRefused() && f.lagging()).
		because(func() string {
			return fmt.Sprintf("the server refuses %.0f %% of the polls for tasks in %s, and tasks wait on %s", 100*f.throttled, f.scope.Namespace, f.scope.Name)
		})
}

var ruleSlots = Rule{
	ID: "worker.slots.exhausted", level: Stressed, Unit: "1",
	Question: "Has every worker of this queue a free slot?",
	Signals:  []SignalID{SlotsAvailable, TasksBacklogged},
	Doctrine: "A worker without a free slot stops polling.",
	Source:   "R14.4; Temporal Workers presentation (Surdilovic, 2024)",
}

// slotsExhausted fires when the fullest worker has no slot, or one between two
// tasks, while tasks are left lying. Without waiting tasks a full worker is a
// busy one.
func slotsExhausted(f *flow) Gate {
	g := newGate(&ruleSlots, f.scope)
	return g.decide(f.slots, slotBetweenTasks, f.full() && f.lagging()).
		because(func() string {
			return fmt.Sprintf("a worker of %s has no free %s slot while tasks wait", f.scope.Name, f.scope.TaskType)
		})
}

var ruleScheduleToStart = Rule{
	ID: "worker.schedule_to_start", level: Happy, Unit: "ms",
	Question: "How long do tasks wait between being scheduled and started?",
	Signals:  []SignalID{ScheduleToStart},
	Doctrine: "Above 50 ms for workflow tasks and 200 ms for activities, workers are under pressure; alone it decides nothing.",
	Source:   "R14.4; Temporal, worker performance guide",
}

// scheduleToStart is a remark: latency exists only for tasks that were
// served, and retries alone lift its 99th percentile to 700 ms.
func scheduleToStart(f *flow) Gate {
	g := newGate(&ruleScheduleToStart, f.scope)
	limit := Quantity(workflowScheduleToStartDoctrine)
	if f.scope.TaskType == ActivityTasks {
		limit = activityScheduleToStartDoctrine
	}
	if !f.latency.Known() {
		return g // nothing was started
	}
	return g.decide(f.latency, limit, f.latency > limit).
		because(func() string {
			return fmt.Sprintf("%s tasks on %s start %s after they were scheduled (p99)", f.scope.TaskType, f.scope.Name, milliseconds(f.latency))
		})
}

var ruleBusinessFailures = Rule{
	ID: "business.failures", level: Happy, Unit: "1",
	Question: "What part of the closing workflows fails in business code?",
	Signals:  []SignalID{WorkflowsFailed, WorkflowsClosed},
	Doctrine: "A workflow that fails has reached its end: that is progress, and not the cluster's doing.",
	Source:   "R12.1; workflow outcomes",
}

// businessFailures is a remark (property H5): it is listed, it decides nothing.
func businessFailures(s sight, queue Scope, every time.Duration) Gate {
	const remarkable = 0.05 // one in twenty is worth a look, whoever owns the code
	g := newGate(&ruleBusinessFailures, queue)
	closed, failed := s.rate(WorkflowsClosed, queue), s.rate(WorkflowsFailed, queue)
	if closed.Known() && !(closed > 0) {
		return g
	}
	value := failed / closed
	enough := float64(failed)*every.Seconds() >= 1
	return g.decide(value, remarkable, value >= remarkable && enough).
		because(func() string {
			return fmt.Sprintf("%.0f %% of the workflows that close on %s fail in business code", 100*value, queue.Name)
		})
}

// judgeFlow runs every gate of one flow.
func judgeFlow(f *flow, t *Track, now instant.Instant, every time.Duration) []Gate {
	return []Gate{
		headOfLine(f, t, now, every),
		servedFallsAway(f, t),
		completing(f, t, now, every),
		waitingTooLong(f, t, now),
		pollsThrottled(f),
		pollersGone(f, t),
		slotsExhausted(f),
		scheduleToStart(f),
	}
}
