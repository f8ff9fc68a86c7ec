package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/narrative"
	"github.com/temporal-sre/copilot/worker/telemetry"
)

const (
	// missedFor is how far back windows that were missed are read, but leastMissed
	// of them whatever their length. What is older is given up: it would explain
	// nothing now.
	missedFor   = 20 * time.Minute
	leastMissed = 4
	// LogsTimeout bounds the reading of logs. It is also how long a log source
	// that hangs can keep a verdict waiting.
	LogsTimeout = 8 * time.Second
)

// logsReading is the logs being read beside the metrics. Nil where no logs are to be
// read.
type logsReading struct {
	done    chan struct{}
	feed    narrative.Feed
	samples []health.LogSample
}

// read begins to read the logs for the observations of a request. What comes of
// it never fails them.
func (a *Activities) read(ctx context.Context, logs LogReader, req ObserveRequest) *logsReading {
	if logs == nil {
		return nil
	}
	r := &logsReading{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(ctx, LogsTimeout)
		defer cancel()
		watch := instant.StartStopwatch()
		r.feed.Windows, r.feed.Err = logs.Scan(ctx, logsFrom(req), req.To, req.Step)
		a.Metrics.LogsRead(req.Cluster, watch.Elapsed(), len(r.feed.Windows))
		r.feed.Windows = slices.DeleteFunc(r.feed.Windows, func(w health.LogWindow) bool {
			return slices.ContainsFunc(req.LogsKnown, func(b narrative.Bounds) bool {
				return b.From == w.From && b.To == w.To && !b.Tells(&w)
			})
		})
		switch {
		case errors.Is(r.feed.Err, context.Canceled):
			return // nobody waits for it any more; that says nothing of the logs
		case r.feed.Err != nil:
			a.Metrics.Failed(telemetry.Logs, req.Cluster)
			if a.Clusters.noteLogs(req.Cluster, true) {
				a.Log.WarnContext(ctx, "the logs cannot be read; the verdicts rest on metrics alone, as always, and go unexplained by them",
					"cluster", req.Cluster, "to", req.To, "error", r.feed.Err)
			}
			return
		case a.Clusters.noteLogs(req.Cluster, false):
			a.Log.InfoContext(ctx, "the logs can be read again", "cluster", req.Cluster, "to", req.To)
		}
		for _, ask := range req.Samples {
			lines, err := logs.Samples(ctx, ask.Template, ask.From, ask.To, narrative.SamplesOfPattern)
			if err != nil {
				a.Log.WarnContext(ctx, "no lines as an example of a pattern", "cluster", req.Cluster, "pattern", ask.Pattern, "error", err)
				return
			}
			for _, line := range lines {
				line.Pattern = ask.Pattern
				r.samples = append(r.samples, line)
			}
		}
	}()
	return r
}

// logsFrom is where the logs of a request begin: with the windows that are read
// again, if they are of the length that is asked for now.
func logsFrom(req ObserveRequest) instant.Instant {
	from := req.LogsFrom
	switch {
	case from.IsZero():
		return req.From.Add(-req.Step)
	case len(req.LogsKnown) > 0 && !slices.ContainsFunc(req.LogsKnown, func(b narrative.Bounds) bool { return b.To.Sub(b.From) != req.Step }):
		from = req.LogsKnown[0].From
	}
	if oldest := req.From.Add(-max(missedFor, leastMissed*req.Step)).Truncate(req.Step); from.Before(oldest) {
		return oldest
	}
	return from
}

// give waits for the logs and gives each observation what is its own.
func (r *logsReading) give(observations []health.Observation) {
	if r == nil {
		return
	}
	<-r.done
	for i := range observations {
		observations[i].Logs = r.feed.Until(observations[i].At)
	}
	observations[len(observations)-1].Logs.Samples = r.samples
}
