package loki

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/temporal-sre/copilot/pkg/health"
)

// workers is the service of lines of Temporal's SDKs.
const workers = "workers"

// noMessage is the message of a line that has none, or the end of it.
const noMessage = "a line without a message"

// template reads the labels of a group of lines.
func (s *Scanner) template(labels map[string]string) health.LogTemplate {
	message, failure, _ := strings.Cut(labels["c_text"], strings.TrimSpace(separator))
	t := health.LogTemplate{
		Service:   serviceName(s.redact(labels["c_svc"])),
		Level:     s.redact(level(labels["c_level"])),
		Message:   s.clean(message),
		Error:     s.clean(failure),
		Component: s.redact(labels["c_comp"]),
		Lifecycle: s.redact(labels["c_life"]),
		Namespace: s.redact(labels["c_ns"]),
		TaskQueue: s.redact(labels["c_tq"]),
	}
	if t.Message == "" { // blanks only
		t.Message = noMessage
	}
	return t
}

// keptCode is what the first alternative of varying leaves behind a code.
var keptCode = regexp.MustCompile(`(SQLSTATE.\w{5}|\bTMPRL\d{4})<\*>`)

// clean finishes what Loki has begun, and redacts.
func (s *Scanner) clean(text string) string {
	text = keptCode.ReplaceAllString(text, "$1")
	if begin, _, isCut := strings.Cut(text, cutMark); isCut {
		text = wholeWords(begin)
	}
	return s.redact(text)
}

// wholeWords drops the last word of a text that was cut, which may be half a
// secret by which nothing tells it any more.
func wholeWords(text string) string {
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	return text[:strings.LastIndexFunc(text, unicode.IsSpace)+1] + "<*>"
}

// redact takes secrets and personal data out of a text, and characters that
// would act on a terminal.
func (s *Scanner) redact(text string) string {
	return s.cfg.Redact(strings.TrimSpace(printable(text)))
}

// printable makes a text valid UTF-8 and puts blanks in the place of control
// characters, but for tabs and new lines.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// level is the name of a level in health's words.
func level(name string) string {
	switch name {
	case "warning":
		return "warn"
	case "err", "critical", "severe", "dpanic": // zap's dpanic panics in development only
		return "error"
	}
	return name
}

// serviceName reduces what a deployment calls a service, with its prefixes and
// suffixes, to Temporal's name for it. Workers of the SDK have said so before.
func serviceName(name string) string {
	lower := strings.ToLower(name)
	switch {
	case strings.Contains(lower, "internal-frontend"):
		return "internal-frontend"
	case lower == workers || strings.HasSuffix(lower, "temporal-workers"):
		return workers
	}
	for _, service := range []string{"frontend", "history", "matching", "worker"} {
		if lower == service || strings.HasPrefix(lower, "temporal") && strings.HasSuffix(lower, "-"+service) {
			return service
		}
	}
	return name
}
