// Package evaluator lets the copilot's evaluator judge what a Prometheus holds,
// as "copilot backtest" does.
package evaluator

import (
	"context"
	"time"

	"github.com/temporal-sre/copilot/lab/score"
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
func Lines(assessments []health.Assessment) []score.Verdict {
	lines := make([]score.Verdict, 0, len(assessments))
	for i := range assessments {
		a := &assessments[i]
		line := score.Verdict{
			Time: a.At, HealthState: a.State, Bottleneck: a.Bottleneck,
			Confidence: a.Confidence, Coverage: a.Coverage, Blind: a.Blind, BlindReason: a.BlindReason,
			GatesFired: a.GatesFired(), Impaired: []score.Impaired{}, Summary: a.Explanation.Summary,
		}
		for _, s := range a.Impaired() {
			if s.TaskType == "" {
				line.Impaired = append(line.Impaired, score.Impaired{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name, State: s.State})
			}
		}
		lines = append(lines, line)
	}
	return lines
}
