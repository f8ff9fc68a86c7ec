package fault

import (
	"context"
	"errors"
	"slices"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/scenario"
	"github.com/temporal-sre/copilot/lab/workload"
)

// meantQueues are the task queues that a fault is about.
func meantQueues(f scenario.Fault) []string {
	if len(f.Queues) > 0 {
		return f.Queues
	}
	return workload.Queues()
}

// jobs are the scrape jobs by the names that scenarios use.
var jobs = map[string]string{"server": lab.ServerJob, "worker": lab.WorkerJob}

func meantJobs(f scenario.Fault) []string {
	if len(f.Jobs) == 0 {
		return lab.Jobs()
	}
	var names []string
	for _, job := range f.Jobs {
		names = append(names, jobs[job])
	}
	return names
}

func otherJobs(f scenario.Fault) []string {
	meant := meantJobs(f)
	return slices.DeleteFunc(lab.Jobs(), func(job string) bool { return slices.Contains(meant, job) })
}

func meantServers(l *lab.Lab, f scenario.Fault) []lab.ServerID {
	return slices.DeleteFunc(l.Servers(), func(id lab.ServerID) bool {
		return len(f.Servers) > 0 && !slices.Contains(f.Servers, id.Replica) ||
			len(f.Services) > 0 && !slices.Contains(f.Services, id.Service)
	})
}

func stopWorkers(ctx context.Context, l *lab.Lab, f scenario.Fault) (Undo, error) {
	queues := meantQueues(f)
	err := each(queues, func(queue string) error {
		return l.StopWorkers(ctx, queue, f.Kind == scenario.WorkersKilled)
	})
	return func(ctx context.Context) error {
		return each(queues, func(queue string) error { return l.StartWorkers(ctx, queue) })
	}, err
}

func restartWorkers(ctx context.Context, l *lab.Lab, f scenario.Fault) error {
	return oneByOne(ctx, meantQueues(f), pauseOf(f), func(queue string) error {
		return restartWorker(ctx, l, queue)
	})
}

func restartWorker(ctx context.Context, l *lab.Lab, queue string) error {
	return errors.Join(l.StopWorkers(ctx, queue, false), l.StartWorkers(ctx, queue))
}

func misconfigureWorkers(ctx context.Context, l *lab.Lab, play *scenario.Scenario, f scenario.Fault) (Undo, error) {
	deploy := func(ctx context.Context, as func(queue string) scenario.Worker) error {
		return each(meantQueues(f), func(queue string) error {
			options := WorkerOptions(as(queue))
			return errors.Join(
				l.TuneWorkers(queue, options.Tuning),
				l.PaceWorkers(queue, options.Pace),
				restartWorker(ctx, l, queue))
		})
	}
	undo := func(ctx context.Context) error {
		return deploy(ctx, func(queue string) scenario.Worker { return play.Workers[queue] })
	}
	return undo, deploy(ctx, func(string) scenario.Worker { return *f.Worker })
}

func slowActivities(l *lab.Lab, play *scenario.Scenario, f scenario.Fault) (Undo, error) {
	return pace(l, play, f, func(p *workload.Pace) { p.ActivityTakes = f.Takes.Value() })
}

func failWorkflowTasks(l *lab.Lab, play *scenario.Scenario, f scenario.Fault) (Undo, error) {
	return pace(l, play, f, func(p *workload.Pace) { p.WorkflowTasksFail = true })
}

func panicActivities(l *lab.Lab, play *scenario.Scenario, f scenario.Fault) (Undo, error) {
	return pace(l, play, f, func(p *workload.Pace) { p.ActivitiesPanic = true })
}

// pace changes how the workers that are meant work.
func pace(l *lab.Lab, play *scenario.Scenario, f scenario.Fault, change func(*workload.Pace)) (Undo, error) {
	work := func(change func(*workload.Pace)) error {
		return each(meantQueues(f), func(queue string) error {
			own := WorkerOptions(play.Workers[queue]).Pace
			change(&own)
			return l.PaceWorkers(queue, own)
		})
	}
	undo := func(context.Context) error { return work(func(*workload.Pace) {}) }
	return undo, work(change)
}

func stopServers(ctx context.Context, l *lab.Lab, f scenario.Fault) (Undo, error) {
	servers := meantServers(l, f)
	err := each(servers, func(id lab.ServerID) error {
		return l.StopServer(ctx, id, f.Kind == scenario.ServersKilled)
	})
	return func(ctx context.Context) error {
		return each(servers, func(id lab.ServerID) error { return l.StartServer(ctx, id) })
	}, err
}

func restartServers(ctx context.Context, l *lab.Lab, f scenario.Fault) error {
	return oneByOne(ctx, meantServers(l, f), pauseOf(f), func(id lab.ServerID) error {
		return errors.Join(l.StopServer(ctx, id, false), l.StartServer(ctx, id))
	})
}
