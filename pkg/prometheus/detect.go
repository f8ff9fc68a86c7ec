package prometheus

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
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
	// settled tells that nothing was guessed for want of samples: that workers have
	// executed something and that the scrape interval could be measured.
	settled bool
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
		": check that it scrapes the server's metrics endpoint or Temporal Cloud's, and the selector"
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

const (
	// serverMarks are the metrics whose names tell the server's naming.
	serverMarks = `__name__=~"restarts|restarts_total|service_requests|service_requests_total|service_latency(_seconds|_milliseconds)?_bucket|state_transition_count(_ratio)?_count",service_name!=""`
	// cloudMarks are those of Temporal Cloud.
	cloudMarks = `__name__=~"temporal_cloud_v1_(service_request_count|total_action_count|poll_success_count|approximate_backlog_count)"`
	// workerMarks are metrics that every SDK exports with the task queue, of the
	// users' workers only: those of the server's own system workers have the
	// same names.
	workerMarks = `__name__=~"temporal_(worker_start|num_pollers|poller_start|worker_task_slots_(available|used)|sticky_cache_(size|hit|miss)|workflow_task_queue_poll_(succeed|empty)|workflow_completed)(_total)?|` +
		`temporal_(workflow_task|activity)_(execution|schedule_to_start)_latency(_seconds|_milliseconds)?_bucket",task_queue!="",` + ownQueues
	// ownQueues keeps the server's own system workers out.
	ownQueues = `task_queue!~"temporal[._-]sys.*|default[._-]worker[._-]tq"`
	// namedQueues are the server's metrics whose labels name namespaces and task
	// queues, also of an idle cluster: the server's own workers poll always.
	namedQueues = `__name__=~"pending_polls|approximate_backlog_count|tasks_added|tasks_added_total"`
	// cloudQueues are those of Temporal Cloud.
	cloudQueues = `__name__=~"temporal_cloud_v1_(poll_success_count|approximate_backlog_count)"`
)

// cloudInterval is how often Temporal Cloud has something new, however often
// it is scraped.
const cloudInterval = time.Minute

// Detect finds out which dialect the metrics speak, as far as the
// configuration does not prescribe it, how often the targets are scraped, and
// that the selector leaves one cluster.
func (o *Observer) Detect(ctx context.Context, from, to instant.Instant) (Deployment, error) {
	// The hour before tells of what was alive before the range began.
	p := probe{o: o, ctx: ctx, start: from.Add(-time.Hour), end: to}
	chosen, err := signals.ParseChoice(o.cfg.Dialect)
	if err != nil {
		return Deployment{}, err
	}
	var d Deployment
	if d.Dialect.Server, err = p.server(chosen.Server); err != nil {
		return Deployment{}, err
	}
	if err := p.oneCluster(d.Dialect.Server); err != nil {
		return Deployment{}, err
	}
	workers := p.names(workerMarks)
	d.Dialect.Workers, d.settled = chosen.Workers, chosen.WorkersChosen
	if !chosen.WorkersChosen {
		d.Dialect.Workers, d.settled = p.workers(workers)
	}
	d.Dialect.ServerExported = !d.Dialect.Server.Cloud && len(p.values(signals.ExportedNamespace, namedQueues)) > 0
	d.Dialect.WorkersExported = len(d.Dialect.Workers) > 0 && len(p.values(signals.ExportedNamespace, workerMarks)) > 0
	if chosen.Sanitized != nil {
		d.Dialect.Sanitized = *chosen.Sanitized
	} else {
		d.Dialect.Sanitized = p.sanitized(d.Dialect)
	}
	if p.err != nil {
		return Deployment{}, p.err
	}
	if err := o.measure(ctx, &d, workers, from, to); err != nil {
		return Deployment{}, err
	}
	return d, nil
}

// measure sets the windows of a deployment by its scrape intervals.
func (o *Observer) measure(ctx context.Context, d *Deployment, workers []string, from, to instant.Instant) error {
	server, measured := cloudInterval, true
	if !d.Dialect.Server.Cloud {
		var err error
		if server, measured, err = o.scrapeInterval(ctx, "restarts"+d.Dialect.Server.Counter+`{service_name!=""`, from, to); err != nil {
			return err
		}
	}
	fleet := server
	// Any metric of theirs will do: a scrape brings all.
	if i := slices.IndexFunc(workers, func(name string) bool { return !strings.HasSuffix(name, "_bucket") }); i >= 0 && len(d.Dialect.Workers) > 0 {
		var err error
		if fleet, _, err = o.scrapeInterval(ctx, workers[i]+"{"+ownQueues, from, to); err != nil {
			return err
		}
	}
	d.settled = d.settled && measured
	d.Windows = signals.Windows{Server: rateWindow(server), Workers: rateWindow(fleet)}
	return nil
}

