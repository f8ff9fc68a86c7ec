package loki

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/redact/corpus"
)

// leastPart is how long a part of a secret must be to count as left, in bytes.
const leastPart = 6

// filled are the lines of package redact's corpus with values in them, and each
// again with words in front of it, so that what is cut ends within a value.
func filled(t *testing.T, seed uint64) []corpus.Line {
	t.Helper()
	var all []corpus.Line
	maker := corpus.NewMaker(seed)
	for _, file := range []string{"positives.txt", "heldout-positives.txt"} {
		templates, err := corpus.Read("../redact/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, template := range templates {
			line, err := maker.Fill(template)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, line)
			for _, v := range line.Values {
				for _, within := range []int{1, (v.To - v.From) / 2, v.To - v.From - 1, v.To - v.From + 2} {
					if front := 300 - v.From - within; front > 1 {
						all = append(all, behind(strings.Repeat("w ", front/2)+strings.Repeat(" ", front%2), line))
					}
				}
			}
		}
	}
	return all
}

// behind puts a text in front of a line.
func behind(text string, line corpus.Line) corpus.Line {
	moved := corpus.Line{Text: text + line.Text}
	for _, v := range line.Values {
		moved.Values = append(moved.Values, corpus.Value{From: v.From + len(text), To: v.To + len(text), Kinds: v.Kinds})
	}
	return moved
}

// around is a line without its values.
func around(line corpus.Line) string {
	var b strings.Builder
	at := 0
	for _, v := range line.Values {
		b.WriteString(line.Text[at:v.From] + "\x00")
		at = v.To
	}
	return b.String() + line.Text[at:] + "\x00"
}

// left returns a part of a value that a template still has, which does not also
// stand around the values.
func left(value, around string, t health.LogTemplate) string {
	for at := 0; at+leastPart <= len(value); at++ {
		part := value[at : at+leastPart]
		if strings.Contains(t.Message+"\x00"+t.Error, part) && !strings.Contains(around, part) {
			return part
		}
	}
	return ""
}

// tally counts the values of which nothing is left.
type tally struct{ values, gone int }

func (c *tally) judge(t *testing.T, line corpus.Line, around string, got health.LogTemplate) {
	for _, v := range line.Values {
		c.values++
		if part := left(line.Text[v.From:v.To], around, got); part != "" {
			t.Errorf("%q of a %s is left in %q and %q", part, v.Kinds[0], got.Message, got.Error)
			continue
		}
		c.gone++
	}
}

func TestCorpus(t *testing.T) {
	s := redacting(t)
	var c tally
	for seed := range uint64(3) {
		for _, line := range filled(t, seed) {
			c.judge(t, line, around(line), s.template(map[string]string{"c_text": asLoki(line.Text, line.Text)}))
		}
	}
	t.Logf("of %d of %d values no part is left: recall %.4f", c.gone, c.values, float64(c.gone)/float64(c.values))
}

// TestRealCorpus has Loki itself read the corpus, each line as a message and as an
// error.
func TestRealCorpus(t *testing.T) {
	r := startReal(t, "", ", max_query_series: 10000")
	s := redacting(t)
	s = r.scanner(t, func(c *Config) { c.Redact, c.MaxTemplates = s.cfg.Redact, mostTemplates })
	lines := filled(t, 1)
	to := lately()
	const each = 200
	var written []said
	var usual strings.Builder
	for i, line := range lines {
		usual.WriteString(around(line))
		text, err := json.Marshal(line.Text)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, said{to.Add(-time.Duration(i/each)*step).Time().UnixNano() - int64(i%each), fmt.Sprintf(`{"level":"error","msg":%s,"error":%[1]s}`, text)})
	}
	r.push(t, map[string]string{"job": "temporal"}, written...)
	windows, err := s.Scan(t.Context(), to.Add(-time.Duration(len(lines)/each+1)*step), to, step)
	if err != nil {
		t.Fatal(err)
	}
	var c tally
	for i, line := range lines {
		w := windows[len(windows)-1-i/each]
		var all health.LogTemplate
		for _, count := range w.Counts {
			all.Message += count.Message + "\n"
			all.Error += count.Error + "\n"
		}
		c.judge(t, line, usual.String(), all)
		if len(w.Counts) == 0 || w.Rest > 0 {
			t.Fatalf("%d kinds of lines, %d lines left out", len(w.Counts), w.Rest)
		}
	}
	t.Logf("of %d of %d values no part is left: recall %.4f", c.gone, c.values, float64(c.gone)/float64(c.values))
}
