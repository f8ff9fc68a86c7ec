package redact

// JSON Web Tokens, also those of which only the beginning is left. Both
// encodings of `{"`, and of `{` with a space behind it, begin with "ey".
func jwtDetectors() []detector {
	expression := lazy(`ey(?:J[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){1,4}|[A-Za-z0-9_-]{17,}\.ey[A-Za-z0-9_-]{17,}(?:\.[A-Za-z0-9_-]*)?)`)
	return []detector{{
		kind:     "jwt",
		keywords: []string{"ey"},
		find: func(t text, add func(from, to int)) {
			for _, match := range expression().FindAllStringIndex(t.s, -1) {
				if !wordBefore(t.s, match[0]) {
					add(match[0], match[1])
				}
			}
		},
	}}
}

// wordBefore tells whether a letter or digit stands before position at.
func wordBefore(s string, at int) bool {
	return at > 0 && isAlphanumeric(s[at-1])
}

// wordAt tells whether a letter or digit stands at position at.
func wordAt(s string, at int) bool {
	return at < len(s) && isAlphanumeric(s[at])
}

func isAlphanumeric(c byte) bool { return isDigit(c) || isLetter(c) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
