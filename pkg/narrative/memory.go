package narrative

import (
	"cmp"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// recently is how far back a pattern's lines are counted for people.
	recently = 5 * time.Minute
	// maxWindows bounds the windows that are remembered one by one, however
	// short they are.
	maxWindows = 40
	// halfLife is the time after which the past counts half.
	halfLife = 30 * time.Minute
	// maxTracks bounds the patterns that are remembered; those without lines for
	// the longest time go first.
	maxTracks = 200
	// maxQueues bounds the task queues that one pattern is followed for; the
	// others are followed together.
	maxQueues = 20
)

// Memory is what is remembered of a cluster's logs from one observation to the
// next. The zero value remembers nothing. It is a value: [Follow] returns a new
// one and leaves the old as it was.
type Memory struct {
	// Next is where the window to be read next begins: the end of the newest one
	// that was followed.
	Next instant.Instant `json:"next,omitzero"`
	// Reason is that of the latest reading, see health.LogReading.
	Reason string `json:"reason,omitempty"`
	// Windows are the newest windows, oldest first.
	Windows []Bounds `json:"windows,omitempty"`
	// PastSec is the time before Windows that is remembered, in seconds; what is
	// longer ago counts less.
	PastSec float64 `json:"past_sec,omitempty"`
	// Tracks are the patterns, ordered by their keys.
	Tracks []Track `json:"tracks,omitempty"`
	// Miner knows the patterns that are not in the catalogue.
	Miner Miner `json:"miner,omitzero"`
}

// Bounds are those of a window: after From, up to To.
type Bounds struct {
	From instant.Instant `json:"from"`
	To   instant.Instant `json:"to"`
	// Lines are all that the window had when it was read last.
	Lines int64 `json:"lines,omitempty"`
}

// bounds are those of a window that was read.
func bounds(w *health.LogWindow) Bounds {
	b := Bounds{From: w.From, To: w.To, Lines: w.Rest}
	for _, c := range w.Counts {
		b.Lines += c.Lines
	}
	return b
}

// Tells tells whether a window that was read again has lines that came late. It
// counts as a whole then: how its lines are told apart may have changed, too.
func (b Bounds) Tells(w *health.LogWindow) bool {
	return b.From != w.From || b.To != w.To || bounds(w).Lines > b.Lines
}

func (b Bounds) seconds() float64 { return b.To.Sub(b.From).Seconds() }

// Track is what is remembered of one pattern of one service.
type Track struct {
	ID      string `json:"id"`
	Service string `json:"service,omitempty"`
	// Queue is the task queue, for patterns of workers, which are followed for
	// each queue.
	Queue health.Scope `json:"queue,omitzero"`

	Pattern  string             `json:"pattern"`
	Severity health.LogSeverity `json:"severity"`
	// Scope is what all lines of the episode speak of.
	Scope health.Scope `json:"scope,omitzero"`
	// Template is an example of the latest lines.
	Template health.LogTemplate `json:"template"`
	// Recent are the lines in each of Memory.Windows.
	Recent []int64 `json:"recent"`
	// Past are the lines in Memory.PastSec.
	Past float64 `json:"past,omitempty"`

	News health.News `json:"news"`
	// Began is when the episode began.
	Began instant.Instant `json:"began,omitzero"`
	// FirstAt is when it became news, HotAt the end of the last window with a line
	// that was news, LastAt that of the last one with any line.
	FirstAt instant.Instant `json:"first_at"`
	HotAt   instant.Instant `json:"hot_at,omitzero"`
	LastAt  instant.Instant `json:"last_at"`
	// Hot counts the windows of the episode that were news.
	Hot int `json:"hot,omitempty"`
	// Alarmed: the episode has had its assessment.
	Alarmed bool `json:"alarmed,omitempty"`
	// Usual is the rate, in lines a second, that the episode is compared with.
	Usual float64 `json:"usual,omitempty"`

	Samples []string `json:"samples,omitempty"`
	// Asked counts how often samples were looked for in this episode.
	Asked int `json:"asked,omitempty"`
}

// key orders tracks, and is the name under which samples are asked for.
func (t *Track) key() string {
	return t.ID + "|" + t.Service + "|" + t.Queue.Namespace + "|" + t.Queue.Name
}

// lines are those of the windows from an index on.
func (t *Track) lines(from int) int64 {
	var sum int64
	for _, n := range t.Recent[from:] {
		sum += n
	}
	return sum
}

// clone copies what Follow changes.
func (m *Memory) clone() Memory {
	c := *m
	c.Windows = slices.Clone(m.Windows)
	c.Tracks = slices.Clone(m.Tracks)
	for i := range c.Tracks {
		c.Tracks[i].Recent = slices.Clone(c.Tracks[i].Recent)
	}
	c.Miner = m.Miner.Clone()
	return c
}

// window is the index of a window, -1 if it is not remembered.
func (m *Memory) window(w *health.LogWindow) int {
	return slices.IndexFunc(m.Windows, func(b Bounds) bool { return b.From == w.From && b.To == w.To })
}

// lateWindows is how many windows that were read already are read again, for
// lines that came late.
const lateWindows = 2

// Late are the windows to be read again.
func (m *Memory) Late() []Bounds {
	return slices.Clone(m.Windows[max(0, len(m.Windows)-lateWindows):])
}

// since is the index of the first window that ends after an instant.
func (m *Memory) since(at instant.Instant) int {
	for i, w := range m.Windows {
		if w.To.After(at) {
			return i
		}
	}
	return len(m.Windows)
}

// secondsFrom is the time of the windows from an index on.
func (m *Memory) secondsFrom(from int) float64 {
	var sum float64
	for _, w := range m.Windows[from:] {
		sum += w.seconds()
	}
	return sum
}

// track finds the track with a key, or where it belongs.
func (m *Memory) track(key string) (int, bool) {
	return slices.BinarySearchFunc(m.Tracks, key, func(t Track, want string) int { return cmp.Compare(t.key(), want) })
}

// forget lets go of what is over and of what is too much.
func (m *Memory) forget() {
	m.Tracks = slices.DeleteFunc(m.Tracks, func(t Track) bool {
		return t.News == health.NewsNone && t.lines(0) == 0 && t.Past < 0.5
	})
	for len(m.Tracks) > maxTracks {
		oldest := 0
		for i := range m.Tracks {
			if m.Tracks[i].LastAt.Before(m.Tracks[oldest].LastAt) {
				oldest = i
			}
		}
		m.Tracks = slices.Delete(m.Tracks, oldest, oldest+1)
	}
}
