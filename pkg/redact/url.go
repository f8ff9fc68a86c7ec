package redact

import (
	"regexp"
	"strings"
)

// Credentials of URLs and of the data source names that databases take
// instead. Hosts, ports, names of databases and options stay.
func urlDetectors() []detector {
	return []detector{
		pattern("url-credentials", []string{"://", `:\/\/`},
			":(?:\\\\?/){2}([^\\s/?#\"'<>`\\\\]+)@", 1,
			func(user string) bool { return user != "git" }),

		// A password with a slash in it breaks the URL, which is then shown
		// in the error about it.
		pattern("url-credentials", []string{"://"},
			"(?i)(?:postgres(?:ql)?|mysql|mongodb(?:\\+srv)?|rediss?|amqps?)://([^\\s\"'`<>@/]*:[^\\s\"'`<>@]+)@", 1,
			func(user string) bool { return !portAndPath.MatchString(user) }),

		// user:password@tcp(host:3306)/database
		pattern("url-credentials", []string{"@tcp(", "@unix("},
			"([^\\s\"'`@:/(]+:[^\\s\"'`]*)@(?:tcp|unix)\\(", 1, nil),

		dsnUserDetector(),
	}
}

var portAndPath = regexp.MustCompile(`^[^:]*:\d{1,5}/`)

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
