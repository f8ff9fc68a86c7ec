package loki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// windowsAtOnce bounds the windows of one range query, so that who catches up
	// gets on, however slow Loki is.
	windowsAtOnce = 20
	// After illAfter scans that failed in a row, only every askEvery-th scan asks:
	// a Loki that is ill is not pressed on.
	illAfter = 3
	askEvery = 4
)

// Scanner asks one Loki about one Temporal cluster. It is safe for concurrent
// use.
type Scanner struct {
	cfg    Config
	client *http.Client
	base   *url.URL

	mu       sync.Mutex
	found    *deployment
	cluster  string // the matcher for the watched cluster, once it was chosen
	atOnce   int    // windows of one query that Loki answers in time; 0: not known
	failures int    // scans that failed in a row
	skipped  int    // scans in a row that did not ask
	last     error  // why the last that asked failed
}

// New returns a scanner. It makes no request; the error is a ConfigError, or
// several joined.
func New(cfg Config) (*Scanner, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	client, base, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	return &Scanner{cfg: cfg, client: client, base: base}, nil
}

// Scan counts the lines after from and up to to, in consecutive windows that end
// at the multiples of step before to, and at to, which is one itself; the first
// window is shorter when from is none, and begins at a whole millisecond, since
// Loki's ranges are no finer. It returns the windows that could be read
// up to the first failure, in order, with the error.
func (s *Scanner) Scan(ctx context.Context, from, to instant.Instant, step time.Duration) ([]health.LogWindow, error) {
	if step < time.Second || step%time.Millisecond != 0 || to.Truncate(step) != to || to.Before(from) {
		return nil, fmt.Errorf("scan logs from %s to %s in windows of %s: want windows of at least 1s, and an end that is a multiple of them and not before the start", from, to, step)
	}
	if from == to {
		return nil, nil
	}
	if err := s.restrained(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	atOnce := cmp.Or(s.atOnce, windowsAtOnce)
	s.mu.Unlock()
	windows, err := s.scan(ctx, tile(from.Truncate(time.Millisecond), to, step, atOnce))
	if len(windows) > 0 {
		s.remember(ctx, nil) // it gets on, if slowly
	} else {
		s.remember(ctx, err)
	}
	return windows, err
}

// restrained returns why this scan must not ask, if so.
func (s *Scanner) restrained() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures < illAfter || s.skipped == askEvery-1 {
		s.skipped = 0
		return nil
	}
	s.skipped++
	return fmt.Errorf("not asked this time, since the last %d scans failed: %w", s.failures, s.last)
}

// remember keeps how a scan went.
func (s *Scanner) remember(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var none *NoLogsError
	switch {
	case err == nil, errors.As(err, &none):
		// That there are no logs is an answer.
		s.failures, s.last = 0, nil
	case errors.Is(ctx.Err(), context.Canceled):
		// Who asked has gone; that says nothing of Loki.
	default:
		s.failures, s.last = s.failures+1, err
		if s.failures == illAfter {
			s.found = nil
		}
	}
}

// span is a stretch of windows of one length, all of them for one request.
type span struct {
	from, to instant.Instant
	step     time.Duration // between the ends of windows
	length   time.Duration // of a window
}

// steps is how many windows a span has.
func (p span) steps() int { return int(p.to.Sub(p.from) / p.length) }

// shift is how long after the end of each window there is a multiple of the step
// counted from 1970: Loki moves the steps of a query to such multiples, and
// instants count theirs from another year.
func (p span) shift() time.Duration {
	over := time.Duration(p.to.Time().UnixNano() % p.step.Nanoseconds())
	return (p.step - over) % p.step
}

// tile cuts a range into windows that follow one another without gap or overlap,
// and into spans of so many of them at most.
func tile(from, to instant.Instant, step time.Duration, atOnce int) []span {
	var spans []span
	if first := from.Truncate(step); first != from {
		next := first.Add(step)
		spans = append(spans, span{from: from, to: next, step: step, length: next.Sub(from)})
		from = next
	}
	for from.Before(to) {
		end := from.Add(time.Duration(atOnce) * step)
		if end.After(to) {
			end = to
		}
		spans = append(spans, span{from: from, to: end, step: step, length: step})
		from = end
	}
	return spans
}

// scan reads the spans one after the other.
func (s *Scanner) scan(ctx context.Context, spans []span) ([]health.LogWindow, error) {
	d, err := s.deployment(ctx, spans[len(spans)-1].to)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	var windows []health.LogWindow
	for _, p := range spans {
		read, err := s.read(ctx, d, p)
		windows = append(windows, read...)
		if err != nil {
			return windows, err
		}
	}
	s.mu.Lock()
	s.atOnce = min(2*cmp.Or(s.atOnce, windowsAtOnce), windowsAtOnce)
	s.mu.Unlock()
	return windows, nil
}

// read reads one span. When its windows are too much for Loki together, in time
// or in kinds of lines, it reads parts of them, and at last tells lines apart
// less finely.
func (s *Scanner) read(ctx context.Context, d *deployment, p span) ([]health.LogWindow, error) {
	windows, slow, err := s.countInTime(ctx, d, p)
	if err == nil || !slow && !tooManySeries(err) {
		return windows, err
	}
	if n := p.steps(); n > 1 {
		size := (n + 1) / 2
		if slow {
			size = fewer(n)
		}
		windows = nil
		for part := p; part.from.Before(p.to); part.from = part.to {
			if part.to = part.from.Add(time.Duration(size) * p.length); part.to.After(p.to) {
				part.to = p.to
			}
			read, err := s.read(ctx, d, part)
			windows = append(windows, read...)
			if err != nil {
				return windows, err
			}
		}
		return windows, nil
	}
	for _, coarse := range details[1:] {
		if windows, err = s.count(ctx, d, p, coarse); err == nil || !tooManySeries(err) {
			return windows, err
		}
	}
	totals, err := s.totals(ctx, d, p)
	if err != nil {
		return nil, err
	}
	return []health.LogWindow{{From: p.from, To: p.to, Rest: totals[p.to]}}, nil
}

