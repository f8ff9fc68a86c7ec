package redact

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// MaxText is how many bytes of a text are kept, about the longest line that
// is worth reading. What comes behind is not looked at, so it is replaced by
// the mark [redacted:rest]. It bounds the time that one text can take.
const MaxText = 32 << 10

// lookahead is how far behind MaxText a text is read, so that a secret that
// straddles the end is seen whole.
const lookahead = 4 << 10

// kindRest is the kind of what is behind MaxText.
const kindRest = "rest"

// A Rule is a pattern of the user's own.
type Rule struct {
	// Name is the kind that the mark shows: lower-case letters, digits and
	// hyphens, 64 at most, and not the name of another rule.
	Name string

	// Pattern is a regular expression in RE2's syntax. The whole match is
	// replaced, or its group named "secret" if it has one. It must not match
	// the empty text.
	Pattern string
}

// A Finding is one part of a text that must go.
type Finding struct {
	// Kind says what it is; it stands in the mark.
	Kind string
	// From and To are the part's byte range, To not included.
	From, To int
}

// A Redactor finds and replaces secrets and personal data. It is safe for
// concurrent use.
type Redactor struct {
	detectors []detector
	keywords  keywords
	marks     *regexp.Regexp
}

// New returns a Redactor with the rules of this package and the extra ones.
// The error tells about every extra rule that cannot be used.
func New(extra ...Rule) (*Redactor, error) {
	detectors := builtin()
	taken := map[string]bool{kindRest: true}
	for _, d := range detectors {
		taken[d.kind] = true
	}
	var errs []error
	for _, rule := range extra {
		d, err := rule.detector()
		if err == nil && taken[rule.Name] {
			err = fmt.Errorf("the name is taken by another rule; choose a new one")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("redaction rule %q with pattern %q: %w", rule.Name, rule.Pattern, err))
			continue
		}
		taken[rule.Name] = true
		detectors = append(detectors, d)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if len(detectors) > maxDetectors {
		return nil, fmt.Errorf("%d redaction rules of your own are too many; join some, %d fit", len(extra), maxDetectors-len(builtin()))
	}
	kinds := make([]string, 0, len(taken))
	for kind := range taken {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return &Redactor{
		detectors: detectors,
		keywords:  indexKeywords(detectors),
		marks:     regexp.MustCompile(`\[redacted:(?:` + strings.Join(kinds, "|") + `)\]`),
	}, nil
}

// Text returns s with a mark in the place of each secret and of all personal
// data, and no longer than MaxText bytes. Text of what Text returned is the
// same text, and a text in which there is nothing to find is returned as it is.
func (r *Redactor) Text(s string) string {
	// A mark can make the text around it look like a secret that it did not
	// look like before. Every round takes something out, so there is an end;
	// it is nearly always the second.
	for {
		findings := r.Find(s)
		if len(findings) == 0 && len(s) <= MaxText {
			return s
		}
		s = replace(s, findings)
	}
}

// Find returns what must go from s, in order and without overlap. Of a text
// longer than MaxText it tells what is in the part that Text keeps. Marks in s
// are not found again.
func (r *Redactor) Find(s string) []Finding {
	s = s[:min(len(s), MaxText+lookahead)]
	t := newText(s)
	present := r.keywords.in(t.lower)
	var spans []span
	for i := range r.detectors {
		d := &r.detectors[i]
		if !present.has(i) {
			continue
		}
		d.find(t, func(from, to int) {
			if from < to {
				spans = append(spans, span{from: from, to: to, detector: i})
			}
		})
	}
	if len(spans) == 0 {
		return nil
	}
	return r.findings(s, spans)
}

// A span is what one detector claims.
type span struct {
	from, to int
	detector int
}

// findings joins the spans that overlap, the most specific detector giving the
// kind, and takes the marks out of them.
func (r *Redactor) findings(s string, spans []span) []Finding {
	spans = slices.DeleteFunc(spans, func(a span) bool {
		return r.detectors[a.detector].yields && slices.ContainsFunc(spans, func(b span) bool {
			return b.detector < a.detector && b.from < a.to && a.from < b.to
		})
	})
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(a.detector, b.detector))
	})
	joined := spans[:0]
	for _, next := range spans {
		if last := len(joined) - 1; last >= 0 && next.from < joined[last].to {
			joined[last].to = max(joined[last].to, next.to)
			joined[last].detector = min(joined[last].detector, next.detector)
			continue
		}
		joined = append(joined, next)
	}
	var marks [][]int
	if strings.Contains(s, markStart) {
		marks = r.marks.FindAllStringIndex(s, -1)
	}
	var findings []Finding
	for _, found := range joined {
		kind := r.detectors[found.detector].kind
		from := found.from
		for _, mark := range marks {
			if mark[1] <= from || mark[0] >= found.to {
				continue
			}
			if from < mark[0] {
				findings = append(findings, Finding{kind, from, mark[0]})
			}
			from = mark[1]
		}
		if from < found.to {
			findings = append(findings, Finding{kind, from, found.to})
		}
	}
	return findings
}

const (
	markStart = "[redacted:"
	markEnd   = "]"
)

func mark(kind string) string { return markStart + kind + markEnd }

// replace puts marks in the place of the findings. Of a long text it keeps
// what the first MaxText bytes become, since a secret farther behind was
// perhaps not seen whole.
func replace(s string, findings []Finding) string {
	kept := min(len(s), MaxText)
	var b strings.Builder
	at := 0
	for _, f := range findings {
		if f.From >= kept {
			break
		}
		b.WriteString(s[at:f.From])
		b.WriteString(mark(f.Kind))
		at = f.To
	}
	if at < kept {
		b.WriteString(s[at:kept])
	}
	if len(s) == kept && b.Len() <= MaxText {
		return b.String()
	}
	return shorten(b.String())
}

// shorten ends s with the mark of what is left out, at MaxText bytes or, if s
// is shorter, where it ends. No character and no mark is cut through.
func shorten(s string) string {
	rest := mark(kindRest)
	end := min(len(s), MaxText-len(rest))
	if open := strings.LastIndex(s[:end], markStart[:1]); open >= 0 {
		if n := strings.Index(s[open:], markEnd); strings.HasPrefix(s[open:], markStart) && n >= 0 && open+n >= end {
			end = open
		}
	}
	return strings.ToValidUTF8(s[:end], "") + rest
}
