package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// newestID stands for the id of the newest assessment of a cluster.
const newestID = "latest"

func newExplainCommand() *cobra.Command {
	var flags storeFlags
	var cluster string
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Explain one stored verdict with every rule that was asked",
		Long: `Explain one stored verdict in words, with every gate: what each rule asked, what
it found against which limit, and what it rests on. The id is in the output of
status and timeline; "latest" is the newest verdict on the cluster.`,
		Example: `  copilot explain latest --cluster prod --database-url postgres://copilot@localhost:5432/copilot
  copilot explain 019ab3b2-6310-8d3c-9e7a-4f6f0c1d2e3b
  copilot explain latest --cluster prod -o json | jq '.gates[] | select(.outcome == "fire")'`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return usageError(fmt.Sprintf("ID is missing: give the id of an assessment, or latest; see: %s --help", cmd.CommandPath()))
			case 1:
				return nil
			}
			return usageError(fmt.Sprintf("%s takes one ID, not %q, too; see: %s --help", cmd.CommandPath(), args[1], cmd.CommandPath()))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := flags.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer store.Close()
			assessment, err := findVerdict(cmd.Context(), store, args[0], cluster)
			if err != nil {
				return err
			}
			answer := api.AssessmentAnswer{ID: dsql.AssessmentID(assessment.Cluster, assessment.At), Assessment: assessment}
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), answer)
			}
			observation, err := store.Observation(cmd.Context(), assessment.Cluster, assessment.At)
			if err != nil && !errors.Is(err, dsql.ErrNotFound) {
				return err
			}
			status := api.NewStatus(assessment, observation)
			out := styled(cmd.OutOrStdout())
			renderVerdict(out, &status)
			renderServices(out, status.Scopes)
			renderGates(out, status.Gates)
			renderFooter(out, fmt.Sprintf("assessment %s, explained by %s, %s", answer.ID, assessment.Explanation.By, footer(&status, 0)))
			return nil
		},
	}
	addStoreFlags(cmd, &flags)
	addOutputFlag(cmd, &format)
	addClusterFlag(cmd, &cluster)
	completeClusters(cmd, &flags)
	return cmd
}

// findVerdict returns the assessment that is meant.
func findVerdict(ctx context.Context, store *dsql.Store, id, cluster string) (health.Assessment, error) {
	if id == newestID {
		cluster, err := onlyCluster(ctx, store, cluster)
		if err != nil {
			return health.Assessment{}, err
		}
		return store.Latest(ctx, cluster)
	}
	assessment, err := store.AssessmentByID(ctx, id)
	var wrong *dsql.InvalidError
	if errors.As(err, &wrong) {
		return assessment, usageError(fmt.Sprintf("ID %s; copilot status and copilot timeline tell ids", wrong.Message))
	}
	if errors.Is(err, dsql.ErrNotFound) {
		return assessment, fmt.Errorf("ID %q: the store has no such assessment; copilot timeline tells ids, and old ones are deleted", id)
	}
	return assessment, err
}

// renderGates writes every gate, scope by scope: those that fired or could not
// decide with what they found, those that passed by name.
func renderGates(out io.Writer, gates []health.Gate) {
	var scopes []health.Scope
	of := map[health.Scope][]*health.Gate{}
	for i := range gates {
		g := &gates[i]
		if of[g.Scope] == nil {
			scopes = append(scopes, g.Scope)
		}
		of[g.Scope] = append(of[g.Scope], g)
	}
	fmt.Fprintf(out, "\n  %s  %s\n", styleHead.Render("GATES"), styleDim.Render("✗ fired   ✓ passed   ? a signal is missing"))
	for _, scope := range scopes {
		fmt.Fprintf(out, "\n  %s\n", styleHead.Render(scope.String()))
		var passed, undecided []string
		for _, g := range of[scope] {
			switch g.Outcome {
			case health.Fire:
				renderFired(out, g)
			case health.Pass:
				passed = append(passed, g.ID)
			default:
				undecided = append(undecided, g.ID)
			}
		}
		renderNames(out, "?", undecided)
		renderNames(out, "✓", passed)
	}
}

// renderFired writes a gate that fired.
func renderFired(out io.Writer, g *health.Gate) {
	mark := stateStyle(g.Level).Render("✗")
	against := ""
	if g.Value != nil && g.Limit != nil {
		against = fmt.Sprintf("    %s against %s", quantity(*g.Value, g.Unit), quantity(*g.Limit, g.Unit))
	}
	fmt.Fprintf(out, "  %s %s%s\n", mark, styleHead.Render(g.ID), styleDim.Render(against))
	wrapped(out, "      ", g.Finding, lipgloss.NewStyle())
	wrapped(out, "      ", g.Doctrine+" ("+g.Source+")", styleDim)
}

// renderNames writes the names of gates.
func renderNames(out io.Writer, mark string, names []string) {
	if len(names) > 0 {
		wrapped(out, "  "+mark+" ", strings.Join(names, ", "), lipgloss.NewStyle())
	}
}

// wrapped writes a text below a beginning, in lines of the usual width.
func wrapped(out io.Writer, begin, text string, style lipgloss.Style) {
	if text == "" {
		return
	}
	width := lipgloss.Width(begin)
	for i, line := range strings.Split(lipgloss.NewStyle().Width(textWidth-width).Render(text), "\n") {
		if i > 0 {
			begin = strings.Repeat(" ", width)
		}
		fmt.Fprintln(out, begin+style.Render(strings.TrimRight(line, " ")))
	}
}

// quantity writes a value in a gate's unit.
func quantity(v float64, unit string) string {
	text := strconv.FormatFloat(v, 'g', 4, 64)
	switch unit {
	case "", "1":
		return text
	case "1/s":
		return text + "/s"
	}
	return text + " " + unit
}
