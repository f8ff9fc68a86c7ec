package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// outage is a critical assessment with two services that tell of the same.
func outage() *health.Assessment {
	at := instant.FromUnix(1_764_000_000)
	pattern := func(service string, began time.Duration, count int64, ties ...health.LogTie) health.LogPattern {
		return health.LogPattern{
			ID: "persistence.unavailable", Pattern: "the database does not answer", Service: service, Severity: health.LogError,
			Count: count, News: health.NewsNew, FirstAt: at.Add(-began), LastAt: at, Ties: ties,
		}
	}
	return &health.Assessment{
		Cluster: "prod", At: at, State: health.Critical, Since: at.Add(-time.Minute),
		Issues: []health.Issue{{ID: "1", Title: "100 % of the persistence calls fail", Status: health.IssueOpen, Severity: health.Critical, OpenedAt: at.Add(-2 * time.Minute)}},
		Logs: &health.Narrative{From: at.Add(-5 * time.Minute), To: at, Patterns: []health.LogPattern{
			pattern("history", 150*time.Second, 300, health.LogTie{Issue: "1", Gate: "pressure.persistence_errors", LagSec: 30}),
			pattern("frontend", 200*time.Second, 20),
			{ID: "other.0badcafe", Pattern: "überweisung fehlgeschlagen", Service: "billing", Severity: health.LogError, Count: 4, News: health.NewsMore, FirstAt: at.Add(-time.Hour), LastAt: at},
			{ID: "other.00000000", Service: "billing", Severity: health.LogError, Count: 4, News: health.NewsNew, FirstAt: at, LastAt: at},
		}},
	}
}

// What the logs say is told once for all services, with the time and the lag of
// the same one, and with what the count is of.
func TestLogRemarks(t *testing.T) {
	a := outage()
	got := logs(a)
	want := []string{
		"The database does not answer (history and frontend): 320 times in 5 min, since 2025-11-24T15:57:30Z, 30s before “100 % of the persistence calls fail”.",
		"Überweisung fehlgeschlagen (billing): 4 times in 5 min, since 2025-11-24T15:00:00Z far more than usual.",
	}
	for i := range want {
		if len(got) <= i || got[i] != want[i] {
			t.Errorf("remark %d is\n%q, want\n%q", i, got, want[i])
		}
	}
	if text := changed(a); !strings.HasSuffix(text, "In the logs since 2025-11-24T15:57:30Z: the database does not answer.") {
		t.Errorf("changed: %s", text)
	}
}

// An error that nobody foresaw is no cause in the first sentence.
func TestNoUnforeseenErrorIsTheHarbinger(t *testing.T) {
	a := outage()
	a.Logs.Patterns = a.Logs.Patterns[2:3]
	a.Logs.Patterns[0].Ties = []health.LogTie{{Issue: "1", LagSec: 60}}
	if text := changed(a); strings.Contains(text, "In the logs") {
		t.Errorf("changed: %s", text)
	}
}

// Where logs could not be read, that is said, whatever the state.
func TestUnreadLogsAreTold(t *testing.T) {
	a := outage()
	a.Logs.Patterns, a.Logs.Reason = nil, "Loki does not answer"
	if got := logs(a); len(got) != 1 || !strings.Contains(got[0], "Loki does not answer") {
		t.Errorf("told: %q", got)
	}
}
