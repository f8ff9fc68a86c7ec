package workflows

import (
	"cmp"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/narrative"
	"github.com/temporal-sre/copilot/pkg/verdict"
	"github.com/temporal-sre/copilot/worker/activities"
	"github.com/temporal-sre/copilot/worker/telemetry"
)

// ObserveWorkflowID returns the id under which a cluster is observed. There is
// one such workflow for each cluster, however many workers there are.
func ObserveWorkflowID(cluster string) string { return "observe/" + cluster }

// Names of the handlers of ObserveClusterWorkflow.
const (
	// QueryState answers with an [ObserveState].
	QueryState = "state"
	// QueryWindow answers with the health.Window after the latest evaluation.
	QueryWindow = "window"
	// QueryConfig answers with the [ObserveConfig] asked for last.
	QueryConfig = "config"
	// UpdateConfigure takes a whole [ObserveConfig] and answers with the one
	// before. It is rejected as ObserveConfig.Validate says, and takes effect
	// before the next tick.
	UpdateConfigure = "configure"
)

const (
	// batchTicks is how many ticks one activity observes when there are more to
	// catch up with.
	batchTicks = 20
	// warmUpTicks is how many ticks a first start looks back at most.
	warmUpTicks = 240
	// unsavedBytes is how large the observations may be together that wait for
	// the store, in JSON.
	unsavedBytes = 8 << 20
	// ticksInRun is when a run is continued as new at the latest: six hours at
	// the default interval. The server's own suggestion usually comes first.
	ticksInRun = 720
	// A run is continued as new in spite of unsaved results, which the next run
	// has to observe again, only when its history nears the limits at which the
	// server ends a workflow (50 MiB, 51,200 events).
	historyBytesAtMost  = 20 << 20
	historyEventsAtMost = 20_000
)

// ObserveInput starts ObserveClusterWorkflow. Cluster has to be set, and Config
// unless DefaultObserveConfig suits; the rest is what one run hands to the next.
type ObserveInput struct {
	Cluster string        `json:"cluster"`
	Config  ObserveConfig `json:"config,omitzero"`
	// TicksInRun is after how many rounds of observing a run is continued as
	// new at the latest; 0 stands for 720.
	TicksInRun int `json:"ticks_in_run,omitempty"`

	// NextAt is the first tick that is not observed yet, or not saved. Zero
	// means a first start.
	NextAt instant.Instant `json:"next_at,omitzero"`
	// Window is what the rules remember from before NextAt, and Logs what is
	// remembered of the logs.
	Window health.Window    `json:"window,omitzero"`
	Logs   narrative.Memory `json:"logs,omitzero"`
	// RecordFrom is the first tick that is recorded; those before it only warm
	// the window up.
	RecordFrom instant.Instant `json:"record_from,omitzero"`
	// Latest is the latest verdict. It may be later than NextAt.
	Latest *health.Assessment `json:"latest,omitempty"`
	Counts ObserveCounts      `json:"counts,omitzero"`
}

// ObserveCounts counts ticks since the workflow was first started.
type ObserveCounts struct {
	// Saved are in the store.
	Saved int64 `json:"saved"`
	// Blind are those for which the source gave no answer; they are judged and
	// saved like the others.
	Blind int64 `json:"blind"`
	// Skipped were missed for longer than ObserveConfig.CatchUp and never
	// observed.
	Skipped int64 `json:"skipped"`
	// Dropped were observed, but the store was away for too long.
	Dropped int64 `json:"dropped"`
	// Rejected were refused by the store for good.
	Rejected int64 `json:"rejected"`
}

// ObserveState is the answer to QueryState.
type ObserveState struct {
	Cluster string `json:"cluster"`
	// Latest is the latest verdict; nil before the first.
	Latest *health.Assessment `json:"latest"`
	// NextAt is the next tick to observe.
	NextAt instant.Instant `json:"next_at"`
	// Unsaved counts the verdicts that wait for the store, the oldest of which
	// is that of UnsavedFrom.
	Unsaved     int             `json:"unsaved"`
	UnsavedFrom instant.Instant `json:"unsaved_from,omitzero"`
	Counts      ObserveCounts   `json:"counts"`
	// SourceFailure and StoreFailure say what the last attempt failed with;
	// empty when it did not.
	SourceFailure string `json:"source_failure,omitempty"`
	StoreFailure  string `json:"store_failure,omitempty"`
}

