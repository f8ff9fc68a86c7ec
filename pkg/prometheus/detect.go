package prometheus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// Deployment is how the watched deployment exports its metrics.
type Deployment struct {
	Dialect signals.Dialect
	// Windows are the ranges over which rates are taken: three scrapes, so
	// that one lost sample does not lose the rate.
	Windows signals.Windows
	// measured tells that the scrape interval was read from samples.
	measured bool
}

const (
	minWindow    = 30 * time.Second
	maxWindow    = 5 * time.Minute
	windowScrape = 3
)

// NoTemporalError says that Prometheus answers and holds no metrics of a
// Temporal server.
type NoTemporalError struct{ Selector string }

// Error names the remedy.
func (e *NoTemporalError) Error() string {
	where := ""
	if e.Selector != "" {
		where = " with " + e.Selector
	}
	return "Prometheus answers and holds no metrics of a Temporal server" + where +
		": check that it scrapes the server's metrics endpoint, and the selector"
}

// NoNamespaceError says that no metric is of the namespace that was asked for.
type NoNamespaceError struct{ Namespace string }

// Error names the remedy.
func (e *NoNamespaceError) Error() string {
	return fmt.Sprintf("no metric of a Temporal namespace %q is found: check its name, and the selector", e.Namespace)
}

// SeveralClustersError says that the metrics hold several clusters and none
// was chosen.
type SeveralClustersError struct {
	Label  string
	Values []string
}

// Error lists the clusters with the selectors to paste.
func (e *SeveralClustersError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the metrics hold %d clusters; choose one:", len(e.Values))
	for _, value := range e.Values {
		fmt.Fprintf(&b, "\n  --selector '%s=%q'", e.Label, value)
	}
	return b.String()
}

// clusterLabels are the labels by which people tell clusters apart.
var clusterLabels = []string{"cluster", "k8s_cluster", "k8s_cluster_name", "kubernetes_cluster", "cluster_name", "temporal_cluster"}

// marks are the metrics whose names tell the dialect.
const marks = `__name__=~"restarts|restarts_total|service_latency.*_bucket|state_transition_count.*_count|temporal_worker_start|temporal_worker_start_total|temporal_(workflow_task|activity)_execution_latency.*_bucket"`

// ownQueues keeps the server's own system workers out.
const ownQueues = `task_queue!~"temporal[._-]sys.*|default[._-]worker[._-]tq"`

// Detect finds out which dialect the metrics speak, how often the server is
// scraped, and that the selector leaves one cluster.
func (o *Observer) Detect(ctx context.Context, from, to instant.Instant) (Deployment, error) {
	// The hour before tells of what was alive before the range began.
	start, end := from.Add(-time.Hour), to
	names, err := o.labelValues(ctx, model.MetricNameLabel, o.matcher(marks), start, end)
	if err != nil {
		return Deployment{}, err
	}
	if !slices.ContainsFunc(names, func(n string) bool {
		return strings.HasPrefix(n, "state_transition_count") || strings.HasPrefix(n, "restarts")
	}) {
		return Deployment{}, &NoTemporalError{Selector: o.cfg.Selector}
	}
	for _, label := range clusterLabels {
		values, err := o.labelValues(ctx, label, o.matcher(`__name__=~"restarts|restarts_total"`), start, end)
		if err != nil {
			return Deployment{}, err
		}
		if len(values) > 1 {
			return Deployment{}, &SeveralClustersError{Label: label, Values: values}
		}
	}

	d := Deployment{Dialect: signals.Dialect{Server: signals.TallyServer}}
	if slices.Contains(names, "restarts_total") {
		d.Dialect.Server.Counter = "_total"
	}
	if slices.Contains(names, "state_transition_count_ratio_count") {
		d.Dialect.Server.Histogram = "_ratio"
	}
	d.Dialect.Server.Timer, d.Dialect.Server.Millis, err = o.timer(ctx, names, "service_latency", "", start, end)
	if err != nil {
		return Deployment{}, err
	}
	if d.Dialect.Workers, err = o.workerNamings(ctx, start, end); err != nil {
		return Deployment{}, err
	}
	server, measured, err := o.scrapeInterval(ctx, "restarts"+d.Dialect.Server.Counter+`{service_name!=""`, from, to)
	if err != nil {
		return Deployment{}, err
	}
	workers := server
	if len(d.Dialect.Workers) > 0 {
		if workers, _, err = o.scrapeInterval(ctx, "temporal_num_pollers{"+ownQueues, from, to); err != nil {
			return Deployment{}, err
		}
	}
	d.measured = measured
	d.Windows = signals.Windows{Server: rateWindow(server), Workers: rateWindow(workers)}
	return d, nil
}

