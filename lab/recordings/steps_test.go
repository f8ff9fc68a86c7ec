package recordings

import (
	"fmt"
	"testing"

	"github.com/temporal-sre/copilot/lab/evaluator"
	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/lab/score"
)

// The scenarios say every how many seconds they are judged. At any other
// interval no incident may be missed, nor Critical be said falsely. At 60 s the
// latter is not asked: three calm evaluations are three minutes there, and the
// truth does not wait for them.
func TestOtherIntervals(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Prometheus for each recording")
	}
	for _, name := range recordingNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := recording.ServeMetrics(t.Context(), name, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			for _, seconds := range []int{10, 30, 60} {
				truth := *server.Truth
				truth.StepSeconds = seconds
				s := score.Of(&truth, evaluator.Lines(judge(t, server, &truth)))
				what := fmt.Sprintf("judged every %d s", seconds)
				if s.FalseCriticals > 0 && seconds < 60 {
					t.Errorf("%s: %d evaluations are falsely Critical", what, s.FalseCriticals)
				}
				for _, incident := range s.Incidents {
					if incident.Missed {
						t.Errorf("%s: the incident from %s is missed: %+v", what, incident.From, incident)
					}
				}
			}
		})
	}
}