// ObserveClusterWorkflow watches one cluster for as long as it runs: at each
// tick it observes, judges, explains and records (requirements R1.1, R1.6).
// It ends only when it is cancelled, or at once when its input is not valid.
//
// Ticks are the multiples of the interval. Each is observed once and saved
// once, in order, with these bounds:
//
//   - A tick that passes while no worker runs is observed afterwards, from the
//     source's history, unless it is then older than ObserveConfig.CatchUp.
//   - When the source does not answer, the tick is judged as unseen and that is
//     what is saved; the verdict is then held and says that it is blind.
//   - When the store does not answer, observation goes on; results wait, and are
//     saved in order later, unless they get older than ObserveConfig.CatchUp or
//     larger than 8 MiB together. The oldest are then dropped.
//
// A verdict that changes the state, or with which a new pattern of errors in the
// logs has lasted for a while, has an AssessHealthWorkflow started once it is
// stored, which is on its own from then on.
func ObserveClusterWorkflow(ctx workflow.Context, in ObserveInput) error {
	w, err := newWatch(ctx, in)
	if err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), "InvalidInput", err)
	}
	if err := w.handle(ctx); err != nil {
		return err
	}
	for {
		if err := w.sleepUntilDue(ctx); err != nil {
			return w.stop(ctx, err)
		}
		w.observe(ctx)
		w.save(ctx)
		if ctx.Err() == nil && w.continues(ctx) {
			return workflow.NewContinueAsNewError(ctx, ObserveClusterWorkflow, w.next())
		}
	}
}

// watch is the state of a run.
type watch struct {
	cluster    string
	config     ObserveConfig // in force
	wanted     ObserveConfig // asked for; taken over before the next tick
	ticksInRun int
	rounds     int // of this run

	nextAt     instant.Instant
	askAgainAt instant.Instant // when nobody could look: not before this
	recordFrom instant.Instant
	memory     verdict.Memory // after the latest verdict
	latest     *health.Assessment

	// Judging the observations of unsaved in order, beginning with savedMemory,
	// gives memory. The next run begins there if it has to.
	unsaved     []result
	savedMemory verdict.Memory

	counts        ObserveCounts
	sourceFailure string
	storeFailure  string
}

// result is an observation that was judged and waits for the store.
type result struct {
	observation health.Observation
	assessment  health.Assessment
	bytes       int
}

// newWatch takes up the work where the input says, or now on a first start.
func newWatch(ctx workflow.Context, in ObserveInput) (*watch, error) {
	if in.Cluster == "" {
		return nil, errors.New("the cluster to observe has no name")
	}
	config := in.Config
	if config == (ObserveConfig{}) {
		config = DefaultObserveConfig()
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	w := &watch{
		cluster: in.Cluster, config: config, wanted: config, ticksInRun: in.TicksInRun,
		nextAt: in.NextAt, recordFrom: in.RecordFrom,
		memory: verdict.Memory{Window: in.Window, Logs: in.Logs}, latest: in.Latest,
		counts: in.Counts,
	}
	w.savedMemory = w.memory
	if w.nextAt.IsZero() {
		w.recordFrom = w.lastDue(ctx)
		w.nextAt = w.recordFrom.Add(-min(config.WarmUp, warmUpTicks*config.Interval)).Truncate(config.Interval)
	} else if aligned := w.nextAt.Truncate(config.Interval); aligned != w.nextAt {
		// What the last run had not saved was observed at another interval.
		w.nextAt = aligned.Add(config.Interval)
	}
	return w, nil
}

// next is the input of the next run. It carries no results: those that are not
// saved are observed and judged again, which gives the same.
func (w *watch) next() ObserveInput {
	w.reconfigure()
	in := ObserveInput{
		Cluster: w.cluster, Config: w.config, TicksInRun: w.ticksInRun,
		NextAt: w.nextAt, RecordFrom: w.recordFrom, Window: w.savedMemory.Window, Logs: w.savedMemory.Logs,
		Latest: w.latest, Counts: w.counts,
	}
	if len(w.unsaved) > 0 {
		in.NextAt = w.unsaved[0].observation.At
	}
	return in
}

// continues tells whether the run has become long enough.
func (w *watch) continues(ctx workflow.Context) bool {
	w.rounds++
	info := workflow.GetInfo(ctx)
	if !info.GetContinueAsNewSuggested() && w.rounds < cmp.Or(w.ticksInRun, ticksInRun) {
		return false
	}
	return len(w.unsaved) == 0 ||
		info.GetCurrentHistorySize() > historyBytesAtMost ||
		info.GetCurrentHistoryLength() > historyEventsAtMost
}

// handle sets the handlers of queries and updates.
func (w *watch) handle(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, QueryState,
			func() (ObserveState, error) { return w.state(), nil },
			workflow.QueryHandlerOptions{Description: "The latest verdict, and how far observing and saving have come."}),
		workflow.SetQueryHandlerWithOptions(ctx, QueryWindow,
			func() (health.Window, error) { return w.memory.Window, nil },
			workflow.QueryHandlerOptions{Description: "What the rules remember."}),
		workflow.SetQueryHandlerWithOptions(ctx, QueryConfig,
			func() (ObserveConfig, error) { return w.wanted, nil },
			workflow.QueryHandlerOptions{Description: "Interval, settling time, catch-up and warm-up, in nanoseconds."}),
		workflow.SetUpdateHandlerWithOptions(ctx, UpdateConfigure,
			func(_ workflow.Context, c ObserveConfig) (ObserveConfig, error) {
				before := w.wanted
				w.wanted = c
				return before, nil
			},
			workflow.UpdateHandlerOptions{
				Validator:   func(c ObserveConfig) error { return c.Validate() },
				Description: "Changes interval, settling time, catch-up and warm-up, all of them at once.",
			}),
	)
}

