package verdicts

import (
	"errors"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/health"
)

// two are the results of two judges on a stall and on a quiet recording.
func two() ([]Judge, []*Result) {
	judges := []Judge{{Name: "good", NamesLayer: true, NamesParts: true}, {Name: "bad"}}
	stall := score.Incident{Required: health.Critical, ToStressed: 2, ToCritical: 4, Entries: 1, Exits: 1}
	missed := score.Incident{Required: health.Critical, Missed: true}
	return judges, []*Result{
		{Recording: "quiet", Scores: []score.Score{
			{Evaluations: 10, Judged: 8, Right: 8, ScopeRight: 8, ScopeJudged: 8},
			{Evaluations: 10, Judged: 8, Right: 6, FalseCriticals: 2, Unfounded: 1},
		}},
		{Recording: "stall", Scores: []score.Score{
			{Evaluations: 10, Judged: 8, Right: 8, BottleneckRight: 3, BottleneckJudged: 4, Incidents: []score.Incident{stall}},
			{Evaluations: 10, Judged: 8, Right: 0, Incidents: []score.Incident{missed}},
		}},
	}
}

func TestTables(t *testing.T) {
	tables := Tables(two())
	if len(tables) != 3 || len(tables[1].Rows) != 3 {
		t.Fatalf("%d tables", len(tables))
	}
	for name, c := range map[string]struct {
		row  []string
		want string
	}{
		"totals, good":     {tables[0].Rows[0], "good;100.0 % (16 of 16);0;0 of 1;2;4;75.0 % (3 of 4);100.0 % (8 of 8);0"},
		"totals, bad":      {tables[0].Rows[1], "bad;37.5 % (6 of 16);2;1 of 1;never;never;–;–;1"},
		"quiet, good":      {tables[1].Rows[0], "quiet;100.0 % (8 of 8);0;–;–;–;–;100.0 % (8 of 8);0"},
		"sum of one judge": {tables[2].Rows[2], "all 2;37.5 % (6 of 16);2;1 of 1;never;never;–;–;1"},
	} {
		if got := strings.Join(c.row, ";"); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

func TestDocument(t *testing.T) {
	judges, results := two()
	text := "# Verdicts\n" + beginMark + "old\n" + endMark + "the end\n"
	once, err := Document(text, judges, results)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Verdicts\n" + beginMark, endMark + "the end\n",
		"Recordings: 2, evaluations: 20, incidents: 1, of them total stalls: 1.",
		"| judge | right state        ",
		"### bad\n",
	} {
		if !strings.Contains(once, want) {
			t.Errorf("%q is not in\n%s", want, once)
		}
	}
	if strings.Contains(once, "old") {
		t.Error("the old scores are still there")
	}
	if again, err := Document(once, judges, results); err != nil || again != once {
		t.Errorf("written twice it differs (%v)", err)
	}
	if _, err := Document("# Verdicts\n", judges, results); !errors.Is(err, errNoMarks) {
		t.Errorf("without a place for the scores: %v", err)
	}
}
