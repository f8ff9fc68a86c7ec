package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// A dashboard asks a dozen things at once, for every viewer and every 30
// seconds, and nearly all of them are answered by the same assessment.
const (
	// fresh is how long nobody looks again whether there is a newer assessment.
	fresh = time.Second
	// patience is how long the store may take to tell of a newer assessment
	// while there is one to show.
	patience = 2 * time.Second
	// rememberFor is how long what was read is given again. It also has to be
	// of the newest assessment: with a new one, everything is read anew.
	rememberFor = 30 * time.Second
	// maxVerdicts and maxPoints bound what is remembered: an assessment may
	// have 100 KB, a point of a series has 40 bytes.
	maxVerdicts = 64
	maxPoints   = 400_000
)

// latest is the newest assessment of a cluster as it was read at one instant.
// Many answers are made of it at once, so nobody may change it.
type latest struct {
	dsql.Newest
	assessment health.Assessment
	readAt     instant.Instant
	// degraded says why the store could not tell whether there is a newer
	// assessment; empty if it could.
	degraded string
}

// shared is a store whose answers are shared: who asks for what another one is
// just asking for, or was told a moment ago, gets that answer.
type shared struct {
	store
	clock   instant.Clock
	flights singleflight.Group

	mu       sync.Mutex
	verdicts map[string]*latest
	answers  map[string]answer
	points   int
}

// answer is something that was read, with what it weighs.
type answer struct {
	value  any
	readAt instant.Instant
	points int
}

func newShared(st store, clock instant.Clock) *shared {
	return &shared{store: st, clock: clock, verdicts: map[string]*latest{}, answers: map[string]answer{}}
}

// verdict returns the newest assessment of a cluster. While the store is away it
// is the last known one, which says so.
func (s *shared) verdict(ctx context.Context, cluster string) (*latest, error) {
	s.mu.Lock()
	last := s.verdicts[cluster]
	s.mu.Unlock()
	if last != nil && isWithin(fresh, last.readAt, s.clock.Now()) {
		return last, nil
	}
	return together(ctx, s, "verdict "+cluster, func(ctx context.Context) (*latest, error) {
		return s.look(ctx, cluster)
	})
}

// look asks the store for the newest assessment, and reads it if it is new.
func (s *shared) look(ctx context.Context, cluster string) (*latest, error) {
	s.mu.Lock()
	last := s.verdicts[cluster]
	s.mu.Unlock()
	next := &latest{}
	err := func() (err error) {
		if last != nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, patience)
			defer cancel()
		}
		if next.Newest, err = s.Newest(ctx, cluster); err != nil {
			return err
		}
		if last != nil && last.Newest == next.Newest {
			next.assessment = last.assessment
			return nil
		}
		next.assessment, err = s.Assessment(ctx, cluster, next.At)
		return err
	}()
	if err != nil {
		if last == nil || isAnswer(err) {
			s.mu.Lock()
			delete(s.verdicts, cluster)
			s.mu.Unlock()
			return nil, err
		}
		next = &latest{Newest: last.Newest, assessment: last.assessment, degraded: err.Error()}
	}
	next.readAt = s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.verdicts[cluster]; !known && len(s.verdicts) == maxVerdicts {
		oldest := cluster
		for name, v := range s.verdicts {
			if oldest == cluster || v.readAt.Before(s.verdicts[oldest].readAt) {
				oldest = name
			}
		}
		delete(s.verdicts, oldest)
	}
	s.verdicts[cluster] = next
	return next, nil
}

// Clusters lists the clusters, as they were a moment ago.
func (s *shared) Clusters(ctx context.Context) ([]dsql.Cluster, error) {
	return recall(ctx, s, fresh, "clusters", s.store.Clusters, func(list []dsql.Cluster) int { return len(list) })
}

// Timeline returns the states of a cluster.
func (s *shared) Timeline(ctx context.Context, cluster string, from, to instant.Instant) ([]dsql.Interval, error) {
	from, to = wholeSteps(from, to)
	key := fmt.Sprintf("timeline %s %s %q", from, to, cluster)
	return recallOf(ctx, s, cluster, key, func(ctx context.Context) ([]dsql.Interval, error) {
		return s.store.Timeline(ctx, cluster, from, to)
	}, func(list []dsql.Interval) int { return len(list) })
}

// StateChanges returns the changes of a cluster's state.
func (s *shared) StateChanges(ctx context.Context, query dsql.RangeQuery) (dsql.StateChangePage, error) {
	query.From, query.To = wholeSteps(query.From, query.To)
	key := fmt.Sprintf("changes %+v", query)
	return recallOf(ctx, s, query.Cluster, key, func(ctx context.Context) (dsql.StateChangePage, error) {
		return s.store.StateChanges(ctx, query)
	}, func(page dsql.StateChangePage) int { return 50 * len(page.Changes) })
}

