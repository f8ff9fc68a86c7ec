// Package verdict is the one way from an observation to a verdict: the rules
// decide, the logs tell, and the explanation puts it into words. The worker's
// workflow, the one-shot check and the backtest all take it, so that they say the
// same. It is pure, and runs inside a workflow.
package verdict

import (
	"github.com/temporal-sre/copilot/pkg/explain"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/narrative"
)

// Memory is what is remembered of a cluster from one observation to the next.
// The zero value remembers nothing.
type Memory struct {
	// Window is what the rules remember.
	Window health.Window
	// Logs is what the narrative remembers; zero where no log source is
	// configured.
	Logs narrative.Memory
}

// Judge returns the verdict on an observation, and the memory for the next.
func Judge(m Memory, o health.Observation) (health.Assessment, Memory) {
	a, window := health.Evaluate(m.Window, o)
	next := Memory{Window: window, Logs: m.Logs}
	if o.Logs != nil {
		var counts []health.LogPatternCount
		next.Logs, counts = narrative.Follow(m.Logs, *o.Logs, o.At)
		narrative.Tell(&next.Logs, &a, counts)
		if a.Transition != nil {
			next.Logs.Refresh()
		}
	}
	a.Explanation = explain.Rules(&a)
	return a, next
}
