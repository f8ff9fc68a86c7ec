package prometheus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/signals"
)

const (
	// stepsAtOnce bounds one range query. Prometheus refuses more than 11,000
	// steps; far fewer keep each answer small.
	stepsAtOnce = 120
	// detectAgainAfter is how long a detected deployment is believed.
	detectAgainAfter = time.Hour
)

// Observer asks one Prometheus about one Temporal cluster. It is safe for
// concurrent use.
type Observer struct {
	cfg      Config
	api      v1.API
	requests atomic.Int64

	mu         sync.Mutex
	deployment *Deployment
	detectedAt instant.Instant
}

// New returns an observer. It makes no request; the error is a ConfigError, or
// several joined.
func New(cfg Config) (*Observer, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	api, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	return &Observer{cfg: cfg, api: api}, nil
}

// Observe returns one observation for each instant from, from+step, … up to
// and including to, oldest first. What cannot be had is told inside the
// observations; the error is only for what no observation can tell: a
// cancelled context, several clusters with none chosen, a bad step.
func (o *Observer) Observe(ctx context.Context, from, to instant.Instant, step time.Duration) ([]health.Observation, error) {
	var observations []health.Observation
	for observation, err := range o.Stream(ctx, from, to, step) {
		if err != nil {
			return nil, err
		}
		observations = append(observations, observation)
	}
	return observations, nil
}

// Stream is Observe for ranges of any length: it asks piece by piece, as the
// caller goes on.
func (o *Observer) Stream(ctx context.Context, from, to instant.Instant, step time.Duration) iter.Seq2[health.Observation, error] {
	return func(yield func(health.Observation, error) bool) {
		if step < time.Second || to.Before(from) {
			yield(health.Observation{}, fmt.Errorf("observe from %s to %s every %s: want a step of at least 1s and an end that is not before the start", from, to, step))
			return
		}
		for start := from; !start.After(to); start = start.Add(stepsAtOnce * step) {
			end := start.Add((stepsAtOnce - 1) * step)
			if end.After(to) {
				end = to
			}
			piece, err := o.piece(ctx, start, end, step)
			if err != nil {
				yield(health.Observation{}, err)
				return
			}
			for i := range piece {
				if !yield(piece[i], nil) {
					return
				}
			}
		}
	}
}

// answer is what one signal's range query gave.
type answer struct {
	request signals.Request
	err     error
	// byStep holds the samples of each step.
	byStep map[model.Time][]health.Sample
}

// piece asks for a range in one go: all queries at once, under one deadline.
func (o *Observer) piece(ctx context.Context, from, to instant.Instant, step time.Duration) ([]health.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	before := o.requests.Load()

	deployment, err := o.deploymentAt(ctx, from, to)
	if err != nil {
		if fatal(err) {
			return nil, err
		}
		return o.unanswered(from, to, step, err), nil
	}
	requests := signals.Requests(deployment.Dialect, o.cfg.Selector, deployment.Windows)
	answers := make([]answer, len(requests))
	slots := make(chan struct{}, o.cfg.Concurrency)
	var wg sync.WaitGroup
	for i, request := range requests {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			answers[i] = o.ask(ctx, deployment, request, from, to, step)
		})
	}
	wg.Wait()
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}

	if namespace := o.namespaceIn(deployment); namespace != "" && !answersName(answers, namespace) {
		return o.unanswered(from, to, step, &NoNamespaceError{Namespace: namespace}), nil
	}

	spent := int(o.requests.Load() - before)
	var observations []health.Observation
	for at := from; !at.After(to); at = at.Add(step) {
		observation := health.Observation{
			Cluster: o.cfg.Cluster, At: at,
			Source: health.Source{Dialect: deployment.Dialect.String(), Selector: o.cfg.Selector, Window: deployment.Windows.Server, Requests: spent},
		}
		o.fill(&observation, answers, deployment.Windows)
		observations = append(observations, observation)
	}
	return observations, nil
}

