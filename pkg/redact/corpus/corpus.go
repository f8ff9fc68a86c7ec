// Package corpus makes up lines with secrets and personal data in them for the
// tests of whatever has to keep those back. Nothing that runs imports it.
package corpus

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Alphabets for Maker.Of.
const (
	Lowers   = "abcdefghijklmnopqrstuvwxyz"
	Digits   = "0123456789"
	Hexes    = Digits + "abcdef"
	Letters  = Lowers + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	Alphanum = Letters + Digits
)

// Line is a log line with values that must go.
type Line struct {
	Text   string
	Values []Value
}

// Value is a byte range of a line, To not included.
type Value struct {
	From, To int
	// Kinds are what the value may be called; the first is what it is.
	Kinds []string
}

// Read returns the lines of a file of the corpus, in which {{name}} stands for a
// value, without its comments.
func Read(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		if line := scanner.Text(); line != "" && !strings.HasPrefix(line, "# ") {
			all = append(all, line)
		}
	}
	return all, scanner.Err()
}

var placeholder = regexp.MustCompile(`\{\{([a-z0-9-]+)\}\}`)

// Names returns the names of the values, in order.
func Names() []string { return slices.Sorted(maps.Keys(values)) }

// Maker makes up values, the same ones for the same seed.
type Maker struct{ rand *rand.Rand }

// NewMaker returns a maker.
func NewMaker(seed uint64) *Maker { return &Maker{rand.New(rand.NewPCG(seed, 0))} }

// Fill puts values into a line of the corpus. The error names a value that nothing
// makes.
func (m *Maker) Fill(template string) (Line, error) {
	var b strings.Builder
	var line Line
	at := 0
	for _, match := range placeholder.FindAllStringSubmatchIndex(template, -1) {
		name := template[match[2]:match[3]]
		source, ok := values[name]
		if !ok {
			return Line{}, fmt.Errorf("nothing makes the value {{%s}} of %s", name, template)
		}
		b.WriteString(template[at:match[0]])
		from := b.Len()
		b.WriteString(source.value(m))
		line.Values = append(line.Values, Value{From: from, To: b.Len(), Kinds: source.kinds})
		at = match[1]
	}
	b.WriteString(template[at:])
	line.Text = b.String()
	return line, nil
}

// Of returns n random bytes of an alphabet.
func (m *Maker) Of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.rand.IntN(len(alphabet))]
	}
	return string(b)
}

func (m *Maker) one(choices ...string) string { return choices[m.rand.IntN(len(choices))] }

func (m *Maker) number(from, to int) string { return fmt.Sprint(from + m.rand.IntN(to-from+1)) }
