package redact

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addressDetectors find e-mail and IP addresses.
func addressDetectors() []detector {
	return []detector{
		{kind: "email", keywords: []string{"@", "%40"}, find: findEmail, yields: true},
		{kind: "ip", keywords: []string{"."}, find: findIPv4},
		{kind: "ip", keywords: []string{"ip-", "ec2-", ".pod."}, find: findHostIPv4},
		{kind: "ip", keywords: []string{":"}, find: findIPv6},
	}
}

// findEmail finds e-mail addresses, also where the @ is escaped in a URL. The
// identity of a worker (12@worker-0.example.com), the version of a module
// (server@v1.32.1) and a repository (git@host) look like one and are none.
func findEmail(t text, add func(from, to int)) {
	for _, at := range []string{"@", "%40"} {
		for p := 0; ; p += len(at) {
			i := strings.Index(t.s[p:], at)
			if i < 0 {
				break
			}
			p += i
			from, to := localStart(t.s, p), domainEnd(t.s, p+len(at))
			local, domain := t.s[from:p], t.s[p+len(at):to]
			if local != "" && isDomain(domain) && !isProcess(local) && !isVersion(domain) && local != "git" {
				add(from, to)
			}
		}
	}
}

// localStart returns where the part in front of the @ at p begins.
func localStart(s string, p int) int {
	for p > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:p])
		if !isEmailRune(r) && r != '_' && r != '+' {
			break
		}
		p -= size
	}
	return p + len(s[p:]) - len(strings.TrimLeft(s[p:], ".-"))
}

// domainEnd returns where the domain that begins at p ends.
func domainEnd(s string, p int) int {
	from := p
	for p < len(s) {
		r, size := utf8.DecodeRuneInString(s[p:])
		if !isEmailRune(r) {
			break
		}
		p += size
	}
	return from + len(strings.TrimRight(s[from:p], ".-"))
}

func isEmailRune(r rune) bool {
	if r < utf8.RuneSelf {
		return isAlphanumeric(byte(r)) || r == '.' || r == '-'
	}
	return r != utf8.RuneError && unicode.IsLetter(r)
}

// isDomain tells whether a name has two labels or more, none empty and the
// last of letters, and is not one of systemd's units (user@1000.service).
func isDomain(name string) bool {
	labels := strings.Split(name, ".")
	top := labels[len(labels)-1]
	if len(labels) < 2 || utf8.RuneCountInString(top) < 2 || slices.Contains(labels, "") {
		return false
	}
	if strings.ContainsFunc(top, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return false
	}
	switch top {
	case "service", "socket", "timer", "target", "slice", "scope", "mount":
		return false
	}
	return true
}

// isProcess tells a process id, as it begins a worker's identity. Linux counts
// to 4,194,304.
func isProcess(local string) bool {
	return len(local) <= 7 && strings.Trim(local, "0123456789") == ""
}

func isVersion(domain string) bool {
	return len(domain) > 1 && domain[0] == 'v' && isDigit(domain[1])
}

// findIPv4 finds IPv4 addresses. A version with four parts looks the same; it
// is told by what stands before it.
func findIPv4(t text, add func(from, to int)) {
	runs(t.s, func(c byte) bool { return isDigit(c) || c == '.' }, func(from, to int) {
		// The end of a sentence.
		for to > from && t.s[to-1] == '.' {
			to--
		}
		if to-from < len("1.1.1.1") || strings.Count(t.s[from:to], ".") != 3 {
			return
		}
		address, err := netip.ParseAddr(t.s[from:to])
		if err != nil || !isPersonal(address) || isPartOfName(t.s, from, to) {
			return
		}
		// Java writes host/10.1.2.3:7233, so that a private address or a port
		// says more than a slash.
		port := to+1 < len(t.s) && t.s[to] == ':' && isDigit(t.s[to+1])
		if !port && isVersionBefore(t.lower[:from], address.IsPrivate()) {
			return
		}
		add(from, to)
	})
}