// namespaceIn is the namespace to keep, as the deployment spells it.
func (o *Observer) namespaceIn(d Deployment) string {
	if d.Dialect.Sanitized {
		return signals.Sanitize(o.cfg.Namespace)
	}
	return o.cfg.Namespace
}

// answersName tells whether any sample is of a namespace.
func answersName(answers []answer, namespace string) bool {
	for i := range answers {
		for _, samples := range answers[i].byStep {
			for _, s := range samples {
				if s.Scope.Namespace == namespace {
					return true
				}
			}
		}
	}
	return false
}

// fatal tells whether an error cannot be told inside an observation.
func fatal(err error) bool {
	var several *SeveralClustersError
	return errors.As(err, &several) || errors.Is(err, context.Canceled)
}

// deploymentAt detects the deployment, or returns what was detected lately.
func (o *Observer) deploymentAt(ctx context.Context, from, to instant.Instant) (Deployment, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if age := to.Sub(o.detectedAt); o.deployment != nil && age >= 0 && age < detectAgainAfter {
		return *o.deployment, nil
	}
	d, err := o.Detect(ctx, from, to)
	if err != nil {
		return Deployment{}, err
	}
	// Without workers the fleet may only not have started yet, and what was
	// guessed is better measured: look again.
	if d.settled {
		o.deployment, o.detectedAt = &d, to
	}
	return d, nil
}

// ask sends one signal's query.
func (o *Observer) ask(ctx context.Context, d Deployment, request signals.Request, from, to instant.Instant, step time.Duration) answer {
	a := answer{request: request, byStep: map[model.Time][]health.Sample{}}
	if request.Query == "" {
		return a
	}
	value, err := call(ctx, o, string(request.ID), func(ctx context.Context) (model.Value, v1.Warnings, v1.Infos, error) {
		return o.api.QueryRange(ctx, request.Query, v1.Range{Start: from.Time(), End: to.Time(), Step: step})
	})
	if err != nil {
		a.err = err
		return a
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		a.err = fmt.Errorf("a %s came from Prometheus where a matrix was expected", value.Type())
		return a
	}
	namespace := o.namespaceIn(d)
	for _, series := range matrix {
		scope, ok := scopeOf(request.Definition, series.Metric, d.Dialect.Sanitized)
		if !ok || (namespace != "" && scope.Namespace != "" && scope.Namespace != namespace) {
			continue
		}
		for _, pair := range series.Values {
			if v := float64(pair.Value); !math.IsNaN(v) && !math.IsInf(v, 0) {
				a.byStep[pair.Timestamp] = append(a.byStep[pair.Timestamp], health.Sample{Scope: scope, Value: v})
			}
		}
	}
	return a
}

// fill makes the measurements of one instant.
func (o *Observer) fill(observation *health.Observation, answers []answer, windows signals.Windows) {
	at := model.Time(observation.At.UnixMilli())
	seen := living(answers, at, windows)
	unasked := notAsked(answers)
	observation.Measurements = make([]health.Measurement, 0, len(answers))
	for i := range answers {
		a := &answers[i]
		m := health.Measurement{Signal: a.request.ID, Class: a.request.Class, Unit: a.request.Unit, Status: health.OK}
		samples := a.byStep[at]
		told := telltale(a.request.Origin)
		alive := seen[source{told, a.request.Service}]
		switch {
		case a.err != nil:
			m.Status, m.Reason = health.Failed, a.err.Error()
		case a.request.Query == "":
			m.Status, m.Reason = health.Missing, a.request.Absent
		case len(samples) > 0:
			m.Samples = mergeSamples(a.request.Rollup, samples)
			m.Value = rollUp(a.request.Rollup, m.Samples)
		case unasked[told] != nil && a.request.Class != health.Telemetry:
			m.Status = health.Failed
			m.Reason = "no sample, and whether its source is alive could not be asked: " + unasked[told].Error()
		case alive && a.request.Optional:
			m.Reason = "this deployment does not export it"
		case alive && a.request.Events:
			zero := 0.0
			m.Value, m.Reason = &zero, "no such event yet"
		case alive && a.request.Class != health.Telemetry:
			m.Reason = "nothing to measure now"
		case a.request.Class == health.Telemetry && a.request.Origin == signals.FromServer:
			m.Status, m.Reason = health.Missing, "Prometheus answers and has no sample of a Temporal server at this time"
		case a.request.Service != "":
			m.Status, m.Reason = health.Missing, "no fresh sample of the "+a.request.Service+" service"
		default:
			m.Status, m.Reason = health.Missing, "no series"
		}
		observation.Measurements = append(observation.Measurements, m)
	}
	observation.Omitted = keepBusiest(observation, o.cfg.MaxTaskQueues)
	observation.Normalize()
}

