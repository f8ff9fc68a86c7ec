package lab

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/fleet"
	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
)

// workerStartTimeout bounds the start of one worker. It takes a fraction of a
// second on a machine that has nothing else to do.
const workerStartTimeout = 30 * time.Second

// worker is the place of one queue's worker process.
type worker struct {
	config  fleet.Config
	process *supervise.Process // nil before the first start
}

func (w *worker) running() bool { return w.process != nil && w.process.Running() }

func (w *worker) metricsURL() string { return "http://" + w.config.MetricsAddress + "/metrics" }

func (w *worker) state() control.Worker {
	state := control.Worker{
		Queue:      w.config.Queue,
		Running:    w.running(),
		MetricsURL: w.metricsURL(),
	}
	if state.Running {
		state.PID = w.process.PID()
	}
	return state
}

// placeWorkers gives every queue's worker its place. The metrics ports stay
// the same over restarts, as those of a deployment do.
func (l *Lab) placeWorkers() error {
	for i, queue := range workload.Queues() {
		port, err := l.ports.Pick(usualWorkerMetricsPort + i)
		if err != nil {
			return err
		}
		l.fleet[queue] = &worker{config: fleet.Config{
			Queue:           queue,
			TemporalAddress: l.state.Temporal.Address,
			Namespace:       namespace,
			MetricsAddress:  loopback.Address(port),
			Tuning:          l.options.Workers[queue].Tuning,
			Pace:            l.options.Workers[queue].Pace,
			LogText:         l.options.LogFormat == temporal.LogConsole,
		}}
	}
	return nil
}

// StartWorkers starts the worker of a queue if it is not running, and waits
// until it serves its metrics.
func (l *Lab) StartWorkers(ctx context.Context, queue string) error {
	process, err := l.startWorker(queue)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, workerStartTimeout)
	defer cancel()
	return awaitHTTP(ctx, process, l.fleet[queue].metricsURL())
}

func (l *Lab) startWorker(queue string) (*supervise.Process, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	worker, err := l.workerOf(queue)
	if err != nil {
		return nil, err
	}
	if worker.running() {
		return worker.process, nil
	}
	process, err := supervise.Start(supervise.Spec{
		Name:          "worker " + queue,
		Path:          l.options.Program,
		Args:          []string{ServeWorkers, queue},
		LogFile:       l.directory.log("worker " + queue),
		Configuration: worker.config,
	})
	if err != nil {
		return nil, err
	}
	worker.process = process
	l.notice(process)
	return process, nil
}

// StopWorkers stops the worker of a queue: in order, or at once with kill.
func (l *Lab) StopWorkers(_ context.Context, queue string, kill bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	worker, err := l.workerOf(queue)
	if err != nil {
		return err
	}
	if !worker.running() {
		return nil
	}
	if kill {
		return worker.process.Kill()
	}
	return worker.process.Stop(stopGrace)
}

// workerOf finds a queue's worker. A lab that is closing takes no orders.
func (l *Lab) workerOf(queue string) (*worker, error) {
	if l.closed {
		return nil, fmt.Errorf("the lab is shutting down")
	}
	worker := l.fleet[queue]
	if worker == nil {
		return nil, fmt.Errorf("unknown task queue %q: the lab has %v", queue, workload.Queues())
	}
	return worker, nil
}

func (l *Lab) stopFleet() error {
	var running []*supervise.Process
	for _, worker := range l.fleet {
		if worker.running() {
			running = append(running, worker.process)
		}
	}
	return stopAll(running)
}

// startFleet starts the workers of all queues.
func (l *Lab) startFleet(ctx context.Context) error {
	started := l.options.begin("workers")
	group, ctx := errgroup.WithContext(ctx)
	for _, queue := range workload.Queues() {
		group.Go(func() error { return l.StartWorkers(ctx, queue) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	started("one process each for queues " + strings.Join(workload.Queues(), ", "))
	return nil
}