// rateWindow is the range of rates for a scrape interval.
func rateWindow(scrape time.Duration) time.Duration {
	return min(max(windowScrape*scrape, minWindow), maxWindow)
}

// probe looks up names and labels over a range of time. After a failed look-up
// the others are not made and give nothing; the error is kept.
type probe struct {
	o          *Observer
	ctx        context.Context
	start, end instant.Instant
	err        error
}

// values returns the values of a label among the matching series.
func (p *probe) values(label, matchers string) []string {
	if p.err != nil {
		return nil
	}
	var values []string
	values, p.err = p.o.labelValues(p.ctx, label, p.o.matcher(matchers), p.start, p.end)
	return values
}

// names returns the names of the matching metrics.
func (p *probe) names(matchers string) []string { return p.values(model.MetricNameLabel, matchers) }

// server returns the server's naming. A cluster of one's own is preferred to
// Temporal Cloud where both are there and none is prescribed.
func (p *probe) server(chosen *signals.Naming) (signals.Naming, error) {
	var names []string
	if chosen == nil || !chosen.Cloud {
		names = p.names(serverMarks)
	}
	inCloud := (chosen == nil || chosen.Cloud) && len(names) == 0 && len(p.names(cloudMarks)) > 0
	switch {
	case p.err != nil:
		return signals.Naming{}, p.err
	case inCloud:
		return signals.CloudServer, nil
	case len(names) == 0:
		return signals.Naming{}, &NoTemporalError{Selector: p.o.cfg.Selector}
	case chosen != nil:
		return *chosen, nil
	}
	n := signals.TallyServer
	if slices.Contains(names, "restarts_total") || slices.Contains(names, "service_requests_total") {
		n.Counter = "_total"
	}
	switch {
	case slices.Contains(names, "service_latency_milliseconds_bucket"):
		n.Timer, n.Millis = "_milliseconds", 1
	case slices.Contains(names, "service_latency_seconds_bucket"):
		n.Timer, n.Millis = "_seconds", 1000
	default:
		n.Millis = unitOf(p.values(model.BucketLabel, `__name__="service_latency_bucket"`))
	}
	// An idle server may not have counted a transition yet; unit suffixes come
	// all together.
	if slices.Contains(names, "state_transition_count_ratio_count") || n.Timer != "" && !slices.Contains(names, "state_transition_count_count") {
		n.Histogram = "_ratio"
	}
	return n, p.err
}

// oneCluster refuses metrics of several clusters.
func (p *probe) oneCluster(server signals.Naming) error {
	labels, marks := clusterLabels, serverMarks
	if server.Cloud {
		labels, marks = append([]string{"temporal_account"}, clusterLabels...), cloudMarks
	}
	for _, label := range labels {
		if values := p.values(label, marks); len(values) > 1 {
			return &SeveralClustersError{Label: label, Values: values}
		}
	}
	return p.err
}

// workers returns every naming that the users' workers use: each suffix that
// any of their metrics shows is in one of them. It returns too whether timers
// and counters have told, or were guessed because nothing has been executed.
func (p *probe) workers(names []string) (namings []signals.Naming, told bool) {
	if len(names) == 0 {
		return nil, false
	}
	counters := counterSuffixes(names)
	timers := p.timerNamings(names)
	told = len(counters) > 0 && len(timers) > 0
	if len(counters) == 0 {
		counters = []string{signals.GoSDK.Counter}
	}
	if len(timers) == 0 {
		timers = []signals.Naming{signals.GoSDK}
	}
	// Counters and timers are never in one query, so that any pairing asks for
	// everything; in this one, those without suffix meet, as in the Core SDKs.
	for i := range max(len(counters), len(timers)) {
		n := timers[min(i, len(timers)-1)]
		n.Counter = counters[min(i, len(counters)-1)]
		namings = append(namings, n)
	}
	return namings, told
}

// workerCounters are the counters among the workers' marks.
var workerCounters = []string{
	"temporal_worker_start", "temporal_poller_start", "temporal_sticky_cache_hit", "temporal_sticky_cache_miss",
	"temporal_workflow_task_queue_poll_succeed", "temporal_workflow_task_queue_poll_empty", "temporal_workflow_completed",
}

