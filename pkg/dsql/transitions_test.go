package dsql

import (
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestStateChangesKeepTheirEvidence(t *testing.T) {
	store := newStore(t)
	billing := health.TaskQueueScope("default", "billing")
	rule := &health.Rule{ID: "worker.pollers", Unit: "1", Signals: []health.SignalID{"pollers", "backlog"}}
	for n := range 5 {
		at := time.Duration(n) * time.Minute
		save(t, store, "prod", at, health.Stressed, func(a *health.Assessment) {
			a.Transition = &health.Transition{From: health.Happy, To: health.Stressed, At: a.At, Gates: []string{"worker.pollers"}}
			for range maxEvidence + 5 {
				a.Gates = append(a.Gates, health.Gate{
					Rule: rule, Scope: billing, Outcome: health.Fire, Level: health.Stressed, Value: ptr(0), Limit: ptr(1),
					Finding: "Nobody polls billing.",
				})
			}
			a.Gates = append(a.Gates, health.Gate{Rule: &health.Rule{ID: "other"}, Outcome: health.Fire})
		})
	}
	page, err := store.StateChanges(t.Context(), RangeQuery{Cluster: "prod", Limit: 3})
	if err != nil || len(page.Changes) != 3 || page.Next == "" {
		t.Fatalf("first page = %+v, %v", page, err)
	}
	rest, err := store.StateChanges(t.Context(), RangeQuery{Cluster: "prod", Limit: 3, Cursor: page.Next})
	if err != nil || len(rest.Changes) != 2 || rest.Next != "" || rest.Changes[1].At != start {
		t.Errorf("second page = %+v, %v", rest, err)
	}
	change := page.Changes[0]
	if change.To != health.Stressed || change.At != start.Add(4*time.Minute) || len(change.Evidence) != maxEvidence {
		t.Fatalf("newest change = %+v with %d pieces of evidence", change.Transition, len(change.Evidence))
	}
	e := change.Evidence[0]
	if e.Gate != "worker.pollers" || e.Scope != billing || len(e.Signals) != 2 || *e.Value != 0 || *e.Limit != 1 || e.Finding == "" {
		t.Errorf("evidence = %+v", e)
	}
}
