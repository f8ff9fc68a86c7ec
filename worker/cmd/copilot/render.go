package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
)

// Colour carries nothing that shape or words do not.
var (
	styleHappy    = lipgloss.NewStyle().Foreground(lipgloss.Color("2")).Bold(true)
	styleStressed = lipgloss.NewStyle().Foreground(lipgloss.Color("3")).Bold(true)
	styleCritical = lipgloss.NewStyle().Foreground(lipgloss.Color("1")).Bold(true)
	styleDim      = lipgloss.NewStyle().Faint(true)
	styleHead     = lipgloss.NewStyle().Bold(true)
)

// shape is the mark of a state, told apart without colour.
func shape(s health.State) string {
	switch s {
	case health.Happy:
		return "●"
	case health.Stressed:
		return "▲"
	case health.Critical:
		return "◆"
	}
	return "?"
}

func stateStyle(s health.State) lipgloss.Style {
	switch s {
	case health.Happy:
		return styleHappy
	case health.Stressed:
		return styleStressed
	case health.Critical:
		return styleCritical
	}
	return styleDim
}

const (
	textWidth = 100
	// footerWidth leaves what is for copying in one line.
	footerWidth = 160
	maxRows     = 12
	sparkWidth  = 20
)

// renderStatus writes a status for a person. The footer tells how it was seen.
func renderStatus(w io.Writer, s *api.Status, footer string) {
	renderVerdict(w, s)
	renderFooter(w, footer)
}

// renderVerdict writes the verdict with its reasons and what to do.
func renderVerdict(w io.Writer, s *api.Status) {
	fmt.Fprintln(w, headline(s))
	fmt.Fprintln(w)
	for _, line := range strings.Split(lipgloss.NewStyle().Width(textWidth-2).Render(s.Summary), "\n") {
		fmt.Fprintln(w, "  "+strings.TrimRight(line, " "))
	}
	if rows := progressRows(s); len(rows) > 0 {
		section(w, []string{"PROGRESS", "", "asked", "served", "waiting", "oldest", "share", "last observations"}, rows, 2, 6)
	}
	if rows := whyRows(s); len(rows) > 0 {
		section(w, []string{"WHY", "", "gate"}, rows, -1, -1)
	}
	renderLogs(w, s)
	if rows := doRows(s); len(rows) > 0 {
		section(w, []string{"DO", "", "confidence", "risk", ""}, rows, 2, 2)
	}
	for _, avoid := range s.Explanation.Avoid {
		fmt.Fprintf(w, "\n  %s  %s\n", styleHead.Render("DON'T"), avoid)
	}
	if change := s.Explanation.WouldChange; change != "" && s.HealthState > health.Happy {
		fmt.Fprintf(w, "\n  %s\n", styleDim.Render("Would change the verdict: "+change))
	}
}

// renderLogs writes what the logs say, and why they say nothing where they could
// not be read.
func renderLogs(w io.Writer, s *api.Status) {
	if len(s.Explanation.Logs) == 0 && s.LogsReadTo.IsZero() {
		return
	}
	fmt.Fprintf(w, "\n  %s\n", styleHead.Render("LOGS"))
	if len(s.Explanation.Logs) == 0 {
		fmt.Fprintln(w, "  ·  nothing new")
	}
	today := s.ObservedAt.String()[:len("2006-01-02T")]
	for _, remark := range s.Explanation.Logs {
		// What is of the same day is told without it.
		remark = strings.ReplaceAll(remark, today, "")
		for i, line := range strings.Split(lipgloss.NewStyle().Width(textWidth-5).Render(remark), "\n") {
			mark := "·"
			if i > 0 {
				mark = " "
			}
			fmt.Fprintf(w, "  %s  %s\n", mark, strings.TrimRight(line, " "))
		}
	}
}

// renderFooter writes what is beside the matter.
func renderFooter(w io.Writer, footer string) {
	fmt.Fprintln(w)
	for _, line := range strings.Split(lipgloss.NewStyle().Width(footerWidth).Render(footer), "\n") {
		fmt.Fprintf(w, "  %s\n", styleDim.Render(strings.TrimRight(line, " ")))
	}
}

// headline is the one line that a tired person reads.
func headline(s *api.Status) string {
	if s.Blind {
		held := "no verdict yet"
		if s.HealthState != health.Unknown {
			held = "was " + strings.ToUpper(s.HealthState.String())
		}
		return strings.Join([]string{
			styleDim.Bold(true).Render("? BLIND"), styleHead.Render(s.Cluster), held,
			fmt.Sprintf("confidence %.0f %%", 100*s.Confidence), s.ObservedAt.String(),
		}, "    ")
	}
	parts := []string{
		stateStyle(s.HealthState).Render(shape(s.HealthState) + " " + strings.ToUpper(s.HealthState.String())),
		styleHead.Render(s.Cluster),
		fmt.Sprintf("confidence %.0f %%", 100*s.Confidence),
	}
	if s.Bottleneck != health.BottleneckHealthy {
		parts = append(parts, strings.ReplaceAll(string(s.Bottleneck), "_", "-"))
	}
	if d := s.ObservedAt.Sub(s.Since); d > 0 && !s.Since.IsZero() {
		parts = append(parts, "for "+health.Ago(d))
	}
	return strings.Join(append(parts, s.ObservedAt.String()), "    ")
}

