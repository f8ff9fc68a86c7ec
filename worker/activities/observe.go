package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/narrative"
	"github.com/temporal-sre/copilot/pkg/signals"
	"github.com/temporal-sre/copilot/worker/telemetry"
)

// ObserveAttempts is how often Observe is tried before a failing source is
// taken as the answer; once only if it takes half of its time to fail. The
// retry policy of the caller has to allow as many.
const ObserveAttempts = 3

const (
	// resultBytes is how large the observations of one result may be together,
	// in JSON before compression. It keeps the event below the 512 KiB at which
	// a Temporal server begins to warn.
	resultBytes = 400 << 10
	// observationBytes is how large a single observation may be. Temporal
	// refuses payloads of 2 MiB, and for good.
	observationBytes = 1536 << 10
)

// ObserveRequest asks for the observations of a cluster at From, From+Step, …
// To. From may equal To.
type ObserveRequest struct {
	Cluster string          `json:"cluster"`
	From    instant.Instant `json:"from"`
	To      instant.Instant `json:"to"`
	Step    time.Duration   `json:"step_ns"`
	// LogsFrom is where the first window of the logs begins that was not read
	// yet; zero for one step before From.
	LogsFrom instant.Instant `json:"logs_from,omitzero"`
	// LogsKnown are the windows before LogsFrom that are read again, for lines
	// that came late; those without any are left out of the answer.
	LogsKnown []narrative.Bounds `json:"logs_known,omitempty"`
	// Samples are the patterns of which a few lines are to be fetched.
	Samples []narrative.Ask `json:"samples,omitempty"`
}

// ObserveResult holds the first observations of a request, oldest first: at
// least one, and as many as fit into an event of a workflow's history.
type ObserveResult struct {
	Observations []health.Observation `json:"observations"`
	// Bytes is the size of each observation. It is kept with them so that a
	// replay counts as the first run did, whatever the types look like by then.
	Bytes []int `json:"bytes"`
	// Failure says why nothing could be seen in any of these observations; the
	// reason stands in their measurements too. Empty otherwise.
	Failure string `json:"failure,omitempty"`
}

// Observe looks at a cluster. What it returns is evidence, also when it says
// that the source did not answer: that is the result of the last attempt, with
// Failure set. An error means that nobody looked, and that the question is to
// be asked again: ErrSourceUnavailable and ErrUnknownCluster, both retryable.
func (a *Activities) Observe(ctx context.Context, req ObserveRequest) (ObserveResult, error) {
	observer, known := a.Clusters.of(req.Cluster)
	if !known {
		return ObserveResult{}, temporal.NewApplicationError(fmt.Sprintf(
			"this worker does not observe cluster %q; workers that share a task queue have to observe the same clusters",
			req.Cluster), ErrUnknownCluster)
	}

	ask, done := withMargin(ctx)
	defer done()
	watch := instant.StartStopwatch()
	reading := a.read(ask, observer.logs, req)
	observations, err := observer.metrics.Observe(ask, req.From, req.To, req.Step)
	a.Metrics.Observed(req.Cluster, watch.Elapsed())
	failure := ""
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		// The worker stops, or the workflow was cancelled: that says nothing
		// about the cluster.
		return ObserveResult{}, temporal.NewApplicationError("the worker was stopped while it looked", ErrSourceUnavailable)
	case err != nil:
		// The question itself is wrong: credentials that do not load, or
		// several clusters under one selector. Asking again does not help.
		failure = err.Error()
		observations = unseen(req, failure)
	case !answers(observations, req):
		failure = fmt.Sprintf("the observer returned %d observations that do not fit %s to %s by %s",
			len(observations), req.From, req.To, req.Step)
		observations = unseen(req, failure)
	default:
		// An attempt that used up its time is not repeated: the next one would
		// most likely, too, and the verdict would come late.
		failure = unanswered(observations)
		info := activity.GetInfo(ctx)
		if failure != "" && info.Attempt < ObserveAttempts && watch.Elapsed() < info.StartToCloseTimeout/2 {
			a.Metrics.Failed(telemetry.Source, req.Cluster)
			return ObserveResult{}, temporal.NewApplicationError(failure, ErrSourceUnavailable)
		}
	}
	if failure != "" {
		a.Metrics.Failed(telemetry.Source, req.Cluster)
		a.Log.ErrorContext(ctx, "the cluster cannot be seen", "cluster", req.Cluster,
			"from", req.From, "to", req.To, "error", failure)
	}
	reading.give(observations)
	result := fit(observations)
	if result.Failure == "" {
		result.Failure = failure
	} else {
		a.Log.ErrorContext(ctx, "the cluster cannot be judged", "cluster", req.Cluster, "error", result.Failure)
	}
	a.Metrics.Looked(req.Cluster, len(result.Observations), result.Failure != "",
		result.Observations[len(result.Observations)-1].At)
	return result, nil
}

