// Package evaluator lets the copilot's evaluator judge what a Prometheus and a
// Loki hold, as "copilot backtest" does.
package evaluator

import (
	"context"
	"time"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/loki"
	"github.com/temporal-sre/copilot/pkg/narrative"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/pkg/verdict"
)

// warmUp is how much of the time before the range is evaluated without being
// told, as a backtest does.
const warmUp = time.Hour

// Judge evaluates every step of a range. Without a URL of Loki no logs are read.
func Judge(ctx context.Context, cfg prometheus.Config, logs loki.Config, from, to instant.Instant, step time.Duration) ([]health.Assessment, error) {
	observer, err := prometheus.New(cfg)
	if err != nil {
		return nil, err
	}
	before := time.Duration(int(warmUp/step)) * step
	var feed *narrative.Feed
	if logs.URL != "" {
		scanner, err := loki.New(logs)
		if err != nil {
			return nil, err
		}
		feed = &narrative.Feed{}
		feed.Windows, feed.Err = scanner.Scan(ctx, from.Add(-before).Truncate(step), to.Truncate(step), step)
	}
	var (
		memory      verdict.Memory
		assessments []health.Assessment
	)
	for observation, err := range observer.Stream(ctx, from.Add(-before), to, step) {
		if err != nil {
			return nil, err
		}
		if feed != nil {
			observation.Logs = feed.Until(observation.At)
		}
		var a health.Assessment
		a, memory = verdict.Judge(memory, observation)
		if !observation.At.Before(from) {
			assessments = append(assessments, a)
		}
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
