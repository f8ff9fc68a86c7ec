package redact

import (
	"regexp"
	"slices"
	"strings"
)

// A secretName is the end of a name that says that its value is a secret.
type secretName struct {
	// stem is the name without separators, in lower case.
	stem string
	kind string
	// certain is true of a name whose value is a secret whatever it looks
	// like. The others name other things as well, and their value must look
	// random.
	certain bool
}

// secretNames are ordered: the first stem that a name ends with counts. One
// without a kind names what is no secret.
var secretNames = []secretName{
	{stem: "password", kind: "password", certain: true},
	{stem: "passwd", kind: "password", certain: true},
	{stem: "passphrase", kind: "password", certain: true},
	{stem: "pwd", kind: "password", certain: true},
	{stem: "dbpass", kind: "password", certain: true},
	{stem: "clientsecret", kind: "secret", certain: true},
	{stem: "secretkey", kind: "secret", certain: true},
	{stem: "secretaccesskey", kind: "secret", certain: true},
	{stem: "sharedsecret", kind: "secret", certain: true},
	{stem: "signingsecret", kind: "secret", certain: true},
	{stem: "webhooksecret", kind: "secret", certain: true},
	{stem: "jwtsecret", kind: "secret", certain: true},
	{stem: "appsecret", kind: "secret", certain: true},
	{stem: "secret", kind: "secret"},
	{stem: "encryptionkey", kind: "secret"},
	{stem: "signingkey", kind: "secret"},
	{stem: "privatekey", kind: "secret"},
	{stem: "masterkey", kind: "secret"},
	{stem: "accountkey", kind: "secret"},
	{stem: "apikey", kind: "api-key"},
	{stem: "accesskeyid", kind: "api-key"},
	{stem: "accesskey", kind: "api-key"},
	{stem: "authkey", kind: "api-key"},
	{stem: "licensekey", kind: "api-key"},
	{stem: "tasktoken"},
	{stem: "pagetoken"},
	{stem: "continuationtoken"},
	{stem: "nexttoken"},
	{stem: "token", kind: "token"},
	{stem: "credential", kind: "credential"},
	{stem: "credentials", kind: "credential"},
	{stem: "signature", kind: "signature"},
	{stem: "sig", kind: "signature"},
}

// shortStem is the length up to which a stem must be a word of its own: "sig"
// is in "design".
const shortStem = 4

// assignmentDetectors find secrets by the name in front of them: password=…,
// "apiKey":"…", --token …, X-Amz-Signature=…, in whatever way names and values
// are written in a log. Each looks for the words with which its names end.
func assignmentDetectors() []detector {
	kinds := []struct {
		kind string
		ends []string
	}{
		{"password", []string{"password", "passwd", "passphrase", "pwd", "pass"}},
		{"secret", []string{"secret", "key"}},
		{"api-key", []string{"key", "keyid", "key_id", "key-id", "key id"}},
		{"token", []string{"token"}},
		{"credential", []string{"credential", "credentials"}},
		{"signature", []string{"signature", "sig"}},
	}
	detectors := make([]detector, 0, len(kinds))
	for _, k := range kinds {
		detectors = append(detectors, detector{
			kind:     k.kind,
			keywords: k.ends,
			find: func(t text, add func(from, to int)) {
				for _, end := range k.ends {
					for at := 0; ; {
						i := strings.Index(t.lower[at:], end)
						if i < 0 {
							break
						}
						at += i + len(end)
						if from, to, ok := assigned(t, at, k.kind); ok {
							add(from, to)
						}
					}
				}
			},
		})
	}
	return detectors
}

// assigned returns the range of the secret whose name has its last word end at
// position end, if the name is one of a kind and a value follows.
func assigned(t text, end int, kind string) (from, to int, ok bool) {
	start := nameStart(t.lower, end)
	name, ok := classify(t.lower[start:end])
	if !ok || name.kind != kind || len(name.stem) <= shortStem && !standsAlone(t.s, start, end, len(name.stem)) {
		return 0, 0, false
	}
	p, ok := afterName(t.lower, end)
	if !ok {
		return 0, 0, false
	}
	v, ok := valueAt(t.s, p, strings.HasPrefix(t.s[start:], "--"))
	if !ok || v.from == v.to {
		return 0, 0, false
	}
	if name.kind == "credential" {
		v.to = v.from + len(withoutScope(t.s[v.from:v.to]))
	}
	return v.from, v.to, name.hasSecret(v, t.s[v.from:v.to])
}

