// Package verdicts has recordings judged, by the copilot and by what it is
// compared with, and puts their scores into tables.
package verdicts

import (
	"context"
	"time"

	"github.com/temporal-sre/copilot/lab/baseline"
	"github.com/temporal-sre/copilot/lab/evaluator"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/loki"
	"github.com/temporal-sre/copilot/pkg/prometheus"
)

// Judge gives verdicts on what a Prometheus holds.
type Judge struct {
	Name string
	// NamesLayer and NamesParts tell whether its verdicts say which layer is
	// the bottleneck, and which parts of the cluster are unwell.
	NamesLayer, NamesParts bool
	// Verdicts judges each step of the truth's time. It does not look at the
	// truth's intervals.
	Verdicts func(ctx context.Context, url string, truth *score.Truth) ([]api.Verdict, error)
}

// cluster is the name that the copilot gives to what it judges here. It has no
// bearing on the verdict.
const cluster = "lab"

// patience is for the queries of one part of a recording. On a busy machine a
// score must not depend on how fast Prometheus answers.
const patience = 2 * time.Minute

// Copilot judges with the rules of this build.
func Copilot() Judge {
	return Judge{Name: "Copilot", NamesLayer: true, NamesParts: true, Verdicts: copilot}
}

func copilot(ctx context.Context, url string, truth *score.Truth) ([]api.Verdict, error) {
	cfg := prometheus.Config{URL: url, Cluster: cluster, Selector: truth.Selector, Timeout: patience}
	assessments, err := evaluator.Judge(ctx, cfg, loki.Config{}, truth.From, truth.To, truth.Step())
	if err != nil {
		return nil, err
	}
	return evaluator.Lines(assessments), nil
}

// Judges are the copilot and what it is compared with.
func Judges() []Judge {
	return []Judge{
		Copilot(),
		{Name: "fixed limits", NamesLayer: true, Verdicts: baseline.FixedLimits},
		{Name: "usual alerts", NamesParts: true, Verdicts: baseline.UsualAlerts},
		{Name: "always Happy", Verdicts: baseline.AlwaysHappy},
	}
}
