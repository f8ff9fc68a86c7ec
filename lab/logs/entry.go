// Package logs follows the log files of the lab's parts as a log agent does:
// each line becomes an entry with a time and labels, which is handed on in
// order and kept for the recording.
package logs

import (
	"regexp"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Entry is one line of a log.
type Entry struct {
	// Nanos is the line's time in nanoseconds since 1970 (UTC). In JSON it is a
	// text, as in Loki's API: many a language's numbers do not hold it.
	Nanos int64 `json:"ts,string"`
	// Labels are those of the stream that the line belongs to.
	Labels map[string]string `json:"labels"`
	Line   string            `json:"line"`
}

// At is the line's time.
func (e Entry) At() instant.Instant { return instant.FromTime(time.Unix(0, e.Nanos)) }

// stamped finds the time with which a line begins: in zap's JSON and console
// formats and in slog's JSON and text.
var stamped = regexp.MustCompile(`^(?:\{.{0,40}?"(?:ts|time)":"|time=)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))`)

// stampOf reads the time that a line holds, if it holds one.
func stampOf(line []byte) (nanos int64, ok bool) {
	found := stamped.FindSubmatch(line)
	if found == nil {
		return 0, false
	}
	// Zap writes offsets without a colon.
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if at, err := time.Parse(layout, string(found[1])); err == nil {
			return at.UnixNano(), true
		}
	}
	return 0, false
}
