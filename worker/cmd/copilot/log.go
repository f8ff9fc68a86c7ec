package main

import (
	"cmp"
	"io"
	"log/slog"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// sdkNoise are the fields that Temporal's SDK puts on every line and that say
// the same on all of them, or nothing to a person.
var sdkNoise = map[string]bool{"Namespace": true, "TaskQueue": true, "WorkerID": true, "WorkflowType": true, "RunID": true, "ActivityID": true}

// newLogger returns a logger that writes one line an event, in UTC.
func newLogger(w io.Writer, format string) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		if sdkNoise[a.Key] {
			return slog.Attr{}
		}
		if a.Key == slog.TimeKey {
			a.Value = slog.StringValue(instant.FromTime(a.Value.Time()).String())
		}
		return a
	}}
	if cmp.Or(format, "text") == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
