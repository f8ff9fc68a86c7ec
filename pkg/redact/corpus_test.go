package redact

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/redact/corpus"
)

// The corpus has one log line a line. In positives.txt and heldout-positives.txt
// {{name}} stands for a value that must go; it is made up here, so that nothing
// in the repository looks like a secret. Of negatives.txt and
// heldout-negatives.txt nothing must go. The held-out files were written after
// the rules, and no rule was changed because of them.

// spill is how many bytes around a value a finding may take with it: the word
// "Bearer", a quote.
const spill = 12

func TestCorpus(t *testing.T) {
	figures := judge(t, "positives.txt", "negatives.txt")
	if len(figures.kinds) < 25 || figures.values < 300 || figures.negatives < 300 {
		t.Errorf("the corpus has %d kinds, %d values and %d look-alikes; at least 25, 300 and 300 are asked for", len(figures.kinds), figures.values, figures.negatives)
	}
	if figures.recall() < 0.99 || figures.precision() < 0.99 {
		t.Errorf("recall is %.4f and precision %.4f; at least 0.99 is asked for", figures.recall(), figures.precision())
	}
}

// TestHeldOut tells how the rules do on lines that they were not written for.
// The floor is far below: it is there for the day when a rule breaks.
func TestHeldOut(t *testing.T) {
	figures := judge(t, "heldout-positives.txt", "heldout-negatives.txt")
	if figures.recall() < 0.75 || figures.precision() < 0.75 {
		t.Errorf("recall is %.4f and precision %.4f on lines held out", figures.recall(), figures.precision())
	}
}

// figures count what was found of the values that must go, and what else was.
type figures struct {
	values, found    int
	negatives, wrong int
	kinds            map[string]*ofKind
}

type ofKind struct{ values, found, wrong int }

func (f *figures) kind(name string) *ofKind {
	if f.kinds[name] == nil {
		f.kinds[name] = &ofKind{}
	}
	return f.kinds[name]
}

func (f *figures) recall() float64    { return float64(f.found) / float64(f.values) }
func (f *figures) precision() float64 { return float64(f.found) / float64(f.found+f.wrong) }

func judge(t *testing.T, positives, negatives string) *figures {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	f := &figures{kinds: map[string]*ofKind{}}
	maker := corpus.NewMaker(1)
	for _, template := range lines(t, positives) {
		f.judgePositive(t, r, fill(t, maker, template))
	}
	for _, line := range lines(t, negatives) {
		f.negatives++
		for _, found := range r.Find(line) {
			f.wrong++
			f.kind(found.Kind).wrong++
			t.Logf("wrongly taken as %s: %q in %s", found.Kind, line[found.From:found.To], line)
		}
	}
	t.Logf("%d values, %d found, %d look-alikes, %d wrong: recall %.4f, precision %.4f", f.values, f.found, f.negatives, f.wrong, f.recall(), f.precision())
	for _, name := range slices.Sorted(maps.Keys(f.kinds)) {
		k := f.kinds[name]
		t.Logf("%-34s %3d of %3d found, %d wrong", name, k.found, k.values, k.wrong)
	}
	return f
}

func (f *figures) judgePositive(t *testing.T, r *Redactor, c corpus.Line) {
	t.Helper()
	findings := r.Find(c.Text)
	out := r.Text(c.Text)
	for _, v := range c.Values {
		f.values++
		k := f.kind(v.Kinds[0])
		k.values++
		covered := 0
		named := false
		for _, found := range findings {
			covered += max(0, min(found.To, v.To)-max(found.From, v.From))
			named = named || found.From < v.To && v.From < found.To && slices.Contains(v.Kinds, found.Kind)
		}
		if covered < v.To-v.From || strings.Contains(out, c.Text[v.From:v.To]) {
			t.Logf("missed %s: %q in %s", v.Kinds[0], c.Text[v.From:v.To], c.Text)
			continue
		}
		if !named {
			t.Errorf("%s is found, but called otherwise: %s", v.Kinds[0], out)
		}
		f.found++
		k.found++
	}
	for _, found := range findings {
		outside := found.To - found.From
		for _, v := range c.Values {
			outside -= max(0, min(found.To, v.To)-max(found.From, v.From))
		}
		if outside > spill || outside == found.To-found.From {
			f.wrong++
			f.kind(found.Kind).wrong++
			t.Logf("wrongly taken as %s: %q in %s", found.Kind, c.Text[found.From:found.To], c.Text)
		}
	}
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	all, err := corpus.Read("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func fill(t *testing.T, m *corpus.Maker, template string) corpus.Line {
	t.Helper()
	line, err := m.Fill(template)
	if err != nil {
		t.Fatal(err)
	}
	return line
}
