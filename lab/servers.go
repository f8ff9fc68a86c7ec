package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/proxy"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/temporal"
)

const (
	// serverStartTimeout bounds the start of one server process.
	serverStartTimeout = time.Minute
	// restartDelay is how long an orchestrator takes to start a server again
	// that has ended by itself.
	restartDelay = 2 * time.Second
)

// server is the place of one process of the watched Temporal cluster.
type server struct {
	id      ServerID
	config  temporal.Config
	process *supervise.Process // nil before the first start
}

// ServerID names a process of the watched Temporal cluster.
type ServerID struct {
	// Replica counts from 1.
	Replica int
	// Service is empty for a process that runs all of them.
	Service string
}

func (id ServerID) String() string {
	name := fmt.Sprintf("Temporal server %d", id.Replica)
	if id.Service != "" {
		name += " " + id.Service
	}
	return name
}

// placeServers gives every server process its ports. With several frontends
// clients go through a proxy, as through the load balancer of a deployment.
func (l *Lab) placeServers(ctx context.Context) error {
	if l.options.Breakable {
		port, err := l.ports.Pick(0)
		if err != nil {
			return err
		}
		l.database, err = proxy.ListenPostgres(ctx, loopback.Address(port), loopback.Address(l.postgres.Port))
		if err != nil {
			return err
		}
	}
	var frontends []string
	for replica := 1; replica <= max(1, l.options.Servers); replica++ {
		services := []string{""}
		if l.options.ServicesApart {
			services = temporal.Services()
		}
		for _, service := range services {
			one, err := l.placeServer(ServerID{Replica: replica, Service: service})
			if err != nil {
				return err
			}
			l.watched = append(l.watched, one)
			if service == "" || service == "frontend" {
				frontends = append(frontends, one.config.Address())
			}
		}
	}
	address := frontends[0]
	if len(frontends) > 1 {
		port, err := l.ports.Pick(usualTemporalPort)
		if err != nil {
			return err
		}
		address = loopback.Address(port)
		if l.entrance, err = proxy.Listen(ctx, address, frontends...); err != nil {
			return err
		}
	}
	l.state.Temporal = control.Temporal{
		Address:    address,
		Namespace:  namespace,
		MetricsURL: "http://" + l.watched[0].config.MetricsAddress() + "/metrics",
	}
	return nil
}

func (l *Lab) placeServer(id ServerID) (*server, error) {
	frontend := usualTemporalPort
	if l.options.Servers > 1 {
		frontend = 0 // the usual one is where clients look
	}
	config, err := l.temporalConfig("temporal", frontend, usualMetricsPort)
	if err != nil {
		return nil, err
	}
	if l.database != nil {
		config.Database.Address = l.database.Address()
	}
	config.LogFormat = l.options.LogFormat
	if id.Service != "" {
		config.Services = []string{id.Service}
	}
	return &server{id: id, config: config}, nil
}

// startWatched starts all processes of the watched cluster.
func (l *Lab) startWatched(ctx context.Context) error {
	started := l.options.begin("Temporal server")
	if err := l.prepareDatabases(ctx, l.watched[0].config.Database); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for i, one := range l.watched {
		group.Go(func() error {
			// The first writes what the others want to find.
			if !l.options.ServicesApart && i > 0 {
				select {
				case <-groupCtx.Done():
					return groupCtx.Err()
				case <-time.After(2 * time.Second):
				}
			}
			return l.StartServer(groupCtx, one.id)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	l.state.Temporal.PID = l.watched[0].process.PID()
	ctx, cancel := whileRunning(ctx, l.watched[0].process)
	defer cancel()
	if err := temporal.PrepareNamespace(ctx, l.state.Temporal.Address, namespace); err != nil {
		return err
	}
	detail := l.state.Temporal.Address
	if len(l.watched) > 1 {
		detail += fmt.Sprintf(", %d processes", len(l.watched))
	}
	started(detail)
	return nil
}

// Servers lists the processes of the watched Temporal cluster.
func (l *Lab) Servers() []ServerID {
	var ids []ServerID
	for _, one := range l.watched {
		ids = append(ids, one.id)
	}
	return ids
}

// StartServer starts a server process if it does not run, and waits until it
// serves its metrics.
func (l *Lab) StartServer(ctx context.Context, id ServerID) error {
	one, process, err := l.launchServer(id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, serverStartTimeout)
	defer cancel()
	return awaitHTTP(ctx, process, "http://"+one.config.MetricsAddress()+"/metrics")
}

func (l *Lab) launchServer(id ServerID) (*server, *supervise.Process, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, err := l.serverOf(id)
	if err != nil {
		return nil, nil, err
	}
	if one.process != nil && one.process.Running() {
		return one, one.process, nil
	}
	process, err := supervise.Start(supervise.Spec{
		Name:          id.String(),
		Path:          l.options.Program,
		Args:          []string{ServeTemporal},
		LogFile:       l.directory.log(id.String()),
		Configuration: one.config,
	})
	if err != nil {
		return nil, nil, err
	}
	if len(l.settings) > 0 {
		if err := process.Send(l.settings); err != nil {
			return nil, nil, errors.Join(err, process.Kill())
		}
	}
	one.process = process
	if l.options.Breakable {
		l.notice(process)
		go l.restart(one, process)
	} else {
		l.require(process)
	}
	return one, process, nil
}

// restart starts a server again that has ended by itself.
func (l *Lab) restart(one *server, process *supervise.Process) {
	<-process.Exited()
	if process.Expected() {
		return
	}
	time.Sleep(restartDelay)
	if _, _, err := l.launchServer(one.id); err != nil && !errors.Is(err, errClosed) {
		l.fail(err)
	}
}

// StopServer stops a server process: in order, or at once with kill.
func (l *Lab) StopServer(_ context.Context, id ServerID, kill bool) error {
	l.mu.Lock()
	one, err := l.serverOf(id)
	if err != nil || one.process == nil {
		l.mu.Unlock()
		return err
	}
	process := one.process
	l.mu.Unlock()
	if kill {
		return process.Kill()
	}
	return process.Stop(stopGrace)
}

// SetServerSettings replaces the dynamic settings of all server processes, of
// those that start later, too. Nil is the defaults.
func (l *Lab) SetServerSettings(settings temporal.Settings) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if settings == nil {
		settings = temporal.Settings{}
	}
	l.settings = settings
	var errs []error
	for _, one := range l.watched {
		if one.process != nil && one.process.Running() {
			errs = append(errs, one.process.Send(settings))
		}
	}
	return errors.Join(errs...)
}

// errClosed reports an order to a lab that is closing.
var errClosed = errors.New("the lab is shutting down")

func (l *Lab) serverOf(id ServerID) (*server, error) {
	if l.closed {
		return nil, errClosed
	}
	i := slices.IndexFunc(l.watched, func(s *server) bool { return s.id == id })
	if i < 0 {
		return nil, fmt.Errorf("there is no %s: the lab has %v", id, l.Servers())
	}
	return l.watched[i], nil
}

// running lists every server process, Prometheus among them, that runs.
func (l *Lab) running() []*supervise.Process {
	processes := slices.Clone(l.servers)
	for _, one := range l.watched {
		processes = append(processes, one.process)
	}
	processes = append(processes, l.scraper.process)
	return slices.DeleteFunc(processes, func(p *supervise.Process) bool { return p == nil || !p.Running() })
}
