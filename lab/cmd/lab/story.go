package main

import (
	"fmt"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/demo"
)

// marks give each state a shape, a word and a colour; the first two are enough
// for those who do not see the third.
var marks = map[string]struct {
	shape string
	style lipgloss.Style
}{
	demo.Happy:    {"●", lipgloss.NewStyle().Foreground(lipgloss.Green).Bold(true)},
	demo.Stressed: {"▲", lipgloss.NewStyle().Foreground(lipgloss.Yellow).Bold(true)},
	demo.Critical: {"◆", lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)},
}

// verdict shows a status in a few words.
func verdict(status demo.Status) string {
	mark, known := marks[status.HealthState]
	if !known {
		mark.shape, mark.style = "○", faint
	}
	words := mark.style.Render(mark.shape + " " + strings.ToUpper(status.HealthState))
	if names := status.Impaired(); len(names) > 0 {
		words += " (" + strings.Join(names, ", ") + ")"
	}
	if status.Blind {
		words += " (blind)"
	}
	return words
}

// quote shows what another program printed.
func (t *terminal) quote(command, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.printf("\n  %s\n", faint.Render("$ "+command))
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		t.printf("%s\n", strings.TrimRight("  "+faint.Render("│")+" "+line, " \n"))
	}
}

// closerLook says how to see for oneself while the story is told.
func (t *terminal) closerLook(state control.State, copilot demo.Copilot) {
	lines := []string{
		fmt.Sprintf("%s status --cluster %s --database-url '%s'", program("copilot"), copilot.Cluster, copilot.DatabaseURL),
	}
	t.commands("Look closer, from another terminal", append(lines, labCommands(state)...)...)
}

// outcomes shows how the stages of a story went.
func (t *terminal) outcomes(outcomes []demo.Outcome) {
	t.begin("What was done, and what the copilot said")
	t.mu.Lock()
	defer t.mu.Unlock()
	const columns = "  %s %-35s %-26s %-26s %7s"
	t.printf("%s\n", faint.Render(fmt.Sprintf(columns, " ", "done", "expected", "said", "seconds")))
	for _, outcome := range outcomes {
		mark := good.Render("✓")
		if outcome.Err != nil {
			mark = bad.Render("✗")
		}
		t.printf(columns+"\n", mark, outcome.Stage.Name, outcome.Stage.Expected, said(outcome.Said), fmt.Sprintf("%.0f", outcome.Took.Seconds()))
	}
}

// said lists the different states of a stage.
func said(statuses []demo.Status) string {
	var words []string
	for _, status := range statuses {
		if len(words) == 0 || words[len(words)-1] != status.HealthState {
			words = append(words, status.HealthState)
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// coloured reports whether colours are wanted here.
func (t *terminal) coloured() bool {
	return colorprofile.Detect(t.out, os.Environ()) > colorprofile.ASCII
}

// kept says that everything goes on running.
func (t *terminal) kept(state control.State, copilot demo.Copilot) {
	t.closerLook(state, copilot)
	t.line("")
	t.line("Everything keeps running. " + faint.Render("Ctrl-C ends it and leaves nothing behind."))
}
