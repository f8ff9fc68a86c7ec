package redact

import (
	"fmt"
	"math"
	"regexp"
	"sync"
)

// A detector finds parts of one kind.
type detector struct {
	kind string

	// keywords gate the detector: it only runs on a text that contains one of
	// them, whatever the case. They are in lower case; without any it always
	// runs.
	keywords []string

	// find calls add with the byte range of everything that must go.
	find func(t text, add func(from, to int))

	// yields makes the detector's claims void where a detector before it
	// claims a part of the same: john@db.example.com in a URL's credentials
	// is a user and a host, not an address.
	yields bool
}

// A text is what detectors look at.
type text struct {
	s string
	// lower is s with ASCII letters in lower case, of the same length.
	lower string
}

func newText(s string) text {
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			lower := []byte(s)
			for ; i < len(lower); i++ {
				if c := lower[i]; 'A' <= c && c <= 'Z' {
					lower[i] = c + 'a' - 'A'
				}
			}
			return text{s: s, lower: string(lower)}
		}
	}
	return text{s: s, lower: s}
}

// builtin returns the detectors of this package, the more specific first: where
// two claim the same, the first gives the kind.
func builtin() []detector {
	var all []detector
	all = append(all, pemDetectors()...)
	all = append(all, urlDetectors()...)
	all = append(all, gitleaksDetectors()...)
	all = append(all, jwtDetectors()...)
	all = append(all, headerDetectors()...)
	all = append(all, awsDetectors()...)
	all = append(all, assignmentDetectors()...)
	all = append(all, payloadDetectors()...)
	all = append(all, addressDetectors()...)
	all = append(all, numberDetectors()...)
	all = append(all, blobDetectors()...)
	return all
}

// lazy compiles a regular expression when it is first needed: most of the two
// hundred never are.
func lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// pattern returns a detector that takes out a group of each match of a regular
// expression, or all of it for group 0, if accept says so. Without accept every
// match counts.
func pattern(kind string, keywords []string, expression string, group int, accept func(secret string) bool) detector {
	compiled := lazy(expression)
	return detector{
		kind:     kind,
		keywords: keywords,
		find: func(t text, add func(from, to int)) {
			for _, match := range compiled().FindAllStringSubmatchIndex(t.s, -1) {
				from, to := match[2*group], match[2*group+1]
				if from < 0 {
					continue
				}
				if accept == nil || accept(t.s[from:to]) {
					add(from, to)
				}
			}
		},
	}
}

const secretGroup = "secret"

var ruleName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)

// detector returns the rule's detector, or what is wrong with the rule.
func (r Rule) detector() (detector, error) {
	if !ruleName.MatchString(r.Name) {
		return detector{}, fmt.Errorf("the name must be 1 to 64 lower-case letters, digits and hyphens; it stands in the mark")
	}
	if r.Pattern == "" {
		return detector{}, fmt.Errorf("the pattern is empty; write a regular expression in RE2's syntax")
	}
	compiled, err := regexp.Compile(r.Pattern)
	if err != nil {
		return detector{}, fmt.Errorf("%w; write it in RE2's syntax", err)
	}
	if compiled.MatchString("") {
		return detector{}, fmt.Errorf("the pattern matches the empty text, and so everywhere; make a part of it mandatory")
	}
	group := max(compiled.SubexpIndex(secretGroup), 0)
	return pattern(r.Name, nil, r.Pattern, group, nil), nil
}

// entropy is the Shannon entropy of s in bits a byte.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