// hasSecret tells whether a value can be what the name says.
func (n secretName) hasSecret(v value, s string) bool {
	switch {
	case isPlaceholder(s), !v.quoted && s[0] == '{':
		return false
	case !n.certain && !v.assigned:
		// The name of a Kubernetes secret is quoted just so.
		return len(s) >= 16 && looksRandom(s) && !strings.ContainsAny(s, "-. /")
	case !n.certain:
		return len(s) >= 8 && looksRandom(s) && !strings.ContainsAny(s, "{}()[]<>?$ ") && (!v.prose || !strings.Contains(s, ":"))
	case v.prose:
		// "invalid password: user is locked" tells no password.
		return len(s) >= 6 && (looksRandom(s) || strings.ContainsAny(s, "!@#$%^&*?+="))
	case n.stem == "pwd":
		// The shell's name for the working directory.
		return s[0] != '/'
	}
	return true
}

// withoutScope returns the key of an AWS credential, without the day, region
// and service that the signature is for.
func withoutScope(credential string) string {
	if strings.HasSuffix(credential, "aws4_request") {
		key, _, _ := strings.Cut(credential, "/")
		key, _, _ = strings.Cut(key, "%2F")
		return key
	}
	return credential
}

func isNameByte(c byte) bool {
	return isAlphanumeric(c) || c == '_' || c == '-' || c == '.'
}

// nameStart returns where the name that ends at end begins. In prose a name
// may have two words, "api key".
func nameStart(lower string, end int) int {
	back := func(at int) int {
		for at > 0 && isNameByte(lower[at-1]) {
			at--
		}
		return at
	}
	start := back(end)
	if start > 1 && lower[start-1] == ' ' && slices.Contains([]string{"key", "token", "id", "secret"}, lower[start:end]) {
		start = back(start - 1)
		if start > 1 && lower[start-1] == ' ' && strings.HasPrefix(lower[start:end], "key ") {
			start = back(start - 1)
		}
	}
	return start
}

// classify returns what a name in lower case says about its value.
func classify(name string) (secretName, bool) {
	squashed := strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. ", r) {
			return -1
		}
		return r
	}, name)
	for _, n := range secretNames {
		if strings.HasSuffix(squashed, n.stem) {
			return n, true
		}
	}
	return secretName{}, false
}

// standsAlone tells whether a short stem at the end of a name is a word of it.
func standsAlone(s string, start, end, length int) bool {
	at := end - length
	return at <= start || !isAlphanumeric(s[at-1]) || isLower(s[at-1]) && !isLower(s[at])
}

// nameEndings may follow a name that is about the secret itself.
var nameEndings = []string{"", "hash", "value", "base64", "plain", "text"}

// afterName returns where the name is over, if what follows its last word
// does not make it another thing, such as the length of a password.
func afterName(lower string, end int) (int, bool) {
	p := end
	for p < len(lower) && isNameByte(lower[p]) {
		p++
	}
	rest := strings.Trim(lower[end:p], "_-.0123456789")
	return p, slices.Contains(nameEndings, rest)
}

// A value is what is assigned to a name.
type value struct {
	from, to int
	quoted   bool
	// assigned is true when a separator stands between name and value, false
	// in: password 'x'.
	assigned bool
	// prose is true of an unquoted value behind a colon and a space, which is
	// as often the rest of a sentence.
	prose bool
}

