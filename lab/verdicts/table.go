package verdicts

import (
	"fmt"
	"strconv"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/health"
)

// Table is a table of scores: for people, so all of it is text.
type Table struct {
	Title  string
	Header []string
	Rows   [][]string
	// Total tells that the last row sums up the others.
	Total bool
}

// columns are those of every table; the first is what a row is about.
var columns = []string{
	"right state", "false Criticals", "missed incidents", "to Stressed", "to Critical", "right bottleneck", "right scope", "flaps",
}

// unsaid is what a cell holds when there is nothing to count.
const unsaid = "–"

// Tables are the totals of all judges, and for each judge a table with a row
// for each recording.
func Tables(judges []Judge, results []*Result) []Table {
	sums := Table{Title: "All recordings", Header: header("judge")}
	tables := []Table{sums}
	for i, judge := range judges {
		one := Table{Title: judge.Name, Header: header("recording"), Total: true}
		var sum score.Totals
		for _, result := range results {
			s := &result.Scores[i]
			sum.Add(s)
			one.Rows = append(one.Rows, append([]string{result.Recording}, recordingCells(judge, s)...))
		}
		cells := totalCells(judge, &sum)
		one.Rows = append(one.Rows, append([]string{fmt.Sprintf("all %d", len(results))}, cells...))
		tables = append(tables, one)
		tables[0].Rows = append(tables[0].Rows, append([]string{judge.Name}, cells...))
	}
	return tables
}

func header(first string) []string { return append([]string{first}, columns...) }

// recordingCells are the columns for one recording. It shows how fast any
// incident was detected; the totals only look at those that stop everything.
func recordingCells(judge Judge, s *score.Score) []string {
	var t score.Totals
	t.Add(s)
	cells := totalCells(judge, &t)
	if len(t.Stalls) == 0 && len(s.Incidents) > 0 {
		cells[3] = evaluations(s.Incidents[0].Detection().ToStressed)
	}
	return cells
}

func totalCells(judge Judge, t *score.Totals) []string {
	cells := []string{
		share(t.Right, t.Judged),
		strconv.Itoa(t.FalseCriticals),
		ofIncidents(t),
		unsaid, unsaid, unsaid, unsaid,
		strconv.Itoa(t.Flaps),
	}
	if median, there := t.Median(); there {
		cells[3], cells[4] = evaluations(median.ToStressed), evaluations(median.ToCritical)
	}
	if judge.NamesLayer {
		cells[5] = share(t.BottleneckRight, t.BottleneckJudged)
	}
	if judge.NamesParts {
		cells[6] = share(t.ScopeRight, t.ScopeJudged)
	}
	return cells
}

func share(right, judged int) string {
	if judged == 0 {
		return unsaid
	}
	return fmt.Sprintf("%.1f %% (%d of %d)", 100*float64(right)/float64(judged), right, judged)
}

func ofIncidents(t *score.Totals) string {
	if t.Incidents == 0 {
		return unsaid
	}
	return fmt.Sprintf("%d of %d", t.Missed, t.Incidents)
}

func evaluations(n float64) string {
	if n == score.Never {
		return "never"
	}
	return strconv.Itoa(int(n))
}

// stalls counts the incidents that have to become Critical.
func stalls(results []*Result) int {
	n := 0
	for _, result := range results {
		for _, i := range result.Scores[0].Incidents {
			if i.Required == health.Critical {
				n++
			}
		}
	}
	return n
}
