package narrative

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wildcard stands in a template for what differs from line to line.
const wildcard = "<*>"

// Normalise replaces what differs from line to line by <*>: words with a digit
// in them, which are numbers with their units, times, ids, addresses, names of
// hosts and of pods; paths, URLs and e-mail addresses; names in quotes, while
// sentences in quotes are normalised themselves. A word takes in what is joined
// to it, so 10.0.0.7:5432 and what a coarser replacement made of it,
// <*>.<*>.<*>.<*>:<*>, both become <*>; a name before a colon stays, as in
// attempt:<*>. Lists of such words become one. Codes that say what happened
// stay: SQLSTATE 40001, OC000, TMPRL1101. Runs of white space become one space.
//
// Normalising twice changes nothing more.
func Normalise(text string) string {
	n := normaliser{rest: text}
	for n.rest != "" {
		n.step()
	}
	return oneOfList(strings.TrimSuffix(n.out.String(), " "))
}

// normaliser walks over a text.
type normaliser struct {
	rest string
	out  strings.Builder
	// word is the word read last.
	word string
	// last is the rune read last, a letter for any word.
	last rune
	// blank is set where another space would be one too many.
	blank bool
}

// step reads a word, a quotation or another rune.
func (n *normaliser) step() {
	if n.blank = n.blank || n.out.Len() == 0; n.quotation() {
		return
	}
	if length := wordLength(n.rest); length > 0 {
		word := n.rest[:length]
		n.rest, n.last = n.rest[length:], 'w'
		if varies(word) && !tells(word, n.word) {
			n.write(wildcard)
		} else {
			n.write(word)
		}
		n.word = word
		return
	}
	r, size := utf8.DecodeRuneInString(n.rest)
	n.rest, n.last = n.rest[size:], r
	switch {
	case !unicode.IsSpace(r):
		n.write(string(r))
	case !n.blank:
		n.write(" ")
		n.blank = true
	}
}

// write adds to the text.
func (n *normaliser) write(text string) {
	n.out.WriteString(text)
	n.blank = false
}

// quotation reads what stands in quotes, if that comes next. An apostrophe
// within a word opens none, and a quote without its end is a rune like others.
func (n *normaliser) quotation() bool {
	quote := n.rest[:1]
	if !strings.ContainsAny(quote, "\"'`") || (quote == "'" && wordRune(n.last)) {
		return false
	}
	end := quote
	if n.last == '\\' {
		end = `\` + quote // it was escaped, and so is its end
	}
	length := strings.Index(n.rest[1:], end)
	if length < 0 {
		return false
	}
	content := Normalise(n.rest[1 : 1+length])
	if strings.Count(content, " ") < 2 {
		content = wildcard
	}
	n.rest, n.last, n.word = n.rest[1+length+len(end):], rune(quote[0]), ""
	n.write(quote + content + end)
	return true
}

// wordLength returns how many bytes at the begin of a text are a word: letters,
// digits, underscores and wildcards, and what joins them. A slash may begin one,
// and a colon joins only what varies already.
func wordLength(text string) int {
	length := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case strings.HasPrefix(text[i:], wildcard):
			i += len(wildcard)
			length = i
		case wordRune(r):
			i += size
			length = i
		case r == ':' && !varies(text[:length]) && !strings.HasPrefix(text[i:], "://"):
			return length
		case strings.ContainsRune(`.-:/@+%\~#`, r) && (length > 0 || r == '/'):
			i += size
		default:
			return length
		}
	}
	return length
}

// wordRune tells whether a rune can be a word by itself.
func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// varies tells whether a word is one that differs from line to line.
func varies(word string) bool {
	return strings.Contains(word, wildcard) || strings.ContainsFunc(word, unicode.IsDigit) || strings.Contains(word, "@") ||
		strings.Contains(word, "://") || (strings.HasPrefix(word, "/") && strings.Count(word, "/") > 1)
}

// tells tells whether a word is a code that says what happened.
func tells(word, before string) bool {
	code, is := strings.CutPrefix(word, "TMPRL")
	if !is {
		code, is = strings.CutPrefix(word, "OC")
	}
	if is {
		return len(code) >= 3 && len(code) <= 4 && strings.Trim(code, "0123456789") == ""
	}
	return strings.EqualFold(before, "SQLSTATE") && len(word) == 5 && !strings.Contains(word, wildcard)
}

// lists are two items of a list, and what they are together.
var lists = strings.NewReplacer(
	"<*> <*>", "<*>", "<*>,<*>", "<*>", "<*>, <*>", "<*>", `"<*>" "<*>"`, `"<*>"`, `"<*>","<*>"`, `"<*>"`, `"<*>", "<*>"`, `"<*>"`,
)

// oneOfList makes lists of wildcards one wildcard.
func oneOfList(text string) string {
	for {
		shorter := lists.Replace(text)
		if len(shorter) == len(text) {
			return text
		}
		text = shorter
	}
}
