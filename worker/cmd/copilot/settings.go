package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/worker/config"
	"github.com/temporal-sre/copilot/worker/schedules"
	"github.com/temporal-sre/copilot/worker/workflows"
)

// defaultListen is where the worker tells of itself: for this machine only,
// since nobody is asked who they are.
const defaultListen = "127.0.0.1:9464"

// workerOptions are the settings of the worker.
type workerOptions struct {
	prometheus prometheusFlags
	loki       lokiFlags
	store      storeFlags
	temporal   temporalFlags
	cluster    string
	only       string // one Temporal namespace of the cluster; empty: all
	file       string // the configuration file; empty: none
	defaults   config.Defaults
	listen     string
	deployment string
	buildID    string
	wait       time.Duration
	logFormat  string

	flags  *pflag.FlagSet
	listed bool // the file lists the clusters
}

// workerEnv names the environment variables that stand in for flags which are
// not given.
var workerEnv = func() map[string]string {
	names := map[string]string{
		"config":          "COPILOT_CONFIG",
		"cluster":         "COPILOT_CLUSTER",
		"namespace":       "COPILOT_NAMESPACE",
		"interval":        "COPILOT_INTERVAL",
		"settle":          "COPILOT_SETTLE",
		"catch-up":        "COPILOT_CATCH_UP",
		"warm-up":         "COPILOT_WARM_UP",
		"assess-every":    "COPILOT_ASSESS_EVERY",
		"assess-jitter":   "COPILOT_ASSESS_JITTER",
		"assess-overlap":  "COPILOT_ASSESS_OVERLAP",
		"retain-keep":     "COPILOT_RETAIN_KEEP",
		"retain-every":    "COPILOT_RETAIN_EVERY",
		"listen":          "COPILOT_LISTEN",
		"deployment-name": "COPILOT_DEPLOYMENT_NAME",
		"build-id":        "COPILOT_BUILD_ID",
		"start-timeout":   "COPILOT_START_TIMEOUT",
		"log-format":      "COPILOT_LOG_FORMAT",
	}
	maps.Copy(names, temporalEnv)
	return names
}()

// addFlags adds the worker's flags to a command.
func (o *workerOptions) addFlags(cmd *cobra.Command) {
	addPrometheusFlags(cmd, &o.prometheus)
	addLokiFlags(cmd, &o.loki, 5*time.Second)
	addStoreFlags(cmd, &o.store)
	f := cmd.Flags()
	o.flags = f
	usual := config.Defaults{Observe: workflows.DefaultObserveConfig(), Assess: schedules.DefaultAssess(), Retain: schedules.DefaultRetain()}
	f.StringVar(&o.file, "config", "", "configuration file, see docs/configuration.md; needed to watch several clusters (env COPILOT_CONFIG)")
	f.StringVar(&o.cluster, "cluster", "", "name of the monitored cluster (env COPILOT_CLUSTER; default: what the selector says)")
	f.StringVar(&o.only, "namespace", "", "look only at the task queues of this Temporal namespace (env COPILOT_NAMESPACE)")
	addTemporalFlags(f, &o.temporal)
	f.DurationVar(&o.defaults.Observe.Interval, "interval", usual.Observe.Interval, "time between observations (env COPILOT_INTERVAL)")
	f.DurationVar(&o.defaults.Observe.Settle, "settle", usual.Observe.Settle, "how long metrics take to arrive: each observation waits for them (env COPILOT_SETTLE)")
	f.DurationVar(&o.defaults.Observe.CatchUp, "catch-up", usual.Observe.CatchUp, "how long an outage of worker or store may last without losing observations (env COPILOT_CATCH_UP)")
	f.DurationVar(&o.defaults.Observe.WarmUp, "warm-up", usual.Observe.WarmUp, "how far the first start looks back, to know what is usual (env COPILOT_WARM_UP)")
	f.DurationVar(&o.defaults.Assess.Every, "assess-every", usual.Assess.Every, "time between scheduled assessments; 0s: none (env COPILOT_ASSESS_EVERY)")
	f.DurationVar(&o.defaults.Assess.Jitter, "assess-jitter", usual.Assess.Jitter, "by how much they are spread (env COPILOT_ASSESS_JITTER)")
	o.defaults.Assess.Overlap = usual.Assess.Overlap
	f.StringVar((*string)(&o.defaults.Assess.Overlap), "assess-overlap", string(usual.Assess.Overlap), "what becomes of one while another runs, skip or buffer_one (env COPILOT_ASSESS_OVERLAP)")
	f.DurationVar(&o.defaults.Retain.Keep, "retain-keep", usual.Retain.Keep, "how long history is kept, 168h at least; 0s: for ever (env COPILOT_RETAIN_KEEP)")
	f.DurationVar(&o.defaults.Retain.Every, "retain-every", usual.Retain.Every, "time between two looks for older history (env COPILOT_RETAIN_EVERY)")
	f.StringVar(&o.listen, "listen", defaultListen, "host:port for /metrics, /healthz and /readyz; off: nowhere (env COPILOT_LISTEN)")
	f.StringVar(&o.deployment, "deployment-name", "", "Worker Versioning: name of the deployment (env COPILOT_DEPLOYMENT_NAME)")
	f.StringVar(&o.buildID, "build-id", "", "Worker Versioning: what this build is called; needs --deployment-name (env COPILOT_BUILD_ID)")
	f.DurationVar(&o.wait, "start-timeout", 30*time.Second, "how long to wait for Temporal and the store at start (env COPILOT_START_TIMEOUT)")
	f.StringVar(&o.logFormat, "log-format", "text", "form of the log on stderr, text or json (env COPILOT_LOG_FORMAT)")
}

