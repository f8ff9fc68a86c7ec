package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// The outside systems whose failures are counted.
const (
	// Source is the Prometheus that holds a cluster's metrics.
	Source = "prometheus"
	// Store is Aurora DSQL or PostgreSQL.
	Store = "store"
	// Logs is the Loki that holds a cluster's logs.
	Logs = "loki"
	// Explainer is whoever puts verdicts into words.
	Explainer = "explainer"
	// Temporal is the copilot's own Temporal.
	Temporal = "temporal"
)

// Backlog is how the workflow that observes a cluster stands, in ticks.
type Backlog struct {
	// Unsaved wait for the store, the one that is being saved included.
	Unsaved int `json:"unsaved"`
	// Skipped, Dropped and Rejected are lost for good, since the workflow was
	// first started.
	Skipped  int64 `json:"skipped,omitempty"`
	Dropped  int64 `json:"dropped,omitempty"`
	Rejected int64 `json:"rejected,omitempty"`
}

// Metrics are what the worker counts about itself. All of them are labelled by
// the monitored cluster. Several workers share the work, and each tells what it
// did itself: sum the counters, and take the maximum of the times.
//
// A nil *Metrics counts nothing.
type Metrics struct {
	looks, failures, assessments, deleted, windows *prometheus.CounterVec
	observing, recording, explaining, reading      *prometheus.HistogramVec
	observedAt, recordedAt, recordLag              *prometheus.GaugeVec
	blind, unsaved, lost, watched                  *prometheus.GaugeVec

	mu     sync.Mutex
	newest map[string]instant.Instant // the newest tick stored by this process
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "copilot", Name: name, Help: help}, append([]string{"cluster"}, labels...))
		registry.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "copilot", Name: name, Help: help}, append([]string{"cluster"}, labels...))
		registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "copilot", Name: name, Help: help,
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 13), // 5 ms to 20 s
		}, []string{"cluster"})
		registry.MustRegister(v)
		return v
	}
	return &Metrics{
		looks:       counter("observations_total", "Ticks that were observed; outcome is seen or blind.", "outcome"),
		failures:    counter("failures_total", "Failures by outside system: prometheus, loki, store, explainer or temporal.", "system"),
		assessments: counter("assessments_total", "Verdicts that were put into words on request; trigger is schedule, transition, logs or manual, outcome is kept or failed.", "trigger", "by", "outcome"),
		deleted:     counter("deleted_ticks_total", "Ticks that were deleted because they were older than the retention."),
		observing:   histogram("observe_duration_seconds", "Time of one attempt to observe; catching up observes several ticks in one."),
		windows:     counter("log_windows_total", "Windows of the logs that were read, those read again for late lines included."),
		reading:     histogram("log_scan_duration_seconds", "Time of one attempt to read the logs."),
		recording:   histogram("record_duration_seconds", "Time of one attempt to store a tick."),
		explaining:  histogram("explain_duration_seconds", "Time until a verdict was put into words, or was not."),
		observedAt:  gauge("observed_timestamp_seconds", "The newest tick that was observed, in Unix time."),
		recordedAt:  gauge("recorded_timestamp_seconds", "The newest tick that was stored, in Unix time."),
		recordLag:   gauge("record_lag_seconds", "How old the tick that was stored last was when it was."),
		blind:       gauge("blind", "1 while the newest stored verdict is blind, else 0."),
		unsaved:     gauge("unsaved_ticks", "Ticks that waited for the store at the last attempt."),
		lost:        gauge("lost_ticks", "Ticks lost for good since the workflow was first started; why is skipped, dropped or rejected.", "why"),
		watched:     gauge("cluster_watched", "1 while the cluster's workflow runs as configured, 0 while it could not be started or configured."),
		newest:      map[string]instant.Instant{},
	}
}

// Observed notes the time that an attempt to observe took.
func (m *Metrics) Observed(cluster string, took time.Duration) {
	if m != nil {
		m.observing.WithLabelValues(cluster).Observe(took.Seconds())
	}
}

