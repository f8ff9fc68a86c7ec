package narrative

import (
	"cmp"
	"encoding/hex"
	"hash/fnv"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// maxGroups bounds what a miner remembers: some 20 kB.
	maxGroups = 100
	// maxTokens is how many words of a line are compared and kept.
	maxTokens = 32
	// maxToken is how long such a word may be, in bytes; a longer one is no word.
	maxToken = 48
	// nothing is the server's message where there is none.
	nothing = "none"
	// more stands for what was cut off.
	more = "…"
	// maxText is how long the text for people may be, in bytes.
	maxText = 200
	// alike is how much of two texts has to be the same for them to be one
	// group. A name that differs weighs half a word, since that is what differs
	// from line to line; another word weighs two, since it makes another
	// sentence unless that is long.
	alike                  = 0.8
	nameWeighs, wordWeighs = 0.5, 2.0
	// maxWild is the part of a group's words that may differ. Beyond it the
	// group would match anything.
	maxWild = 0.5
)

// Miner groups log lines that no pattern of the catalogue matches, in the manner
// of Drain (He et al., 2017): lines of one service, level and length whose words
// are mostly the same are one group, and the words that differ become wildcards.
// It holds at most 100 groups; those not seen for the longest time go first. The
// same templates in the same order give the same groups.
//
// The zero value is ready for use. Group changes it; Clone keeps an old state.
type Miner struct {
	// Groups are ordered by id.
	Groups []Group `json:"groups,omitempty"`
}

// Group is what lines have in common.
type Group struct {
	// ID is "other." and a fingerprint of the first text. It stays when the text
	// becomes more general.
	ID      string `json:"id"`
	Service string `json:"service,omitempty"`
	Level   string `json:"level,omitempty"`
	// Text is the message and the error, normalised.
	Text string `json:"text"`
	// Seen is when a line of it was last there.
	Seen instant.Instant `json:"seen"`
}

// Clone returns a copy that shares nothing with m.
func (m Miner) Clone() Miner { return Miner{Groups: slices.Clone(m.Groups)} }

// Group returns the group that a template belongs to, which it makes if there is
// none: its id, and its text for people of at most 200 bytes. at is when the
// template was seen.
func (m *Miner) Group(t health.LogTemplate, at instant.Instant) (id, text string) {
	tokens := tokensOf(t)
	best, closest := -1, 0.0
	for i := range m.Groups {
		g := &m.Groups[i]
		if g.Service != t.Service || g.Level != t.Level || strings.Count(g.Text, " ")+1 != len(tokens) {
			continue
		}
		if s := similarity(strings.Split(g.Text, " "), tokens); s > closest {
			best, closest = i, s
		}
	}
	if best < 0 || closest <= alike {
		best = m.add(t, strings.Join(tokens, " "))
	}
	g := &m.Groups[best]
	g.Text = strings.Join(merged(strings.Split(g.Text, " "), tokens), " ")
	if at.After(g.Seen) {
		g.Seen = at
	}
	id, text = g.ID, forPeople(g.Text)
	m.forget(id)
	return id, text
}

// add makes a group and returns its index.
func (m *Miner) add(t health.LogTemplate, text string) int {
	g := Group{Service: t.Service, Level: t.Level, Text: text}
	hash := fnv.New32a()
	for {
		for _, part := range []string{t.Service, t.Level, text} {
			// A hash never fails to be written to.
			_, _ = hash.Write([]byte(part + "\n"))
		}
		g.ID = "other." + hex.EncodeToString(hash.Sum(nil))
		at, taken := slices.BinarySearchFunc(m.Groups, g, func(a, b Group) int { return cmp.Compare(a.ID, b.ID) })
		if !taken {
			m.Groups = slices.Insert(m.Groups, at, g)
			return at
		}
	}
}

// forget drops the group not seen for the longest time if there are too many,
// but not the one that was just seen.
func (m *Miner) forget(but string) {
	if len(m.Groups) <= maxGroups {
		return
	}
	oldest := -1
	for i := range m.Groups {
		if m.Groups[i].ID != but && (oldest < 0 || m.Groups[i].Seen.Before(m.Groups[oldest].Seen)) {
			oldest = i
		}
	}
	m.Groups = slices.Delete(m.Groups, oldest, oldest+1)
}

// tokensOf returns the words that a template is compared by, at least one.
func tokensOf(t health.LogTemplate) []string {
	text := t.Message
	if text == "" || text == nothing {
		text = strings.TrimSpace(t.Component + " " + t.Lifecycle)
	}
	if text == "" && t.Error == "" {
		text = "a line without a message"
	}
	if t.Error != "" && text != "" {
		text += ": "
	}
	tokens := strings.SplitN(Normalise(text+t.Error), " ", maxTokens+1)
	if len(tokens) > maxTokens {
		tokens = append(tokens[:maxTokens-1], more)
	}
	for i, token := range tokens {
		if len(token) > maxToken {
			tokens[i] = wildcard
		}
	}
	return tokens
}

// similarity tells how much of a group's words a line of as many words has, up
// to 1 for all. Wildcards of the group may be anything.
func similarity(group, line []string) float64 {
	cost, wild := 0.0, 0
	for i := range group {
		switch {
		case group[i] == wildcard:
			wild++
		case group[i] == line[i]:
		case name(group[i]) && name(line[i]):
			wild++
			cost += nameWeighs
		default:
			wild++
			cost += wordWeighs
		}
	}
	if n := float64(len(group)); cost == 0 || float64(wild) <= maxWild*n {
		return 1 - cost/n
	}
	return 0
}

// name tells whether a word looks like a name: it has a capital letter within,
// something that joins words, or a wildcard.
func name(token string) bool {
	_, first := utf8.DecodeRuneInString(token)
	return strings.ContainsFunc(token[first:], func(r rune) bool { return unicode.IsUpper(r) || strings.ContainsRune("_-./<", r) }) ||
		strings.HasPrefix(token, wildcard)
}

// merged makes wildcards of the words that differ.
func merged(group, line []string) []string {
	for i := range group {
		if group[i] != line[i] {
			group[i] = wildcard
		}
	}
	return group
}

// forPeople cuts a text to what people read.
func forPeople(text string) string {
	if len(text) <= maxText {
		return text
	}
	cut := maxText - len(more)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}
