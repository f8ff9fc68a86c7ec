package telemetry

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// The alerts that we ship ask for metrics that there are, and say what to do.
func TestAlertsAskForMetricsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("../../provisioning/alerts/copilot.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}

	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	m.Watched("prod", true)
	m.Observed("prod", time.Second)
	m.Looked("prod", 1, false, instant.FromUnix(0))
	m.Recorded("prod", time.Second, Backlog{})
	m.Saved("prod", instant.FromUnix(0), false)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, family := range families {
		known[family.GetName()] = true
	}

	asked := 0
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			for _, name := range regexp.MustCompile(`copilot_\w+`).FindAllString(rule.Expr, -1) {
				asked++
				if !known[name] {
					t.Errorf("alert %s asks for %s, which there is not", rule.Alert, name)
				}
			}
			if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("alert %s has no severity, summary or description", rule.Alert)
			}
		}
	}
	if asked == 0 {
		t.Error("no alert asks for anything")
	}
}
