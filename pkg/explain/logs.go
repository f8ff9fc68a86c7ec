package explain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/temporal-sre/copilot/pkg/health"
)

// maxRemarks bounds what is said of the logs.
const maxRemarks = 3

// logs says what is news in the logs, that which belongs to an issue first, as
// the narrative orders it. A pattern that several services wrote is told once.
func logs(a *health.Assessment) []string {
	if a.Logs == nil {
		return nil
	}
	var remarks, told []string
	for i := range a.Logs.Patterns {
		p := &a.Logs.Patterns[i]
		if p.News == health.NewsNone || len(remarks) == maxRemarks || slices.Contains(told, p.ID) {
			continue
		}
		if len(p.Ties) == 0 && (p.Severity == health.LogEvent || p.News == health.NewsOver) {
			continue // things happen and pass, on healthy clusters, too
		}
		told = append(told, p.ID)
		remarks = append(remarks, remark(a, a.Logs.Patterns[i:]))
	}
	switch {
	case a.Logs.Reason == "":
	case a.Logs.Patterns != nil:
		remarks = append(remarks, fmt.Sprintf("The logs after %s could not be read: %s.", a.Logs.To, a.Logs.Reason))
	default:
		remarks = append(remarks, "The logs could not be read, so this rests on metrics alone: "+a.Logs.Reason+".")
	}
	return remarks
}

// remark tells of the first of some patterns, and of the others that are the
// same: what, who wrote it, how often, since when, and how that lies to what the
// metrics saw.
func remark(a *health.Assessment, patterns []health.LogPattern) string {
	id := patterns[0].ID
	first := &patterns[0] // of those that are tied to something, the earliest
	var writers []string
	var lines int64
	over, last := true, first.LastAt
	for i := range patterns {
		p := &patterns[i]
		if p.ID != id || p.News == health.NewsNone {
			continue
		}
		lines += p.Count
		over = over && p.News == health.NewsOver
		if p.LastAt.After(last) {
			last = p.LastAt
		}
		if who := writer(p); !slices.Contains(writers, who) {
			writers = append(writers, who)
		}
		if earlier := p.FirstAt.Before(first.FirstAt); len(p.Ties) > 0 && (len(first.Ties) == 0 || earlier) || earlier && len(first.Ties) == 0 {
			first = p
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s)", capital(first.Pattern), health.List(writers))
	switch span := max(1, a.Logs.To.Sub(a.Logs.From).Minutes()); {
	case over:
		fmt.Fprintf(&text, ": from %s to %s", first.FirstAt, last)
	case first.News == health.NewsMore:
		fmt.Fprintf(&text, ": %s in %.0f min, since %s far more than usual", times(lines), span, first.FirstAt)
	default:
		fmt.Fprintf(&text, ": %s in %.0f min, since %s", times(lines), span, first.FirstAt)
	}
	if len(first.Ties) > 0 {
		text.WriteString(lag(a, &first.Ties[0]))
	}
	return text.String() + "."
}

// capital begins a text with a capital.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// writer is who wrote the lines of a pattern, and of what.
func writer(p *health.LogPattern) string {
	who := p.Service
	if who == "" || who == "temporal" {
		who = "the server" // one process runs all services, and the line does not say which
	}
	if p.Scope.Kind == health.KindTaskQueue {
		who += " of " + p.Scope.Name
	}
	return who
}

// times says how many lines there were.
func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// lag says how a pattern lies in time to the issue that it is tied to.
func lag(a *health.Assessment, tie *health.LogTie) string {
	title := "what the metrics show"
	for i := range a.Issues {
		if a.Issues[i].ID == tie.Issue {
			title = "“" + a.Issues[i].Title + "”"
		}
	}
	switch {
	case tie.LagSec >= 1:
		return fmt.Sprintf(", %s before %s", health.AgoSeconds(tie.LagSec), title)
	case tie.LagSec <= -1:
		return fmt.Sprintf(", %s after %s", health.AgoSeconds(-tie.LagSec), title)
	}
	return ", together with " + title
}

// harbinger is a sentence on the pattern of errors that came before everything
// that the metrics show, if there is one.
func harbinger(a *health.Assessment) string {
	if a.Logs == nil || a.State <= health.Happy {
		return ""
	}
	var first *health.LogPattern
	for i := range a.Logs.Patterns {
		p := &a.Logs.Patterns[i]
		foreseen := !strings.HasPrefix(p.ID, "other.")
		if foreseen && p.Severity == health.LogError && len(p.Ties) > 0 && p.Ties[0].LagSec >= 1 && (first == nil || p.FirstAt.Before(first.FirstAt)) {
			first = p
		}
	}
	if first == nil {
		return ""
	}
	return fmt.Sprintf(" In the logs since %s: %s.", first.FirstAt, first.Pattern)
}
