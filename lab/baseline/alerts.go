package baseline

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// ruleFiles are rule files of Prometheus, one for each way to name metrics.
//
//go:embed rules/*.yaml
var ruleFiles embed.FS

// rule is an alerting rule of Prometheus.
type rule struct {
	Alert  string            `yaml:"alert"`
	Expr   string            `yaml:"expr"`
	For    model.Duration    `yaml:"for"`
	Labels map[string]string `yaml:"labels"`
}

// severities are the states that the severity of a firing alert stands for.
var severities = map[string]health.State{"warning": health.Stressed, "critical": health.Critical}

// readRules reads the rules for a way to name metrics.
func readRules(naming signals.Naming) ([]rule, error) {
	path := "rules/tally.yaml"
	if naming == signals.OTelServer {
		path = "rules/opentelemetry.yaml"
	}
	content, err := ruleFiles.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var rules []rule
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules, nil
}

// UsualAlerts judges by alerting rules as they are usually written: the gravest
// alert that fires says the state, and its labels name the parts. The rules are
// evaluated at every step, as Prometheus does at its evaluation interval.
func UsualAlerts(ctx context.Context, url string, truth *score.Truth) ([]api.Verdict, error) {
	s, err := open(url, truth)
	if err != nil {
		return nil, err
	}
	naming, err := s.naming(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := readRules(naming)
	if err != nil {
		return nil, err
	}
	firing := map[model.Time][]alert{}
	for _, r := range rules {
		matrix, err := s.rangeOf(ctx, r.Expr)
		if err != nil {
			return nil, fmt.Errorf("alert %s: %w", r.Alert, err)
		}
		for _, series := range matrix {
			a := alert{state: severities[r.Labels["severity"]], labels: series.Metric, name: r.Alert}
			for _, at := range fires(series.Values, truth.Step(), time.Duration(r.For)) {
				firing[at] = append(firing[at], a)
			}
		}
	}
	var verdicts []api.Verdict
	for _, at := range steps(truth) {
		v := verdict(firing[model.Time(at.UnixMilli())])
		v.Time = at
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// alert is one that fires: a rule and the labels that it fires for.
type alert struct {
	name   string
	state  health.State
	labels model.Metric
}

// fires tells at which evaluations an alert fires whose expression gave these
// samples: from holdFor after the first of an unbroken row on.
func fires(samples []model.SamplePair, step, holdFor time.Duration) []model.Time {
	var times []model.Time
	var since, last model.Time
	for i, sample := range samples {
		if i == 0 || sample.Timestamp.Sub(last) > step {
			since = sample.Timestamp
		}
		last = sample.Timestamp
		if sample.Timestamp.Sub(since) >= holdFor {
			times = append(times, sample.Timestamp)
		}
	}
	return times
}

// verdict sums up the alerts that fire at one time. Alerts do not say which
// layer is the bottleneck.
func verdict(firing []alert) api.Verdict {
	v := api.Verdict{HealthState: health.Happy}
	queues := map[health.Scope]health.State{}
	for _, a := range firing {
		v.HealthState = max(v.HealthState, a.state)
		v.GatesFired = append(v.GatesFired, a.name)
		if queue := string(a.labels["taskqueue"]); queue != "" {
			scope := health.TaskQueueScope(string(a.labels["namespace"]), queue)
			queues[scope] = max(queues[scope], a.state)
		}
	}
	for _, scope := range slices.SortedFunc(maps.Keys(queues), health.Scope.Compare) {
		v.Impaired = append(v.Impaired, api.ImpairedScope{
			Kind: scope.Kind, Namespace: scope.Namespace, Name: scope.Name, State: queues[scope],
		})
	}
	return v
}
