package main

import (
	"context"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/loki"
	"github.com/temporal-sre/copilot/pkg/narrative"
	"github.com/temporal-sre/copilot/worker/config"
)

const (
	// logsAtOnce is how many windows are read from the logs in one go.
	logsAtOnce = 120
	// logsPatience bounds one such reading: here a person waits, and no verdict
	// comes late.
	logsPatience = 20 * time.Second
)

// logFeed reads the logs beside the observations of a stretch of history. A nil
// one reads none.
type logFeed struct {
	logs *loki.Scanner
	step time.Duration
	feed narrative.Feed
	read instant.Instant // up to where
}

// feed makes what reads the logs, nil without a URL.
func (f *lokiFlags) feed(cluster string, step time.Duration) (*logFeed, error) {
	settings, rules := f.config()
	if settings.Timeout == 0 {
		settings.Timeout = logsPatience
	}
	c := config.Cluster{Name: cluster, Loki: settings, Redact: rules}
	logs, err := c.Logs()
	if err != nil {
		return nil, usageError(err.Error())
	}
	if logs == nil {
		return nil, nil
	}
	return &logFeed{logs: logs, step: step}, nil
}

// until returns what the logs held up to an instant and was not returned yet;
// end is the last instant that will be asked for. Windows end at whole multiples
// of the step, so that the last one may be a part of a step old. After a failure
// nothing more is read, and what is returned says why.
func (f *logFeed) until(ctx context.Context, at, end instant.Instant) *health.LogReading {
	if f == nil {
		return nil
	}
	if f.read.IsZero() {
		f.read = at.Add(-f.step).Truncate(f.step)
	}
	if to := at.Truncate(f.step); to.After(f.read) {
		if last := end.Truncate(f.step); last.Sub(to) > logsAtOnce*f.step {
			to = to.Add(logsAtOnce * f.step)
		} else {
			to = last
		}
		var windows []health.LogWindow
		windows, f.feed.Err = f.logs.Scan(ctx, f.read, to, f.step)
		f.feed.Windows = append(f.feed.Windows, windows...)
		if f.read = to; f.feed.Err != nil {
			f.read = end // nothing after a gap, which would read as silence
		}
	}
	return f.feed.Until(at)
}

// choice says which streams are read and why; empty for none.
func (f *logFeed) choice() string {
	if f == nil {
		return ""
	}
	return f.logs.Choice()
}

// samples returns a few lines of patterns. Without them the patterns stand
// without examples.
func (f *logFeed) samples(ctx context.Context, asks []narrative.Ask) []health.LogSample {
	var samples []health.LogSample
	for _, ask := range asks {
		lines, err := f.logs.Samples(ctx, ask.Template, ask.From, ask.To, narrative.SamplesOfPattern)
		if err != nil {
			return samples
		}
		for _, line := range lines {
			line.Pattern = ask.Pattern
			samples = append(samples, line)
		}
	}
	return samples
}
