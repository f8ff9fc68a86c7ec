package workflows

import (
	"errors"
	"fmt"
	"time"
)

// ObserveConfig is what can be changed about a running ObserveClusterWorkflow.
type ObserveConfig struct {
	// Interval is the time between ticks, from 1 s to 10 min.
	Interval time.Duration `json:"interval_ns"`
	// Settle is how long after a tick it is observed, up to 5 min, so that the
	// source has taken in all samples of that time. A source that others write
	// to from afar needs more than one that scrapes.
	Settle time.Duration `json:"settle_ns"`
	// CatchUp is how far back missed ticks are observed, and how long results
	// wait for a store that is away; from one interval to 24 h.
	CatchUp time.Duration `json:"catch_up_ns"`
	// WarmUp is how far back a first start looks, up to CatchUp and to 240
	// ticks, so that its first verdict is that of someone who had been watching.
	// What lies before the start is not recorded.
	WarmUp time.Duration `json:"warm_up_ns"`
}

// DefaultObserveConfig observes every 30 seconds (requirement R1.1), 5 seconds
// after the fact, catches up over one hour, and warms up over one hour, as a
// one-shot check does.
func DefaultObserveConfig() ObserveConfig {
	return ObserveConfig{
		Interval: 30 * time.Second,
		Settle:   5 * time.Second,
		CatchUp:  time.Hour,
		WarmUp:   time.Hour,
	}
}

// ObserveTimeout bounds one attempt to observe: half an interval, but 2 s at
// least and 30 s at most. The rest of the interval is for judging and saving.
func (c ObserveConfig) ObserveTimeout() time.Duration {
	return min(max(c.Interval/2, 2*time.Second), 30*time.Second)
}

// Validate returns all that is wrong with the configuration, one error each,
// joined.
func (c ObserveConfig) Validate() error {
	var problems []error
	within := func(name string, value, least, most time.Duration) {
		if value < least || value > most {
			problems = append(problems, fmt.Errorf("%s is %s; it has to be between %s and %s", name, value, least, most))
		}
	}
	const shortest, longest = time.Second, 10 * time.Minute
	within("interval", c.Interval, shortest, longest)
	within("settle", c.Settle, 0, 5*time.Minute)
	within("catch-up", c.CatchUp, min(max(c.Interval, shortest), longest), 24*time.Hour)
	within("warm-up", c.WarmUp, 0, max(c.CatchUp, 0))
	if c.Interval%time.Millisecond != 0 {
		problems = append(problems, fmt.Errorf("interval is %s; it has to be a whole number of milliseconds", c.Interval))
	}
	return errors.Join(problems...)
}