// isPersonal tells whether an address is one machine's. Loopback, wildcard and
// link-local addresses are the same everywhere, and say which interface a
// server listens on, or that it asked the cloud's metadata service.
func isPersonal(address netip.Addr) bool {
	address = address.Unmap()
	return !address.IsLoopback() && !address.IsUnspecified() && !address.IsLinkLocalUnicast() &&
		address != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// isPartOfName tells whether the text at from is the middle of a word.
func isPartOfName(s string, from, to int) bool {
	if wordAt(s, to) || to < len(s) && s[to] == '_' {
		return true
	}
	if from == 0 {
		return false
	}
	// The hyphen of a range, 10.0.0.1-10.0.0.9, stands behind a digit.
	return isAlphanumeric(s[from-1]) || s[from-1] == '_' || s[from-1] == '+' || s[from-1] == '-' && from > 1 && isLetter(s[from-2])
}

// isVersionBefore tells whether what stands before a number says that it is a
// version: "version 1.2.3.4", "server@1.2.3.4", "agent/1.2.3.4". A slash does
// not count before a private address, nor an @ in a URL.
func isVersionBefore(before string, private bool) bool {
	n := len(before)
	if n > 1 && isLetter(before[n-2]) {
		switch before[n-1] {
		case '/':
			return !private
		case '@':
			return !strings.Contains(before[max(0, n-80):], "://")
		}
	}
	before = strings.TrimRight(before, ` :="'\`)
	for _, word := range []string{"version", "release", "section", " v"} {
		if strings.HasSuffix(before, word) {
			return true
		}
	}
	return false
}

// findHostIPv4 finds IPv4 addresses in the names that clouds and Kubernetes
// give to machines: ip-10-1-2-3.ec2.internal, 10-1-2-3.shop.pod.cluster.local.
func findHostIPv4(t text, add func(from, to int)) {
	runs(t.s, func(c byte) bool { return isDigit(c) || c == '-' }, func(from, to int) {
		prefixed := from > 1 && (t.lower[from-2:from] == "ip" || t.lower[from-2:from] == "c2") && t.s[from] == '-'
		for from < to && t.s[from] == '-' {
			from++
		}
		if to-from < len("1-1-1-1") || wordAt(t.s, to) {
			return
		}
		if !prefixed && (wordBefore(t.s, from) || !isPodName(t.lower[to:])) {
			return
		}
		if _, err := netip.ParseAddr(strings.ReplaceAll(t.s[from:to], "-", ".")); err == nil {
			add(from, to)
		}
	})
}

// isPodName tells whether a name goes on as that of a pod in Kubernetes' DNS.
func isPodName(rest string) bool {
	parts := strings.SplitN(rest, ".", 4)
	return len(parts) == 4 && parts[0] == "" && parts[2] == "pod"
}

// findIPv6 finds IPv6 addresses. Those with only one group, such as ::1, those
// without a digit, such as face::feed, and what is a time, a hardware address or
// a cast of SQL are none.
func findIPv6(t text, add func(from, to int)) {
	runs(t.s, func(c byte) bool { return isHex(c) || c == ':' || c == '.' }, func(from, to int) {
		// What goes before and behind may be a name, a port or a sentence.
		for to > from && (t.s[to-1] == '.' || t.s[to-1] == ':' && !strings.HasSuffix(t.s[from:to], "::")) {
			to--
		}
		for from < to && (t.s[from] == '.' || t.s[from] == ':' && !strings.HasPrefix(t.s[from:to], "::")) {
			from++
		}
		candidate := t.s[from:to]
		if strings.Count(candidate, ":") < 2 || isPartOfName(t.s, from, to) {
			return
		}
		groups := strings.FieldsFunc(candidate, func(r rune) bool { return r == ':' })
		if len(groups) < 2 || !strings.ContainsAny(candidate, "0123456789") {
			return
		}
		if address, err := netip.ParseAddr(candidate); err == nil && isPersonal(address) {
			add(from, to)
		}
	})
}
