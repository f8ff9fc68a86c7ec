package redact

import "strings"

// keywords tells which detectors a text may have something for: to run two
// hundred regular expressions on each line would take a thousand times as
// long. Since nearly no keyword is in a text, those are left out first of
// which a pair of neighbouring bytes is nowhere in it.
type keywords struct {
	words []keyword
	// always are the detectors without a keyword.
	always detectorSet
}

type keyword struct {
	word      string
	detectors []int
}

// A detectorSet is a set of indexes of detectors.
type detectorSet [maxDetectors / 64]uint64

// maxDetectors is room for the rules of this package and the user's.
const maxDetectors = 1024

func (s *detectorSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *detectorSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// A pairSet holds pairs of neighbouring bytes, the upper bit of each left out.
type pairSet [1 << 14 / 64]uint64

func pairAt(s string, i int) int { return int(s[i]&0x7f)<<7 | int(s[i+1]&0x7f) }

func (p *pairSet) addAll(s string) {
	for i := range len(s) - 1 {
		pair := pairAt(s, i)
		p[pair/64] |= 1 << (pair % 64)
	}
}

func (p *pairSet) hasAll(s string) bool {
	for i := range len(s) - 1 {
		if pair := pairAt(s, i); p[pair/64]&(1<<(pair%64)) == 0 {
			return false
		}
	}
	return true
}

func indexKeywords(detectors []detector) keywords {
	var k keywords
	position := map[string]int{}
	for i, d := range detectors {
		if len(d.keywords) == 0 {
			k.always.add(i)
		}
		for _, word := range d.keywords {
			at, ok := position[word]
			if !ok {
				at = len(k.words)
				position[word] = at
				k.words = append(k.words, keyword{word: word})
			}
			k.words[at].detectors = append(k.words[at].detectors, i)
		}
	}
	return k
}

// in returns the detectors to run on a text in lower case.
func (k *keywords) in(lower string) detectorSet {
	set := k.always
	var pairs pairSet
	pairs.addAll(lower)
	for i := range k.words {
		word := &k.words[i]
		if pairs.hasAll(word.word) && strings.Contains(lower, word.word) {
			for _, d := range word.detectors {
				set.add(d)
			}
		}
	}
	return set
}
