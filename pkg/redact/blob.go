package redact

import "strings"

// minBlob is the length from which base64 or hex is taken for data. Hashes of
// commits, ids and names are shorter.
const minBlob = 64

// blobDetectors find long base64 and hexadecimal text, whatever it is.
func blobDetectors() []detector {
	return []detector{
		{kind: "hex", find: findHex},
		{kind: "base64", find: findBase64},
	}
}

// findHex finds long hexadecimal text that is not said to be a digest or the
// id of a container.
func findHex(t text, add func(from, to int)) {
	runs(t.s, isHex, func(from, to int) {
		if to-from < minBlob {
			return
		}
		// PostgreSQL writes bytes as \x0a1b….
		literal := from > 1 && (t.s[from-2:from] == `\x` || t.s[from-2:from] == "0x")
		if !literal && wordBefore(t.s, from) || wordAt(t.s, to) {
			return
		}
		// Rulers and padding are of one letter.
		if !isDigest(t.lower[:from]) && entropy(t.s[from:to]) > 2 {
			add(from, to)
		}
	})
}

// isDigest tells whether what stands before hexadecimal text says that it is
// the digest of something, or the id of a container.
func isDigest(before string) bool {
	before = strings.TrimRight(before, ` :=-/"'\`)
	for _, name := range []string{"sha256", "sha-256", "sha512", "sha384", "sha3", "blake3", "digest", "checksum", "fingerprint", "containerd", "docker", "container_id", "containerid", "container id", "container", "cri-o"} {
		if strings.HasSuffix(before, name) {
			return true
		}
	}
	return false
}

func isBase64(c byte) bool {
	return isAlphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'
}

// findBase64 finds long base64 in either alphabet. Paths and names are as long,
// but are made of words.
func findBase64(t text, add func(from, to int)) {
	end := 0
	runs(t.s, isBase64, func(from, to int) {
		// A line of a text that is broken into lines belongs to it.
		if from > 0 && end > 0 && isLineBreak(t.s[end:from]) {
			add(end, to)
			end = to
			return
		}
		if to-from < minBlob || !hasAllSorts(t.s[from:to]) || isMadeOfWords(t.s[from:to]) {
			return
		}
		end = skip(t.s, to, "=")
		add(from, end)
	})
}

// isMadeOfWords tells a path or name from base64. In base64 every second byte
// is of another sort (upper case, lower case, digit) than the one before it, in
// words every fourth; and one in 32 is a separator.
func isMadeOfWords(s string) bool {
	sort := func(c byte) int {
		switch {
		case isDigit(c):
			return 0
		case isLower(c):
			return 1
		case isUpper(c):
			return 2
		}
		return 3
	}
	changes, separators := 0, 0
	for i := 1; i < len(s); i++ {
		if sort(s[i]) != sort(s[i-1]) {
			changes++
		}
		if sort(s[i]) == 3 {
			separators++
		}
	}
	return 5*changes < 2*len(s) || 10*separators > len(s)
}

func isLineBreak(s string) bool {
	switch s {
	case "\n", "\r\n", `\n`, `\r\n`:
		return true
	}
	return false
}

// runs calls yield with the range of each longest run of bytes that are in.
func runs(s string, in func(c byte) bool, yield func(from, to int)) {
	for at := 0; at < len(s); {
		if !in(s[at]) {
			at++
			continue
		}
		from := at
		for at < len(s) && in(s[at]) {
			at++
		}
		yield(from, at)
	}
}