// progressRows are the task queues, worst first, by kind of task.
func progressRows(s *api.Status) [][]string {
	var rows [][]string
	several := false
	for _, scope := range s.Scopes {
		several = several || scope.Namespace != "" && scope.Namespace != s.Scopes[0].Namespace
	}
	left := 0
	for _, scope := range s.Scopes {
		p := scope.Progress
		if scope.Kind != health.KindTaskQueue || scope.TaskType == "" ||
			scope.State == health.Happy && amount(p.Asked) == 0 && amount(p.Waiting) == 0 {
			continue
		}
		if len(rows) == maxRows {
			left++
			continue
		}
		name := scope.Name
		if several {
			name = scope.Namespace + "/" + name
		}
		rows = append(rows, []string{
			stateStyle(scope.State).Render(shape(scope.State)) + " " + name, string(scope.TaskType),
			perSecond(p.Asked), perSecond(p.Served), count(p.Waiting), seconds(p.OldestSec),
			fmt.Sprintf("%.0f %%", 100*p.Share), spark(p.Trend),
		})
	}
	if left > 0 {
		rows = append(rows, []string{fmt.Sprintf("  and %d more", left)})
	}
	return rows
}

func whyRows(s *api.Status) [][]string {
	rows := make([][]string, 0, len(s.Explanation.Factors))
	for i, f := range s.Explanation.Factors {
		rows = append(rows, []string{fmt.Sprintf("%d", i+1), f.Text, styleDim.Render(f.Gate)})
	}
	return rows
}

func doRows(s *api.Status) [][]string {
	const most = 5
	rows := make([][]string, 0, most)
	for i, a := range s.RecommendedActions {
		if i == most {
			break
		}
		rows = append(rows, []string{fmt.Sprintf("%d", i+1), a.Action, fmt.Sprintf("%.0f %%", 100*a.Confidence), string(a.Risk), styleDim.Render("guide: " + a.Guide)})
	}
	return rows
}

// section writes a table. Columns from rightFrom to rightTo are numbers.
func section(w io.Writer, head []string, rows [][]string, rightFrom, rightTo int) {
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			if len(row) > 1 {
				widths[i] = max(widths[i], lipgloss.Width(cell))
			}
		}
	}
	line := func(row []string, style lipgloss.Style) string {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", max(0, widths[i]-lipgloss.Width(cell)))
			if i >= rightFrom && i <= rightTo {
				cell = pad + style.Render(cell)
			} else {
				cell = style.Render(cell) + pad
			}
			b.WriteString(cell + "  ")
		}
		return strings.TrimRight(b.String(), " ")
	}
	// The first column of a numbered list is narrow; its heading is not.
	if widths[0] > 1 && len(rows) > 0 && lipgloss.Width(rows[0][0]) == 1 {
		widths[0] = 1
		if shift := lipgloss.Width(head[0]) - 1; len(head) > 1 && head[1] == "" {
			fmt.Fprintf(w, "\n  %s\n", line(append([]string{head[0]}, append([]string{strings.Repeat(" ", max(0, widths[1]-shift))}, head[2:]...)...), styleHead))
		}
	} else {
		fmt.Fprintf(w, "\n  %s\n", line(head, styleHead))
	}
	for _, row := range rows {
		fmt.Fprintf(w, "  %s\n", line(row, lipgloss.NewStyle()))
	}
}

func amount(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

func perSecond(v *float64) string {
	switch {
	case v == nil:
		return "–"
	case *v >= 10 || *v == 0:
		return fmt.Sprintf("%.0f/s", *v)
	case *v >= 1:
		return fmt.Sprintf("%.1f/s", *v)
	}
	return fmt.Sprintf("%.2g/s", *v)
}

func count(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f", *v)
}

func seconds(v *float64) string {
	if v == nil {
		return "–"
	}
	return health.AgoSeconds(*v)
}

// spark draws a trend from zero to its own maximum.
func spark(trend []float64) string {
	trend = trend[max(0, len(trend)-sparkWidth):]
	highest := 0.0
	for _, v := range trend {
		highest = max(highest, v)
	}
	marks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range trend {
		i := 0
		if highest > 0 {
			i = int(v / highest * float64(len(marks)-1))
		}
		b.WriteRune(marks[i])
	}
	return b.String()
}

// footer tells with how many signals, in which dialect and at what cost.
func footer(s *api.Status, took time.Duration) string {
	usable, asked := 0, 0
	var missing []string
	for _, signal := range s.Signals {
		if signal.Class == health.Telemetry {
			continue
		}
		asked++
		if signal.Status == health.OK {
			usable++
		} else {
			missing = append(missing, string(signal.Signal))
		}
	}
	parts := []string{fmt.Sprintf("seen with %d of %d signals", usable, asked)}
	if n := len(missing); n > 0 && usable > 0 {
		parts[0] += fmt.Sprintf(" (missing: %s)", listed(missing, 4))
	}
	if s.Source.Dialect != "" {
		parts = append(parts, s.Source.Dialect)
	}
	if s.Source.Requests > 0 {
		parts = append(parts, fmt.Sprintf("%d requests", s.Source.Requests))
	}
	if took > 0 {
		parts = append(parts, took.Round(time.Millisecond).String())
	}
	return strings.Join(parts, ", ")
}

func listed(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
