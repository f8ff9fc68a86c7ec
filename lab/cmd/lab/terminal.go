package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/control"
)

// stillEvery is how often a part that takes long to start is mentioned.
const stillEvery = 10 * time.Second

var (
	faint  = lipgloss.NewStyle().Faint(true)
	strong = lipgloss.NewStyle().Bold(true)
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Red)
)

// terminal writes what people read. Colours disappear where they are not
// wanted: lipgloss heeds NO_COLOR and whether the output is a terminal.
type terminal struct {
	mu       sync.Mutex
	out      io.Writer
	begun    time.Time
	starting map[string]time.Time // parts that have begun to start
	still    *time.Timer
}

func newTerminal(out io.Writer) *terminal {
	return &terminal{out: out, begun: time.Now(), starting: make(map[string]time.Time)}
}

func (t *terminal) printf(format string, args ...any) {
	// Nobody can be told that the terminal is gone.
	_, _ = lipgloss.Fprintf(t.out, format, args...)
}

// begin starts a paragraph.
func (t *terminal) begin(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("\n%s\n\n", strong.Render(what))
}

// progress tells of a part that has started, and of those that take long.
func (t *terminal) progress(p lab.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.Started {
		t.starting[p.Part] = time.Now()
		t.remind()
		return
	}
	delete(t.starting, p.Part)
	t.printf("  %s %-31s %s   %s\n", good.Render("✓"), p.Part, faint.Render(seconds(p.Took)), p.Detail)
}

// remind mentions the parts that are still starting, for as long as there are
// any. The caller holds the lock.
func (t *terminal) remind() {
	if t.still != nil {
		return
	}
	t.still = time.AfterFunc(stillEvery, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.still = nil
		for _, part := range slices.Sorted(maps.Keys(t.starting)) {
			t.printf("  %s %-31s %s\n", faint.Render("…"), part, faint.Render(seconds(time.Since(t.starting[part]))+"   still starting"))
		}
		if len(t.starting) > 0 {
			t.remind()
		}
	})
}

// notice tells of a process that ended by itself.
func (t *terminal) notice(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first, rest, _ := strings.Cut(what, "\n")
	t.printf("  %s %s\n", bad.Render("!"), first)
	for line := range strings.SplitSeq(rest, "\n") {
		t.printf("    %s\n", faint.Render(line))
	}
}

// summary says where everything is.
func (t *terminal) summary(state control.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("\n%s after %s\n\n", strong.Render("Up"), strings.TrimSpace(seconds(time.Since(t.begun))))
	row := func(what, where, note string) { t.printf("  %-20s %-28s %s\n", what, where, faint.Render(note)) }
	row("Temporal", state.Temporal.Address, "namespace "+state.Temporal.Namespace)
	if second := state.CopilotTemporal; second != nil {
		row("Copilot's Temporal", second.Address, "namespace "+second.Namespace+", not watched")
	}
	row("Prometheus", state.Prometheus.URL, fmt.Sprintf("API only; selector cluster=%q", lab.Cluster))
	if state.Loki != nil {
		row("Loki", state.Loki.URL, fmt.Sprintf("selector {cluster=%q}", lab.Cluster))
	}
	row("Control", state.Control.URL, "GET /v1/state")
	row("Logs", filepath.Join(state.DataDir, "logs"), "")
}

// commands lists commands for people to paste.
func (t *terminal) commands(title string, lines ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("\n%s\n\n", strong.Render(title))
	for _, line := range lines {
		t.printf("  %s\n", line)
	}
}

// labCommands are what can be done with a running lab.
func labCommands(state control.State) []string {
	check := program("copilot") + " check --prometheus-url " + state.Prometheus.URL
	if state.Loki != nil {
		check += " --loki-url " + state.Loki.URL
	}
	return []string{
		check,
		// A gauge, since that is called the same in every dialect.
		fmt.Sprintf("curl -s '%s/api/v1/query?query=sum+by(taskqueue)(pending_polls)'", state.Prometheus.URL),
		program("lab") + " workers stop --queue billing",
		program("lab") + " workers start --queue billing",
		program("lab") + " load --rate 50",
	}
}

// line prints an indented line.
func (t *terminal) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("  %s\n", text)
}

func (t *terminal) stopped(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("  %s everything stopped and removed %s\n", good.Render("✓"), faint.Render(seconds(took)))
}

// seconds prints a duration in a column.
func seconds(d time.Duration) string { return fmt.Sprintf("%5.1f s", d.Seconds()) }
