package lab

import (
	"github.com/temporal-sre/copilot/lab/fleet"
	"github.com/temporal-sre/copilot/lab/workload"
)

// TuneWorkers changes the settings of a queue's worker from its next start on.
func (l *Lab) TuneWorkers(queue string, tuning fleet.Tuning) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	worker, err := l.workerOf(queue)
	if err != nil {
		return err
	}
	worker.config.Tuning = tuning
	return nil
}

// PaceWorkers changes how long the activities of a queue's worker take, from
// the next activity on.
func (l *Lab) PaceWorkers(queue string, pace workload.Pace) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	worker, err := l.workerOf(queue)
	if err != nil {
		return err
	}
	worker.config.Pace = pace
	if !worker.running() {
		return nil
	}
	return worker.process.Send(pace)
}
