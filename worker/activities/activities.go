package activities

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/telemetry"
)

// Observer looks at one cluster. *prometheus.Observer is one.
type Observer interface {
	// Observe returns one observation for each instant from, from+step, … to,
	// oldest first; the same ones whether it is asked at once or afterwards. A
	// signal that could not be asked is in the observation with its status. The
	// error is for when nothing could be asked at all.
	Observe(ctx context.Context, from, to instant.Instant, step time.Duration) ([]health.Observation, error)
}

// LogReader reads the logs of one cluster. *loki.Scanner is one.
type LogReader interface {
	// Scan returns the windows between from and to that end at multiples of
	// step, oldest first: those that were read before it failed, and why it did.
	Scan(ctx context.Context, from, to instant.Instant, step time.Duration) ([]health.LogWindow, error)
	// Samples returns up to limit lines of a template, redacted.
	Samples(ctx context.Context, t health.LogTemplate, from, to instant.Instant, limit int) ([]health.LogSample, error)
}

// Observers are the clusters that a worker looks at, by name. They may change
// while it runs. The zero value looks at none.
type Observers struct {
	mu     sync.RWMutex
	byName map[string]watched
}

// watched is how a cluster is looked at.
type watched struct {
	metrics Observer
	logs    LogReader // nil: its logs are not read
	unread  bool      // its logs could not be read the last time
}

// Set makes metrics look at a cluster, and logs read its logs unless that is
// nil, in place of what did so before.
func (s *Observers) Set(cluster string, metrics Observer, logs LogReader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = map[string]watched{}
	}
	s.byName[cluster] = watched{metrics: metrics, logs: logs}
}

// noteLogs notes whether the logs of a cluster could be read, and tells whether
// that is new.
func (s *Observers) noteLogs(cluster string, unread bool) (isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, known := s.byName[cluster]
	if !known || o.unread == unread {
		return false
	}
	o.unread = unread
	s.byName[cluster] = o
	return true
}

// Remove stops looking at a cluster. What is under way ends by itself.
func (s *Observers) Remove(cluster string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, cluster)
}

// of returns what looks at a cluster, and whether anything does.
func (s *Observers) of(cluster string) (watched, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, known := s.byName[cluster]
	return o, known
}

// Store keeps observations and assessments. *dsql.Store is one.
type Store interface {
	// Save stores both together. Saving again what is already there, which is
	// told by cluster and instant, changes nothing.
	Save(ctx context.Context, o health.Observation, a health.Assessment) error
	// Newest names the newest assessment of a cluster.
	Newest(ctx context.Context, cluster string) (dsql.Newest, error)
	// AssessmentByID returns the assessment with that id.
	AssessmentByID(ctx context.Context, id string) (health.Assessment, error)
	// Observation returns what was seen of a cluster at exactly that instant.
	Observation(ctx context.Context, cluster string, at instant.Instant) (health.Observation, error)
	// SaveExplanation replaces the explanation of a stored assessment.
	SaveExplanation(ctx context.Context, cluster, assessmentID string, e health.Explanation) error
	// Retain deletes up to limit ticks of a cluster that are older than before,
	// and says how many those were and whether there are more.
	Retain(ctx context.Context, cluster string, before instant.Instant, limit int) (deleted int, more bool, err error)
}

// Activities are the worker's activities with what they need. Register a
// pointer to one on the worker.
type Activities struct {
	// Clusters are those that this worker looks at.
	Clusters *Observers
	Store    Store
	// Explainer puts assessments into words. The rules' own words are stored
	// before it is asked, and stay when it fails.
	Explainer Explainer
	// Metrics counts what is done; nil counts nothing.
	Metrics *telemetry.Metrics
	// Log takes one line for each failure that is not returned as an error;
	// Temporal's SDK logs those that are.
	Log *slog.Logger
}

// The kinds of error that the activities return, as the type of a
// temporal.ApplicationError. A workflow chooses by them, so they never change.
const (
	// ErrUnknownCluster: this worker does not observe that cluster. Another
	// worker of the task queue may; retried.
	ErrUnknownCluster = "UnknownCluster"
	// ErrSourceUnavailable: no signal of the cluster could be asked; retried.
	// The last attempt returns observations that say so instead.
	ErrSourceUnavailable = "SourceUnavailable"
	// ErrStoreUnavailable: the store did not answer, or took nothing; retried.
	ErrStoreUnavailable = "StoreUnavailable"
	// ErrRecordRejected: the store will never take this record; not retried.
	ErrRecordRejected = "RecordRejected"
	// ErrWorkerStopped: the worker was stopped at its work; retried.
	ErrWorkerStopped = "WorkerStopped"
	// ErrNoAssessment: the store holds no such assessment; not retried.
	ErrNoAssessment = "NoAssessment"
	// ErrRetentionRejected: the store refuses to delete what is that young; not
	// retried.
	ErrRetentionRejected = "RetentionRejected"
)

// answerMargin is how long before its timeout an activity gives up on the
// outside world, so that it is the activity that tells what went wrong. A
// start-to-close timeout then means that the worker itself is gone.
const answerMargin = 250 * time.Millisecond

// withMargin gives the context of an activity a deadline by which its outside
// call has to end.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-answerMargin))
}
