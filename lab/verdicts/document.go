package verdicts

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The generated part of the document lies between these lines.
const (
	beginMark = "<!-- scores: written by `go tool mage bench:verdicts` -->\n"
	endMark   = "<!-- scores: end -->\n"
)

var errNoMarks = errors.New("the document has no place for the scores: it needs the lines " +
	strings.TrimSpace(beginMark) + " and " + strings.TrimSpace(endMark))

// Document puts the scores into the text of docs/verdicts.md, in place of those
// that it holds.
func Document(text string, judges []Judge, results []*Result) (string, error) {
	before, rest, found := strings.Cut(text, beginMark)
	_, after, closed := strings.Cut(rest, endMark)
	if !found || !closed {
		return "", errNoMarks
	}
	return before + beginMark + scores(judges, results) + endMark + after, nil
}

// scores writes the tables in Markdown.
func scores(judges []Judge, results []*Result) string {
	evaluated := 0
	for _, result := range results {
		evaluated += result.Scores[0].Evaluations
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\nRecordings: %d, evaluations: %d, incidents: %d, of them total stalls: %d.\n",
		len(results), evaluated, incidents(results), stalls(results))
	for _, table := range Tables(judges, results) {
		fmt.Fprintf(&out, "\n### %s\n\n", table.Title)
		markdown(&out, table)
	}
	out.WriteString("\n")
	return out.String()
}

func incidents(results []*Result) int {
	n := 0
	for _, result := range results {
		n += len(result.Scores[0].Incidents)
	}
	return n
}

// markdown writes a table with its columns aligned, to be read as it is, too.
func markdown(out *strings.Builder, table Table) {
	widths := make([]int, len(table.Header))
	lines := append([][]string{table.Header}, table.Rows...)
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(out, "| %-*s ", widths[i], cell)
		}
		out.WriteString("|\n")
		if n > 0 {
			continue
		}
		for _, width := range widths {
			out.WriteString("|" + strings.Repeat("-", width+2))
		}
		out.WriteString("|\n")
	}
}