// rateWindow is the range of rates for a scrape interval.
func rateWindow(scrape time.Duration) time.Duration {
	return min(max(windowScrape*scrape, minWindow), maxWindow)
}

// timer finds the suffix and unit of a timer among the metric names. A timer
// without suffix may count seconds or milliseconds; its bucket bounds tell.
func (o *Observer) timer(ctx context.Context, names []string, base, matchers string, start, end instant.Instant) (suffix string, millis float64, err error) {
	switch {
	case slices.Contains(names, base+"_milliseconds_bucket"):
		return "_milliseconds", 1, nil
	case slices.Contains(names, base+"_seconds_bucket"):
		return "_seconds", 1000, nil
	}
	match := fmt.Sprintf("__name__=%q", base+"_bucket")
	if matchers != "" {
		match += "," + matchers
	}
	bounds, err := o.labelValues(ctx, model.BucketLabel, o.matcher(match), start, end)
	if err != nil {
		return "", 0, err
	}
	for _, bound := range bounds {
		// In seconds the largest bound is 1000.
		if b := strings.TrimSuffix(bound, ".0"); b == "2000" || b == "5000" || b == "20000" {
			return "", 1, nil
		}
	}
	return "", 1000, nil
}

// workerNamings finds every naming that the users' workers use, leaving the
// server's own system workers out.
func (o *Observer) workerNamings(ctx context.Context, start, end instant.Instant) ([]signals.Naming, error) {
	names, err := o.labelValues(ctx, model.MetricNameLabel, o.matcher(marks+","+ownQueues+`,task_queue!=""`), start, end)
	if err != nil {
		return nil, err
	}
	var namings []signals.Naming
	for _, counter := range []string{"", "_total"} {
		if !slices.Contains(names, "temporal_worker_start"+counter) {
			continue
		}
		for _, base := range []string{"temporal_workflow_task_execution_latency", "temporal_activity_execution_latency"} {
			if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, base) }) {
				continue
			}
			suffix, millis, err := o.timer(ctx, names, base, ownQueues, start, end)
			if err != nil {
				return nil, err
			}
			n := signals.Naming{Counter: counter, Timer: suffix, Millis: millis}
			if !slices.Contains(namings, n) {
				namings = append(namings, n)
			}
		}
		if len(namings) == 0 {
			// Workers that have not executed anything yet: the usual naming.
			namings = append(namings, signals.Naming{Counter: counter, Timer: "_seconds", Millis: 1000})
		}
	}
	return namings, nil
}

// scrapeInterval reads the newest samples of a series as they are and returns
// the median distance between two. Where the end of the range has none, as in
// an outage, the beginning is asked. Too few samples give 15 s, not measured.
func (o *Observer) scrapeInterval(ctx context.Context, series string, from, to instant.Instant) (interval time.Duration, measured bool, err error) {
	if o.cfg.Selector != "" {
		series += "," + o.cfg.Selector
	}
	for _, at := range []instant.Instant{to, from} {
		value, err := call(ctx, o, "scrape interval", func(ctx context.Context) (model.Value, v1.Warnings, v1.Infos, error) {
			return o.api.Query(ctx, series+"}[10m]", at.Time())
		})
		if err != nil {
			return 0, false, err
		}
		matrix, ok := value.(model.Matrix)
		if !ok {
			continue
		}
		var gaps []time.Duration
		for _, stream := range matrix {
			for i := 1; i < len(stream.Values); i++ {
				gaps = append(gaps, stream.Values[i].Timestamp.Sub(stream.Values[i-1].Timestamp))
			}
		}
		if len(gaps) > 0 {
			slices.Sort(gaps)
			return gaps[len(gaps)/2].Round(time.Second), true, nil
		}
	}
	return 15 * time.Second, false, nil
}

// matcher joins matchers with the selector into one series selector.
func (o *Observer) matcher(matchers string) string {
	if o.cfg.Selector != "" {
		matchers += "," + o.cfg.Selector
	}
	return "{" + matchers + "}"
}

// labelValues asks for the values of a label among the matching series.
func (o *Observer) labelValues(ctx context.Context, label, match string, start, end instant.Instant) ([]string, error) {
	values, err := call(ctx, o, "label values", func(ctx context.Context) (model.LabelValues, v1.Warnings, v1.Infos, error) {
		return o.api.LabelValues(ctx, label, []string{match}, start.Time(), end.Time())
	})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(values))
	for _, v := range values {
		names = append(names, string(v))
	}
	slices.Sort(names)
	return names, nil
}
