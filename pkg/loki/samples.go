package loki

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// longestLine bounds a sample, in bytes.
	longestLine = 500
	// linesASample is how many lines are looked at for one sample: those that a
	// filter lets through need not all be of the template.
	linesASample = 10
	mostSamples  = 20
)

// line is a log line with its labels.
type line struct {
	labels map[string]string
	at     instant.Instant
	text   string
}

// stream is a stream of an answer to a log query.
type stream struct {
	Labels map[string]string `json:"stream"`
	Values []entry           `json:"values"`
}

// entry is a time in nanoseconds with a line. Newer versions may add what they
// know of the line.
type entry struct {
	at   instant.Instant
	text string
}

// UnmarshalJSON reads the pair of texts.
func (e *entry) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	var at string
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) < 2 {
		return fmt.Errorf("%.40s is not a time with a line", data)
	}
	if err := json.Unmarshal(parts[0], &at); err != nil {
		return err
	}
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return err
	}
	e.at = fromNanos(n)
	return json.Unmarshal(parts[1], &e.text)
}

// fetch asks for the newest lines after from and up to to.
func (s *Scanner) fetch(ctx context.Context, what, query string, from, to instant.Instant, limit int) ([]line, error) {
	// Loki takes the start in and leaves the end out.
	form := url.Values{
		"query":     {query},
		"start":     {nextNano(from)},
		"end":       {nextNano(to)},
		"limit":     {strconv.Itoa(limit)},
		"direction": {"backward"},
	}
	var answer struct {
		Type    string   `json:"resultType"`
		Streams []stream `json:"result"`
	}
	if err := s.query(ctx, what, form, &answer); err != nil {
		return nil, err
	}
	if answer.Type != "streams" {
		return nil, s.describe(&foreignError{why: fmt.Sprintf("a %q came where streams were expected", answer.Type)})
	}
	var lines []line
	for _, st := range answer.Streams {
		for _, e := range st.Values {
			lines = append(lines, line{labels: st.Labels, at: e.at, text: e.text})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return b.at.Compare(a.at) })
	return lines, nil
}

// Samples returns a few lines of a template that Scan returned, of those after
// from and up to to, the newest first. They are redacted and cut at 500 bytes; a
// limit of more than 20 counts as 20. Their Pattern is empty.
func (s *Scanner) Samples(ctx context.Context, t health.LogTemplate, from, to instant.Instant, limit int) ([]health.LogSample, error) {
	limit = min(limit, mostSamples)
	if limit < 1 || !from.Before(to) {
		return nil, nil
	}
	if err := s.restrained(); err != nil {
		return nil, err
	}
	samples, err := s.samples(ctx, t, from, to, limit)
	s.remember(ctx, err)
	return samples, err
}

// samples reads a few lines of a template.
func (s *Scanner) samples(ctx context.Context, t health.LogTemplate, from, to instant.Instant, limit int) ([]health.LogSample, error) {
	d, err := s.deployment(ctx, to)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	lines, err := s.fetch(ctx, "samples", d.queries.sample(t), from, to, limit*linesASample)
	if err != nil {
		return nil, err
	}
	var samples []health.LogSample
	for _, l := range lines {
		if len(samples) < limit && matches(t, s.template(l.labels)) {
			samples = append(samples, health.LogSample{At: l.at, Line: s.short(l.text)})
		}
	}
	return samples, nil
}

// matches tells whether a line's template is the one asked for, which may have
// been counted with less detail.
func matches(asked, got health.LogTemplate) bool {
	if asked.Namespace == "" {
		got.Namespace = ""
	}
	if asked.TaskQueue == "" {
		got.TaskQueue = ""
	}
	if asked.Error == "" {
		got.Error = ""
	}
	return asked == got
}

// sample is the query for lines of a template.
func (q queries) sample(t health.LogTemplate) string {
	return q.lines(messageAndError, literals(t)...) + " | line_format `" + whole + "`"
}

// unspelt is what a line may spell in another way than the text that was read
// from it: what varied, what was redacted, and what JSON escapes.
var unspelt = regexp.MustCompile(`<\*>|\[redacted:[^\]]*\]|[^\w !#$%'()*+,./:;=?@\[\]^{|}~-]+`)

// literals are line filters for the longest pieces of a template's texts. Of lines
// with control characters, for which blanks stand in the texts, they may find none.
func literals(t health.LogTemplate) []string {
	var filters []string
	for _, text := range []string{t.Message, t.Error, t.Component, t.Namespace, t.TaskQueue} {
		if text == "" || strings.HasSuffix(text, noMessage) {
			continue
		}
		piece := slices.MaxFunc(unspelt.Split(text, -1), func(a, b string) int { return cmp.Compare(len(a), len(b)) })
		if len(piece) > 1 {
			filters = append(filters, "|= `"+piece+"`")
		}
	}
	return filters
}

// short redacts a line and cuts it.
func (s *Scanner) short(text string) string {
	text = s.redact(text)
	if len(text) > longestLine {
		text = text[:longestLine-len("…")] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
