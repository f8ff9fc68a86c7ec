package redact

import "strings"

// headerDetectors find what headers of HTTP requests and gRPC calls carry for
// credentials, as they are written on the wire, in JSON, and by Go's and Java's
// ways of printing a map. Of AWS' signed requests the key and the signature go
// by their names, and the region and service stay.
func headerDetectors() []detector {
	const (
		// between is what stands between a header's name and its value.
		between = `[\\"'\x60]*[ \t]*[:=]>?[ \t]*[\[\\"'\x60]*[ \t]*`
		// line is a value to the end of the line or of the quoted string.
		line = `[^\r\n"'\x60\\\]}]+`
	)
	return []detector{
		pattern("authorization", []string{"authorization"},
			`(?i)authorization`+between+`((?:bearer|basic|negotiate|ntlm|token|apikey|api-key)[ \t]+[^\s,;"'\x60\\\]}]+)`, 1, nil),
		pattern("authorization", []string{"authorization"},
			`(?i)authorization`+between+`((?:digest|hawk)[ \t]+[^\r\n]+)`, 1, nil),
		pattern("authorization", []string{"authorization"},
			`(?i)authorization`+between+`([A-Za-z0-9+/=_.~-]{16,})`, 1,
			func(s string) bool { return looksRandom(s) && !strings.HasPrefix(s, "AWS4-") }),
		pattern("authorization", []string{"bearer"},
			`(?i)\bbearer[ \t:]+[\\"'\x60]*([A-Za-z0-9+/=_.~-]{8,})`, 1, looksRandom),
		pattern("authorization", []string{"basic"},
			`(?i)\bbasic[ \t]+([A-Za-z0-9+/]{8,}={0,2})`, 1, looksEncoded),
		pattern("cookie", []string{"cookie"},
			`(?i)\b(?:set-)?cookie`+between+`([^\s=;,"'\x60\\]+=`+line+`)`, 1, nil),
		pattern("cookie", []string{"sessionid", "sessid", "connect.sid", "_session", "csrftoken", "__host-", "__secure-", "awselbauthsessioncookie"},
			`(?i)\b(?:jsessionid|phpsessid|asp\.net_sessionid|sessionid|connect\.sid|grafana_session|_?[a-z]+_session|csrftoken|__(?:host|secure)-[a-z0-9_-]+|awselbauthsessioncookie(?:-\d)?)=([^\s;,"'\x60\\&)\]}]{8,})`, 1, nil),
	}
}

// looksRandom tells a token from a word: it has digits among its letters, or
// capitals where no word has them.
func looksRandom(s string) bool {
	digits, letters := 0, 0
	for i := range len(s) {
		switch {
		case isDigit(s[i]):
			digits++
		case isLetter(s[i]):
			letters++
		}
	}
	return digits > 0 && letters > 0 || letters >= 16 && !isMadeOfWords(s)
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// looksEncoded tells base64 from the words behind "basic": padding, or upper
// case, lower case and digits.
func looksEncoded(s string) bool {
	return strings.HasSuffix(s, "=") || hasAllSorts(s)
}

// hasAllSorts tells whether upper case, lower case and digits are all in s.
func hasAllSorts(s string) bool {
	var upper, lower, digit bool
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digit = true
		case isLower(c):
			lower = true
		case isLetter(c):
			upper = true
		}
	}
	return upper && lower && digit
}
