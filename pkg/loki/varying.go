package loki

import "strings"

// What differs from line to line is replaced by <*> inside Loki, before anything
// is redacted here. A secret of which a part was replaced is no longer known for
// one, and the rest of it would be kept. Therefore a word is replaced as a whole
// or left as it is, and the same goes for the value behind a name that says that
// it is a secret, whatever punctuation is in it.

const (
	// apart are the characters that end a word, for a class of characters.
	apart = `\s"'\x60,;()\[\]{}<>|=&?\x1e\x1f`
	// before is a character of a word before a digit that makes it vary; a name
	// before a colon and a number, as in by:10.0.0.7, is a word of its own.
	before = `(?:[^` + apart + `:]|:[^` + apart + `:\d])`
	// after is a character of a word after that digit.
	after = `(?:[^` + apart + `]|,\d)`
	// last is the last character of a word: what ends a sentence is not of it.
	last = `[^` + apart + `!#$%*+./:@^~\\-]`
	// word has a part that begins with a digit, or is long and has a digit. That
	// leaves x509, OC000 and HTTP2. What is assigned to it goes with it.
	word = before + `*(?:\b\d|` + before + `{6}\d|\d` + after + `{6})(?:` + after + `*` + last + `)?(?:=[^\s"'\x60]+)?`

	// spoken is a text in quotes, which may be cut off, or be quoted within another.
	spoken = `(?:"(?:[^"\\\x1e\x1f]|\\[^\x1e\x1f])*"?` +
		`|\\+"(?:[^"\\\x1e\x1f]|\\\\+[^\x1e\x1f]|\\[^"\\\x1e\x1f])*(?:\\?")?` +
		`|\\*'[^'\x1e\x1f]*'?` +
		`|\x60[^\x60\x1e\x1f]*\x60?)`
	// bare is a value without quotes that has a digit. Others are left for the
	// rules of package redact.
	bare = `[^\s"'\x60]*\d(?:[^\s"'\x60]*[^\s"'\x60.,:;)\]}])?`
	// secretName is a name as package redact knows them.
	secretName = `(?i:pass(?:w(?:or)?d|phrase)?|pwd|secret|token|credentials?|key|signature|sig|authorization|cookie|session(?:id)?)[A-Za-z_-]*`
)

// varying is what differs from line to line of the same kind: identifiers,
// single words in quotes, addresses, names of pods, times, and numbers with their
// units. Codes that say what happened stay, which the group takes; see keptCode.
var varying = kept + `|` + common

// varyingSecret is varying for texts in which there may be a secret with
// punctuation or blanks in it: private keys, values behind names, payloads, and
// credentials of URLs and data source names. The groups take what stays before a
// value.
var varyingSecret = strings.Join([]string{
	kept,
	`-----BEGIN[^\x1e\x1f-]*PRIVATE KEY(?:[^\x1e\x1f]*?-----END[^\x1e\x1f-]*PRIVATE KEY[A-Z ]*-----|[^\x1e\x1f]*)`,
	`([\w.-]*(?i:cookie)["'\\]*\s*[:=]+>?\s*["'\\\[]*)[^\s=;,"'\x60\\]+=[^\r\n"'\x60\\\]}\x1e\x1f]+`,
	`((?i:user|uid|user id|username)=)[^\s;,"'\x60)&]+`,
	`(["'\\]*[A-Za-z_.-]*\d?[A-Za-z_.-]*` + secretName + `["'\\]*\s*[:=]+>?\s*\[?|--[\w-]*` + secretName + `\s+)(?:` + spoken + `|` + bare + `)`,
	`(["'\\]*(?:data|payload)["'\\]*\s*:\s*)` + spoken,
	`((?:\s-u|--user)[ =]?["']?)[^\s"':]+:[^\s"']+`,
	`[^\s"'\x60]+:[^\s"'\x60]*@(?:tcp|unix)\(`,
	`[\w+.:-]+:(?:\\?/){2}[^\s"'\x60<>]*\d(?:[^\s"'\x60<>]*[^\s"'\x60<>.,:;)\]}])?`,
	common,
}, "|")

const (
	kept   = `(SQLSTATE.\w{5}|\bTMPRL\d{4}\b)`
	common = `/_sys/\S+` +
		`|"[^"\s]+"|'[^'\s]+'` +
		`|\[[0-9a-fA-F:.]+\](?::\d+)?` +
		`|` + word +
		`|\b[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}\b` +
		`|\b[a-z][a-z0-9-]*-[0-9a-f]{8,10}-[a-z0-9]{5}\b`
)

// secretSigns are what texts hold, in lower case, that varyingSecret is for. Loki
// compiles an expression for every line, and those without a sign are spared it.
var secretSigns = []string{
	"pass", "pwd", "secret", "token", "credential", "key", "signature", "sig=", "authorization", "cookie", "session",
	"encoding", " -u", "--user", "user=", "uid=", "user id=", "username=", "@tcp(", "@unix(", `:/`, `:\/`,
}

// variedBy is what takes the place of a match.
const variedBy, secretVariedBy = "$1<*>", "$1$2$3$4$5$6<*>"

// replaceVarying is a template for a text with <*> in the place of what varies.
func replaceVarying(text string) string {
	var signs []string
	for _, sign := range secretSigns {
		signs = append(signs, `(contains `+inTemplate(sign)+` $low)`)
	}
	return `{{$text := ` + text + `}}{{$low := ToLower $text}}{{if or ` + strings.Join(signs, " ") + `}}` +
		`{{regexReplaceAll ` + inTemplate(varyingSecret) + ` $text "` + secretVariedBy + `"}}{{else}}` +
		`{{regexReplaceAll ` + inTemplate(varying) + ` $text "` + variedBy + `"}}{{end}}`
}