// answers tells whether there is one observation for each instant asked for.
func answers(observations []health.Observation, req ObserveRequest) bool {
	at := req.From
	for i := range observations {
		if observations[i].At != at || observations[i].Cluster != req.Cluster {
			return false
		}
		at = at.Add(req.Step)
	}
	return len(observations) > 0 && at.After(req.To)
}

// unseen stands for the observations that could not be made, and says why.
func unseen(req ObserveRequest, reason string) []health.Observation {
	var observations []health.Observation
	for at := req.From; !at.After(req.To); at = at.Add(req.Step) {
		observations = append(observations, unseenAt(req.Cluster, at, reason))
	}
	return observations
}

// unseenAt is the observation that saw nothing.
func unseenAt(cluster string, at instant.Instant, reason string) health.Observation {
	o := health.Observation{Cluster: cluster, At: at}
	for _, d := range signals.Catalogue() {
		o.Measurements = append(o.Measurements, health.Measurement{
			Signal: d.ID, Class: d.Class, Unit: d.Unit, Status: health.Failed, Reason: reason,
		})
	}
	o.Normalize()
	return o
}

// unanswered returns the reason when the source answered nothing that can be
// judged by and failed at least one query. A source that answers all queries
// with nothing is another thing: it has no metrics of this cluster.
func unanswered(observations []health.Observation) string {
	reason := ""
	for i := range observations {
		measurements := observations[i].Measurements
		for j := range measurements {
			switch m := &measurements[j]; {
			case m.Status == health.OK, m.Status == health.Stale:
				return ""
			case m.Status == health.Failed && reason == "":
				reason = cmp.Or(m.Reason, "no query was answered")
			}
		}
	}
	return reason
}

// fit keeps the first observations that fit into one event. What is left out
// is asked for again by the caller. An observation that fits into no event at
// all is returned alone, as one that saw nothing, and Failure says so.
func fit(observations []health.Observation) ObserveResult {
	var result ObserveResult
	total := 0
	for _, o := range observations {
		size, problem := sizeOf(o)
		if problem != "" && o.Logs != nil {
			// Logs never keep a verdict from being made.
			o.Logs = &health.LogReading{Reason: "they have too many kinds of lines"}
			size, problem = sizeOf(o)
		}
		if len(result.Observations) > 0 && (problem != "" || total+size > resultBytes) {
			break
		}
		if problem != "" {
			return ObserveResult{
				Observations: []health.Observation{unseenAt(o.Cluster, o.At, problem)},
				Bytes:        []int{0},
				Failure:      problem,
			}
		}
		result.Observations = append(result.Observations, o)
		result.Bytes = append(result.Bytes, size)
		total += size
	}
	return result
}

// sizeOf returns the size of an observation in JSON, or why no event of a
// workflow's history can hold it.
func sizeOf(o health.Observation) (size int, problem string) {
	encoded, err := json.Marshal(o)
	switch {
	case err != nil:
		return 0, fmt.Sprintf("the observation of %s cannot be written as JSON: %v", o.At, err)
	case len(encoded) > observationBytes:
		return 0, fmt.Sprintf("the observation of %s has %d KiB, more than the %d KiB that a workflow can hold; "+
			"narrow the selector or lower the number of task queues observed", o.At, len(encoded)>>10, observationBytes>>10)
	}
	return len(encoded), ""
}
