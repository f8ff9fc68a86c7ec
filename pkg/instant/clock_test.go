package instant_test

import (
	"sync"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestSystemClockTellsTheTime(t *testing.T) {
	before := instant.FromTime(time.Now())
	got := instant.System.Now()
	after := instant.FromTime(time.Now())
	if got.Before(before) || got.After(after) {
		t.Fatalf("%v is not between %v and %v", got, before, after)
	}
}

func TestFixedClockStandsStill(t *testing.T) {
	at := instant.FromUnix(1_795_489_470)
	clock := instant.Fixed(at)
	for range 2 {
		if got := clock.Now(); got != at {
			t.Fatalf("a fixed clock moved to %v", got)
		}
	}
}

func TestManualClockMovesWhenTold(t *testing.T) {
	start := instant.FromUnix(1_795_489_470)
	clock := instant.NewManual(start)
	if got := clock.Advance(30 * time.Second); got != start.Add(30*time.Second) || clock.Now() != got {
		t.Fatalf("advanced to %v", got)
	}
	clock.Set(start)
	if clock.Now() != start {
		t.Fatalf("set to %v", clock.Now())
	}
}

func TestManualClockIsSafeForSeveralGoroutines(t *testing.T) {
	start := instant.FromUnix(0)
	clock := instant.NewManual(start)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			clock.Advance(time.Second)
			clock.Now()
		})
	}
	wg.Wait()
	if clock.Now() != start.Add(50*time.Second) {
		t.Fatalf("got %v", clock.Now())
	}
}

func TestStopwatchRuns(t *testing.T) {
	watch := instant.StartStopwatch()
	time.Sleep(2 * time.Millisecond)
	if watch.Elapsed() < 2*time.Millisecond {
		t.Fatalf("only %v passed", watch.Elapsed())
	}
}
