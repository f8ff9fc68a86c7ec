// Package strain measures how hard a machine is pressed while the lab plays on
// it. A machine that cannot keep up plays another scenario than the one that is
// written.
package strain

import (
	"context"
	"time"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// tick is how often the machine is asked to wake somebody up.
	tick = 100 * time.Millisecond
	// span is over how long one look at the processors goes.
	span = 15 * time.Second
	// full is the share of a span from which on the processors had nothing
	// left.
	full = 0.95
)

// Watch measures until the context ends.
func Watch(ctx context.Context) score.Strain {
	var (
		s      score.Strain
		spans  spans
		ticks  = time.NewTicker(tick)
		before = instant.StartStopwatch()
	)
	defer ticks.Stop()
	looks := time.NewTicker(span)
	defer looks.Stop()
	spans.look()
	for {
		select {
		case <-ctx.Done():
			s.Busy, s.Full = spans.busy(), spans.full()
			return s
		case <-looks.C:
			spans.look()
		case <-ticks.C:
			s.LatestMillis = max(s.LatestMillis, (before.Elapsed() - tick).Milliseconds())
			before = instant.StartStopwatch()
		}
	}
}

// usage is the time that processors have spent since the machine began, in
// ticks of its clock.
type usage struct{ used, all float64 }

// spans adds up what was used from one look to the next.
type spans struct {
	first, last usage
	looks       int
	fulls       int
}

// look takes the usage up to now. Where the system does not tell there is
// nothing to take.
func (s *spans) look() {
	now, ok := processors()
	if !ok {
		return
	}
	if s.first == (usage{}) {
		s.first, s.last = now, now
		return
	}
	s.looks++
	if share(s.last, now) >= full {
		s.fulls++
	}
	s.last = now
}

func (s *spans) busy() float64 { return share(s.first, s.last) }

func (s *spans) full() float64 {
	if s.looks == 0 {
		return 0
	}
	return float64(s.fulls) / float64(s.looks)
}

func share(from, to usage) float64 {
	if to.all <= from.all {
		return 0
	}
	return (to.used - from.used) / (to.all - from.all)
}
