package api

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// fresh is how long what was read is answered again without a look at the
	// store. A verdict is made every 30 seconds.
	fresh = time.Second
	// patience is how long the store may take while there is a last known
	// answer, so that the present is answered within 500 ms (R6.4).
	patience = 350 * time.Millisecond
	// loadTimeout bounds one look at the store.
	loadTimeout = 5 * time.Second
)

// latest remembers the newest verdict on each cluster. However many ask at
// once, the store is asked once; while it is away, the last known answer is
// given, and said to be that.
type latest struct {
	open  func(ctx context.Context) (Store, error)
	clock instant.Clock

	flights singleflight.Group

	mu       sync.Mutex
	verdicts map[string]*snapshot
	clusters []dsql.Cluster
	listedAt instant.Instant
}

// snapshot is the newest verdict on a cluster as it was read at one instant.
type snapshot struct {
	status StatusAnswer
	made   instant.Instant

	mu     sync.Mutex
	bodies map[string]*body
}

func newLatest(open func(ctx context.Context) (Store, error), clock instant.Clock) *latest {
	return &latest{open: open, clock: clock, verdicts: map[string]*snapshot{}}
}

// verdict returns the newest verdict on a cluster. An empty name means the only
// one.
func (l *latest) verdict(ctx context.Context, cluster string) (*snapshot, error) {
	hurry, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if cluster == "" {
		known, err := l.list(ctx, hurry.Done())
		if err != nil {
			return nil, err
		}
		if cluster, err = OnlyCluster(known); err != nil {
			return nil, err
		}
	}
	last := l.remembered(cluster)
	if last != nil && isFresh(last.made, l.clock.Now()) {
		return last, nil
	}
	flight := l.flights.DoChan("verdict "+cluster, func() (any, error) {
		return l.load(context.WithoutCancel(ctx), cluster)
	})
	var overdue <-chan struct{}
	if last != nil {
		overdue = hurry.Done()
	}
	select {
	case landed := <-flight:
		if landed.Err != nil {
			return nil, landed.Err
		}
		return landed.Val.(*snapshot), nil
	case <-overdue:
		return last.again(l.clock.Now(), "the store has not answered within "+patience.String()), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// remembered returns what is known of a cluster; nil if nothing is.
func (l *latest) remembered(cluster string) *snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.verdicts[cluster]
}

// load reads the newest verdict and remembers it. When the store is away it
// remembers, for as long as a fresh answer, that the last one is all there is.
func (l *latest) load(ctx context.Context, cluster string) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	status, err := l.read(ctx, cluster)
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.verdicts[cluster]
	switch {
	case err == nil:
		l.verdicts[cluster] = newSnapshot(status, now)
	case isAnswer(err):
		// The store answers that there is no such verdict (any more).
		delete(l.verdicts, cluster)
		return nil, err
	case last == nil:
		return nil, err
	default:
		l.verdicts[cluster] = last.again(now, errorOf(err).Error())
	}
	return l.verdicts[cluster], nil
}

func (l *latest) read(ctx context.Context, cluster string) (StatusAnswer, error) {
	store, err := l.open(ctx)
	if err != nil {
		return StatusAnswer{}, err
	}
	return ReadStatus(ctx, store, cluster, l.clock.Now())
}

// list returns the clusters that the store knows, or, if it does not say so
// before overdue, knew when it last answered.
func (l *latest) list(ctx context.Context, overdue <-chan struct{}) ([]dsql.Cluster, error) {
	l.mu.Lock()
	known, at := l.clusters, l.listedAt
	l.mu.Unlock()
	if known != nil && isFresh(at, l.clock.Now()) {
		return known, nil
	}
	flight := l.flights.DoChan("clusters", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		clusters, err := l.readClusters(ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case err == nil:
			l.clusters = append([]dsql.Cluster{}, clusters...)
		case l.clusters == nil || isAnswer(err):
			return nil, err
		}
		l.listedAt = l.clock.Now()
		return l.clusters, nil
	})
	if known == nil {
		overdue = nil
	}
	select {
	case landed := <-flight:
		if landed.Err != nil {
			return nil, landed.Err
		}
		return landed.Val.([]dsql.Cluster), nil
	case <-overdue:
		return known, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *latest) readClusters(ctx context.Context) ([]dsql.Cluster, error) {
	store, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	return store.Clusters(ctx)
}

// isFresh tells whether what was read at an instant need not be read again.
func isFresh(at, now instant.Instant) bool {
	age := now.Sub(at)
	return 0 <= age && age < fresh
}

func newSnapshot(status StatusAnswer, now instant.Instant) *snapshot {
	return &snapshot{status: status, made: now, bodies: map[string]*body{}}
}

// again is a verdict that could not be renewed, as seen at an instant.
func (s *snapshot) again(now instant.Instant, reason string) *snapshot {
	status := s.status
	status.Degradation = Degradation{Degraded: true, DegradedReason: reason}
	status.Aged(now)
	return newSnapshot(status, now)
}

// body returns an answer that is made of the verdict, encoded once a name.
func (s *snapshot) body(name string, answer func(*StatusAnswer) any) (*body, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bodies[name]; b != nil {
		return b, nil
	}
	b, err := encode(answer(&s.status))
	if err != nil {
		return nil, err
	}
	// The words of a verdict may be written after it, by a model that takes its
	// time, so the id alone does not tell the answers apart.
	words, err := json.Marshal(s.status.Explanation)
	if err != nil {
		return nil, err
	}
	state := "current"
	switch {
	case s.status.Degraded:
		state = "degraded"
	case s.status.Stale:
		state = "stale"
	}
	b.tag = s.status.AssessmentID + "-" + tagOf(words, []byte(state), []byte(s.status.DegradedReason))
	s.bodies[name] = b
	return b, nil
}
