package score

import (
	"fmt"
	"slices"

	"github.com/temporal-sre/copilot/pkg/health"
)

// Logs compares what assessments tell of the logs with what is true of them, and
// returns what is wrong, one sentence each. A pattern is found where lines of it
// were counted in a window that ends in the interval.
func Logs(truth *Truth, assessments []health.Assessment) []string {
	var wrong []string
	for _, interval := range truth.Logs {
		told := toldIn(&interval, assessments)
		at := fmt.Sprintf("%s to %s: ", interval.From, interval.To)
		for _, id := range interval.Found {
			if told.lines[id] == 0 {
				wrong = append(wrong, at+id+" is not found")
			}
		}
		for _, id := range interval.NotFound {
			if n := told.lines[id]; n > 0 {
				wrong = append(wrong, fmt.Sprintf("%s%s is found, with %d lines", at, id, n))
			}
		}
		for _, tie := range interval.Tied {
			if !slices.Contains(told.ties, tie) {
				wrong = append(wrong, at+tie.Pattern+" is not tied to "+tie.Gate)
			}
		}
		if interval.Nothing {
			for _, id := range told.news {
				wrong = append(wrong, at+id+" is news")
			}
		}
		if told.unread != "" {
			wrong = append(wrong, at+"the logs could not be read: "+told.unread)
		}
	}
	return wrong
}

// told is what assessments tell of the logs of an interval.
type told struct {
	lines  map[string]int64
	ties   []Tie
	news   []string // patterns of errors
	unread string
}

func toldIn(interval *LogInterval, assessments []health.Assessment) told {
	t := told{lines: map[string]int64{}}
	for i := range assessments {
		a := &assessments[i]
		if a.Logs == nil {
			continue
		}
		for _, c := range a.Logs.Counts {
			if c.At.After(interval.From) && !c.At.After(interval.To) {
				t.lines[c.ID] += c.Lines
			}
		}
		if a.At.Before(interval.From) || !a.At.Before(interval.To) {
			continue
		}
		t.unread = max(t.unread, a.Logs.Reason)
		for j := range a.Logs.Patterns {
			p := &a.Logs.Patterns[j]
			for _, tie := range p.Ties {
				t.ties = append(t.ties, Tie{Pattern: p.ID, Gate: tie.Gate})
			}
			isNews := p.News == health.NewsNew || p.News == health.NewsMore
			if p.Severity == health.LogError && isNews && !slices.Contains(t.news, p.ID) {
				t.news = append(t.news, p.ID)
			}
		}
	}
	return t
}
