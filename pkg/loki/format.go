package loki

import "strings"

// Lines are written in several ways: Temporal's server writes JSON, or tab
// separated text with JSON behind it (zap's console encoder); workers write
// JSON, logfmt (what Go's log/slog calls text), or plain text with a level
// somewhere. One pipeline reads all of them, so that no line is missed or counted
// twice whatever a deployment mixes. What each parser found is under a prefix of
// its own: c_ of JSON, p_ of the text before it, l_ of logfmt, x_ of plain text.

// fields are what is read from structured lines: the label without prefix and
// the key. Temporal's server writes service, component, lifecycle, wf-namespace
// and wf-task-queue-name (its common/log/tag); the SDKs write Namespace,
// TaskQueue, WorkerID and Error (Go SDK, internal/internal_logging_tags.go)
// through whichever logger they were given. Python's structlog calls the message
// event.
var fields = []struct{ label, key string }{
	{"level", "level"},
	{"level2", "severity"},
	{"msg", "msg"},
	{"msg2", "message"},
	{"msg3", "event"},
	{"err", "error"},
	{"err2", "Error"},
	{"err3", "PanicError"},
	{"svc", "service"},
	{"at", "logging-call-at"},
	{"worker", "WorkerID"},
	{"comp", "component"},
	{"logger", "logger"},
	{"life", "lifecycle"},
	{"ns", "wf-namespace"},
	{"ns2", "Namespace"},
	{"tq", "wf-task-queue-name"},
	{"tq2", "TaskQueue"},
}

const (
	// levels are the names of the levels whose lines all count.
	levels = `(?:err(?:or)?|warn(?:ing)?|d?panic|fatal|critical|severe)`
	// frame is a line of a stack trace of Go, of which zap's console encoder
	// writes some twenty for every error: the sooner they are passed over the better.
	frame = `^(?:\t|go\.|google\.golang\.org/|github\.com/|net/|runtime\.|main\.)`
	// words are the begins of those names in the cases that they are written in.
	// Loki looks for such words much faster than for an expression.
	words = `err|ERR|Err|warn|WARN|Warn|panic|PANIC|Panic|fatal|FATAL|Fatal|critical|CRITICAL|Critical|severe|SEVERE|Severe`
	// telling is what a line of such a level contains, without regard to case: a
	// level's name as a word. In lines of a stack trace it is a part of a name.
	telling = `"(?:level|severity)"\s*:\s*"` + levels + `"|(?:^|level="?|[\s\[(|])` + levels + `(?:[\s\])|:,"]|$)`
	// console is a line of zap's console encoder.
	console = `(?s)^(?P<p_time>[^\s{]\S*)\t(?P<p_level>[A-Za-z]+)\t(?P<p_msg>.*?)(?:\t(?P<p_fields>\{.*\}))?\s*$`
	// plain is any other line with a level; the first one counts.
	plain = `(?is)^(?:[^{].*?[\s\[(|])?(?P<x_level>trace|debug|info|notice|` + levels + `)[\s\])|:,]+(?:-\s)?(?P<x_msg>.*)$`
	// message is a template for what a line says. A line may have none.
	message = "(or .p_msg .c_msg .c_msg2 .c_msg3 .l_msg .l_msg2 .l_msg3 .x_msg)"
	// logger is a template for the name of what wrote a line without a message.
	logger = "(or .c_comp .l_comp .c_logger .l_logger)"
	// whole is the template of the line as it was before it was parsed.
	whole = "{{if .p_fields}}{{.p_time}}\t{{.p_level}}\t{{.p_msg}}\t{{.p_fields}}{{else}}{{__line__}}{{end}}"
)

// parse are the stages that make labels of a line.
var parse = "| regexp `" + console + "`" +
	" | line_format `{{if .p_fields}}{{.p_fields}}{{else}}{{__line__}}{{end}}`" +
	" | json " + jsonFields() +
	" | logfmt " + logfmtFields() +
	" | regexp `" + plain + "`"

// jsonFields are the expressions of LogQL's json parser.
func jsonFields() string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = "c_" + f.label + `="[\"` + f.key + `\"]"`
	}
	return strings.Join(list, ",")
}

// logfmtFields are the expressions of LogQL's logfmt parser, whose keys have no
// dashes.
func logfmtFields() string {
	var list []string
	for _, f := range fields {
		if !strings.Contains(f.key, "-") {
			list = append(list, "l_"+f.label+`="`+f.key+`"`)
		}
	}
	return strings.Join(list, ",")
}

// logfmtHint is a part of a template that gives nothing and names the keys of
// logfmt. A metric query of Loki reads only what it sees a use for, and does not
// see that a key is used by another name.
func logfmtHint() string {
	hint := "{{if false}}"
	for _, f := range fields {
		if !strings.Contains(f.key, "-") {
			hint += "{{." + f.key + "}}"
		}
	}
	return hint + "{{end}}"
}

// formatOf names the way in which a line is written.
func formatOf(text string) string {
	switch {
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		return "JSON"
	case isConsole.MatchString(text):
		return "console"
	case isLogfmt.MatchString(text):
		return "logfmt"
	}
	return "plain text"
}