// LogsRead notes an attempt to read the logs, and counts the windows read.
func (m *Metrics) LogsRead(cluster string, took time.Duration, windows int) {
	if m != nil {
		m.reading.WithLabelValues(cluster).Observe(took.Seconds())
		m.windows.WithLabelValues(cluster).Add(float64(windows))
	}
}

// Looked counts ticks that were observed, the last of them at newest.
func (m *Metrics) Looked(cluster string, ticks int, blind bool, newest instant.Instant) {
	if m == nil {
		return
	}
	outcome := "seen"
	if blind {
		outcome = "blind"
	}
	m.looks.WithLabelValues(cluster, outcome).Add(float64(ticks))
	m.observedAt.WithLabelValues(cluster).Set(seconds(newest))
}

// Recorded notes an attempt to store a tick.
func (m *Metrics) Recorded(cluster string, took time.Duration, b Backlog) {
	if m == nil {
		return
	}
	m.recording.WithLabelValues(cluster).Observe(took.Seconds())
	m.unsaved.WithLabelValues(cluster).Set(float64(b.Unsaved))
	m.lost.WithLabelValues(cluster, "skipped").Set(float64(b.Skipped))
	m.lost.WithLabelValues(cluster, "dropped").Set(float64(b.Dropped))
	m.lost.WithLabelValues(cluster, "rejected").Set(float64(b.Rejected))
}

// Saved notes that the tick of that instant is in the store, and whether its
// verdict is blind. One that comes after a newer one changes nothing.
func (m *Metrics) Saved(cluster string, at instant.Instant, blind bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at.Before(m.newest[cluster]) {
		return
	}
	m.newest[cluster] = at
	m.recordedAt.WithLabelValues(cluster).Set(seconds(at))
	m.recordLag.WithLabelValues(cluster).Set(instant.System.Now().Sub(at).Seconds())
	value := 0.0
	if blind {
		value = 1
	}
	m.blind.WithLabelValues(cluster).Set(value)
	m.unsaved.WithLabelValues(cluster).Dec() // the one that Recorded counted
}

// Explained notes the time that an explainer took.
func (m *Metrics) Explained(cluster string, took time.Duration) {
	if m != nil {
		m.explaining.WithLabelValues(cluster).Observe(took.Seconds())
	}
}

// Assessed counts a verdict that was put into words, by whom, and whether the
// one who was asked for them failed.
func (m *Metrics) Assessed(cluster, trigger, by string, failed bool) {
	if m == nil {
		return
	}
	outcome := "kept"
	if failed {
		outcome = "failed"
	}
	m.assessments.WithLabelValues(cluster, trigger, by, outcome).Inc()
}

// Deleted counts ticks that the retention deleted.
func (m *Metrics) Deleted(cluster string, ticks int) {
	if m != nil {
		m.deleted.WithLabelValues(cluster).Add(float64(ticks))
	}
}

// Failed counts a failure of an outside system.
func (m *Metrics) Failed(system, cluster string) {
	if m != nil {
		m.failures.WithLabelValues(cluster, system).Inc()
	}
}

// Watched notes whether a cluster's workflow runs as configured.
func (m *Metrics) Watched(cluster string, ok bool) {
	if m == nil {
		return
	}
	value := 0.0
	if ok {
		value = 1
	}
	m.watched.WithLabelValues(cluster).Set(value)
	// A counter that is there from the beginning has a rate at its first event.
	for _, system := range []string{Source, Logs, Store, Explainer, Temporal} {
		m.failures.WithLabelValues(cluster, system)
	}
}

// Forget drops the series of a cluster that is no longer watched.
func (m *Metrics) Forget(cluster string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	delete(m.newest, cluster)
	m.mu.Unlock()
	of := prometheus.Labels{"cluster": cluster}
	for _, v := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{
		m.looks, m.failures, m.assessments, m.deleted, m.windows, m.observing, m.recording, m.explaining, m.reading,
		m.observedAt, m.recordedAt, m.recordLag, m.blind, m.unsaved, m.lost, m.watched,
	} {
		v.DeletePartialMatch(of)
	}
}

// seconds is an instant in Unix time.
func seconds(at instant.Instant) float64 { return float64(at.UnixMilli()) / 1000 }
