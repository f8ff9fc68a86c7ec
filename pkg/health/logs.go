package health

import (
	"cmp"
	"slices"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// LogTemplate is what log lines have in common that are counted together. Its
// texts hold no secrets and no personal data, and what differs from line to line
// is replaced by <*>.
type LogTemplate struct {
	// Service is the Temporal service that wrote the lines, "workers" for
	// Temporal's SDK, or what the log's labels call the writer.
	Service string `json:"service,omitempty"`
	// Level is debug, info, warn, error, panic or fatal; empty when the lines do
	// not tell.
	Level   string `json:"level,omitempty"`
	Message string `json:"msg"`
	// Error is the text of the error that the lines carry beside the message.
	Error string `json:"error,omitempty"`
	// Component and Lifecycle are those of Temporal's structured log lines.
	Component string `json:"component,omitempty"`
	Lifecycle string `json:"lifecycle,omitempty"`
	// Namespace and TaskQueue are those that the lines speak of.
	Namespace string `json:"namespace,omitempty"`
	TaskQueue string `json:"task_queue,omitempty"`
}

// Compare orders templates.
func (t LogTemplate) Compare(o LogTemplate) int {
	return cmp.Or(
		cmp.Compare(t.Service, o.Service), cmp.Compare(t.Level, o.Level),
		cmp.Compare(t.Message, o.Message), cmp.Compare(t.Error, o.Error),
		cmp.Compare(t.Component, o.Component), cmp.Compare(t.Lifecycle, o.Lifecycle),
		cmp.Compare(t.Namespace, o.Namespace), cmp.Compare(t.TaskQueue, o.TaskQueue),
	)
}

// LogCount is how many lines a template had.
type LogCount struct {
	LogTemplate
	Lines int64 `json:"lines"`
}

// LogWindow is what the logs held between two instants: the lines with a time
// after From and up to To. Windows follow one another without gap or overlap. A
// window may be read again later, for lines that came late; it then holds all of
// its lines.
type LogWindow struct {
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
	// Counts are ordered by template, one a template.
	Counts []LogCount `json:"counts,omitempty"`
	// Rest is how many further lines there were of templates that were left
	// out because there were too many; the most frequent are kept.
	Rest int64 `json:"rest,omitempty"`
}

// Normalize brings the counts into their order and adds up those of one template.
func (w *LogWindow) Normalize() {
	slices.SortFunc(w.Counts, func(a, b LogCount) int { return a.Compare(b.LogTemplate) })
	merged := w.Counts[:0]
	for _, c := range w.Counts {
		if last := len(merged) - 1; last >= 0 && merged[last].LogTemplate == c.LogTemplate {
			merged[last].Lines += c.Lines
			continue
		}
		merged = append(merged, c)
	}
	w.Counts = merged
}

// LogReading is what was read from the logs for one observation.
type LogReading struct {
	// Windows are ordered by time; empty when nothing could be read.
	Windows []LogWindow `json:"windows,omitempty"`
	// Samples are a few lines of patterns that somebody asked for.
	Samples []LogSample `json:"samples,omitempty"`
	// Reason says why the logs could not be read, or not all of them; empty when
	// they were.
	Reason string `json:"reason,omitempty"`
}

// LogSample is a log line as an example of a pattern, redacted.
type LogSample struct {
	// Pattern is the key of the pattern, as narrative.Ask names it.
	Pattern string          `json:"pattern"`
	At      instant.Instant `json:"at"`
	Line    string          `json:"line"`
}

// LogSeverity says what the lines of a pattern are.
type LogSeverity string

// The severities of log patterns.
const (
	// LogError: something failed.
	LogError LogSeverity = "error"
	// LogWarning: something had to be tried again, or nearly failed.
	LogWarning LogSeverity = "warning"
	// LogEvent: something happened that explains others, such as a shard that
	// moved.
	LogEvent LogSeverity = "event"
)

// News compares a pattern with its own recent past.
type News string

// The news of a pattern.
const (
	// NewsNew: it was not there in the hour before.
	NewsNew News = "new"
	// NewsMore: it is much more frequent than it was in the hour before.
	NewsMore News = "more"
	// NewsNone: it is as frequent as usual.
	NewsNone News = "usual"
	// NewsOver: it was news, and has stopped.
	NewsOver News = "over"
)

// Narrative is what the logs tell beside an assessment: the narrative signals of
// requirement R1.2. It explains a state and never changes one.
type Narrative struct {
	// To is up to when the logs were read, and From since when the counts count.
	From instant.Instant `json:"from,omitzero"`
	To   instant.Instant `json:"to,omitzero"`
	// Reason says why the logs could not be read up to the assessment's instant;
	// empty when they were.
	Reason string `json:"reason,omitempty"`
	// Patterns is null where the logs could not be read, and empty where nothing
	// was found; else what was found, the most telling first.
	Patterns []LogPattern `json:"patterns"`
	// Counts are the lines of all patterns in each of the windows that were read
	// for this assessment, some of them for the second time.
	Counts []LogPatternCount `json:"counts,omitempty"`
	// Alarms are the ids of the error patterns that have just been news for long
	// enough to be worth an assessment of their own (requirement R2.3); each once
	// an episode.
	Alarms []string `json:"alarms,omitempty"`
}

// LogPattern is one pattern that was found in the logs.
type LogPattern struct {
	// ID is that of the pattern in the catalogue (package narrative), or
	// "other." and a fingerprint for one that nobody foresaw.
	ID string `json:"id"`
	// Pattern says what was found: the catalogue's words, or the template.
	Pattern string `json:"pattern"`
	// Service is as in LogTemplate.
	Service string `json:"service"`
	// Scope is the namespace or task queue that the lines speak of, if it is
	// always the same one; else the cluster.
	Scope    Scope       `json:"scope,omitzero"`
	Severity LogSeverity `json:"severity"`
	// Count is the number of lines between the narrative's From and To.
	Count int64 `json:"count"`
	// PerSec is the rate over the last window, UsualPerSec that of the hour
	// before the pattern became news. Nil when too little of it was read.
	PerSec      float64  `json:"per_sec"`
	UsualPerSec *float64 `json:"usual_per_sec,omitempty"`
	News        News     `json:"news"`
	// FirstAt is the begin of the window in which it became news, or first came;
	// LastAt the end of the last window with a line of it.
	FirstAt instant.Instant `json:"first_at"`
	LastAt  instant.Instant `json:"last_at"`
	// Ties are the issues that it belongs to.
	Ties []LogTie `json:"ties,omitempty"`
	// Samples are a few redacted lines.
	Samples []string `json:"samples,omitempty"`
}

// LogTie says that a pattern belongs to an issue, by what it means, where it was
// written, and when.
type LogTie struct {
	// Issue is the id of the issue, Gate that of the gate that it rests on.
	Issue string `json:"issue"`
	Gate  string `json:"gate"`
	Scope Scope  `json:"scope,omitzero"`
	// LagSec is how long after the first line the issue was first seen, in
	// seconds; negative when the issue came first.
	LagSec float64 `json:"lag_sec"`
}

// LogPatternCount is how many lines a pattern had in one window.
type LogPatternCount struct {
	ID       string      `json:"id"`
	Pattern  string      `json:"pattern"`
	Service  string      `json:"service,omitempty"`
	Queue    Scope       `json:"queue,omitzero"`
	Severity LogSeverity `json:"severity"`
	// At is the end of the window.
	At    instant.Instant `json:"at"`
	Lines int64           `json:"lines"`
	News  News            `json:"news"`
}
