package faults

import (
	"strings"
	"testing"
	"time"
)

func TestTablesStandBetweenTheirMarks(t *testing.T) {
	document := "# Title\n\n<!-- " + faultsPart + " -->\nold\n<!-- faults: end -->\nafter\n"
	table := outcomesTable([]Outcome{
		{Fault: "kill", Done: "3 times", Expected: 10, Stored: 9, Doubled: 1, Wrong: 2, Blind: 3, Recoveries: []time.Duration{time.Second, 3 * time.Second}},
		{Fault: "lies", Done: "all the time", Expected: 5, Stored: 5},
	})
	want := `# Title

<!-- ` + faultsPart + ` -->

| fault | what was done | expected | stored | doubled | wrong | blind | recovery                             |
| ----- | ------------- | -------- | ------ | ------- | ----- | ----- | ------------------------------------ |
| kill  | 3 times       | 10       | 9      | 1       | 2     | 3     | 3.0 s at most, 2.0 s on average of 2 |
| lies  | all the time  | 5        | 5      | 0       | 0     | 0     | -                                    |

<!-- faults: end -->
after
`
	got, err := replacePart(document, faultsPart, table)
	if err != nil || got != want {
		t.Errorf("%v\ngot\n%s\nwant\n%s", err, got, want)
	}
	if again, err := replacePart(got, faultsPart, table); err != nil || again != got {
		t.Errorf("%v: the second time it is another document\n%s", err, again)
	}
	if _, err := replacePart("# Title\n", faultsPart, table); err == nil {
		t.Error("a document without marks is taken")
	}
}

func TestScalesTellTheirGrowth(t *testing.T) {
	table := scalesTable([]Scale{
		{Clusters: 10, Processor: 0.01, MemoryMiB: 50},
		{Clusters: 100, Processor: 0.08, MemoryMiB: 75},
	})
	for _, want := range []string{"| 1.0 % ", "| 8.0 % (× 8.0) ", "| 75 MiB (× 1.5) "} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
}
