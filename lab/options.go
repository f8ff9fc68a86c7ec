package lab

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/lab/fleet"
	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
)

// Options say what a lab consists of.
type Options struct {
	// Program is the path of the program that serves as the lab's children:
	// started with ServeTemporal, ServeWorkers or ServeLoad as its first
	// argument it must do so. The lab's own command does.
	Program string
	// Prometheus is the path of the Prometheus to run. Empty: see
	// prometheus.Find.
	Prometheus string
	// Loki adds a Loki to which the logs of the watched servers and of the
	// workers are pushed.
	Loki bool
	// LokiBinary is the path of the Loki to run. Empty: see loki.Find.
	LokiBinary string
	// LogJournal is a file that gets every line that is pushed; see
	// logs.ReadJournal. Empty: none.
	LogJournal string
	// DataDir is a directory for logs and data that stays when the lab ends.
	// Empty: a temporary one, which does not.
	DataDir string
	// ScrapeInterval is how often Prometheus reads metrics, in whole seconds.
	ScrapeInterval time.Duration
	// ServerMetrics is temporal.Tally or temporal.OpenTelemetry.
	ServerMetrics string
	// LogFormat is temporal.LogJSON or temporal.LogConsole, in which the watched
	// servers log; workers then log JSON or text. Empty: JSON.
	LogFormat string
	// SecondTemporal adds a Temporal server for the copilot's own workflows. It
	// has databases of its own, no load, and is not scraped.
	SecondTemporal bool
	// WithoutLoad leaves out the load generator.
	WithoutLoad bool
	// Rate is the load at the start.
	Rate workload.Rate
	// Servers is how many Temporal servers share the database and the clients.
	// 0: one.
	Servers int
	// ServicesApart makes each service of a server a process of its own.
	ServicesApart bool
	// HistoryShards is the number of shards. 0: temporal.DefaultHistoryShards.
	HistoryShards int
	// Workers is how the workers of a queue differ from the SDK's defaults.
	Workers map[string]WorkerOptions
	// Breakable prepares the lab for every kind of fault: connections to the
	// database and to what Prometheus scrapes go through proxies, and a server
	// that ends by itself is started again, as an orchestrator would.
	Breakable bool
	// Progress, if not nil, is told how the start goes. It may be called from
	// several goroutines at once.
	Progress func(Progress)
	// Notice, if not nil, is told of processes that end by themselves and that
	// the lab can do without, such as a worker that somebody killed.
	Notice func(string)
}

// maxServers is how many servers one machine can run beside all the rest.
const maxServers = 3

// WorkerOptions are those of one queue's worker.
type WorkerOptions struct {
	fleet.Tuning
	workload.Pace
}

// Progress tells that a part of the lab began to start or has started.
type Progress struct {
	Part    string        // for example "PostgreSQL"
	Started bool          // false: begins to start
	Detail  string        // where it can be reached; only when it has started
	Took    time.Duration // since it began; only when it has started
}

// First arguments of the child processes that a lab starts.
const (
	ServeTemporal = "serve-temporal"
	ServeWorkers  = "serve-workers"
	ServeLoad     = "serve-load"
)

func (o Options) validate() error {
	if o.ScrapeInterval < time.Second || o.ScrapeInterval%time.Second != 0 {
		return fmt.Errorf("scrape interval %v: give whole seconds, at least 1s", o.ScrapeInterval)
	}
	if o.ServerMetrics != temporal.Tally && o.ServerMetrics != temporal.OpenTelemetry {
		return fmt.Errorf("server metrics %q: use %s or %s", o.ServerMetrics, temporal.Tally, temporal.OpenTelemetry)
	}
	if !slices.Contains([]string{"", temporal.LogJSON, temporal.LogConsole}, o.LogFormat) {
		return fmt.Errorf("log format %q: use %s or %s", o.LogFormat, temporal.LogJSON, temporal.LogConsole)
	}
	if o.Servers < 0 || o.Servers > maxServers {
		return fmt.Errorf("%d servers: use 1 to %d", o.Servers, maxServers)
	}
	if o.Program == "" {
		return errors.New("the lab needs the path of its own program to start children with")
	}
	return o.Rate.Validate()
}

// begin reports that a part begins to start, and returns what to call when it
// has started.
func (o Options) begin(part string) (started func(detail string)) {
	if o.Progress == nil {
		return func(string) {}
	}
	o.Progress(Progress{Part: part})
	begin := time.Now()
	return func(detail string) {
		o.Progress(Progress{Part: part, Started: true, Detail: detail, Took: time.Since(begin)})
	}
}
