package instant

import (
	"sync"
	"time"
)

// Clock tells the current time. Code that needs it takes a Clock, so that a
// test can say what time it is. Rules take no Clock at all: they judge a window
// whose instants were written down when it was observed.
type Clock interface {
	Now() Instant
}

// System is the machine's clock.
var System Clock = systemClock{}

// systemClock reads the machine's clock.
type systemClock struct{}

// Now returns the machine's current time.
func (systemClock) Now() Instant { return FromTime(time.Now()) }

// Fixed returns a clock that always tells at.
func Fixed(at Instant) Clock { return fixedClock(at) }

// fixedClock always tells the same time.
type fixedClock Instant

// Now returns the time that the clock was made with.
func (c fixedClock) Now() Instant { return Instant(c) }

// Manual is a clock for tests that stands still until it is moved. It may be
// used from several goroutines. Make it with NewManual.
type Manual struct {
	mu  sync.Mutex
	now Instant
}

// NewManual returns a clock that tells at until it is moved.
func NewManual(at Instant) *Manual { return &Manual{now: at} }

// Now returns the time that the clock stands at.
func (m *Manual) Now() Instant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock by d and returns the time that it stands at then.
func (m *Manual) Advance(d time.Duration) Instant {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	return m.now
}

// Set moves the clock to at.
func (m *Manual) Set(at Instant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = at
}

// Stopwatch measures how long something takes on this machine. The difference
// of two Instants is not good for that: the system's clock may be set in
// between, while a Stopwatch reads the monotonic clock.
type Stopwatch struct {
	start time.Time
}

// StartStopwatch returns a running stopwatch.
func StartStopwatch() Stopwatch { return Stopwatch{start: time.Now()} }

// Elapsed returns the time since the stopwatch was started.
func (s Stopwatch) Elapsed() time.Duration { return time.Since(s.start) }
