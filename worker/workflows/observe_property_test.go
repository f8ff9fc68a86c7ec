package workflows

import (
	"flag"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/activities"
)

// TestMain plays each property some thirty times: each time is minutes of a
// workflow's life. -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// Whatever the source, the store and the worker do for less than the catch-up
// time, and wherever the run is continued as new: every tick is stored, each
// once, first to last.
func TestEveryTickIsStoredOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := cold()
		config.Interval = rapid.SampledFrom([]time.Duration{30, 60}).Draw(t, "interval in seconds") * time.Second
		config.Settle = time.Duration(rapid.IntRange(0, 20).Draw(t, "settle in seconds")) * time.Second
		config.WarmUp = time.Duration(rapid.SampledFrom([]int{0, 5}).Draw(t, "warm-up in minutes")) * time.Minute
		sourceMoods := rapid.SliceOfN(rapid.SampledFrom([]sourceMood{sourceWell, sourceFails, sourceRefuses, workerDies}), 60, 60).Draw(t, "source")
		storeMoods := rapid.SliceOfN(rapid.SampledFrom([]storeMood{storeWell, storeFails, storeForgets}), 60, 60).Draw(t, "store")
		// What happens to the workflow after so many minutes of each run.
		runs := rapid.SliceOfN(rapid.IntRange(1, 8), 0, 4).Draw(t, "runs in minutes")
		aways := rapid.SliceOfN(rapid.IntRange(0, 8), len(runs), len(runs)).Draw(t, "minutes without worker between runs")
		history := rapid.SampledFrom([]int{0, historyBytesAtMost + 1}).Draw(t, "history size")

		calm := false // the moods are over
		w := &world{
			source: func(attempt int, _ activities.ObserveRequest) sourceMood {
				if attempt < len(sourceMoods) && !calm {
					return sourceMoods[attempt]
				}
				return sourceWell
			},
			store: func(attempt int, _ instant.Instant) storeMood {
				if attempt < len(storeMoods) && !calm {
					return storeMoods[attempt]
				}
				return storeWell
			},
		}

		begin := at("12:00:07")
		start, in := begin, &ObserveInput{Cluster: "lab", Config: config}
		for i, minutes := range runs {
			r := newRun(t, w, start)
			r.after(time.Duration(minutes)*time.Minute, func() {
				r.SetContinueAsNewSuggested(true)
				r.SetCurrentHistorySize(history)
			})
			if in = r.play(*in); in == nil {
				t.Fatalf("the run was not continued")
			}
			start = instant.FromTime(r.Now()).Add(time.Duration(aways[i]) * time.Minute)
		}
		// In the end all is well for long enough to catch up. It does not end on
		// the second, as ticks do.
		const rest = 15*time.Minute + 137*time.Millisecond
		r := newRun(t, w, start)
		r.after(8*time.Minute, func() { calm = true })
		r.playFor(rest, *in)

		first := begin.Add(-config.Settle).Truncate(config.Interval)
		last := start.Add(rest - config.Settle).Truncate(config.Interval)
		same(t, "stored", w.instants(), ticks(first, last, config.Interval))
		counts := ask[ObserveState](t, r, QueryState).Counts
		if lost := counts.Skipped + counts.Dropped + counts.Rejected; lost > 0 {
			t.Errorf("%d ticks are said to be lost", lost)
		}
	})
}

// The same, without answers of the store that get lost: then the stored
// verdicts are also those that the rules give for the stored observations.
func TestStoredVerdictsFollowFromStoredObservations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sourceMoods := rapid.SliceOfN(rapid.SampledFrom([]sourceMood{sourceWell, sourceFails, workerDies}), 60, 60).Draw(t, "source")
		storeMoods := rapid.SliceOfN(rapid.SampledFrom([]storeMood{storeWell, storeFails}), 60, 60).Draw(t, "store")
		rates := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 10}), 1, 20).Draw(t, "served")
		split := rapid.IntRange(1, 8).Draw(t, "continued as new after minutes")
		calm := false
		w := &world{
			source: func(attempt int, _ activities.ObserveRequest) sourceMood {
				if attempt < len(sourceMoods) && !calm {
					return sourceMoods[attempt]
				}
				return sourceWell
			},
			store: func(attempt int, _ instant.Instant) storeMood {
				if attempt < len(storeMoods) && !calm {
					return storeMoods[attempt]
				}
				return storeWell
			},
			serve: func(i instant.Instant) float64 { return rates[int(i.Unix()/120)%len(rates)] },
		}
		r := newRun(t, w, at("12:00:07"))
		r.after(time.Duration(split)*time.Minute, func() {
			r.SetContinueAsNewSuggested(true)
			r.SetCurrentHistorySize(historyBytesAtMost + 1)
		})
		in := r.play(ObserveInput{Cluster: "lab", Config: cold()})
		r = newRun(t, w, instant.FromTime(r.Now()))
		r.after(8*time.Minute, func() { calm = true })
		r.playFor(12*time.Minute, *in)
		consistent(t, w, health.Window{})
	})
}
