package signals

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

//go:generate go run ./gendoc -out ../../docs/signals.md

// introduction is what stands before the signals; %d are the numbers of queries.
const introduction = `# Signals

Generated from ` + "`pkg/signals`" + ` by ` + "`go generate ./pkg/signals`" + `; do not edit.

Every signal that the copilot measures. *Primary* signals decide the state, *amplifier* and *worker* signals explain it, and
*telemetry* signals tell whether the others can be believed. Rates are taken over three scrape intervals, at least 30 s, shown
here as ` + "`$window`" + `. A selector given by the user is added to every series.

The rate of a counter that has no series beside living telemetry is 0, since a counter does not exist before its first event.
Any other signal without series has no value. What only some deployments export is marked *optional*; its absence does not count
against what is seen.

## What it costs

One query a signal: %d for an observation of a self-hosted cluster and its workers, %d for Temporal Cloud, at most eight at a time
and each over one instant. A backtest asks for 120 observations with the same number of queries. About twenty small look-ups of
names and labels find out the dialect: once an hour, and each time as long as no worker has been seen to execute anything.
An observation names at most 200 task queues, the busiest; those with pollers and nothing else are left out first. How many were
left out stands in the observation, and the values for the cluster still count them.

## Dialects

The names below are those of the server with its default, tally. ` + "`copilot check`" + ` shows the dialect that it found; ` + "`--dialect`" + `
prescribes it, in the same words.

| dialect | counters | timers | dimensionless histograms |
| --- | --- | --- | --- |
| tally | as below | as below, in seconds | as below |
| opentelemetry | _total | _milliseconds | _ratio |
| prometheus | _total | _seconds | as below |
| cloud | temporal_cloud_v1_… | | |

Any mixture of suffixes is found too, and spelled out: those of OpenTelemetry with ` + "`withoutUnitSuffix`, `withoutCounterSuffix`" + ` or
` + "`recordTimerInSeconds`" + `, and those of the SDKs, of which a fleet may use several at once. The unit of timers without suffix is read from their bucket bounds:
milliseconds where the smallest is 1 or more and the largest 1000 or more, as in the Core SDKs, else seconds. Workers of two units
under one unsuffixed name cannot be told apart.

Tally replaces what is not a letter, digit or underscore in label values. Where the server or the workers do, all names are
compared and shown in that form. Whether they do is read from the names themselves.

Temporal Cloud publishes rates and percentiles of a minute three minutes late; ages are counted from there. It counts neither state
transitions nor added tasks: transitions are taken from the requests and polls that make one each, so timers do not show, and tasks
added from the tasks taken plus the slope of the backlog.
`

// WriteDocument writes the catalogue for people to read, with the queries of
// the server's two dialects and of Temporal Cloud.
func WriteDocument(w io.Writer) error {
	var b strings.Builder
	in := func(server Naming) []Request {
		return Requests(Dialect{Server: server, Workers: []Naming{GoSDK}}, "", Windows{Server: time.Minute, Workers: time.Minute})
	}
	tally, otel, cloud := in(TallyServer), in(OTelServer), in(CloudServer)
	fmt.Fprintf(&b, introduction, asked(tally), asked(cloud))
	for _, class := range []health.Class{health.Primary, health.Amplifier, health.Worker, health.Telemetry} {
		title := string(class)
		fmt.Fprintf(&b, "\n## %s\n", strings.ToUpper(title[:1])+title[1:])
		for i := range tally {
			if tally[i].Class == class {
				writeSignal(&b, &tally[i], &otel[i], &cloud[i])
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// asked counts the queries.
func asked(requests []Request) int {
	n := 0
	for i := range requests {
		if requests[i].Query != "" {
			n++
		}
	}
	return n
}

// writeSignal writes the section of one signal.
func writeSignal(b *strings.Builder, tally, otel, cloud *Request) {
	fmt.Fprintf(b, "\n### `%s`\n\n%s. %s\n\n| | |\n| --- | --- |\n", tally.ID, tally.Title, tally.Meaning)
	fmt.Fprintf(b, "| unit | %s |\n| by | %s |\n| for the cluster | %s |\n| from | %s |\n", tally.Unit, tally.Scope, tally.Rollup, tally.Source)
	if tally.Optional {
		b.WriteString("| optional | yes |\n")
	}
	fmt.Fprintf(b, "\n```promql\n%s\n```\n", withWindow(tally.Query))
	if otel.Query != tally.Query {
		fmt.Fprintf(b, "\nOpenTelemetry naming:\n\n```promql\n%s\n```\n", withWindow(otel.Query))
	}
	switch {
	case cloud.Query == "":
		fmt.Fprintf(b, "\n%s.\n", cloud.Absent)
	case cloud.Query != tally.Query:
		fmt.Fprintf(b, "\nTemporal Cloud:\n\n```promql\n%s\n```\n", withWindow(cloud.Query))
	}
}

// withWindow puts the placeholder where the example's range stands.
func withWindow(query string) string {
	return strings.NewReplacer("[60s]", "[$window]", "offset 60s", "offset $window", "/ 60)", "/ $window_seconds)").Replace(query)
}
