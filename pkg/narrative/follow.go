package narrative

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// known is how much of the past has to be known, in seconds, before anything
	// is called news.
	known = 300
	// now is the time over which a pattern's present rate is taken.
	now = time.Minute
	// moreTimes is how many times its usual rate makes a pattern news, if that is
	// also more than chance gives: moreSigmas standard deviations of a Poisson
	// count, and moreLines.
	moreTimes, moreSigmas, moreLines = 3.0, 4.0, 5.0
	// newLines is how many lines of a pattern that nobody foresaw make it news;
	// of one that the catalogue knows, a single one does.
	newLines = 3
	// overAfter is how long a pattern has to be as usual before its episode is
	// said to be over, and forgetAfter before it is forgotten.
	overAfter   = 90 * time.Second
	forgetAfter = 10 * time.Minute
	// usualAfter is how long an episode may last before it is what is usual.
	usualAfter = time.Hour
	// sustained is how many windows with lines make an episode worth an
	// assessment of its own (requirement R2.3).
	sustained = 3
	// samplesAt bounds the lines that are asked for at a time, in patterns; each
	// is asked for samplesTries times at most.
	samplesAt, samplesTries = 4, 3
	// SamplesOfPattern is how many lines are kept as an example of a pattern.
	SamplesOfPattern = 3
)

// Follow takes what was read from the logs into memory. A window that was
// followed already counts again if it has more lines now, those that came late;
// what is older than five minutes no longer changes. The counts are those of the
// patterns in each window that counted, 0 for what a window no longer has. The
// reading is that of an observation of the instant at: if nothing could ever be
// read, the first window will begin there.
func Follow(m Memory, r health.LogReading, at instant.Instant) (next Memory, counts []health.LogPatternCount) {
	next = m.clone()
	next.Reason = r.Reason
	if len(r.Windows) == 0 && next.Next.IsZero() {
		next.Next = at
	}
	if r.Reason == "" {
		// Who was asked for examples has looked for them.
		for _, ask := range m.Wanted() {
			if i, ok := next.track(ask.Pattern); ok {
				next.Tracks[i].Asked++
			}
		}
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		if next.Next.IsZero() || !w.From.Before(next.Next) {
			counts = next.append(w, counts)
		} else {
			counts = next.recount(w, counts)
		}
	}
	for _, s := range r.Samples {
		if i, ok := next.track(s.Pattern); ok {
			t := &next.Tracks[i]
			if len(t.Samples) < SamplesOfPattern && !slices.Contains(t.Samples, s.Line) {
				t.Samples = append(slices.Clone(t.Samples), s.Line)
			}
		}
	}
	return next, counts
}

// append follows a new window.
func (m *Memory) append(w *health.LogWindow, counts []health.LogPatternCount) []health.LogPatternCount {
	m.age(w.To)
	m.Windows = append(m.Windows, bounds(w))
	for i := range m.Tracks {
		m.Tracks[i].Recent = append(m.Tracks[i].Recent, 0)
	}
	at := len(m.Windows) - 1
	m.count(w, at)
	m.Next = w.To
	for i := range m.Tracks {
		m.compare(&m.Tracks[i])
	}
	counts = m.counts(counts, at, nil)
	m.forget()
	return counts
}

// recount follows a window again, if it has lines that came late.
func (m *Memory) recount(w *health.LogWindow, counts []health.LogPatternCount) []health.LogPatternCount {
	at := m.window(w)
	if at < 0 || !m.Windows[at].Tells(w) {
		return counts
	}
	had := map[string]bool{}
	for i := range m.Tracks {
		t := &m.Tracks[i]
		had[t.key()], t.Recent[at] = t.Recent[at] > 0, 0
	}
	m.Windows[at] = bounds(w)
	m.count(w, at)
	return m.counts(counts, at, had)
}

// age moves windows that are no longer recent into the past.
func (m *Memory) age(to instant.Instant) {
	for len(m.Windows) > 0 && (!m.Windows[0].To.After(to.Add(-recently)) || len(m.Windows) >= maxWindows) {
		seconds := m.Windows[0].seconds()
		keep := math.Exp2(-seconds / halfLife.Seconds())
		m.PastSec = m.PastSec*keep + seconds
		for i := range m.Tracks {
			t := &m.Tracks[i]
			lines := float64(t.Recent[0])
			if t.News == health.NewsNew || t.News == health.NewsMore {
				// What is news is not what is usual.
				lines = t.Usual * seconds
			}
			t.Past = t.Past*keep + lines
			t.Recent = t.Recent[1:]
		}
		m.Windows = m.Windows[1:]
	}
}

