package lab

import (
	"context"
	"fmt"
	"strings"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/fleet"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/workload"
)

// worker is the place of one queue's worker process.
type worker struct {
	config  fleet.Config
	process *supervise.Process // nil before the first start
}

func (w *worker) running() bool { return w.process != nil && w.process.Running() }

func (w *worker) state() control.Worker {
	state := control.Worker{
		Queue:      w.config.Queue,
		Running:    w.running(),
		MetricsURL: "http://" + w.config.MetricsAddress + "/metrics",
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
		port, err := l.ports.pick(usualWorkerMetricsPort + i)
		if err != nil {
			return err
		}
		l.fleet[queue] = &worker{config: fleet.Config{
			Queue:           queue,
			TemporalAddress: l.state.Temporal.Address,
			Namespace:       namespace,
			MetricsAddress:  hostPort(port),
		}}
	}
	return nil
}

// StartWorkers starts the worker of a queue if it is not running.
func (l *Lab) StartWorkers(_ context.Context, queue string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	worker, err := l.workerOf(queue)
	if err != nil {
		return err
	}
	if worker.running() {
		return nil
	}
	process, err := supervise.Start(supervise.Spec{
		Name:          "worker " + queue,
		Path:          l.options.Program,
		Args:          []string{ServeWorkers, queue},
		LogFile:       l.directory.log("worker " + queue),
		Configuration: worker.config,
	})
	if err != nil {
		return err
	}
	worker.process = process
	l.notice(process)
	return nil
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

// startFleet starts the workers of all queues and waits until they serve their
// metrics.
func (l *Lab) startFleet(ctx context.Context) error {
	started := l.options.begin("workers")
	for _, queue := range workload.Queues() {
		if err := l.StartWorkers(ctx, queue); err != nil {
			return err
		}
	}
	for _, queue := range workload.Queues() {
		worker := l.fleet[queue]
		if err := awaitHTTP(ctx, worker.process, worker.state().MetricsURL); err != nil {
			return err
		}
	}
	started(fmt.Sprintf("one process each for queues %s", strings.Join(workload.Queues(), ", ")))
	return nil
}
