package explain

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

var update = flag.Bool("update", false, "write the golden texts anew")

var noon = instant.FromUnix(1_764_000_000)

func number(v float64) *float64 { return &v }

// queue is the verdict on a task queue.
func queue(name string, state health.State, asked, served, waiting, oldest, share float64) health.ScopeVerdict {
	return health.ScopeVerdict{
		Scope: health.TaskQueueScope("default", name), State: state, Since: noon,
		Progress: health.Progress{Asked: &asked, Served: &served, Waiting: &waiting, OldestSec: &oldest, Share: share},
	}
}

func fired(id string, level health.State, scope health.Scope, finding string) health.Gate {
	return health.Gate{Rule: &health.Rule{ID: id}, Level: level, Scope: scope, Outcome: health.Fire, Finding: finding}
}

// The explanations of typical assessments, word for word.
func TestRulesGolden(t *testing.T) {
	billing := health.TaskQueueScope("default", "billing")
	for name, a := range map[string]health.Assessment{
		"happy": {
			State: health.Happy, Raw: health.Happy,
			Progress: health.Progress{Asked: number(94), Served: number(94), OldestSec: number(0)},
		},
		"idle": {State: health.Happy, Raw: health.Happy, SeenAt: noon},
		"happy-with-business-failures": {
			State: health.Happy, Raw: health.Happy,
			Progress: health.Progress{Asked: number(94), Served: number(94), OldestSec: number(0)},
			Issues: []health.Issue{{
				Kind: "business.failures", Severity: health.Happy, Status: health.IssueOpen,
				Detail: "7 % of the workflows that close on orders fail in business code",
			}},
			Gates: []health.Gate{fired("business.failures", health.Happy, health.TaskQueueScope("default", "orders"), "7 % of the workflows that close on orders fail in business code")},
		},
		"first-signs": {
			State: health.Happy, Raw: health.Stressed,
			Progress: health.Progress{Asked: number(94), Served: number(80), OldestSec: number(0)},
			Gates:    []health.Gate{fired("worker.pollers.none", health.Stressed, billing.Of(health.ActivityTasks), "no worker polls billing for activity tasks")},
		},
		"one-queue-stopped": {
			State: health.Stressed, Raw: health.Stressed, Bottleneck: health.BottleneckWorker,
			Scopes: []health.ScopeVerdict{
				queue("billing", health.Critical, 41, 0, 1284, 250, 0.31),
				queue("orders", health.Happy, 155, 155, 0, 0.2, 0.69),
			},
			Gates: []health.Gate{
				fired("progress.head_of_line", health.Critical, billing.Of(health.ActivityTasks), "activity tasks wait on billing and none is taken"),
				fired("progress.demand_impaired", health.Stressed, health.ClusterScope(), "31 % of the demand is not served: billing"),
				fired("worker.pollers.none", health.Stressed, billing.Of(health.ActivityTasks), "no worker polls billing for activity tasks"),
			},
		},
		"all-queues-stopped": {
			State: health.Critical, Raw: health.Critical, Bottleneck: health.BottleneckWorker,
			Scopes: []health.ScopeVerdict{
				queue("orders", health.Critical, 61, 0, 4000, 310, 0.7),
				queue("billing", health.Critical, 41, 0, 1284, 250, 0.3),
			},
			Gates: []health.Gate{
				fired("progress.demand_impaired", health.Critical, health.ClusterScope(), "100 % of the demand is not served: billing, orders"),
				fired("worker.pollers.none", health.Stressed, billing.Of(health.WorkflowTasks), "no worker polls billing for workflow tasks"),
				fired("worker.pollers.none", health.Stressed, health.TaskQueueScope("default", "orders").Of(health.WorkflowTasks), "no worker polls orders for workflow tasks"),
			},
		},
		"catching-up": {
			State: health.Stressed, Raw: health.Stressed, Bottleneck: health.BottleneckHealthy,
			Scopes: []health.ScopeVerdict{queue("billing", health.Stressed, 41, 120, 900, 250, 0.31)},
			Gates:  []health.Gate{fired("progress.waiting", health.Stressed, billing.Of(health.ActivityTasks), "the oldest activity task on billing waits for 4m10s")},
		},
		"server-accepts-nothing": {
			State: health.Critical, Raw: health.Critical, Bottleneck: health.BottleneckServer,
			Gates: []health.Gate{
				fired("progress.accepting", health.Critical, health.ServiceScope("history"), "94 starts and signals arrive a second, and only 0 state transitions happen"),
				fired("pressure.persistence_latency", health.Stressed, health.ClusterScope(), "persistence takes 4800 ms (p99) where 8 ms is usual"),
			},
		},
		"database-slow": {
			State: health.Stressed, Raw: health.Stressed, Bottleneck: health.BottleneckServer,
			Scopes: []health.ScopeVerdict{queue("orders", health.Happy, 155, 155, 0, 0.2, 1)},
			Gates:  []health.Gate{fired("pressure.persistence_latency", health.Stressed, health.ClusterScope(), "persistence takes 350 ms (p99) where 8 ms is usual")},
		},
		"calming-down": {State: health.Stressed, Raw: health.Happy},
		"blind": {
			At: noon.Add(4 * time.Minute), SeenAt: noon, State: health.Happy, Blind: true,
			BlindReason: "an error from Prometheus at http://prometheus:9090: server_error: 503",
		},
		"never-seen": {State: health.Unknown, Blind: true, BlindReason: "cannot reach Prometheus at http://prometheus:9090: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			e := Rules(&a)
			var b strings.Builder
			fmt.Fprintf(&b, "%s\n", e.Summary)
			for i, f := range e.Factors {
				fmt.Fprintf(&b, "%d. %s (%s)\n", i+1, f.Text, f.Gate)
			}
			for _, avoid := range e.Avoid {
				fmt.Fprintf(&b, "Don't %s\n", avoid)
			}
			fmt.Fprintf(&b, "Would change: %s\n", e.WouldChange)
			compareGolden(t, filepath.Join("testdata", name+".txt"), b.String())
		})
	}
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./pkg/explain -update", err)
	}
	if got != string(want) {
		t.Errorf("%s says:\n%s\nnow it is:\n%s", path, want, got)
	}
}
