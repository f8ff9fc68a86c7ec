package api

import (
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Verdict is one evaluation in short, as a line of `copilot backtest -o jsonl`
// holds it.
type Verdict struct {
	Time        instant.Instant   `json:"time"`
	HealthState health.State      `json:"health_state"`
	Bottleneck  health.Bottleneck `json:"bottleneck"`
	Confidence  float64           `json:"confidence"`
	Coverage    float64           `json:"coverage"`
	Blind       bool              `json:"blind"`
	BlindReason string            `json:"blind_reason,omitempty"`
	GatesFired  []string          `json:"gates_fired"`
	// Impaired are the parts that are not well, worst first. Task queues are
	// told as a whole, not by kind of task.
	Impaired []ImpairedScope `json:"impaired_scopes"`
	Summary  string          `json:"summary"`
	// LogPatterns are those that are news, the most telling first; absent where
	// no logs were read.
	LogPatterns []health.LogPattern `json:"log_patterns,omitempty"`
	// LogPatternsReason says why the logs could not be read; absent where they
	// were, or where no log source is configured.
	LogPatternsReason string `json:"log_patterns_reason,omitempty"`
}

// ImpairedScope is a part of the cluster that is not well.
type ImpairedScope struct {
	Kind      health.ScopeKind `json:"kind"`
	Namespace string           `json:"namespace,omitempty"`
	Name      string           `json:"name"`
	State     health.State     `json:"state"`
}

// NewVerdict puts an assessment in short.
func NewVerdict(a *health.Assessment) Verdict {
	v := Verdict{
		Time: a.At, HealthState: a.State, Bottleneck: a.Bottleneck,
		Confidence: a.Confidence, Coverage: a.Coverage, Blind: a.Blind, BlindReason: a.BlindReason,
		GatesFired: a.GatesFired(), Impaired: []ImpairedScope{}, Summary: a.Explanation.Summary,
	}
	for _, s := range a.Impaired() {
		if s.TaskType == "" {
			v.Impaired = append(v.Impaired, ImpairedScope{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name, State: s.State})
		}
	}
	if a.Logs != nil {
		v.LogPatternsReason = a.Logs.Reason
		for i := range a.Logs.Patterns {
			if p := &a.Logs.Patterns[i]; p.News != health.NewsNone {
				v.LogPatterns = append(v.LogPatterns, *p)
			}
		}
	}
	return v
}
