// Package recordings holds recordings of scenarios that were played on a real
// cluster, and judges them with the rules of this build.
package recordings

import (
	"os"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/lab/verdicts"
)

// knownWrong are the recordings that the rules judge wrong today, and what is
// wrong. One that has come right has to leave the list.
var knownWrong = map[string]string{}

func TestRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Prometheus for each recording")
	}
	judges := verdicts.Judges()
	results, err := verdicts.All(t.Context(), ".", func(*verdicts.Result) {}, judges...)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		t.Run(result.Recording, func(t *testing.T) { meetsTheGoals(t, result) })
	}
	t.Run("the document is fresh", func(t *testing.T) { isFresh(t, judges, results) })
}

// meetsTheGoals looks at what the copilot, the first of the judges, said.
func meetsTheGoals(t *testing.T, result *verdicts.Result) {
	s := &result.Scores[0]
	lacks := strings.Join(s.Lacks(), "; ")
	t.Logf("state %d/%d, bottleneck %d/%d, scopes %d/%d, incidents %+v",
		s.Right, s.Judged, s.BottleneckRight, s.BottleneckJudged, s.ScopeRight, s.ScopeJudged, s.Incidents)
	reason, known := knownWrong[result.Recording]
	switch {
	case known && lacks == "":
		t.Errorf("is right now: take it off the list (%s)", reason)
	case !known && lacks != "":
		t.Errorf("the goals are not met: %s", lacks)
		for _, w := range s.Wrong {
			t.Logf("%s %s: said %s, want %s", w.Time, w.What, w.Said, w.Want)
		}
	}
}

// isFresh compares the scores that the document shows with those of this build.
func isFresh(t *testing.T, judges []verdicts.Judge, results []*verdicts.Result) {
	const document = "../../docs/verdicts.md"
	shown, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	want, err := verdicts.Document(string(shown), judges, results)
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	if want != string(shown) {
		t.Error("docs/verdicts.md shows other scores than the recordings and the rules give now: run \"go tool mage bench:verdicts\", look at what has changed, and commit it")
	}
}
