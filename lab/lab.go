// Package lab brings up a real Temporal cluster on the loopback interface: a
// PostgreSQL, a Temporal server persisted in it, a fleet of workers, a load
// generator, and a Prometheus that scrapes them. Every part is a process of its
// own, so that what is done to one is what happens to such processes in
// production.
package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/proxy"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// namespace is the one that workers and load use.
	namespace = "default"
	// copilotDatabase is the empty database for the copilot's store.
	copilotDatabase = "copilot"

	// startTimeout bounds the start of the whole lab. It takes about ten
	// seconds; on a machine that builds at the same time, several times that.
	startTimeout = 2 * time.Minute
	// stopGrace is how long a child may take to stop in order.
	stopGrace = 10 * time.Second
)

// Cluster is the value of the label cluster on every series.
const Cluster = "lab"

// Ports that the parts have when nobody else does: those that their users know.
const (
	usualPostgresPort        = 5432
	usualTemporalPort        = 7233
	usualMetricsPort         = 8000
	usualCopilotTemporalPort = 7333
	usualPrometheusPort      = 9090
	usualControlPort         = 7290
	usualWorkerMetricsPort   = 9101 // the first queue's; the others follow
)

// Lab is a running lab.
type Lab struct {
	options   Options
	directory directory
	ports     loopback.Ports
	postgres  *postgrestest.Server
	http      *http.Server
	failed    chan error

	// Set at the start and never changed.
	database *proxy.Proxy              // nil unless breakable
	entrance *proxy.Proxy              // before several frontends; nil with one
	exits    map[string][]*proxy.Proxy // before what is scraped, by job; empty unless breakable

	mu       sync.Mutex
	state    control.State // Workers and Load are filled in by State
	servers  []*supervise.Process
	watched  []*server
	settings temporal.Settings
	scraper  scraper
	logging  logging
	frozen   *freeze
	fleet    map[string]*worker
	load     *supervise.Process
	rate     workload.Rate
	closed   bool
}

var _ control.Lab = (*Lab)(nil)

// Up brings up a lab. When it returns, every part of it answers. The caller
// must call Close. Up itself leaves nothing behind when it fails.
func Up(ctx context.Context, options Options) (*Lab, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	startCtx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("the lab was not up within %v", startTimeout))
	defer cancel()

	dir, err := openDirectory(options.DataDir)
	if err != nil {
		return nil, err
	}
	l := &Lab{
		options:   options,
		directory: dir,
		failed:    make(chan error, 1),
		fleet:     make(map[string]*worker),
		exits:     make(map[string][]*proxy.Proxy),
		rate:      options.Rate,
		state:     control.State{PID: os.Getpid(), StartedAt: instant.System.Now(), DataDir: dir.path},
	}
	if err := l.start(startCtx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx) // what failed, failed because of that
		}
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// State says what the lab consists of now.
func (l *Lab) State() control.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := l.state
	for _, queue := range workload.Queues() {
		if worker := l.fleet[queue]; worker != nil {
			state.Workers = append(state.Workers, worker.state())
		}
	}
	if l.load != nil {
		state.Load = &control.Load{PerSecond: l.rate.PerSecond, FailureRatio: l.rate.FailureRatio, PID: l.load.PID()}
	}
	return state
}

// Logs is the directory of the log files, one a part.
func (l *Lab) Logs() string { return l.directory.logs() }

// Failed yields an error when a part ends by itself that the lab cannot do
// without.
func (l *Lab) Failed() <-chan error { return l.failed }

// SetRate changes the load, in pieces of work a second.
func (l *Lab) SetRate(perSecond float64) error {
	l.mu.Lock()
	rate := l.rate
	l.mu.Unlock()
	rate.PerSecond = perSecond
	return l.SetLoad(rate)
}

// Load is what the load generator was told last.
func (l *Lab) Load() workload.Rate {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate
}

// SetLoad changes the load.
func (l *Lab) SetLoad(rate workload.Rate) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.load == nil {
		return errors.New("this lab was started without load")
	}
	if err := rate.Validate(); err != nil {
		return err
	}
	if err := l.load.Send(rate); err != nil {
		return err
	}
	l.rate = rate
	return nil
}

// Close stops every part, those first that use others, and removes what the
// lab made. Further calls do nothing.
func (l *Lab) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	var errs []error
	if l.http != nil {
		errs = append(errs, l.http.Close())
	}
	if l.load != nil {
		errs = append(errs, l.load.Stop(stopGrace))
	}
	if l.frozen != nil {
		l.frozen.end() // or it could not stop
	}
	errs = append(errs, l.stopFleet())
	errs = append(errs, stopAll(l.running()))
	errs = append(errs, l.logging.close(l.FlushLogs)...)
	if l.postgres != nil {
		errs = append(errs, l.postgres.Stop())
	}
	errs = append(errs, l.closeProxies())
	l.ports.Close()
	return errors.Join(append(errs, l.directory.close())...)
}

// stopAll stops processes at the same time.
func stopAll(processes []*supervise.Process) error {
	var wait sync.WaitGroup
	errs := make([]error, len(processes))
	for i, process := range processes {
		wait.Go(func() { errs[i] = process.Stop(stopGrace) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// require makes the unexpected end of a process the end of the lab.
func (l *Lab) require(process *supervise.Process) {
	go func() {
		<-process.Exited()
		if !process.Expected() {
			l.fail(errors.New(process.Outcome()))
		}
	}()
}

// notice tells of the unexpected end of a process that the lab can do without.
func (l *Lab) notice(process *supervise.Process) {
	go func() {
		<-process.Exited()
		if !process.Expected() && l.options.Notice != nil {
			l.options.Notice(process.Outcome())
		}
	}()
}

// fail passes on the first failure; those that follow come of it.
func (l *Lab) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}