// fromEnv sets the flags that were not given from the environment, and returns
// an error for each value that does not suit its flag.
func fromEnv(flags *pflag.FlagSet, names map[string]string) []error {
	var problems []error
	flags.VisitAll(func(flag *pflag.Flag) {
		value := os.Getenv(names[flag.Name])
		if value == "" || flag.Changed {
			return
		}
		if err := flag.Value.Set(value); err != nil {
			problems = append(problems, fmt.Errorf("%s=%s: %w", names[flag.Name], value, err))
			_ = flag.Value.Set(flag.DefValue) // no second complaint about half a value
		}
	})
	return problems
}

// oneCluster are the flags that say which cluster is watched and where its
// metrics and logs are. They have no place beside a file that lists the clusters.
func oneCluster(flag string) bool {
	return flag == "cluster" || flag == "namespace" || flag == "selector" || flag == "dialect" || strings.HasPrefix(flag, "prometheus-") || strings.HasPrefix(flag, "loki-")
}

// settled reads the environment and the file into the flags that were not
// given, and returns the clusters to watch. What a cluster says of itself comes
// first, then a flag, then the environment, then what the file says for all
// clusters. The errors are all that is wrong with any setting.
func (o *workerOptions) settled() ([]config.Cluster, []error) {
	problems := fromEnv(o.flags, workerEnv)
	var file *config.File
	if o.file != "" {
		var err error
		if file, err = config.Read(o.file); err != nil {
			problems = append(problems, err)
		} else {
			problems = append(problems, o.fromFile(file)...)
		}
	}
	problems = append(problems, o.temporal.check()...)
	if host, port, err := net.SplitHostPort(o.listen); o.listen != "off" && (err != nil || port == "") {
		problems = append(problems, fmt.Errorf("--listen %q (%s): use host:port, such as %s, or off", o.listen, host, defaultListen))
	}
	if o.buildID != "" && o.deployment == "" {
		problems = append(problems, errors.New("--build-id belongs to a deployment: give --deployment-name, too"))
	}
	if o.deployment != "" && o.buildID == "" {
		problems = append(problems, errors.New("--deployment-name needs the name of this build: give --build-id, too"))
	}
	if o.wait < time.Second || o.wait > time.Hour {
		problems = append(problems, fmt.Errorf("--start-timeout %s: use between 1s and 1h", o.wait))
	}
	if o.logFormat != "text" && o.logFormat != "json" {
		problems = append(problems, fmt.Errorf("--log-format %q: use text or json", o.logFormat))
	}
	if file != nil && file.ListsClusters() {
		o.listed = true
		clusters, err := file.Clusters(o.defaults)
		return clusters, append(problems, err)
	}
	if file == nil && o.file != "" {
		return nil, problems // what it lists is not known
	}
	metrics := o.prometheus.config()
	c := config.Cluster{
		Name:    firstOf(o.cluster, prometheus.ClusterName(metrics.Selector, "")),
		Observe: o.defaults.Observe, Assess: o.defaults.Assess, Retain: o.defaults.Retain,
	}
	metrics.Cluster, metrics.Namespace = c.Name, o.only
	c.Prometheus = metrics
	c.Loki, c.Redact = o.loki.config()
	return []config.Cluster{c}, append(problems, c.Validate())
}

