package redact

import (
	"slices"
	"strings"
)

// A gitleaksRule is a rule of gitleaks as it is published.
type gitleaksRule struct {
	// id is the rule's name, and the kind of what it finds.
	id string
	// pattern is the regular expression.
	pattern string
	// keywords are such that one of them is in every text that matches.
	keywords []string
	// entropy is what the secret must exceed, in bits a byte.
	entropy float64
	// group is the number of the secret's group; without one it is the first
	// group that has matched something, or the whole match.
	group int
	// whole is true of a rule whose groups are only parts of the secret.
	whole bool
	// atWord is true of a rule that finds nothing unless one of its keywords
	// begins a word.
	atWord bool
}

func gitleaksDetectors() []detector {
	detectors := make([]detector, 0, len(gitleaksRules))
	for _, rule := range gitleaksRules {
		detectors = append(detectors, rule.detector())
	}
	return detectors
}

// detector follows gitleaks in what the secret of a match is and in its entropy. Its
// lists of exceptions are left out: they are there for examples and
// placeholders in source code, and in a log no harm is done by a mark there.
func (r gitleaksRule) detector() detector {
	expression := lazy(r.pattern)
	return detector{
		kind:     r.id,
		keywords: r.keywords,
		find: func(t text, add func(from, to int)) {
			if r.atWord && !slices.ContainsFunc(r.keywords, func(word string) bool { return beginsWord(t.lower, word) }) {
				return
			}
			for _, match := range expression().FindAllStringSubmatchIndex(t.s, -1) {
				from, to := r.secret(match)
				if r.entropy == 0 || entropy(t.s[from:to]) > r.entropy {
					add(from, to)
				}
			}
		},
	}
}

// secret returns the byte range of the secret in a match.
func (r gitleaksRule) secret(match []int) (from, to int) {
	if r.whole {
		return match[0], match[1]
	}
	if r.group > 0 {
		return match[2*r.group], match[2*r.group+1]
	}
	for i := 2; i < len(match); i += 2 {
		if match[i] >= 0 && match[i] < match[i+1] {
			return match[i], match[i+1]
		}
	}
	return match[0], match[1]
}

// beginsWord tells whether a text has a keyword with no letter, digit or
// underscore in front of it.
func beginsWord(lower, word string) bool {
	for at := 0; ; at++ {
		i := strings.Index(lower[at:], word)
		if i < 0 {
			return false
		}
		at += i
		if !wordBefore(lower, at) && (at == 0 || lower[at-1] != '_') {
			return true
		}
	}
}
