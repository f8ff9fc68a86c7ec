// Package evaluator lets the copilot's evaluator judge what a Prometheus holds,
// as "copilot backtest" does.
package evaluator

import (
	"context"
	"time"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/explain"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
)

// warmUp is how much of the time before the range is evaluated without being
// told, as a backtest does.
const warmUp = time.Hour

// Judge evaluates every step of a range.
func Judge(ctx context.Context, cfg prometheus.Config, from, to instant.Instant, step time.Duration) ([]health.Assessment, error) {
	observer, err := prometheus.New(cfg)
	if err != nil {
		return nil, err
	}
	var (
		window      health.Window
		assessments []health.Assessment
	)
	before := time.Duration(int(warmUp/step)) * step
	for observation, err := range observer.Stream(ctx, from.Add(-before), to, step) {
		if err != nil {
			return nil, err
		}
		var a health.Assessment
		a, window = health.Evaluate(window, observation)
		if observation.At.Before(from) {
			continue
		}
		a.Explanation = explain.Rules(&a)
		assessments = append(assessments, a)
	}
	return assessments, nil
}

// Lines are what "copilot backtest -o jsonl" writes of assessments.
func Lines(assessments []health.Assessment) []api.Verdict {
	lines := make([]api.Verdict, 0, len(assessments))
	for i := range assessments {
		lines = append(lines, api.NewVerdict(&assessments[i]))
	}
	return lines
}
