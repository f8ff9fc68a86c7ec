// Package recordings holds recordings of scenarios that were played on a real
// cluster, and judges them with the rules of this build.
package recordings

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/lab/evaluator"
	"github.com/temporal-sre/copilot/lab/play"
	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/prometheus"
)

// knownWrong are the recordings that the rules judge wrong today, and what is
// wrong. One that has come right has to leave the list.
var knownWrong = map[string]string{}

func TestRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Prometheus for each recording")
	}
	truths, err := filepath.Glob(filepath.Join("*", recording.TruthFile))
	if err != nil || len(truths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range truths {
		name := filepath.Dir(path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := judge(t, name)
			lacks := strings.Join(play.Met(s), "; ")
			t.Logf("state %d/%d, bottleneck %d/%d, scopes %d/%d, incidents %+v",
				s.Right, s.Judged, s.BottleneckRight, s.BottleneckJudged, s.ScopeRight, s.ScopeJudged, s.Incidents)
			reason, known := knownWrong[name]
			switch {
			case known && lacks == "":
				t.Errorf("is right now: take it off the list (%s)", reason)
			case !known && lacks != "":
				t.Errorf("the goals are not met: %s", lacks)
				for _, w := range s.Wrong {
					t.Logf("%s %s: said %s, want %s", w.Time, w.What, w.Said, w.Want)
				}
			}
		})
	}
}

func judge(t *testing.T, dir string) *score.Score {
	t.Helper()
	server, err := recording.Serve(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	truth := server.Truth
	assessments, err := evaluator.Judge(t.Context(),
		prometheus.Config{URL: server.URL, Cluster: "lab", Selector: truth.Selector}, truth.From, truth.To, truth.Step())
	if err != nil {
		t.Fatal(err)
	}
	s := score.Of(truth, evaluator.Lines(assessments))
	return &s
}
