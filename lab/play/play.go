// Package play plays a scenario on a real cluster, and records what Prometheus
// saw of it and, if the scenario asks for it, the logs.
package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/fault"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/prometheus"
	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/lab/scenario"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/lab/strain"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Selector narrows queries to the lab's cluster.
const Selector = `cluster="` + lab.Cluster + `"`

// Options say how to play.
type Options struct {
	// Out is an existing directory for the recording.
	Out string
	// Program is the lab's own program; see lab.Options.
	Program string
	// Progress and Notice are told how the lab comes up; see lab.Options.
	Progress func(lab.Progress)
	Notice   func(string)
	// Up, if not nil, is told when the play begins.
	Up func(*lab.Lab, instant.Instant)
	// Event is told what is done, and when since the begin.
	Event func(since time.Duration, what string)
}

// Record plays a scenario and writes its recording. It says what was kept.
func Record(ctx context.Context, play *scenario.Scenario, o Options) (kept string, err error) {
	// What is missing should not be found out at the end.
	binary, err := prometheus.Find("")
	if err != nil {
		return "", err
	}
	extractor, err := recording.FindExtractor(binary)
	if err != nil {
		return "", err
	}
	settings := options(play, binary, o)
	if settings.Loki {
		if _, err := loki.Find(""); err != nil {
			return "", fmt.Errorf("%s wants topology.logs: %s: %w", play.Name, play.Topology.Logs, err)
		}
		if settings.LogJournal, err = newJournal(); err != nil {
			return "", err
		}
		defer os.Remove(settings.LogJournal)
	}
	l, err := lab.Up(ctx, settings)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, l.Close()) }()

	// Whole seconds are easier to read; a second more of warm-up does no harm.
	begin := instant.System.Now().Truncate(time.Second).Add(time.Second)
	if o.Up != nil {
		o.Up(l, begin)
	}
	pressed, err := observed(ctx, func() error { return perform(ctx, l, play, begin, o.Event) })
	if err != nil {
		return "", err
	}
	if err := errors.Join(l.FlushLogs(ctx), l.StopPrometheus(ctx)); err != nil {
		return "", err
	}
	truth := play.TruthAt(begin, Selector)
	truth.Strain = &pressed
	if kept, err = recording.Save(ctx, o.Out, &truth, extractor, l.PrometheusData()); err != nil {
		return "", err
	}
	info, err := os.Stat(filepath.Join(o.Out, recording.MetricsFile))
	if err != nil {
		return "", err
	}
	kept = fmt.Sprintf("%s, %d KB", kept, info.Size()/1000)
	if !settings.Loki {
		return kept, nil
	}
	logs, err := recording.SaveLogs(o.Out, &truth, settings.LogJournal, withoutBuildPaths())
	return kept + "; " + logs, err
}

// newJournal makes the file that keeps the logs until they are recorded.
func newJournal() (string, error) {
	file, err := os.CreateTemp("", "lab-journal-")
	if err != nil {
		return "", fmt.Errorf("keep the logs: %w", err)
	}
	return file.Name(), file.Close()
}

// observed does something and measures how hard the machine is pressed by it.
func observed(ctx context.Context, do func() error) (score.Strain, error) {
	ctx, stop := context.WithCancel(ctx)
	measured := make(chan score.Strain, 1)
	go func() { measured <- strain.Watch(ctx) }()
	err := do()
	stop()
	return <-measured, err
}

func options(play *scenario.Scenario, binary string, o Options) lab.Options {
	workers := map[string]lab.WorkerOptions{}
	for queue, worker := range play.Workers {
		workers[queue] = fault.WorkerOptions(worker)
	}
	logs := play.Topology.Logs != scenario.NoLogs
	format := temporal.LogJSON
	if logs {
		format = play.Topology.Logs
	}
	return lab.Options{
		Program: o.Program, Prometheus: binary, Progress: o.Progress, Notice: o.Notice,
		ScrapeInterval: play.Topology.ScrapeInterval.Value(),
		ServerMetrics:  play.Topology.Metrics,
		Rate:           workload.Rate{PerSecond: *play.Workload.Rate, FailureRatio: *play.Workload.FailureRatio},
		Servers:        play.Topology.Servers,
		ServicesApart:  play.Topology.Services == scenario.Apart,
		HistoryShards:  play.Topology.HistoryShards,
		Workers:        workers,
		Loki:           logs,
		LogFormat:      format,
		Breakable:      true,
	}
}

// perform does everything at its time and returns at the scenario's end.
func perform(ctx context.Context, l *lab.Lab, play *scenario.Scenario, begin instant.Instant, event func(time.Duration, string)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	tell := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if event != nil {
			event(instant.System.Now().Sub(begin), what)
		}
	}
	var acts sync.WaitGroup
	for _, f := range play.Faults {
		acts.Go(func() {
			if err := act(ctx, l, play, f, begin, tell); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		select {
		case err := <-l.Failed():
			cancel(err)
		case <-ctx.Done():
		}
	}()
	err := sleepUntil(ctx, begin.Add(play.Duration.Value()))
	acts.Wait()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// act begins a fault at its time and ends it at its end.
func act(ctx context.Context, l *lab.Lab, play *scenario.Scenario, f scenario.Fault, begin instant.Instant, tell func(string)) error {
	if sleepUntil(ctx, begin.Add(f.At.Value())) != nil {
		return nil // the play was broken off for a reason of its own
	}
	tell(Describe(f))
	undo, err := fault.Inject(ctx, l, play, f)
	if err != nil {
		return err
	}
	if slices.Contains(scenario.Passing(), f.Kind) {
		tell(string(f.Kind) + " is done")
		return nil
	}
	if sleepUntil(ctx, begin.Add(f.End(play.Duration.Value()))) == nil {
		tell(string(f.Kind) + " ends")
	}
	// Also after an interrupt: what is frozen could not stop.
	return undo(context.WithoutCancel(ctx))
}

func sleepUntil(ctx context.Context, at instant.Instant) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(at.Sub(instant.System.Now())):
		return nil
	}
}
