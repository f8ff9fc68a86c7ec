package faults

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The parts of docs/reliability.md that are written by a run.
const (
	faultsPart   = "faults: written by `go tool mage test:faults`"
	clustersPart = "clusters: written by `go tool mage bench:clusters`"
)

// Outcome is what a fault did to the record.
type Outcome struct {
	// Fault and Done say what was broken, and how.
	Fault, Done string
	// Expected ticks passed, Stored of them are in the store. Doubled counts
	// rows beyond one a tick, Wrong the verdicts that are not those of the rules
	// on the stored observations, Blind those that say that nothing was seen.
	Expected, Stored, Doubled, Wrong, Blind int
	// Recoveries are the times from the end of a fault until the first tick
	// after it was stored. Empty where nothing had to recover.
	Recoveries []time.Duration
}

// Scale is how one worker process did with a number of clusters.
type Scale struct {
	Clusters int
	// Interval between the ticks of a cluster, and Measured time.
	Interval, Measured time.Duration
	// Expected ticks fell into the measured time, Stored were stored.
	Expected, Stored int
	// Lag is how old ticks were when they were stored: half of the samples, and
	// all of them, were no older.
	LagMedian, LagMost time.Duration
	// Processor time of the worker process as a share of one processor, and its
	// memory, at the end and at most.
	Processor          float64
	MemoryMiB, MostMiB float64
	MachineProcessors  int
	MachineLoad        string
}

// replacePart puts text into a document, in place of what is between the two
// marks of a part.
func replacePart(document, part, text string) (string, error) {
	begin := "<!-- " + part + " -->\n"
	name, _, _ := strings.Cut(part, ":")
	end := "<!-- " + name + ": end -->\n"
	before, rest, found := strings.Cut(document, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("the document needs the lines %s and %s", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + "\n" + text + "\n" + end + after, nil
}

// outcomesTable writes outcomes in Markdown.
func outcomesTable(outcomes []Outcome) string {
	rows := [][]string{{"fault", "what was done", "expected", "stored", "doubled", "wrong", "blind", "recovery"}}
	for i := range outcomes {
		o := &outcomes[i]
		rows = append(rows, []string{
			o.Fault, o.Done, fmt.Sprint(o.Expected), fmt.Sprint(o.Stored), fmt.Sprint(o.Doubled), fmt.Sprint(o.Wrong),
			fmt.Sprint(o.Blind), recovery(o.Recoveries),
		})
	}
	return markdown(rows)
}

// recovery tells the longest of several times, and how many there were.
func recovery(times []time.Duration) string {
	if len(times) == 0 {
		return "-"
	}
	longest, sum := time.Duration(0), time.Duration(0)
	for _, one := range times {
		longest, sum = max(longest, one), sum+one
	}
	if len(times) == 1 {
		return seconds(longest)
	}
	return fmt.Sprintf("%s at most, %s on average of %d", seconds(longest), seconds(sum/time.Duration(len(times))), len(times))
}

// scalesTable writes a table of scales in Markdown, each with its growth
// against the one before.
func scalesTable(scales []Scale) string {
	rows := [][]string{{"clusters", "measured", "expected", "stored", "lag, median", "lag, most", "processor", "memory", "most memory", "machine"}}
	for i := range scales {
		s := &scales[i]
		processor, memory := fmt.Sprintf("%.1f %%", 100*s.Processor), fmt.Sprintf("%.0f MiB", s.MemoryMiB)
		if i > 0 {
			processor += growth(scales[i-1].Processor, s.Processor)
			memory += growth(scales[i-1].MemoryMiB, s.MemoryMiB)
		}
		rows = append(rows, []string{
			fmt.Sprint(s.Clusters), fmt.Sprintf("%s at %s", s.Measured.Round(time.Second), s.Interval),
			fmt.Sprint(s.Expected), fmt.Sprint(s.Stored), seconds(s.LagMedian), seconds(s.LagMost), processor, memory,
			fmt.Sprintf("%.0f MiB", s.MostMiB), fmt.Sprintf("%d processors, load %s", s.MachineProcessors, s.MachineLoad),
		})
	}
	return markdown(rows)
}

// growth tells how many times as much it is.
func growth(before, after float64) string {
	if before <= 0 {
		return ""
	}
	return fmt.Sprintf(" (× %.1f)", after/before)
}

// seconds writes a duration as short as it is meant.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// markdown writes a table, the first row of which is its head, with its columns
// aligned, to be read as it is, too.
func markdown(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	line := func(row []string, fill string) {
		for i, cell := range row {
			out.WriteString("| " + cell + strings.Repeat(fill, widths[i]-utf8.RuneCountInString(cell)) + " ")
		}
		out.WriteString("|\n")
	}
	line(rows[0], " ")
	line(make([]string, len(widths)), "-")
	for _, row := range rows[1:] {
		line(row, " ")
	}
	return out.String()
}