// telltale is whose telemetry must be alive for a signal's absence to mean
// something: the server reports what the database's plugin in it does.
func telltale(o signals.Origin) signals.Origin {
	if o == signals.FromDatabase {
		return signals.FromServer
	}
	return o
}

// source is whose telemetry a signal rests on; the service is empty for all.
type source struct {
	origin  signals.Origin
	service string
}

// notAsked returns why the age of a source's telemetry is not known, for each
// that could not be asked for it. No sample then says nothing.
func notAsked(answers []answer) map[signals.Origin]error {
	why := map[signals.Origin]error{}
	for i := range answers {
		switch a := &answers[i]; a.request.ID {
		case health.ServerTelemetryAge, health.WorkerTelemetryAge:
			if a.err != nil {
				why[a.request.Origin] = a.err
			}
		}
	}
	return why
}

// living tells whose telemetry is alive at an instant: fresh enough for a rate
// to have had samples, so that a rate without series is one without events.
func living(answers []answer, at model.Time, windows signals.Windows) map[source]bool {
	seen := map[source]bool{}
	for i := range answers {
		a := &answers[i]
		window := windows.Server
		switch a.request.ID {
		case health.ServerTelemetryAge:
		case health.WorkerTelemetryAge:
			window = windows.Workers
		default:
			continue
		}
		for _, sample := range a.byStep[at] {
			if sample.Value <= window.Seconds() {
				seen[source{a.request.Origin, sample.Scope.Name}] = true
				seen[source{a.request.Origin, ""}] = true
			}
		}
	}
	return seen
}

// unanswered makes observations that say why nothing was seen.
func (o *Observer) unanswered(from, to instant.Instant, step time.Duration, why error) []health.Observation {
	status := health.Failed
	var none *NoTemporalError
	var nowhere *NoNamespaceError
	if errors.As(why, &none) || errors.As(why, &nowhere) {
		status = health.Missing
	}
	var observations []health.Observation
	for at := from; !at.After(to); at = at.Add(step) {
		observation := health.Observation{Cluster: o.cfg.Cluster, At: at, Source: health.Source{Selector: o.cfg.Selector}}
		for _, d := range signals.Catalogue() {
			observation.Measurements = append(observation.Measurements, health.Measurement{
				Signal: d.ID, Class: d.Class, Unit: d.Unit, Status: status, Reason: why.Error(),
			})
		}
		observations = append(observations, observation)
	}
	return observations
}

// scopeOf reads the scope of a series from its labels.
func scopeOf(d signals.Definition, labels model.Metric, sanitized bool) (health.Scope, bool) {
	namespace := firstLabel(labels, signals.ExportedNamespace, "namespace", "temporal_namespace")
	queue := firstLabel(labels, "taskqueue", "task_queue", "temporal_task_queue")
	if sanitized {
		namespace, queue = signals.Sanitize(namespace), signals.Sanitize(queue)
	}
	switch d.Scope {
	case health.KindNamespace:
		return health.NamespaceScope(namespace), true
	case health.KindService:
		return health.ServiceScope(serviceName(string(labels["service_name"]))), true
	case health.KindReplica:
		return health.Scope{Kind: health.KindReplica, Name: string(labels["instance"]), Service: serviceName(string(labels["service_name"]))}, true
	case health.KindTaskQueue:
		taskType, ok := taskTypeOf(labels)
		return health.TaskQueueScope(namespace, queue).Of(taskType), ok && queue != ""
	}
	return health.ClusterScope(), true
}