// count adds the lines of a window to the tracks.
func (m *Memory) count(w *health.LogWindow, at int) {
	for _, c := range w.Counts {
		if c.Lines <= 0 {
			continue
		}
		t := m.of(c.LogTemplate, w)
		t.Recent[at] += c.Lines
		if w.To.After(t.LastAt) {
			t.LastAt, t.Template = w.To, c.LogTemplate
		}
		t.Scope = common(t.Scope, scopeOf(c.LogTemplate))
	}
}

// of finds or makes the track of a template.
func (m *Memory) of(template health.LogTemplate, w *health.LogWindow) *Track {
	t := Track{
		Service: template.Service, Template: template, Scope: scopeOf(template),
		News: health.NewsNone, FirstAt: w.From, LastAt: w.To,
	}
	if template.Service == Workers && template.TaskQueue != "" {
		t.Queue = health.TaskQueueScope(template.Namespace, template.TaskQueue)
	}
	if p, ok := Classify(template); ok {
		t.ID, t.Pattern, t.Severity = p.ID, p.Title, p.Severity
	} else {
		t.ID, t.Pattern = m.Miner.Group(template, w.To)
		t.Severity = severityOf(template.Level)
	}
	i, ok := m.track(t.key())
	if !ok && t.Queue.Name != "" && m.queues(&t) >= maxQueues {
		t.Queue = health.Scope{}
		i, ok = m.track(t.key())
	}
	if !ok {
		t.Recent = make([]int64, len(m.Windows))
		m.Tracks = slices.Insert(m.Tracks, i, t)
	}
	m.Tracks[i].Pattern = t.Pattern // that of a mined one becomes more general
	return &m.Tracks[i]
}

// queues is for how many task queues the pattern of a track is followed.
func (m *Memory) queues(of *Track) int {
	n := 0
	for i := range m.Tracks {
		if t := &m.Tracks[i]; t.ID == of.ID && t.Service == of.Service && t.Queue.Name != "" {
			n++
		}
	}
	return n
}

// severityOf is what a level says of a pattern that nobody foresaw.
func severityOf(level string) health.LogSeverity {
	switch level {
	case "error", "panic", "fatal":
		return health.LogError
	case "warn":
		return health.LogWarning
	}
	return health.LogEvent
}

// scopeOf is what a template speaks of.
func scopeOf(t health.LogTemplate) health.Scope {
	switch {
	case t.Namespace == "":
		return health.ClusterScope()
	case t.TaskQueue == "":
		return health.NamespaceScope(t.Namespace)
	}
	return health.TaskQueueScope(t.Namespace, t.TaskQueue)
}

// common is the narrowest scope that holds both.
func common(a, b health.Scope) health.Scope {
	switch {
	case a == b:
		return a
	case a.Namespace != "" && a.Namespace == b.Namespace:
		return health.NamespaceScope(a.Namespace)
	}
	return health.ClusterScope()
}

// compare tells whether a pattern is news, after the newest window.
func (m *Memory) compare(t *Track) {
	newest := m.Windows[len(m.Windows)-1]
	usual := t.Usual
	if t.News == health.NewsNone {
		usual = m.usual(t)
	}
	hot := m.hot(t, usual)
	if hot != health.NewsNone && t.Recent[len(t.Recent)-1] > 0 {
		t.Hot++
	}
	switch {
	case hot != health.NewsNone && t.News == health.NewsNone:
		t.Usual, t.Hot, t.Alarmed = usual, 1, false
		t.Asked, t.Samples = 0, nil
		m.begin(t, hot)
		t.Began = t.FirstAt
	case hot != health.NewsNone && newest.To.Sub(t.Began) > usualAfter:
		t.News, t.Hot = health.NewsNone, 0
		t.Past = max(t.Past, float64(t.lines(0))/m.secondsFrom(0)*m.PastSec)
	case hot != health.NewsNone && t.News == health.NewsOver:
		m.begin(t, hot)
	case hot != health.NewsNone:
		t.HotAt = t.LastAt
	case t.News == health.NewsNone:
	case newest.To.Sub(t.HotAt) >= forgetAfter:
		t.News, t.Hot = health.NewsNone, 0
	case newest.To.Sub(t.HotAt) >= overAfter:
		t.News = health.NewsOver
	}
}

