package explain

import (
	"fmt"
	"strings"

	"github.com/temporal-sre/copilot/pkg/health"
)

// maxRemarks bounds what is said of the logs.
const maxRemarks = 3

// logs says what is news in the logs, that which belongs to an issue first, as
// the narrative orders it.
func logs(a *health.Assessment) []string {
	if a.Logs == nil {
		return nil
	}
	var remarks []string
	for i := range a.Logs.Patterns {
		p := &a.Logs.Patterns[i]
		if p.News == health.NewsNone || len(remarks) == maxRemarks {
			continue
		}
		if p.Severity == health.LogEvent && len(p.Ties) == 0 && a.State == health.Happy {
			continue // things happen on a healthy cluster
		}
		remarks = append(remarks, remark(a, p))
	}
	if a.Logs.Reason != "" {
		remarks = append(remarks, "The logs could not be read, so this rests on metrics alone: "+a.Logs.Reason+".")
	}
	return remarks
}

// remark tells of one pattern: who wrote it, how often, since when, and how that
// lies to what the metrics saw.
func remark(a *health.Assessment, p *health.LogPattern) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s", writer(p), p.Pattern)
	if p.News == health.NewsOver {
		fmt.Fprintf(&text, ", over since %s", p.LastAt)
	} else {
		fmt.Fprintf(&text, ", %s since %s", times(p.Count), p.FirstAt)
		if p.News == health.NewsMore && p.UsualPerSec != nil {
			fmt.Fprintf(&text, " (%s/s, usually %s/s)", rate(p.PerSec), rate(*p.UsualPerSec))
		}
	}
	if len(p.Ties) > 0 {
		text.WriteString(lag(a, &p.Ties[0]))
	}
	return text.String() + "."
}

// writer is who wrote the lines of a pattern, and of what.
func writer(p *health.LogPattern) string {
	who := p.Service
	if who == "" {
		who = "the server"
	}
	if p.Scope.Kind == health.KindTaskQueue {
		who += " of " + p.Scope.Name
	}
	return strings.ToUpper(who[:1]) + who[1:]
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
		return fmt.Sprintf("; %s before %s", health.AgoSeconds(tie.LagSec), title)
	case tie.LagSec <= -1:
		return fmt.Sprintf("; %s after %s", health.AgoSeconds(-tie.LagSec), title)
	}
	return "; together with " + title
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
		if p.Severity == health.LogError && len(p.Ties) > 0 && p.Ties[0].LagSec >= 1 && (first == nil || p.FirstAt.Before(first.FirstAt)) {
			first = p
		}
	}
	if first == nil {
		return ""
	}
	return fmt.Sprintf(" In the logs since %s: %s.", first.FirstAt, first.Pattern)
}