// state answers QueryState.
func (w *watch) state() ObserveState {
	s := ObserveState{
		Cluster: w.cluster, Latest: w.latest, NextAt: w.nextAt,
		Unsaved: len(w.unsaved), Counts: w.counts,
		SourceFailure: w.sourceFailure, StoreFailure: w.storeFailure,
	}
	if len(w.unsaved) > 0 {
		s.UnsavedFrom = w.unsaved[0].observation.At
	}
	return s
}

// lastDue is the latest tick whose samples have settled.
func (w *watch) lastDue(ctx workflow.Context) instant.Instant {
	now := instant.FromTime(workflow.Now(ctx))
	return now.Add(-w.config.Settle).Truncate(w.config.Interval)
}

// sleepUntilDue waits for the next tick to settle. It takes over a new
// configuration whenever one is asked for. The error is that of a cancelled
// context.
func (w *watch) sleepUntilDue(ctx workflow.Context) error {
	for {
		w.reconfigure()
		due := w.nextAt.Add(w.config.Settle)
		if w.askAgainAt.After(due) {
			due = w.askAgainAt
		}
		wait := due.Sub(instant.FromTime(workflow.Now(ctx)))
		if wait <= 0 {
			return ctx.Err()
		}
		if _, err := workflow.AwaitWithTimeout(ctx, wait, func() bool { return w.wanted != w.config }); err != nil {
			return err
		}
	}
}

// reconfigure takes over the configuration asked for. With another interval,
// the next tick is the first multiple of it that lies after the last tick.
func (w *watch) reconfigure() {
	if w.wanted == w.config {
		return
	}
	last := w.nextAt.Add(-w.config.Interval)
	w.config = w.wanted
	w.nextAt = last.Truncate(w.config.Interval).Add(w.config.Interval)
}

// observe looks at the ticks that are due, one batch of them, and judges them
// in order.
func (w *watch) observe(ctx workflow.Context) {
	due := w.lastDue(ctx)
	w.skipTo(ctx, due.Add(-w.config.CatchUp).Truncate(w.config.Interval))
	if w.nextAt.After(due) {
		return
	}
	to := w.nextAt.Add((batchTicks - 1) * w.config.Interval)
	if to.After(due) {
		to = due
	}

	var seen activities.ObserveResult
	err := workflow.ExecuteActivity(w.observing(ctx), (*activities.Activities).Observe, activities.ObserveRequest{
		Cluster: w.cluster, From: w.nextAt, To: to, Step: w.config.Interval,
		LogsFrom: w.memory.Logs.Next, LogsKnown: w.memory.Logs.Late(), Samples: w.memory.Logs.Wanted(),
	}).Get(ctx, &seen)
	if err == nil && len(seen.Observations) == 0 {
		err = errors.New("the activity returned no observation")
	}
	if err != nil {
		// Nobody looked: the worker was killed, or knows another cluster. The
		// ticks stay due and are asked for again.
		if ctx.Err() == nil {
			workflow.GetLogger(ctx).Error("nobody could look at the cluster; asking again",
				"cluster", w.cluster, "from", w.nextAt.String(), "to", to.String(), "error", reason(err))
		}
		w.sourceFailure = reason(err)
		w.askAgainAt = instant.FromTime(workflow.Now(ctx)).Add(w.config.Interval)
		return
	}

	w.sourceFailure = seen.Failure
	if seen.Failure != "" && w.nextAt.Before(w.recordFrom) {
		// Warming up is worth no blind verdicts.
		w.nextAt = w.recordFrom
		return
	}
	for i := range seen.Observations {
		if seen.Failure != "" {
			w.counts.Blind++
		}
		w.judge(ctx, seen.Observations[i], seen.Bytes[i])
	}
}