// begin notes that a pattern is news from the first of its lines on that made it
// so. One that comes back soon after it was over begins anew, and is still the
// same episode.
func (m *Memory) begin(t *Track, news health.News) {
	first := m.since(m.Next.Add(-now))
	for first < len(t.Recent)-1 && t.Recent[first] == 0 {
		first++
	}
	t.News, t.FirstAt, t.HotAt = news, m.Windows[first].From, t.LastAt
	t.Scope = scopeOf(t.Template)
}

// usual is the rate of a pattern in the past, in lines a second.
func (m *Memory) usual(t *Track) float64 {
	if m.PastSec == 0 {
		return 0
	}
	return t.Past / m.PastSec
}

// hot tells what a pattern's present rate is beside its usual one.
func (m *Memory) hot(t *Track, usual float64) health.News {
	from := m.since(m.Windows[len(m.Windows)-1].To.Add(-now))
	lines, expected := float64(t.lines(from)), usual*m.secondsFrom(from)
	least := 1.0
	if _, foreseen := PatternByID(t.ID); !foreseen {
		least = newLines
	}
	switch {
	case m.PastSec < known, lines < least:
		return health.NewsNone
	case usual*m.PastSec < 0.5:
		return health.NewsNew
	case lines >= moreTimes*expected && lines >= expected+moreSigmas*math.Sqrt(expected)+moreLines:
		return health.NewsMore
	}
	return health.NewsNone
}

// counts appends the lines of each pattern in a window, and those of the
// patterns that had lines of it before.
func (m *Memory) counts(counts []health.LogPatternCount, at int, had map[string]bool) []health.LogPatternCount {
	for i := range m.Tracks {
		if t := &m.Tracks[i]; t.Recent[at] > 0 || had[t.key()] {
			counts = append(counts, health.LogPatternCount{
				ID: t.ID, Pattern: t.Pattern, Service: t.Service, Queue: t.Queue, Severity: t.Severity,
				At: m.Windows[at].To, Lines: t.Recent[at], News: t.News,
			})
		}
	}
	return counts
}

// alarms returns the ids of the error patterns that have just been news for long
// enough to be worth an assessment: each once an episode, and once however many
// task queues it comes to.
func (m *Memory) alarms() []string {
	var ids, given []string
	for i := range m.Tracks {
		if t := &m.Tracks[i]; t.Alarmed {
			given = append(given, t.ID+"|"+t.Service)
		}
	}
	for i := range m.Tracks {
		t := &m.Tracks[i]
		if t.Severity != health.LogError || t.Hot < sustained || t.Alarmed {
			continue
		}
		t.Alarmed = true
		if !slices.Contains(given, t.ID+"|"+t.Service) && !slices.Contains(ids, t.ID) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// Ask is a wish for a few lines of a pattern, as an example.
type Ask struct {
	// Pattern is the name for health.LogSample.Pattern.
	Pattern  string             `json:"pattern"`
	Template health.LogTemplate `json:"template"`
	// From and To bound the lines.
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
}

// Wanted returns the patterns of which lines should be fetched, errors first, and
// of these the most frequent.
func (m *Memory) Wanted() []Ask {
	var wanted []*Track
	for i := range m.Tracks {
		t := &m.Tracks[i]
		if (t.News == health.NewsNew || t.News == health.NewsMore) && len(t.Samples) == 0 && t.Asked < samplesTries {
			wanted = append(wanted, t)
		}
	}
	slices.SortStableFunc(wanted, func(a, b *Track) int {
		return cmp.Or(cmp.Compare(a.Asked, b.Asked), cmp.Compare(gravity(a.Severity), gravity(b.Severity)), -cmp.Compare(a.lines(0), b.lines(0)))
	})
	var asks []Ask
	for _, t := range wanted[:min(len(wanted), samplesAt)] {
		asks = append(asks, Ask{Pattern: t.key(), Template: t.Template, From: t.FirstAt, To: m.Next})
	}
	return asks
}

// Refresh has examples fetched anew for all that is news: the state of the
// cluster has changed (requirement R2.4).
func (m *Memory) Refresh() {
	for i := range m.Tracks {
		m.Tracks[i].Asked, m.Tracks[i].Samples = 0, nil
	}
}

// gravity orders severities, the gravest first.
func gravity(s health.LogSeverity) int {
	return slices.Index([]health.LogSeverity{health.LogError, health.LogWarning, health.LogEvent}, s)
}