// firstLabel returns the first of the labels that has a value: the server, the
// workers and Temporal Cloud each have their own.
func firstLabel(labels model.Metric, names ...model.LabelName) string {
	for _, name := range names {
		if value := labels[name]; value != "" {
			return string(value)
		}
	}
	return ""
}

// taskTypeOf reads which kind of task a series speaks of; none is fine, a
// kind that is neither workflow nor activity is not.
func taskTypeOf(labels model.Metric) (health.TaskType, bool) {
	for _, label := range []model.LabelName{"task_type", "worker_type", "poller_type"} {
		switch labels[label] {
		case "":
			continue
		case "Workflow", "workflow", "WorkflowWorker", "workflow_task":
			return health.WorkflowTasks, true
		case "Activity", "activity", "ActivityWorker", "activity_task":
			return health.ActivityTasks, true
		default:
			return "", false
		}
	}
	return "", true
}

// serviceName reduces what a deployment calls a service, with its prefixes
// and suffixes, to Temporal's name for it.
func serviceName(label string) string {
	for _, name := range []string{"frontend", "history", "matching", "worker"} {
		if strings.Contains(label, name) {
			return name
		}
	}
	return label
}

// mergeSamples joins the samples of one scope, which several labels that the
// scope does not have may have kept apart.
func mergeSamples(r signals.Rollup, samples []health.Sample) []health.Sample {
	slices.SortFunc(samples, func(a, b health.Sample) int { return a.Scope.Compare(b.Scope) })
	merged := samples[:1]
	for _, s := range samples[1:] {
		last := &merged[len(merged)-1]
		if last.Scope == s.Scope {
			last.Value = combine(r, last.Value, s.Value)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// rollUp makes the cluster's value of the parts' values.
func rollUp(r signals.Rollup, samples []health.Sample) *float64 {
	value := samples[0].Value
	for _, s := range samples[1:] {
		value = combine(r, value, s.Value)
	}
	return &value
}

func combine(r signals.Rollup, a, b float64) float64 {
	switch r {
	case signals.Max:
		return max(a, b)
	case signals.Min:
		return min(a, b)
	}
	return a + b
}

// keepBusiest drops the samples of all but the busiest task queues and
// returns how many queues it dropped. Queues that have pollers and slots and no
// work are the first to go: thousands of them would make every observation
// large and say nothing.
func keepBusiest(o *health.Observation, limit int) int {
	load := map[health.Scope]float64{}
	for i := range o.Measurements {
		m := &o.Measurements[i]
		for _, s := range m.Samples {
			if s.Scope.Kind == health.KindTaskQueue {
				load[s.Scope.Queue()] += work(m.Signal, s.Value)
			}
		}
	}
	if len(load) <= limit {
		return 0
	}
	queues := slices.SortedFunc(maps.Keys(load), func(a, b health.Scope) int {
		return cmp.Or(cmp.Compare(load[b], load[a]), a.Compare(b))
	})
	dropped := map[health.Scope]bool{}
	for _, q := range queues[limit:] {
		dropped[q] = true
	}
	for i := range o.Measurements {
		o.Measurements[i].Samples = slices.DeleteFunc(o.Measurements[i].Samples, func(s health.Sample) bool {
			return s.Scope.Kind == health.KindTaskQueue && dropped[s.Scope.Queue()]
		})
	}
	return len(dropped)
}

// work is what a value says of how busy a task queue is: what arrives, is
// taken or waits there.
func work(id health.SignalID, value float64) float64 {
	switch id {
	case health.TasksAdded, health.TasksStarted, health.BacklogCount:
		return value
	}
	return 0
}