// counterSuffixes returns the suffixes of counters among metric names.
func counterSuffixes(names []string) []string {
	var suffixes []string
	for _, suffix := range []string{"", "_total"} {
		if slices.ContainsFunc(workerCounters, func(base string) bool { return slices.Contains(names, base+suffix) }) {
			suffixes = append(suffixes, suffix)
		}
	}
	return suffixes
}

// workerTimers are the timers among the workers' marks.
var workerTimers = []string{
	"temporal_workflow_task_execution_latency", "temporal_activity_execution_latency",
	"temporal_workflow_task_schedule_to_start_latency", "temporal_activity_schedule_to_start_latency",
}

// timerNamings returns the spellings of timers among metric names, as namings
// without counters.
func (p *probe) timerNamings(names []string) []signals.Naming {
	var namings []signals.Naming
	for _, suffix := range []string{"", "_seconds", "_milliseconds"} {
		used := func(base string) bool { return slices.Contains(names, base+suffix+"_bucket") }
		if !slices.ContainsFunc(workerTimers, used) {
			continue
		}
		millis := 1000.0
		switch suffix {
		case "":
			millis = unitOf(p.values(model.BucketLabel, `__name__=~"`+strings.Join(workerTimers, "_bucket|")+`_bucket",`+ownQueues))
		case "_milliseconds":
			millis = 1
		}
		namings = append(namings, signals.Naming{Timer: suffix, Millis: millis})
	}
	return namings
}

// unitOf reads the unit of a timer from its bucket bounds, as what converts it
// to milliseconds. Bounds in milliseconds begin at 1 or more and go to 1000 at
// least: Temporal's server in OpenTelemetry has 1 to 1,000,000, the Core SDKs
// have 1 to 1000 for workflow tasks and 50 to 60,000 for activities. Bounds in
// seconds begin below 1: tally's have 0.001 to 1000 in the server and to 10 in
// the SDKs, Core's the above divided by 1000. OpenTelemetry's own default,
// which begins with 0, is what the Go SDK records seconds into.
func unitOf(bounds []string) float64 {
	smallest, largest := math.Inf(1), 0.0
	for _, text := range bounds {
		if bound, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(bound, 0) {
			smallest, largest = min(smallest, bound), max(largest, bound)
		}
	}
	if smallest >= 1 && largest >= 1000 {
		return 1
	}
	return 1000
}

// sanitized tells whether the server or the workers rewrite names.
func (p *probe) sanitized(d signals.Dialect) bool {
	namespaceLabel, queueLabel, marks := "namespace", "taskqueue", namedQueues
	if d.ServerExported {
		namespaceLabel = signals.ExportedNamespace
	}
	if d.Server.Cloud {
		namespaceLabel, queueLabel, marks = "temporal_namespace", "temporal_task_queue", cloudQueues
	}
	namespaces := p.values(namespaceLabel, marks)
	if !d.Server.Cloud && p.serverSanitizes(d.Server, namespaces) {
		return true
	}
	if len(d.Workers) == 0 {
		return false
	}
	workerLabel := "namespace"
	if d.WorkersExported {
		workerLabel = signals.ExportedNamespace
	}
	return respelled(namespaces, p.values(workerLabel, workerMarks)) ||
		respelled(p.values(queueLabel, marks), p.values("task_queue", workerMarks))
}

// serverSanitizes tells whether the server rewrites names: its own namespace
// temporal-system shows it, and so does any other with such a character. Where
// no name shows it, OpenTelemetry's scope labels tell that nothing is
// rewritten, and then the naming makes one guess.
func (p *probe) serverSanitizes(n signals.Naming, namespaces []string) bool {
	if slices.Contains(namespaces, signals.Sanitize("temporal-system")) {
		return true
	}
	if slices.ContainsFunc(namespaces, func(name string) bool { return name != signals.Sanitize(name) }) {
		return false
	}
	if len(p.values("otel_scope_name", serverMarks)) > 0 {
		return false
	}
	return n.Sanitizes()
}

// respelled tells whether some of the workers' names are the server's rewritten.
func respelled(server, workers []string) bool {
	return slices.ContainsFunc(server, func(name string) bool {
		plain := signals.Sanitize(name)
		return plain != name && slices.Contains(workers, plain) && !slices.Contains(server, plain)
	})
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