// Signals returns time series.
func (s *shared) Signals(ctx context.Context, query dsql.SignalQuery) ([]dsql.Series, error) {
	query.From, query.To = wholeSteps(query.From, query.To)
	key := fmt.Sprintf("signals %s %s %d %q %q %v %q", query.From, query.To, query.MaxPoints, query.Signals, query.Kind, query.Scope, query.Cluster)
	return recallOf(ctx, s, query.Cluster, key, func(ctx context.Context) ([]dsql.Series, error) {
		return s.store.Signals(ctx, query)
	}, func(series []dsql.Series) int {
		points := 0
		for i := range series {
			points += len(series[i].Points) + 10
		}
		return points
	})
}

// LogPatterns returns what was found in a cluster's logs.
func (s *shared) LogPatterns(ctx context.Context, query dsql.RangeQuery) ([]dsql.LogPatternSum, error) {
	query.From, query.To = wholeSteps(query.From, query.To)
	key := fmt.Sprintf("log patterns %+v", query)
	return recallOf(ctx, s, query.Cluster, key, func(ctx context.Context) ([]dsql.LogPatternSum, error) {
		return s.store.LogPatterns(ctx, query)
	}, func(sums []dsql.LogPatternSum) int { return 10 * len(sums) })
}

// wholeSteps widens a time range to steps of ten seconds, or of one if it is
// short. Viewers whose clocks say a slightly different "now" then ask for the
// same.
func wholeSteps(from, to instant.Instant) (instant.Instant, instant.Instant) {
	step := 10 * time.Second
	if to.Sub(from) < 5*time.Minute {
		step = time.Second
	}
	begin, end := from.Truncate(step), to.Truncate(step)
	if end.Before(to) {
		end = end.Add(step)
	}
	return begin, end
}

// recallOf is recall for what does not change before there is a new assessment
// of a cluster.
func recallOf[T any](ctx context.Context, s *shared, cluster, key string,
	load func(context.Context) (T, error), points func(T) int,
) (T, error) {
	v, err := s.verdict(ctx, cluster)
	if err != nil {
		// Not assessed, not known or out of reach: the store says it best.
		return load(ctx)
	}
	key = fmt.Sprintf("%s %d %s", v.At, v.Version, key)
	return recall(ctx, s, rememberFor, key, load, points)
}

// recall returns what was read under a key not longer ago than that, or reads
// it.
func recall[T any](ctx context.Context, s *shared, ago time.Duration, key string,
	load func(context.Context) (T, error), points func(T) int,
) (T, error) {
	s.mu.Lock()
	known, found := s.answers[key]
	s.mu.Unlock()
	if found && isWithin(ago, known.readAt, s.clock.Now()) {
		return known.value.(T), nil
	}
	return together(ctx, s, key, func(ctx context.Context) (T, error) {
		value, err := load(ctx)
		if err == nil {
			s.remember(key, answer{value: value, readAt: s.clock.Now(), points: points(value)})
		}
		return value, err
	})
}

// remember keeps an answer, and forgets what is too old and, if there is too
// much, what is oldest.
func (s *shared) remember(key string, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	forget := func(key string) {
		s.points -= s.answers[key].points
		delete(s.answers, key)
	}
	forget(key)
	for known, old := range s.answers {
		if !isWithin(rememberFor, old.readAt, a.readAt) {
			forget(known)
		}
	}
	// An answer without points has a weight, too.
	a.points++
	for s.points+a.points > maxPoints && len(s.answers) > 0 {
		oldest := ""
		for known, old := range s.answers {
			if oldest == "" || old.readAt.Before(s.answers[oldest].readAt) {
				oldest = known
			}
		}
		forget(oldest)
	}
	if a.points <= maxPoints {
		s.answers[key] = a
		s.points += a.points
	}
}

// together loads something once for all who ask for it at the same time. It goes
// on for the others when one of them gives up.
func together[T any](ctx context.Context, s *shared, key string, load func(context.Context) (T, error)) (T, error) {
	var none T
	flight := s.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		return load(ctx)
	})
	select {
	case landed := <-flight:
		if landed.Err != nil {
			return none, landed.Err
		}
		return landed.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// isWithin tells whether something is not longer ago than that.
func isWithin(ago time.Duration, at, now instant.Instant) bool {
	age := now.Sub(at)
	return 0 <= age && age < ago
}