// fromFile sets the flags that were given neither on the command line nor in
// the environment.
func (o *workerOptions) fromFile(file *config.File) []error {
	var problems []error
	// The settings of the store belong together: one place says them all.
	storeElsewhere := os.Getenv("COPILOT_DATABASE_URL") != "" || os.Getenv("COPILOT_DSQL_ENDPOINT") != "" ||
		o.flags.Changed("database-url") || o.flags.Changed("dsql-endpoint")
	for _, s := range file.Settings() {
		flag := o.flags.Lookup(s.Flag)
		ofStore := strings.HasPrefix(s.Path, "store.")
		if flag.Changed || os.Getenv(workerEnv[s.Flag]) != "" || ofStore && storeElsewhere {
			continue
		}
		if s.Flag == "database-url" && holdsPassword(s.Value) {
			problems = append(problems, fmt.Errorf("%s: %s: it holds a password; put the URL into a file and name that in store.url_file", file.Path(), s.Path))
			continue
		}
		if err := flag.Value.Set(s.Value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s: %q: %w", file.Path(), s.Path, s.Value, err))
			_ = flag.Value.Set(flag.DefValue)
		}
	}
	if !storeElsewhere {
		storeURL, err := file.StoreURL()
		problems = append(problems, err)
		o.store.url = firstOf(o.store.url, storeURL)
	}
	if file.ListsClusters() {
		o.flags.Visit(func(flag *pflag.Flag) {
			if oneCluster(flag.Name) {
				problems = append(problems, fmt.Errorf("--%s is for one cluster, and %s lists the clusters: say it there", flag.Name, file.Path()))
			}
		})
	}
	return problems
}

// again reads everything anew: the same command line, the environment, and the
// file as it is now.
func (o *workerOptions) again() (*workerOptions, []config.Cluster, error) {
	fresh := new(workerOptions)
	fresh.addFlags(&cobra.Command{})
	var problems []error
	o.flags.Visit(func(flag *pflag.Flag) {
		if fresh.flags.Lookup(flag.Name) != nil {
			problems = append(problems, fresh.flags.Set(flag.Name, flag.Value.String()))
		}
	})
	clusters, more := fresh.settled()
	return fresh, clusters, errors.Join(slices.Concat(problems, more)...)
}

// fixed are the settings that a running worker keeps, by name.
func (o *workerOptions) fixed() map[string]any {
	return map[string]any{
		"temporal": o.temporal, "store": o.store, "listen": o.listen, "log_format": o.logFormat,
		"deployment": o.deployment + "/" + o.buildID, "clusters in the file": o.listed,
	}
}

// underHeading puts several lines below a heading; one line stays as it is.
func underHeading(lines string) string {
	if !strings.Contains(lines, "\n") {
		return lines
	}
	return "these settings do not work:\n  " + strings.ReplaceAll(lines, "\n", "\n  ")
}
