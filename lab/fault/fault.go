// Package fault does to a running lab what a scenario says.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/fleet"
	"github.com/temporal-sre/copilot/lab/proxy"
	"github.com/temporal-sre/copilot/lab/scenario"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
)

// defaultPause is how long a rolling restart waits after each part.
const defaultPause = 10 * time.Second

// Undo ends a fault.
type Undo func(context.Context) error

// nothing ends a fault that is over by itself.
func nothing(context.Context) error { return nil }

// Inject begins a fault and returns how to end it. A fault that is over by
// itself is over when Inject returns.
func Inject(ctx context.Context, l *lab.Lab, play *scenario.Scenario, f scenario.Fault) (Undo, error) {
	undo, err := inject(ctx, l, play, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Kind, err)
	}
	return func(ctx context.Context) error {
		if err := undo(ctx); err != nil {
			return fmt.Errorf("end %s: %w", f.Kind, err)
		}
		return nil
	}, nil
}

func inject(ctx context.Context, l *lab.Lab, play *scenario.Scenario, f scenario.Fault) (Undo, error) {
	switch f.Kind {
	case scenario.WorkersStopped, scenario.WorkersKilled:
		return stopWorkers(ctx, l, f)
	case scenario.WorkersRestarted:
		return nothing, restartWorkers(ctx, l, f)
	case scenario.WorkersMisconfigure:
		return misconfigureWorkers(ctx, l, play, f)
	case scenario.ActivitiesSlow:
		return slowActivities(l, play, f)
	case scenario.WorkflowTasksFail:
		return failWorkflowTasks(l, play, f)
	case scenario.ActivitiesPanic:
		return panicActivities(l, play, f)
	case scenario.DatabaseSlow:
		return disturbDatabase(l, proxy.Disturbance{Latency: value(f.Latency), BytesPerSecond: number(f.BytesPerSecond)})
	case scenario.DatabaseCutOff:
		return disturbDatabase(l, cut(f.How))
	case scenario.DatabaseConflicts:
		return disturbDatabase(l, proxy.Disturbance{Conflicts: *f.Share})
	case scenario.DatabaseFrozen:
		return func(context.Context) error { return l.FreezeDatabase(false) }, l.FreezeDatabase(true)
	case scenario.ServersStopped, scenario.ServersKilled:
		return stopServers(ctx, l, f)
	case scenario.ServersRestarted:
		return nothing, restartServers(ctx, l, f)
	case scenario.Traffic:
		return changeTraffic(l, f)
	case scenario.DeletionStorm:
		return deleteClosed(l, *f.PerSecond)
	case scenario.NamespaceLimit:
		limit := temporal.Settings{"frontend.namespaceRPS": *f.RPS}
		return func(context.Context) error { return l.SetServerSettings(nil) }, l.SetServerSettings(limit)
	case scenario.ScrapeGap:
		return func(context.Context) error { return l.Scrape(lab.Jobs()...) }, l.Scrape(otherJobs(f)...)
	case scenario.TargetsDown:
		return takeTargetsDown(l, f)
	case scenario.PrometheusStopped:
		return l.StartPrometheus, l.StopPrometheus(ctx)
	}
	return nil, errors.New("the lab does not know how")
}

func disturbDatabase(l *lab.Lab, d proxy.Disturbance) (Undo, error) {
	return func(context.Context) error { return l.DisturbDatabase(proxy.Disturbance{}) }, l.DisturbDatabase(d)
}

func cut(how string) proxy.Disturbance {
	return proxy.Disturbance{Refuse: how == scenario.Refuse, BlackHole: how == scenario.BlackHole}
}

func changeTraffic(l *lab.Lab, f scenario.Fault) (Undo, error) {
	before := l.Load()
	after := before
	if f.Rate != nil {
		after.PerSecond = *f.Rate
	}
	if f.FailureRatio != nil {
		after.FailureRatio = *f.FailureRatio
	}
	return func(context.Context) error { return l.SetLoad(before) }, l.SetLoad(after)
}

func takeTargetsDown(l *lab.Lab, f scenario.Fault) (Undo, error) {
	disturb := func(d proxy.Disturbance) error {
		var errs []error
		for _, job := range meantJobs(f) {
			errs = append(errs, l.DisturbScrapes(job, d))
		}
		return errors.Join(errs...)
	}
	return func(context.Context) error { return disturb(proxy.Disturbance{}) }, disturb(proxy.Disturbance{Refuse: true})
}

// each does something to several parts at once.
func each[T any](parts []T, do func(T) error) error {
	var group errgroup.Group
	for _, part := range parts {
		group.Go(func() error { return do(part) })
	}
	return group.Wait()
}

// oneByOne does something to one part after another, with a pause after each.
func oneByOne[T any](ctx context.Context, parts []T, pause time.Duration, do func(T) error) error {
	for _, part := range parts {
		if err := do(part); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return nil
}

func value(d *scenario.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return d.Value()
}

func number(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func pauseOf(f scenario.Fault) time.Duration {
	if f.Pause == nil {
		return defaultPause
	}
	return f.Pause.Value()
}

// WorkerOptions are those that a scenario's worker stands for.
func WorkerOptions(w scenario.Worker) lab.WorkerOptions {
	return lab.WorkerOptions{
		Tuning: fleet.Tuning{
			ActivitySlots: w.ActivitySlots, WorkflowSlots: w.WorkflowSlots,
			Pollers: w.Pollers, CachedWorkflows: w.CachedWorkflows,
		},
		Pace: workload.Pace{ActivityTakes: w.ActivityTakes.Value()},
	}
}
