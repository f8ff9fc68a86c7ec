// Command verdicts has all recordings judged, by the copilot and by what it is
// compared with, shows the scores, and writes them into a document.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"github.com/temporal-sre/copilot/lab/verdicts"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func main() {
	recordings := flag.String("recordings", "recordings", "`directory` that holds the recordings")
	document := flag.String("document", "", "`file` to write the scores into (default: none)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *recordings, *document, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "verdicts:", err)
		os.Exit(1)
	}
}

var (
	faint  = lipgloss.NewStyle().Faint(true)
	strong = lipgloss.NewStyle().Bold(true)
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Red)
)

func run(ctx context.Context, recordings, document string, out io.Writer) error {
	watch := instant.StartStopwatch()
	judges := verdicts.Judges()
	results, err := verdicts.All(ctx, recordings, func(r *verdicts.Result) { told(out, r) }, judges...)
	if err != nil {
		return err
	}
	tables := verdicts.Tables(judges, results)
	// The totals come last, where the eye is when the command has ended.
	for _, one := range append(tables[1:], tables[0]) {
		show(out, one)
	}
	say(out, "\n%s\n", faint.Render(fmt.Sprintf("judged in %.0f s; docs/verdicts.md says how to read the columns", watch.Elapsed().Seconds())))
	if document == "" {
		return nil
	}
	return write(document, judges, results)
}

// say prints, in colours where they are wanted. Nobody can be told that the
// terminal is gone.
func say(out io.Writer, format string, args ...any) { _, _ = lipgloss.Fprintf(out, format, args...) }

// told says how the copilot did on a recording, and whether the recording can
// be trusted.
func told(out io.Writer, r *verdicts.Result) {
	if strain := r.Truth.Strain; strain != nil && strain.TooMuch() != "" {
		say(out, "  %s %s: the machine that it was made on could not keep up: %s\n", bad.Render("!"), r.Recording, strain.TooMuch())
	}
	if lacks := r.Scores[0].Lacks(); len(lacks) > 0 {
		say(out, "  %s %s: %s\n", bad.Render("✗"), r.Recording, strings.Join(lacks, "; "))
		return
	}
	say(out, "  %s %s\n", good.Render("✓"), r.Recording)
}

func show(out io.Writer, one verdicts.Table) {
	last := len(one.Rows) - 1
	text := table.New().
		Border(lipgloss.RoundedBorder()).
		BorderStyle(faint).
		Headers(one.Header...).
		Rows(one.Rows...).
		StyleFunc(func(row, _ int) lipgloss.Style {
			if row == table.HeaderRow || one.Total && row == last {
				return strong.Padding(0, 1)
			}
			return lipgloss.NewStyle().Padding(0, 1)
		})
	say(out, "\n%s\n%s\n", strong.Render(one.Title), text)
}

func write(document string, judges []verdicts.Judge, results []*verdicts.Result) error {
	before, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	after, err := verdicts.Document(string(before), judges, results)
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	if err := os.WriteFile(document, []byte(after), 0o644); err != nil {
		return err
	}
	fmt.Println("wrote", document)
	return nil
}