// countInTime counts the lines of a span's windows as finely as can be. Several
// windows have half of the time of a scan, so that there is some left for fewer
// of them; slow tells that this was not enough.
func (s *Scanner) countInTime(ctx context.Context, d *deployment, p span) (windows []health.LogWindow, slow bool, err error) {
	if p.steps() == 1 {
		windows, err = s.count(ctx, d, p, details[0])
		return windows, false, err
	}
	ask, cancel := context.WithTimeout(ctx, s.cfg.Timeout/2)
	defer cancel()
	windows, err = s.count(ask, d, p, details[0])
	if slow = err != nil && ctx.Err() == nil && errors.Is(ask.Err(), context.DeadlineExceeded); slow {
		s.mu.Lock()
		s.atOnce = fewer(p.steps())
		s.mu.Unlock()
	}
	return windows, slow, err
}

// fewer is how many of some windows are tried after all of them took too long.
func fewer(windows int) int { return max(1, windows/4) }

// row is a series of a metric query's answer.
type row struct {
	Metric map[string]string `json:"metric"`
	Values []point           `json:"values"`
}

// point is a time in seconds with a value.
type point struct {
	at    int64 // in milliseconds
	value int64
}

// UnmarshalJSON reads the pair of a number and a text.
func (p *point) UnmarshalJSON(data []byte) error {
	at, value, err := pair(data)
	if err != nil {
		return err
	}
	p.at, p.value = int64(math.Round(at*1000)), int64(math.Round(value))
	return nil
}

// matrix is the answer to a metric query over a range.
type matrix struct {
	Type string `json:"resultType"`
	Rows []row  `json:"result"`
}

// ask makes a metric query whose windows end at each step of a span, or as much
// later as the span is shifted.
func (s *Scanner) ask(ctx context.Context, what, query string, p span) ([]row, error) {
	form := url.Values{
		"query": {query},
		"start": {nanos(p.from.Add(p.length + p.shift()))},
		"end":   {nanos(p.to.Add(p.shift()))},
		"step":  {strconv.FormatFloat(p.step.Seconds(), 'f', -1, 64)},
	}
	var m matrix
	if err := s.query(ctx, what, form, &m); err != nil {
		return nil, err
	}
	if m.Type != "matrix" {
		return nil, s.describe(&foreignError{why: fmt.Sprintf("a %q came where a matrix was expected", m.Type)})
	}
	return m.Rows, nil
}

// count counts the lines of a span's windows.
func (s *Scanner) count(ctx context.Context, d *deployment, p span, fine detail) ([]health.LogWindow, error) {
	windows := make([]health.LogWindow, p.steps())
	index := make(map[int64]int, len(windows))
	for i := range windows {
		windows[i].From = p.from.Add(time.Duration(i) * p.length)
		windows[i].To = windows[i].From.Add(p.length)
		index[windows[i].To.Add(p.shift()).UnixMilli()] = i
	}
	// One more than is kept tells that there are more.
	rows, err := s.ask(ctx, "counts", d.queries.count(fine, p.length, p.shift(), s.cfg.MaxTemplates+1), p)
	if err != nil {
		return nil, err
	}
	kinds := make([]int, len(windows))
	for _, r := range rows {
		t := s.template(r.Metric)
		for _, v := range r.Values {
			i, known := index[v.at]
			if !known {
				return nil, s.describe(&foreignError{why: fmt.Sprintf("a count up to %s came, which nobody asked for", instant.FromUnixMilli(v.at))})
			}
			windows[i].Counts = append(windows[i].Counts, health.LogCount{LogTemplate: t, Lines: v.value})
			windows[i].Rest -= v.value
			kinds[i]++
		}
	}
	var totals map[instant.Instant]int64
	if slices.Max(kinds) > s.cfg.MaxTemplates {
		if totals, err = s.totals(ctx, d, p); err != nil {
			return nil, err
		}
	}
	for i := range windows {
		// Lines may have come in between, never gone.
		windows[i].Rest = max(0, windows[i].Rest+totals[windows[i].To])
		s.bound(&windows[i])
	}
	return windows, nil
}

// totals counts the lines of a span's windows, whatever they are, by the end of
// the window.
func (s *Scanner) totals(ctx context.Context, d *deployment, p span) (map[instant.Instant]int64, error) {
	rows, err := s.ask(ctx, "total", d.queries.total(p.length, p.shift()), p)
	if err != nil {
		return nil, err
	}
	totals := map[instant.Instant]int64{}
	for _, r := range rows {
		for _, v := range r.Values {
			totals[instant.FromUnixMilli(v.at).Add(-p.shift())] += v.value
		}
	}
	return totals, nil
}

// bound brings a window's counts into order and keeps the most frequent.
func (s *Scanner) bound(w *health.LogWindow) {
	w.Normalize()
	if len(w.Counts) <= s.cfg.MaxTemplates {
		return
	}
	slices.SortStableFunc(w.Counts, func(a, b health.LogCount) int { return cmp.Compare(b.Lines, a.Lines) })
	for _, c := range w.Counts[s.cfg.MaxTemplates:] {
		w.Rest += c.Lines
	}
	w.Counts = w.Counts[:s.cfg.MaxTemplates]
	w.Normalize()
}