// skipTo gives up the ticks before first.
func (w *watch) skipTo(ctx workflow.Context, first instant.Instant) {
	if !w.nextAt.Before(first) {
		return
	}
	if w.nextAt.Before(w.recordFrom) {
		w.nextAt = w.recordFrom // never meant to be recorded
	}
	skipped := int64(first.Sub(w.nextAt) / w.config.Interval)
	if skipped <= 0 {
		return
	}
	w.counts.Skipped += skipped
	workflow.GetLogger(ctx).Error("ticks were missed for longer than the catch-up limit and stay unobserved",
		"cluster", w.cluster, "from", w.nextAt.String(), "before", first.String(), "ticks", skipped,
		"catch_up", w.config.CatchUp.String())
	w.nextAt = first
}

// judge evaluates one observation and puts the result in line for the store.
func (w *watch) judge(ctx workflow.Context, o health.Observation, bytes int) {
	assessment, memory := verdict.Judge(w.memory, o)
	w.logChange(ctx, &assessment)
	w.memory, w.latest = memory, &assessment
	w.nextAt = o.At.Add(w.config.Interval)

	if o.At.Before(w.recordFrom) {
		w.savedMemory = w.memory
		return
	}
	w.unsaved = append(w.unsaved, result{observation: o, assessment: assessment, bytes: bytes})
	w.dropOldest(ctx)
}

// logChange writes one line when the state changes, and one when sight is lost
// or comes back (requirement R12.5).
func (w *watch) logChange(ctx workflow.Context, a *health.Assessment) {
	if a.At.Before(w.recordFrom) {
		return
	}
	log := workflow.GetLogger(ctx)
	if t := a.Transition; t != nil {
		log.Info("health state changed", "cluster", w.cluster, "at", t.At.String(),
			"from", t.From.String(), "to", t.To.String(), "gates", t.Gates, "summary", a.Explanation.Summary)
	}
	wasBlind := w.latest != nil && w.latest.Blind
	switch {
	case a.Blind && !wasBlind:
		log.Warn("the cluster cannot be seen; its state is held", "cluster", w.cluster, "at", a.At.String(),
			"state", a.State.String(), "reason", a.BlindReason)
	case !a.Blind && wasBlind:
		log.Info("the cluster can be seen again", "cluster", w.cluster, "at", a.At.String(), "state", a.State.String())
	}
}

// save stores what waits, oldest first. When the store does not take one, the
// rest waits for the next tick. It stops after an interval, so that a slow
// store does not keep the next tick from being observed.
func (w *watch) save(ctx workflow.Context) {
	deadline := instant.FromTime(workflow.Now(ctx)).Add(w.config.Interval)
	for len(w.unsaved) > 0 && instant.FromTime(workflow.Now(ctx)).Before(deadline) {
		oldest := &w.unsaved[0]
		var kept activities.RecordResult
		err := workflow.ExecuteActivity(w.recording(ctx), (*activities.Activities).Record, activities.RecordRequest{
			Observation: oldest.observation, Assessment: oldest.assessment,
			Backlog: telemetry.Backlog{
				Unsaved: len(w.unsaved), Skipped: w.counts.Skipped, Dropped: w.counts.Dropped, Rejected: w.counts.Rejected,
			},
		}).Get(ctx, &kept)
		switch {
		case err == nil:
			w.storeFailure = ""
			w.counts.Saved++
			switch {
			case kept.Transition:
				w.assess(ctx, oldest.observation.At, ByTransition)
			case kept.LogAlarm:
				w.assess(ctx, oldest.observation.At, ByLogs)
			}
		case rejected(err):
			w.storeFailure = reason(err)
			w.counts.Rejected++
			workflow.GetLogger(ctx).Error("the store refuses an assessment for good; it is given up",
				"cluster", w.cluster, "at", oldest.observation.At.String(), "error", w.storeFailure)
		default:
			w.storeFailure = reason(err)
			if ctx.Err() == nil {
				workflow.GetLogger(ctx).Warn("the store takes no assessment; keeping it for later",
					"cluster", w.cluster, "unsaved", len(w.unsaved), "from", oldest.observation.At.String(), "error", w.storeFailure)
			}
			return
		}
		w.forgetOldest()
	}
}

