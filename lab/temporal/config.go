// Package temporal runs a real Temporal server, all four services in one
// process, persisted in PostgreSQL: the thing that the copilot watches, and, a
// second time, the place where the copilot's own workflows live.
package temporal

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/temporal"

	"github.com/temporal-sre/copilot/lab/loopback"
)

// Names of the metric frameworks that a server can use. They decide how its
// metrics are named: see the copilot's signal catalogue.
const (
	// Tally is the server's default: no suffixes, timers in seconds.
	Tally = metrics.FrameworkTally
	// OpenTelemetry adds suffixes (_total, _milliseconds) and leaves label
	// values as they are.
	OpenTelemetry = metrics.FrameworkOpentelemetry
)

// Formats in which a server logs.
const (
	// LogJSON is the server's default: an object a line.
	LogJSON = "json"
	// LogConsole is for terminals: fields between tabs, and stack traces on
	// lines of their own.
	LogConsole = "console"
)

// DefaultHistoryShards is small, as in Temporal's own development set-up:
// enough for shards to move between replicas, few enough to start at once.
const DefaultHistoryShards = 4

// MaxHistoryShards is what one machine can still start in reasonable time.
const MaxHistoryShards = 512

// clusterName is Temporal's usual name for a cluster that is not replicated.
const clusterName = "active"

// Database says where a server keeps its data: two databases on one
// PostgreSQL, which must exist and hold Temporal's schema (see SetupSchema).
type Database struct {
	Address    string `json:"address"` // host:port
	User       string `json:"user"`
	Password   string `json:"password"`
	Main       string `json:"main"`       // database of workflows and task queues
	Visibility string `json:"visibility"` // database of what is listed and searched
}

// Ports are the loopback ports of a server's services.
type Ports struct {
	Frontend int `json:"frontend"`
	History  int `json:"history"`
	Matching int `json:"matching"`
	Worker   int `json:"worker"`
	// Membership holds the gossip port of each service in the order frontend,
	// history, matching, worker.
	Membership [4]int `json:"membership"`
	// Metrics is where /metrics is served. 0: nowhere.
	Metrics int `json:"metrics"`
}

// Config describes one server process.
type Config struct {
	Database Database `json:"database"`
	Ports    Ports    `json:"ports"`
	// MetricsFramework is Tally or OpenTelemetry.
	MetricsFramework string `json:"metrics_framework"`
	// Services are those that this process runs, of Services(). None: all.
	Services []string `json:"services,omitempty"`
	// HistoryShards is the number of shards of the whole cluster. 0: few.
	HistoryShards int `json:"history_shards,omitempty"`
	// LogFormat is LogJSON or LogConsole. Empty: LogJSON.
	LogFormat string `json:"log_format,omitempty"`
	// TLS is how the frontend encrypts. Nil: it does not.
	TLS *TLS `json:"tls,omitempty"`
}

// Services lists the services of a Temporal server.
func Services() []string { return slices.Clone(temporal.DefaultServices) }

// Address is where clients connect to.
func (c Config) Address() string { return loopback.Address(c.Ports.Frontend) }

// MetricsAddress is the host:port of /metrics, or empty if there is none.
func (c Config) MetricsAddress() string {
	if c.Ports.Metrics == 0 {
		return ""
	}
	return loopback.Address(c.Ports.Metrics)
}

// serverConfig translates c into the server's own configuration.
func (c Config) serverConfig() *config.Config {
	service := func(port, membershipPort int) config.Service {
		return config.Service{RPC: config.RPC{
			GRPCPort:       port,
			MembershipPort: membershipPort,
			BindOnIP:       loopback.Host,
		}}
	}
	var metricsConfig *metrics.Config
	if address := c.MetricsAddress(); address != "" {
		metricsConfig = &metrics.Config{Prometheus: &metrics.PrometheusConfig{
			Framework:     c.MetricsFramework,
			ListenAddress: address,
			HandlerPath:   "/metrics",
		}}
	}
	return &config.Config{
		Global: config.Global{
			Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: loopback.Host},
			Metrics:    metricsConfig,
			TLS:        c.TLS.serverConfig(),
		},
		Persistence: config.Persistence{
			DefaultStore:     "main",
			VisibilityStore:  "visibility",
			NumHistoryShards: int32(cmp.Or(c.HistoryShards, DefaultHistoryShards)),
			DataStores: map[string]config.DataStore{
				"main":       {SQL: c.Database.sql(c.Database.Main)},
				"visibility": {SQL: c.Database.sql(c.Database.Visibility)},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: c.Address()},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			"frontend": service(c.Ports.Frontend, c.Ports.Membership[0]),
			"history":  service(c.Ports.History, c.Ports.Membership[1]),
			"matching": service(c.Ports.Matching, c.Ports.Membership[2]),
			"worker":   service(c.Ports.Worker, c.Ports.Membership[3]),
		},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
}

// sql returns the connection settings of one database, with the pool sizes of
// Temporal's development set-up.
func (d Database) sql(database string) *config.SQL {
	return &config.SQL{
		PluginName:      postgresql.PluginNamePGX,
		ConnectProtocol: "tcp",
		ConnectAddr:     d.Address,
		User:            d.User,
		Password:        d.Password,
		DatabaseName:    database,
		MaxConns:        20,
		MaxIdleConns:    20,
		MaxConnLifetime: time.Hour,
	}
}

// Validate reports a framework or a format that the server does not know; it
// would quietly fall back to its default.
func (c Config) Validate() error {
	if c.MetricsFramework != Tally && c.MetricsFramework != OpenTelemetry {
		return fmt.Errorf("metrics framework %q: use %s or %s", c.MetricsFramework, Tally, OpenTelemetry)
	}
	if !slices.Contains([]string{"", LogJSON, LogConsole}, c.LogFormat) {
		return fmt.Errorf("log format %q: use %s or %s", c.LogFormat, LogJSON, LogConsole)
	}
	for _, service := range c.Services {
		if !slices.Contains(temporal.DefaultServices, service) {
			return fmt.Errorf("service %q: use some of %v", service, temporal.DefaultServices)
		}
	}
	if c.HistoryShards < 0 || c.HistoryShards > MaxHistoryShards {
		return fmt.Errorf("%d history shards: use 1 to %d", c.HistoryShards, MaxHistoryShards)
	}
	return nil
}
