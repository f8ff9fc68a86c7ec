package redact

import (
	"regexp"
	"strings"
)

// urlDetectors find credentials in URLs and in the data source names that
// databases take instead. Hosts, ports, names of databases and options stay.
func urlDetectors() []detector {
	return []detector{
		{kind: "url-credentials", keywords: []string{"://", `:\/\/`}, find: findUserinfo},

		// user:password@tcp(host:3306)/database
		pattern("url-credentials", []string{"@tcp(", "@unix("},
			"([^\\s\"'`@:/(]+:[^\\s\"'`]*)@(?:tcp|unix)\\(", 1, nil),

		dsnUserDetector(),
	}
}

// findUserinfo finds what stands between a URL's scheme and its host.
func findUserinfo(t text, add func(from, to int)) {
	for _, slashes := range []string{"://", `:\/\/`} {
		for at := 0; ; {
			i := strings.Index(t.s[at:], slashes)
			if i < 0 {
				break
			}
			scheme := t.lower[:at+i]
			at += i + len(slashes)
			rest := t.s[at:]
			if end := strings.IndexAny(rest, " \t\r\n\"'`<>\\"); end >= 0 {
				rest = rest[:end]
			}
			if user, ok := userinfo(rest, scheme); ok && user != "git" {
				add(at, at+len(user))
			}
		}
	}
}

// userinfo returns the user and password that a URL without its scheme begins
// with.
func userinfo(rest, scheme string) (string, bool) {
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		return authority[:i], true
	}
	// A password with a slash in it breaks the URL, which is then shown in the
	// error about it.
	user, _, found := strings.Cut(rest, "@")
	if !found || !strings.Contains(authority, ":") || portAndPath.MatchString(user) || !isDatabase(scheme) {
		return "", false
	}
	return user, true
}

var portAndPath = regexp.MustCompile(`^[^:]*:\d{1,5}/`)

// isDatabase tells whether a text in lower case ends with the scheme of a
// database or broker.
func isDatabase(scheme string) bool {
	for _, name := range []string{"postgres", "postgresql", "mysql", "mongodb", "mongodb+srv", "redis", "rediss", "amqp", "amqps"} {
		if strings.HasSuffix(scheme, name) {
			return true
		}
	}
	return false
}

// dsnUserDetector finds the user in host=… user=… dbname=…, which is half of a
// credential. Elsewhere "user=" may be anything.
func dsnUserDetector() detector {
	expression := lazy("(?i)\\b(?:user|user id|uid|username)=('[^']*'|[^\\s;,\"'`)&]+)")
	const near = 200
	return detector{
		kind:     "database-user",
		keywords: []string{"user=", "user id=", "uid=", "username="},
		find: func(t text, add func(from, to int)) {
			for _, match := range expression().FindAllStringSubmatchIndex(t.s, -1) {
				around := t.lower[max(0, match[0]-near):min(len(t.lower), match[1]+near)]
				for _, other := range []string{"dbname=", "database=", "initial catalog=", "sslmode="} {
					if strings.Contains(around, other) {
						add(match[2], match[3])
						break
					}
				}
			}
		},
	}
}
