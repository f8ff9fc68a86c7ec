package recordings

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/lab/evaluator"
	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/loki"
	"github.com/temporal-sre/copilot/pkg/prometheus"
)

var update = flag.Bool("update", false, "write the golden texts anew")

// explanationsFile holds what the rules say in words at the end of each
// interval of the truth.
const explanationsFile = "explanations.txt"

// What an SRE would have read in each scenario, word for word, and what is to be
// found in its logs. Read the diff as one would read it at night.
func TestExplanations(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Prometheus for each recording")
	}
	for _, name := range recordingNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := recording.Serve(t.Context(), name, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			assessments := judge(t, server, server.Truth)
			for _, wrong := range score.Logs(server.Truth, assessments) {
				t.Error(wrong)
			}
			got := explanations(server.Truth, assessments)
			path := filepath.Join(name, explanationsFile)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s says otherwise; if it should, run this test with -update and read the difference\ngot:\n%s", path, got)
			}
		})
	}
}

// judge has the rules judge a recording that is served, at the steps of a truth,
// with its logs if they are served.
func judge(t *testing.T, server *recording.Server, truth *score.Truth) []health.Assessment {
	t.Helper()
	assessments, err := evaluator.Judge(t.Context(),
		prometheus.Config{URL: server.URL, Cluster: "lab", Selector: truth.Selector},
		loki.Config{URL: server.LokiURL, Cluster: "lab", Timeout: 30 * time.Second}, truth.From, truth.To, truth.Step())
	if err != nil {
		t.Fatal(err)
	}
	return assessments
}

// explanations tells what was said at the last evaluation of each interval.
func explanations(truth *score.Truth, assessments []health.Assessment) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", truth.Scenario, truth.Description)
	for _, interval := range truth.Intervals {
		var last *health.Assessment
		for i := range assessments {
			if a := &assessments[i]; !a.At.Before(interval.From) && a.At.Before(interval.To) {
				last = a
			}
		}
		if last != nil {
			tell(&text, last.At.Sub(truth.From), last)
		}
	}
	return text.String()
}

// tell writes one assessment as text.
func tell(text *strings.Builder, since time.Duration, a *health.Assessment) {
	fmt.Fprintf(text, "\n%s  %s, bottleneck %s, confidence %.0f %%\n", since, a.State, a.Bottleneck, 100*a.Confidence)
	fmt.Fprintf(text, "  %s\n", a.Explanation.Summary)
	fmt.Fprintf(text, "  changed: %s\n", a.Explanation.Changed)
	for _, factor := range a.Explanation.Factors {
		fmt.Fprintf(text, "  why: %s (%s)\n", factor.Text, factor.Gate)
	}
	for _, remark := range a.Explanation.Logs {
		fmt.Fprintf(text, "  logs: %s\n", remark)
	}
	for _, action := range a.Actions {
		fmt.Fprintf(text, "  do: %s (%s, confidence %.0f %%, risk %s)\n", action.Action, action.Type, 100*action.Confidence, action.Risk)
	}
	for _, avoid := range a.Explanation.Avoid {
		fmt.Fprintf(text, "  do not: %s\n", avoid)
	}
	if change := a.Explanation.WouldChange; change != "" {
		fmt.Fprintf(text, "  would change: %s\n", change)
	}
}

// recordingNames lists the recordings of this directory.
func recordingNames(t *testing.T) []string {
	t.Helper()
	truths, err := filepath.Glob(filepath.Join("*", recording.TruthFile))
	if err != nil || len(truths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	names := make([]string, 0, len(truths))
	for _, path := range truths {
		names = append(names, filepath.Dir(path))
	}
	return names
}