// valueAt returns the value behind the name that ends at p. The option of a
// command line has it as the next word, and in SQL it only stands in quotes.
func valueAt(s string, p int, option bool) (value, bool) {
	nameEnd := p
	p = skip(s, p, "\\")
	p += quoteAt(s, p)
	quoted := p > nameEnd
	p = skip(s, p, " \t")
	separator := separatorAt(s, p)
	if separator == 0 {
		apart := p > nameEnd && !quoted && p < len(s) && s[p] != '-'
		if !apart || !option && quoteAt(s, p) == 0 {
			return value{}, false
		}
	}
	colon := separator == 1 && s[p] == ':'
	p += separator
	spaced := skip(s, p, " \t")
	prose := colon && spaced > p && !quoted
	p = spaced
	if p < len(s) && s[p] == '[' && !strings.HasPrefix(s[p:], markStart) {
		// Go prints a header as Name:[value].
		p++
	}
	escapes := skip(s, p, "\\") - p
	if n := quoteAt(s, p+escapes); n > 0 {
		from := p + escapes + n
		return value{from: from, to: quotedEnd(s, from, escapes), quoted: true, assigned: separator > 0}, true
	}
	return value{from: p, to: bareEnd(s, p), assigned: separator > 0 || option, prose: prose}, true
}

// skip returns the first position from p on that holds none of the bytes.
func skip(s string, p int, bytes string) int {
	for p < len(s) && strings.IndexByte(bytes, s[p]) >= 0 {
		p++
	}
	return p
}

// quoteAt returns 1 if there is a quote at p.
func quoteAt(s string, p int) int {
	if p < len(s) && (s[p] == '"' || s[p] == '\'' || s[p] == '`') {
		return 1
	}
	return 0
}

// separatorAt returns the length of the separator at p, 0 if there is none.
func separatorAt(s string, p int) int {
	for _, separator := range []string{"=>", ":=", "==", "=", ":"} {
		if strings.HasPrefix(s[p:], separator) {
			return len(separator)
		}
	}
	return 0
}

// quotedEnd returns where the text ends that is quoted with the quote in front
// of from, itself escaped by a number of backslashes: at the next such quote
// with no more of them, or where the text is cut off. Behind an even number a
// quote that needs no escape is none that is escaped.
func quotedEnd(s string, from, escapes int) int {
	quote := s[from-1]
	backslashes := 0
	for p := from; p < len(s); p++ {
		switch {
		case s[p] == '\\':
			backslashes++
			continue
		case s[p] == quote && escapes == 0 && backslashes%2 == 0:
			return p
		case s[p] == quote && escapes > 0 && backslashes <= escapes:
			return p - backslashes
		}
		backslashes = 0
	}
	return len(s)
}

// bareEnd returns where an unquoted value ends. A comma may belong to it,
// unless another name follows.
func bareEnd(s string, from int) int {
	p := from
	for p < len(s) && strings.IndexByte(" \t\r\n\"'`&;\\<>|", s[p]) < 0 {
		if s[p] == ',' {
			next := p + 1
			for next < len(s) && isNameByte(s[next]) {
				next++
			}
			if next > p+1 && next < len(s) && (s[next] == '=' || s[next] == ':') {
				break
			}
		}
		p++
	}
	for p > from && strings.IndexByte(",.:)]}", s[p-1]) >= 0 {
		p--
	}
	return p
}

// A variable stands for a value: $1, $DB_PASSWORD, ${password}, $(cat file).
var variable = regexp.MustCompile(`^\$(?:\d+|[A-Z_][A-Z0-9_]*|\{.*|\(.*)$`)

// isPlaceholder tells whether a value stands for another or for none.
func isPlaceholder(v string) bool {
	switch strings.ToLower(v) {
	case "null", "nil", "none", "undefined", "true", "false", "redacted", "<nil>", "?", "%s", "%q", "%v", "masked", "hidden", "empty", "yes", "no", "-":
		return true
	}
	if strings.Trim(v, "*") == "" || strings.Trim(v, "x") == "" || strings.Trim(v, "X") == "" || strings.Trim(v, ".") == "" {
		return true
	}
	return variable.MatchString(v) || strings.HasPrefix(v, "{{") || v[0] == '<' && strings.HasSuffix(v, ">")
}
