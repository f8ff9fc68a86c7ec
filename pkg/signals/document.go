package signals

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

//go:generate go run ./gendoc -out ../../docs/signals.md

// WriteDocument writes the catalogue for people to read, with the queries of
// the server's two dialects.
func WriteDocument(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Signals\n\nGenerated from `pkg/signals` by `go generate ./pkg/signals`; do not edit.\n\n" +
		"Every signal that the copilot measures. *Primary* signals decide the state, *amplifier* and *worker* signals explain it, and\n" +
		"*telemetry* signals tell whether the others can be believed. Rates are taken over three scrape intervals, at least 30 s, shown\n" +
		"here as `$window`. A selector given by the user is added to every series.\n\n" +
		"The rate of a counter that has no series beside living telemetry is 0, since a counter does not exist before its first event.\n" +
		"Any other signal without series has no value.\n")
	tally := Requests(Dialect{Server: TallyServer, Workers: []Naming{GoSDK}}, "", Windows{Server: time.Minute, Workers: time.Minute})
	otel := Requests(Dialect{Server: OTelServer, Workers: []Naming{GoSDK}}, "", Windows{Server: time.Minute, Workers: time.Minute})
	for _, class := range []health.Class{health.Primary, health.Amplifier, health.Worker, health.Telemetry} {
		title := string(class)
		fmt.Fprintf(&b, "\n## %s\n", strings.ToUpper(title[:1])+title[1:])
		for i, request := range tally {
			if request.Class != class {
				continue
			}
			fmt.Fprintf(&b, "\n### `%s`\n\n%s. %s\n\n| | |\n| --- | --- |\n", request.ID, request.Title, request.Meaning)
			fmt.Fprintf(&b, "| unit | %s |\n| by | %s |\n| for the cluster | %s |\n| from | %s |\n", request.Unit, request.Scope, request.Rollup, request.Source)
			fmt.Fprintf(&b, "\n```promql\n%s\n```\n", withWindow(request.Query))
			if otel[i].Query != request.Query {
				fmt.Fprintf(&b, "\nOpenTelemetry naming:\n\n```promql\n%s\n```\n", withWindow(otel[i].Query))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// withWindow puts the placeholder where the example's range stands.
func withWindow(query string) string { return strings.ReplaceAll(query, "[60s]", "[$window]") }
