package lab

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/logs"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/workload"
)

// Labels of the logs. Real deployments label what comes from Temporal alike; the
// service name is that of the Temporal service where services run apart.
const (
	logJob        = "temporal"
	serverService = "temporal"
	workerService = "temporal-worker"
)

const (
	usualLokiPort = 3100
	// lokiStartTimeout bounds the start of Loki, which takes seconds.
	lokiStartTimeout = time.Minute
	// flushTimeout bounds the wait at the end for what was logged last.
	flushTimeout = 10 * time.Second
)

// logging is the place of Loki and of what pushes the logs to it.
type logging struct {
	process   *supervise.Process
	collector *logs.Collector
}

// startLoki starts Loki and has everything pushed to it that the watched
// servers and the workers log, from their first line on.
func (l *Lab) startLoki(ctx context.Context, binary string) error {
	started := l.options.begin("Loki")
	config := loki.Config{Binary: binary, Dir: l.directory.loki(), LogFile: l.directory.log("loki")}
	var err error
	if config.Port, err = l.ports.Pick(usualLokiPort); err != nil {
		return err
	}
	if config.GRPCPort, err = l.ports.Pick(0); err != nil {
		return err
	}
	if err := os.MkdirAll(config.Dir, 0o755); err != nil {
		return fmt.Errorf("start Loki: %w", err)
	}
	process, err := loki.Start(config)
	if err != nil {
		return err
	}
	l.logging.process = process
	l.require(process)
	l.logging.collector, err = logs.Collect(l.logSources(), loki.Client{URL: config.URL()}.Push, l.options.LogJournal)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lokiStartTimeout)
	defer cancel()
	if err := awaitHTTP(ctx, process, config.ReadyURL()); err != nil {
		return err
	}
	l.state.Loki = &control.Endpoint{URL: config.URL()}
	started(config.URL())
	return nil
}

// logSources are the log files of the watched servers and of the workers.
func (l *Lab) logSources() []logs.Source {
	var sources []logs.Source
	add := func(part, service string) {
		sources = append(sources, logs.Source{File: l.directory.log(part), Labels: map[string]string{
			"job": logJob, "service_name": service, "cluster": Cluster, "instance": fileName(part),
		}})
	}
	for _, one := range l.watched {
		add(one.id.String(), cmp.Or(one.id.Service, serverService))
	}
	for _, queue := range workload.Queues() {
		add("worker "+queue, workerService)
	}
	return sources
}

// FlushLogs returns when Loki has everything that was logged by now. It reports
// lines that Loki did not take.
func (l *Lab) FlushLogs(ctx context.Context) error {
	if l.logging.collector == nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, flushTimeout, fmt.Errorf("not taken by Loki within %v", flushTimeout))
	defer cancel()
	return l.logging.collector.Flush(ctx)
}

// close ends Loki with all that was logged; whoever logs has to have ended.
func (g *logging) close(flush func(context.Context) error) []error {
	var errs []error
	if g.collector != nil {
		if g.process.Running() {
			errs = append(errs, flush(context.Background()))
		}
		errs = append(errs, g.collector.Close())
	}
	if g.process != nil {
		errs = append(errs, g.process.Stop(stopGrace))
	}
	return errs
}
