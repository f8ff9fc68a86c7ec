package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/prometheus"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
)

// postgresConnections is enough for two Temporal servers, each of whose four
// services keeps two pools of 20, and for the copilot.
const postgresConnections = 400

// start brings up the parts in the order of their needs.
func (l *Lab) start(ctx context.Context) error {
	// A missing binary should not be found out at the end.
	prometheusBinary, err := prometheus.Find(l.options.Prometheus)
	if err != nil {
		return err
	}
	lokiBinary := ""
	if l.options.Loki {
		if lokiBinary, err = loki.Find(l.options.LokiBinary); err != nil {
			return err
		}
	}
	if err := l.startPostgres(ctx); err != nil {
		return err
	}
	if err := l.placeServers(ctx); err != nil {
		return err
	}
	if err := l.placeWorkers(); err != nil {
		return err
	}
	targets, err := l.scrapeTargets(ctx)
	if err != nil {
		return err
	}

	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.startWatched(groupCtx) })
	if l.options.SecondTemporal {
		second, err := l.temporalConfig("copilot_temporal", usualCopilotTemporalPort, 0)
		if err != nil {
			return err
		}
		group.Go(func() error {
			pid, err := l.startTemporal(groupCtx, "Temporal server for the copilot", second)
			l.state.CopilotTemporal = &control.Temporal{Address: second.Address(), Namespace: namespace, PID: pid}
			return err
		})
	}
	group.Go(func() error {
		return l.startPrometheus(groupCtx, prometheusBinary, targets)
	})
	if l.options.Loki {
		group.Go(func() error { return l.startLoki(groupCtx, lokiBinary) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := l.startFleet(ctx); err != nil {
		return err
	}
	if !l.options.WithoutLoad {
		if err := l.startLoad(); err != nil {
			return err
		}
	}
	return l.serveControl()
}

func (l *Lab) startPostgres(ctx context.Context) error {
	started := l.options.begin("PostgreSQL")
	port, err := l.ports.Pick(usualPostgresPort)
	if err != nil {
		return err
	}
	l.postgres, err = postgrestest.Start(ctx, postgrestest.Options{
		Dir:            l.directory.path,
		Port:           port,
		MaxConnections: postgresConnections,
		LogFile:        l.directory.log("postgres"),
	})
	if err != nil {
		return err
	}
	go func() {
		<-l.postgres.Exited()
		l.fail(fmt.Errorf("PostgreSQL ended; its last lines:\n%s", supervise.LastLines(l.directory.log("postgres"), 6)))
	}()
	if err := l.postgres.CreateDatabase(ctx, copilotDatabase); err != nil {
		return err
	}
	l.state.Postgres.URL = l.postgres.URL(copilotDatabase)
	started(loopback.Address(port))
	return nil
}

// temporalConfig chooses the ports of a server and the names of its databases.
// A frontend port of 0 prefers none, a metrics port of 0 means none.
func (l *Lab) temporalConfig(database string, frontendPort, metricsPort int) (temporal.Config, error) {
	config := temporal.Config{
		MetricsFramework: l.options.ServerMetrics,
		HistoryShards:    l.options.HistoryShards,
		Database: temporal.Database{
			Address:    loopback.Address(l.postgres.Port),
			User:       postgrestest.User,
			Password:   l.postgres.Password,
			Main:       database,
			Visibility: database + "_visibility",
		},
	}
	var err error
	pick := func(port *int, preferred int) {
		if err == nil {
			*port, err = l.ports.Pick(preferred)
		}
	}
	beside := func(distance int) int {
		if frontendPort == 0 {
			return 0 // and not the ports 1, 2 and 6, which root gets
		}
		return frontendPort + distance
	}
	pick(&config.Ports.Frontend, frontendPort)
	pick(&config.Ports.History, beside(1))
	pick(&config.Ports.Matching, beside(2))
	pick(&config.Ports.Worker, beside(6))
	for i := range config.Ports.Membership {
		pick(&config.Ports.Membership[i], 0)
	}
	if metricsPort != 0 {
		pick(&config.Ports.Metrics, metricsPort)
	}
	return config, err
}

// prepareDatabases creates a server's databases.
func (l *Lab) prepareDatabases(ctx context.Context, database temporal.Database) error {
	for _, name := range []string{database.Main, database.Visibility} {
		if err := l.postgres.CreateDatabase(ctx, name); err != nil {
			return err
		}
	}
	return temporal.SetupSchema(database)
}

// startTemporal starts a server of its own and waits until its namespace can
// be used. It returns the server's process id.
func (l *Lab) startTemporal(ctx context.Context, name string, config temporal.Config) (int, error) {
	started := l.options.begin(name)
	if err := l.prepareDatabases(ctx, config.Database); err != nil {
		return 0, err
	}
	process, err := l.startServer(func() (*supervise.Process, error) {
		return supervise.Start(supervise.Spec{
			Name:          name,
			Path:          l.options.Program,
			Args:          []string{ServeTemporal},
			LogFile:       l.directory.log(name),
			Configuration: config,
		})
	})
	if err != nil {
		return 0, err
	}
	ctx, cancel := whileRunning(ctx, process)
	defer cancel()
	if err := temporal.PrepareNamespace(ctx, config.Address(), namespace); err != nil {
		return 0, err
	}
	started(config.Address())
	return process.PID(), nil
}

func (l *Lab) startPrometheus(ctx context.Context, binary string, jobs []prometheus.Job) error {
	started := l.options.begin("Prometheus")
	port, err := l.ports.Pick(usualPrometheusPort)
	if err != nil {
		return err
	}
	l.scraper = scraper{config: prometheus.Config{
		Binary:         binary,
		Address:        loopback.Address(port),
		Dir:            l.directory.prometheus(),
		LogFile:        l.directory.log("prometheus"),
		ScrapeInterval: l.options.ScrapeInterval,
		Labels:         map[string]string{"cluster": Cluster},
		Jobs:           jobs,
	}}
	l.state.Prometheus.URL = "http://" + loopback.Address(port)
	if err := l.StartPrometheus(ctx); err != nil {
		return err
	}
	started(l.state.Prometheus.URL)
	return nil
}

// startServer starts a process that the lab cannot do without, and keeps it so
// that Close stops it.
func (l *Lab) startServer(start func() (*supervise.Process, error)) (*supervise.Process, error) {
	process, err := start()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.servers = append(l.servers, process)
	l.mu.Unlock()
	l.require(process)
	return process, nil
}

func (l *Lab) startLoad() error {
	started := l.options.begin("load")
	process, err := supervise.Start(supervise.Spec{
		Name:    "load",
		Path:    l.options.Program,
		Args:    []string{ServeLoad},
		LogFile: l.directory.log("load"),
		Configuration: workload.GeneratorConfig{
			TemporalAddress: l.state.Temporal.Address,
			Namespace:       namespace,
			Rate:            l.rate,
		},
	})
	if err != nil {
		return err
	}
	l.load = process
	l.notice(process)
	started(fmt.Sprintf("%v pieces of work a second", l.rate.PerSecond))
	return nil
}

func (l *Lab) serveControl() error {
	port, err := l.ports.Pick(usualControlPort)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", loopback.Address(port))
	if err != nil {
		return fmt.Errorf("serve the lab's control: %w", err)
	}
	l.state.Control.URL = "http://" + loopback.Address(port)
	l.http = &http.Server{Handler: control.Handler(l), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := l.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			l.fail(fmt.Errorf("serve the lab's control: %w", err))
		}
	}()
	return nil
}
