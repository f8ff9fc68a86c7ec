package narrative

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:generate go run ./gendoc -out ../../docs/log-patterns.md

// introduction is what stands before the patterns.
const introduction = `# Log patterns

Generated from ` + "`pkg/narrative`" + ` by ` + "`go generate ./pkg/narrative`" + `; do not edit.

What the copilot knows of Temporal's logs. A pattern explains a state and never changes one: an *error* failed, a *warning* had to be
tried again or nearly failed, an *event* explains others and is no fault by itself. Which patterns are news is a matter of their rate
against their own past, not of this list. While several are news, causes are told before what follows from them.

Lines are compared by their structured fields: the level, the message (` + "`msg`" + `), the error, and the component and the lifecycle. The
first pattern below that matches names a line. So a panic of a worker is the worker's whatever it says; then the cause goes before
the place: ` + "`Fail to process task`" + ` is *persistence.unavailable* where its error is a refused connection of the database, *rpc.unavailable*
where it is one of another service, and *task.failing* only where the error names no cause. Upper and lower case are the same.

A pattern of certain services matches lines of these. Of a writer that is none of Temporal's services by its name, lines with a message
of such a pattern are the server's all the same; what is told by its error or level alone is so only where the name says "temporal" or
is missing, since an application writes of refused connections too.

Lines at level info are read only where they hold one of the texts of such a pattern. What is at level warning or above and matches
nothing is grouped by what its lines have in common, under an id such as ` + "`other.3d6d7276`" + `.

| pattern | severity | says |
| --- | --- | --- |
`

// WriteDocument writes the catalogue for people to read.
func WriteDocument(w io.Writer) error {
	var b strings.Builder
	b.WriteString(introduction)
	patterns := Catalogue()
	for i := range patterns {
		p := &patterns[i]
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", p.ID, strings.ReplaceAll(p.ID, ".", ""), p.Severity, p.Title)
	}
	for i := range patterns {
		writePattern(&b, &patterns[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writePattern writes the section of one pattern.
func writePattern(b *strings.Builder, p *Pattern) {
	title := strings.ToUpper(p.Title[:1]) + p.Title[1:]
	fmt.Fprintf(b, "\n## %s\n\n%s. %s\n\n| | |\n| --- | --- |\n", p.ID, title, p.Meaning)
	services := "any"
	if len(p.Services) > 0 {
		services = strings.Join(p.Services, ", ")
	}
	fmt.Fprintf(b, "| severity | %s |\n| written by | %s |\n", p.Severity, services)
	if len(p.Gates) > 0 {
		fmt.Fprintf(b, "| can explain | %s |\n", "`"+strings.Join(p.Gates, "`, `")+"`")
	}
	if len(p.Follows) > 0 {
		fmt.Fprintf(b, "| told after | %s |\n", strings.Join(p.Follows, ", "))
	}
	fmt.Fprintf(b, "| from | %s |\n\nMatches:\n\n", p.Source)
	for _, m := range p.Match {
		fmt.Fprintf(b, "- %s\n", m)
	}
}

// String says what a match looks for.
func (m Match) String() string {
	var parts []string
	add := func(what string, texts []string) {
		if len(texts) > 0 {
			parts = append(parts, what+" "+strings.Join(quoted(texts), " or "))
		}
	}
	add("message with", m.Message)
	add("error with", m.Error)
	if m.Component != "" {
		add("component", []string{m.Component + "…"})
	}
	if m.Lifecycle != "" {
		add("lifecycle", []string{m.Lifecycle + "…"})
	}
	switch {
	case slices.Equal(m.Levels, failing):
		parts = append(parts, "at level warn or above")
	case len(m.Levels) > 0:
		parts = append(parts, "at level "+strings.Join(m.Levels, " or "))
	}
	return strings.Join(parts, "; ")
}

// quoted writes texts as code. Those with a backtick need two around them.
func quoted(texts []string) []string {
	written := make([]string, len(texts))
	for i, text := range texts {
		if written[i] = "`" + text + "`"; strings.Contains(text, "`") {
			written[i] = "`` " + text + " ``"
		}
	}
	return written
}
