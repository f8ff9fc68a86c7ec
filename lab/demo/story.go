package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/lab/workload"
)

// Cluster is what a story does things to.
type Cluster interface {
	StopWorkers(ctx context.Context, queue string, kill bool) error
	StartWorkers(ctx context.Context, queue string) error
}

// Watcher tells what the copilot says.
type Watcher interface {
	Status(ctx context.Context) (Status, error)
}

// Listener is told how a story goes.
type Listener interface {
	// Began tells that a stage's deed is about to be done.
	Began(stage Stage)
	// Changed tells that the copilot says something else than before; after is
	// the time since the stage began.
	Changed(from, to Status, after time.Duration)
	// Waits tells, now and then, that nothing has changed. The last error, if
	// any, is why there is no verdict.
	Waits(last Status, after time.Duration, err error)
	// Reached tells that the copilot said what it should.
	Reached(outcome Outcome)
}

// Stage is a part of a story: something is done to the cluster, and the
// copilot should say so.
type Stage struct {
	// Name says what is done.
	Name string
	// Expected says in words what the copilot should come to say.
	Expected string
	// Do does it.
	Do func(ctx context.Context, cluster Cluster) error
	// Reached tells whether the copilot has said what it should, given all the
	// different things that it has said since the stage began; the last one is
	// the present.
	Reached func(said []Status) bool
	// Within is how long that may take.
	Within time.Duration
}

// Outcome is how a stage went.
type Outcome struct {
	Stage Stage
	Said  []Status // the different things that the copilot said
	Took  time.Duration
	Err   error // nil if the stage was reached
}

// stageLimit is how long the copilot may take at each stage. Two observations
// make it Stressed and a few more Critical; what is long here is the server,
// which refreshes its backlog gauges once a minute only.
const stageLimit = 4 * time.Minute

// settled is how many observations in a row must be happy before the story
// goes on: a cluster that has just started is not yet its usual self.
const settled = 4

// Stages is the story.
func Stages() []Stage {
	return []Stage{
		{
			Name:     "a healthy cluster under load",
			Expected: "happy",
			Do:       func(context.Context, Cluster) error { return nil },
			Reached:  hasSettled,
			Within:   stageLimit,
		},
		{
			Name:     "the workers of queue billing stop",
			Expected: "stressed, naming billing",
			Do: func(ctx context.Context, cluster Cluster) error {
				return cluster.StopWorkers(ctx, workload.Billing, true)
			},
			Reached: func(said []Status) bool {
				now := said[len(said)-1]
				return now.HealthState == Stressed && slices.Contains(now.Impaired(), workload.Billing)
			},
			Within: stageLimit,
		},
		{
			Name:     "all other workers stop, too",
			Expected: "critical",
			Do: func(ctx context.Context, cluster Cluster) error {
				return forEachQueue(func(queue string) error { return cluster.StopWorkers(ctx, queue, true) })
			},
			Reached: func(said []Status) bool { return said[len(said)-1].HealthState == Critical },
			Within:  stageLimit,
		},
		{
			Name:     "all workers start again",
			Expected: "stressed, then happy",
			Do: func(ctx context.Context, cluster Cluster) error {
				return forEachQueue(func(queue string) error { return cluster.StartWorkers(ctx, queue) })
			},
			Reached: func(said []Status) bool {
				recovering := slices.ContainsFunc(said, func(s Status) bool { return s.HealthState == Stressed })
				return recovering && said[len(said)-1].HealthState == Happy
			},
			Within: stageLimit,
		},
	}
}

func forEachQueue(do func(queue string) error) error {
	var errs []error
	for _, queue := range workload.Queues() {
		errs = append(errs, do(queue))
	}
	return errors.Join(errs...)
}

// hasSettled reports whether the last few observations were happy and seen.
func hasSettled(said []Status) bool {
	if len(said) < settled {
		return false
	}
	for _, status := range said[len(said)-settled:] {
		if status.HealthState != Happy || status.Blind {
			return false
		}
	}
	return true
}

// Story is a story in progress.
type Story struct {
	Cluster  Cluster
	Watcher  Watcher
	Listener Listener
	// Poll is how often the copilot is asked.
	Poll time.Duration
	// Remind is how often the listener hears that nothing has changed.
	Remind time.Duration
}

// Tell plays the stages one after the other and returns how each went. It ends
// with the first that was not reached, whose error it returns.
func (s Story) Tell(ctx context.Context, stages []Stage) ([]Outcome, error) {
	var (
		outcomes []Outcome
		last     Status
	)
	for _, stage := range stages {
		outcome := s.play(ctx, stage, last)
		outcomes = append(outcomes, outcome)
		if outcome.Err != nil {
			return outcomes, outcome.Err
		}
		last = outcome.Said[len(outcome.Said)-1]
		s.Listener.Reached(outcome)
	}
	return outcomes, nil
}

// play plays one stage. Last is what the copilot said before it.
func (s Story) play(ctx context.Context, stage Stage, last Status) Outcome {
	outcome := Outcome{Stage: stage}
	s.Listener.Began(stage)
	begun := time.Now()
	if err := stage.Do(ctx, s.Cluster); err != nil {
		outcome.Err = fmt.Errorf("%s: %w", stage.Name, err)
		return outcome
	}
	ctx, cancel := context.WithTimeout(ctx, stage.Within)
	defer cancel()
	poll := time.NewTicker(s.Poll)
	defer poll.Stop()
	reminded := begun
	var lastErr error
	for {
		status, err := s.Watcher.Status(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			lastErr = err
		case err == nil && status.ObservedAt != last.ObservedAt:
			lastErr = nil
			outcome.Said = append(outcome.Said, status)
			if differs(last, status) {
				s.Listener.Changed(last, status, time.Since(begun))
				reminded = time.Now()
			}
			last = status
			if stage.Reached(outcome.Said) {
				outcome.Took = time.Since(begun)
				return outcome
			}
		}
		if time.Since(reminded) >= s.Remind {
			s.Listener.Waits(last, time.Since(begun), lastErr)
			reminded = time.Now()
		}
		select {
		case <-ctx.Done():
			outcome.Took = time.Since(begun)
			outcome.Err = notReached(ctx, stage, last, lastErr)
			return outcome
		case <-poll.C:
		}
	}
}

// differs reports whether two verdicts differ in what the story is about.
func differs(a, b Status) bool {
	return a.HealthState != b.HealthState || a.Blind != b.Blind || !slices.Equal(a.Impaired(), b.Impaired())
}

func notReached(ctx context.Context, stage Stage, last Status, lastErr error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	said := "nothing"
	if last.HealthState != "" {
		said = last.HealthState
		if names := last.Impaired(); len(names) > 0 {
			said += ", naming " + strings.Join(names, ", ")
		}
	}
	err := fmt.Errorf("%s: the copilot should have come to say %q within %v, and says %q", stage.Name, stage.Expected, stage.Within, said)
	if lastErr != nil {
		err = fmt.Errorf("%w (%w)", err, lastErr)
	}
	return err
}