// assess starts the assessment of a verdict that is worth one. It waits only
// until the server has noted the start, which a run that continues as new has to
// have seen. That the verdict is being assessed already is as good.
func (w *watch) assess(ctx workflow.Context, at instant.Instant, trigger Trigger) {
	child := workflow.ExecuteChildWorkflow(assessing(ctx, w.cluster, at, trigger), AssessHealthWorkflow, AssessInput{
		Cluster: w.cluster, AssessmentID: dsql.AssessmentID(w.cluster, at), Trigger: trigger,
	})
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	if err != nil && !assessedAlready(err) {
		workflow.GetLogger(ctx).Warn("the verdict is not assessed; the next scheduled assessment follows",
			"cluster", w.cluster, "trigger", string(trigger), "at", at.String(), "error", err.Error())
	}
}

// rejected tells whether a record will never be stored: the store says so, or
// it cannot even be handed to the activity.
func rejected(err error) bool {
	var failed *temporal.ActivityError
	var canceled *temporal.CanceledError
	if !errors.As(err, &failed) {
		return !errors.As(err, &canceled)
	}
	var kind *temporal.ApplicationError
	return errors.As(err, &kind) && kind.Type() == activities.ErrRecordRejected
}

// reason is what an activity failed with, without what Temporal wraps it in.
func reason(err error) string {
	var failed *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	switch {
	case errors.As(err, &failed):
		return failed.Message()
	case errors.As(err, &timeout):
		return "the worker that was at it did not answer"
	}
	return err.Error()
}

// forgetOldest takes the oldest result out of the line.
func (w *watch) forgetOldest() {
	if len(w.unsaved) == 1 {
		w.unsaved, w.savedMemory = nil, w.memory
		return
	}
	_, w.savedMemory = verdict.Judge(w.savedMemory, w.unsaved[0].observation)
	w.unsaved[0] = result{} // let it go: the array lives on
	w.unsaved = w.unsaved[1:]
}

// dropOldest keeps what waits for the store within its bounds.
func (w *watch) dropOldest(ctx workflow.Context) {
	bytes := 0
	for i := range w.unsaved {
		bytes += w.unsaved[i].bytes
	}
	first, dropped := w.unsaved[0].observation.At, 0
	newest := w.unsaved[len(w.unsaved)-1].observation.At
	for len(w.unsaved) > 1 && (bytes > unsavedBytes || newest.Sub(w.unsaved[0].observation.At) > w.config.CatchUp) {
		bytes -= w.unsaved[0].bytes
		w.forgetOldest()
		dropped++
	}
	if dropped > 0 {
		w.counts.Dropped += int64(dropped)
		workflow.GetLogger(ctx).Error("the store has been away for too long; the oldest assessments are dropped",
			"cluster", w.cluster, "from", first.String(), "dropped", dropped, "unsaved", len(w.unsaved))
	}
}

// stop saves what it can after the workflow was cancelled.
func (w *watch) stop(ctx workflow.Context, canceled error) error {
	if len(w.unsaved) > 0 {
		last, done := workflow.NewDisconnectedContext(ctx)
		defer done()
		w.save(last)
	}
	workflow.GetLogger(ctx).Info("observing ends: the workflow was cancelled", "cluster", w.cluster,
		"next", w.nextAt.String(), "unsaved", len(w.unsaved))
	return canceled
}

// observing are the options of the activity Observe. There is deliberately no
// limit on the time to start: while no worker runs, the question waits for one.
func (w *watch) observing(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: w.config.ObserveTimeout(),
		RetryPolicy:         w.retrying(activities.ObserveAttempts),
		Summary:             w.cluster,
	})
}

// recording are the options of the activity Record. After its two attempts the
// record waits for the next tick.
func (w *watch) recording(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: min(max(w.config.Interval/4, 2*time.Second), 10*time.Second),
		RetryPolicy:         w.retrying(2),
		Summary:             w.cluster,
	})
}

// retrying waits a twentieth of the interval before the second attempt, and
// twice as long before each further one.
func (w *watch) retrying(attempts int32) *temporal.RetryPolicy {
	first := min(max(w.config.Interval/20, 100*time.Millisecond), time.Second)
	return &temporal.RetryPolicy{
		InitialInterval:    first,
		BackoffCoefficient: 2,
		MaximumInterval:    4 * first,
		MaximumAttempts:    attempts,
	}
}
