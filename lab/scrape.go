package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/prometheus"
	"github.com/temporal-sre/copilot/lab/proxy"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/workload"
)

// The jobs under which Prometheus scrapes.
const (
	ServerJob = "temporal-server"
	WorkerJob = "temporal-worker"
)

// Jobs lists the jobs under which Prometheus scrapes.
func Jobs() []string { return []string{ServerJob, WorkerJob} }

// prometheusStartTimeout bounds a start of Prometheus, which reads its log of
// writes again.
const prometheusStartTimeout = 30 * time.Second

// scraper is the place of the Prometheus process.
type scraper struct {
	config  prometheus.Config
	process *supervise.Process
}

// scrapeTargets lists what Prometheus scrapes. In a breakable lab it reaches
// its targets through proxies.
func (l *Lab) scrapeTargets(ctx context.Context) ([]prometheus.Job, error) {
	jobs := []prometheus.Job{{Name: ServerJob}, {Name: WorkerJob}}
	for _, one := range l.watched {
		jobs[0].Targets = append(jobs[0].Targets, one.config.MetricsAddress())
	}
	for _, queue := range workload.Queues() {
		jobs[1].Targets = append(jobs[1].Targets, l.fleet[queue].config.MetricsAddress)
	}
	if !l.options.Breakable {
		return jobs, nil
	}
	for _, job := range jobs {
		for i, target := range job.Targets {
			port, err := l.ports.Pick(0)
			if err != nil {
				return nil, err
			}
			exit, err := proxy.Listen(ctx, loopback.Address(port), target)
			if err != nil {
				return nil, err
			}
			l.exits[job.Name] = append(l.exits[job.Name], exit)
			job.Targets[i] = exit.Address()
		}
	}
	return jobs, nil
}

// DisturbScrapes disturbs the line between Prometheus and a job's targets.
func (l *Lab) DisturbScrapes(job string, disturbance proxy.Disturbance) error {
	exits, err := l.exits[job], l.mustBreak()
	if err != nil {
		return err
	}
	for _, exit := range exits {
		exit.Disturb(disturbance)
	}
	return nil
}

// DisturbDatabase disturbs the line between the Temporal servers and their
// database.
func (l *Lab) DisturbDatabase(disturbance proxy.Disturbance) error {
	if err := l.mustBreak(); err != nil {
		return err
	}
	l.database.Disturb(disturbance)
	return nil
}

func (l *Lab) mustBreak() error {
	if !l.options.Breakable {
		return errors.New("this lab was not prepared for faults")
	}
	return nil
}

func (l *Lab) closeProxies() error {
	var errs []error
	for _, exits := range l.exits {
		for _, exit := range exits {
			errs = append(errs, exit.Close())
		}
	}
	for _, p := range []*proxy.Proxy{l.database, l.entrance} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// Scrape makes Prometheus scrape these jobs only.
func (l *Lab) Scrape(jobs ...string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.scraper.process == nil || !l.scraper.process.Running() {
		return errors.New("the Prometheus of this lab does not run")
	}
	config := l.scraper.config
	config.Jobs = slices.Clone(config.Jobs)
	config.Jobs = slices.DeleteFunc(config.Jobs, func(j prometheus.Job) bool { return !slices.Contains(jobs, j.Name) })
	return prometheus.Reload(l.scraper.process, config)
}

// StopPrometheus stops Prometheus in order. Its data stays; it is complete
// then.
func (l *Lab) StopPrometheus(context.Context) error {
	l.mu.Lock()
	process := l.scraper.process
	l.mu.Unlock()
	if process == nil {
		return nil
	}
	return process.Stop(stopGrace)
}

// StartPrometheus starts Prometheus, if it does not run, to scrape everything.
func (l *Lab) StartPrometheus(ctx context.Context) error {
	process, err := l.launchPrometheus()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, prometheusStartTimeout)
	defer cancel()
	return awaitHTTP(ctx, process, l.state.Prometheus.URL+"/-/ready")
}

func (l *Lab) launchPrometheus() (*supervise.Process, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed
	}
	if process := l.scraper.process; process != nil && process.Running() {
		return process, nil
	}
	process, err := prometheus.Start(l.scraper.config)
	if err != nil {
		return nil, fmt.Errorf("start Prometheus: %w", err)
	}
	l.scraper.process = process
	l.require(process)
	return process, nil
}

// PrometheusData is the directory of Prometheus' database.
func (l *Lab) PrometheusData() string { return prometheus.DataDir(l.scraper.config.Dir) }
