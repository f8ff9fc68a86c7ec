package loki

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// streamsOf makes a double with a line in each stream, whose labels are written
// as name=value.
func streamsOf(streams ...string) *double {
	d := &double{}
	for _, s := range streams {
		labels := map[string]string{}
		for pair := range strings.FieldsSeq(s) {
			name, value, _ := strings.Cut(pair, "=")
			labels[name] = value
		}
		d.add(record{at: noon, stream: labels})
	}
	return d
}

func TestStreamsAreFound(t *testing.T) {
	for _, c := range []struct {
		name     string
		d        *double
		selector string // in the query
		service  string // the label
		why      []string
	}{
		{
			"Alloy on ECS", streamsOf(
				"job=temporal service_name=temporal-frontend cluster=prod", "job=temporal service_name=temporal-history cluster=prod",
				"job=temporal service_name=orders-worker cluster=prod", "job=nginx service_name=nginx cluster=prod",
			),
			`{job="temporal"}`, "service_name",
			[]string{"job = temporal", "orders-worker, temporal-frontend, temporal-history"},
		},
		{
			"Docker Compose", streamsOf(
				"container=temporal-history-1 compose_service=temporal-history", "container=temporal-frontend-1 compose_service=temporal-frontend",
				"container=temporal-ui compose_service=temporal-ui", "container=temporal-postgres compose_service=postgres", "container=temporal-sre-copilot compose_service=copilot",
			),
			"{container=~`(?i).*temporal.*`,container!~", "compose_service",
			[]string{"container = temporal-frontend-1, temporal-history-1"},
		},
		{
			"Kubernetes", streamsOf(
				"namespace=temporal container=history pod=temporal-history-1", "namespace=temporal container=frontend pod=temporal-frontend-1",
				"namespace=shop container=app pod=shop-1",
			),
			`{namespace="temporal"}`, "container",
			[]string{"namespace = temporal", "frontend, history"},
		},
		{
			"Kubernetes with other programs beside", streamsOf(
				"namespace=temporal app=temporal container=temporal-history", "namespace=temporal app=temporal container=temporal-frontend",
				"namespace=temporal app=database container=postgres",
			),
			`{app="temporal"}`, "container",
			[]string{"app = temporal"},
		},
		{"one process", streamsOf("service_name=temporal"), `{service_name="temporal"}`, "service_name", []string{"service_name = temporal", "JSON"}},
		{"no service", streamsOf("job=temporal service_name=unknown_service"), `{job="temporal"}`, "job", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scanner(t, serve(t, c.d))
			if s.Choice() != "" {
				t.Errorf("chose %s before it looked", s.Choice())
			}
			if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
				t.Fatal(err)
			}
			query := c.d.requests("topk")[0].form["query"]
			if !strings.Contains(query, c.selector) || !strings.Contains(query, "{{."+c.service+"}}") {
				t.Errorf("%s: asked %s", s.Choice(), query)
			}
			for _, why := range append(c.why, "selector and service_label override this") {
				if !strings.Contains(s.Choice(), why) {
					t.Errorf("%q does not say %q", s.Choice(), why)
				}
			}
		})
	}
}

func TestWhatIsConfiguredIsNotLookedFor(t *testing.T) {
	d := streamsOf("app=workflow-engine role=history")
	s := scanner(t, serve(t, d), func(c *Config) { c.Selector, c.ServiceLabel = `app="workflow-engine"`, "role" })
	if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
		t.Fatal(err)
	}
	query := d.requests("topk")[0].form["query"]
	if !strings.Contains(query, `{app="workflow-engine"}`) || !strings.Contains(query, "{{.role}}") {
		t.Errorf("asked %s", query)
	}
	if !strings.Contains(s.Choice(), "as the selector says") || !strings.Contains(s.Choice(), "as configured") {
		t.Errorf("chose %s", s.Choice())
	}
	if len(d.asked) != 3 {
		t.Errorf("%d requests", len(d.asked))
	}
}

func TestSeveralClusters(t *testing.T) {
	d := streamsOf("job=temporal cluster=blue", "job=temporal cluster=green")
	_, err := scanner(t, serve(t, d)).Scan(t.Context(), noon.Add(-step), noon, step)
	var several *SeveralClustersError
	if !errors.As(err, &several) || !strings.Contains(err.Error(), `'job="temporal",cluster="green"'`) || !strings.Contains(err.Error(), "2 clusters") {
		t.Errorf("got %v", err)
	}
	s := scanner(t, serve(t, d), func(c *Config) { c.Cluster = "green" })
	if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
		t.Fatal(err)
	}
	if a := d.requests("topk"); len(a) != 1 || !strings.Contains(a[0].form["query"], `{job="temporal",cluster="green"}`) {
		t.Errorf("asked %v: %s", a, s.Choice())
	}
	s = scanner(t, serve(t, d), func(c *Config) { c.Selector = `job="temporal"` })
	if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
		t.Errorf("a selector says which: %v", err)
	}
}

// A cluster that has been silent for an hour is not explained by another's logs.
func TestAnotherClustersLogs(t *testing.T) {
	chosen := func(t *testing.T, s *Scanner, d *double, to instant.Instant) string {
		t.Helper()
		if _, err := s.Scan(t.Context(), to.Add(-step), to, step); err != nil {
			t.Fatal(err)
		}
		asked := d.requests("topk")
		return selectorOf.FindString(asked[len(asked)-1].form["query"])
	}
	t.Run("the watched one was there in the last day", func(t *testing.T) {
		d := streamsOf("job=temporal cluster=staging")
		d.timely = true
		d.add(record{at: noon.Add(-5 * time.Hour), stream: map[string]string{"job": "temporal", "cluster": "prod"}})
		s := scanner(t, serve(t, d), func(c *Config) { c.Cluster = "prod" })
		if got := chosen(t, s, d, noon); got != `{job="temporal",cluster="prod"}` {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("several others were there in the last day", func(t *testing.T) {
		d := streamsOf("job=temporal cluster=staging")
		d.timely = true
		d.add(record{at: noon.Add(-5 * time.Hour), stream: map[string]string{"job": "temporal", "cluster": "test"}})
		_, err := scanner(t, serve(t, d), func(c *Config) { c.Cluster = "prod" }).Scan(t.Context(), noon.Add(-step), noon, step)
		var several *SeveralClustersError
		if !errors.As(err, &several) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("there is no other", func(t *testing.T) {
		d := streamsOf("job=temporal cluster=eks-1")
		d.timely = true
		s := scanner(t, serve(t, d), func(c *Config) { c.Cluster = "prod" })
		if got := chosen(t, s, d, noon); got != `{job="temporal"}` {
			t.Errorf("asked %s", got)
		}
		if !strings.Contains(s.Choice(), `cluster="eks-1" is the only cluster in the logs, though it is called otherwise`) {
			t.Errorf("chose %s", s.Choice())
		}
	})
	t.Run("it is called so by another label", func(t *testing.T) {
		d := streamsOf("job=temporal cluster=eks-1 temporal_cluster=prod")
		d.timely = true
		s := scanner(t, serve(t, d), func(c *Config) { c.Cluster = "prod" })
		if got := chosen(t, s, d, noon); got != `{job="temporal",temporal_cluster="prod"}` || strings.Contains(s.Choice(), "otherwise") {
			t.Errorf("asked %s: %s", got, s.Choice())
		}
	})
	t.Run("some streams do not say it", func(t *testing.T) {
		d := streamsOf("job=temporal cluster=prod", "job=temporal")
		d.timely = true
		s := scanner(t, serve(t, d), func(c *Config) { c.Cluster = "prod" })
		if got := chosen(t, s, d, noon); got != `{job="temporal"}` {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("the choice stays", func(t *testing.T) {
		d := streamsOf("job=temporal cluster=prod")
		d.timely = true
		later := noon.Add(20 * time.Hour)
		d.add(record{at: later, stream: map[string]string{"job": "temporal", "cluster": "staging"}})
		s := scanner(t, serve(t, d), func(c *Config) { c.Cluster = "prod" })
		for _, to := range []instant.Instant{noon, later} {
			if got := chosen(t, s, d, to); got != `{job="temporal",cluster="prod"}` {
				t.Errorf("at %s asked %s", to, got)
			}
		}
	})
}

func TestNoLogs(t *testing.T) {
	for _, c := range []struct {
		d        *double
		selector string
		want     string
	}{
		{&double{}, "", "has no logs of the last day"},
		{streamsOf("app=nginx"), "", `none of its labels says "temporal" (there are app): give a selector`},
		{streamsOf("job=temporal"), `job="other"`, `no log line for {job="other"} in the last day`},
	} {
		_, err := scanner(t, serve(t, c.d), func(cfg *Config) { cfg.Selector = c.selector }).Scan(t.Context(), noon.Add(-step), noon, step)
		var none *NoLogsError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v does not say %q", err, c.want)
		}
	}
}

func TestStreamsAreLookedForEveryHourAndAfterFailures(t *testing.T) {
	d := streamsOf("job=temporal")
	s := scanner(t, serve(t, d))
	looks := func(after time.Duration) bool {
		before := len(d.requests(`{job="temporal"}`))
		all := len(d.asked)
		to := noon.Add(after)
		_, _ = s.Scan(t.Context(), to.Add(-step), to, step)
		asked := len(d.asked) - all
		return asked > 1 && len(d.requests(`{job="temporal"}`)) > before
	}
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {step, false}, {59 * time.Minute, false}, {61 * time.Minute, true}, {62 * time.Minute, false}, {-time.Hour, true}} {
		if got := looks(c.after); got != c.want {
			t.Errorf("after %s it looked: %v", c.after, got)
		}
	}
	s.failures = illAfter - 1
	s.remember(t.Context(), errors.New("ill"))
	if s.Choice() != "" {
		t.Errorf("still believes %s", s.Choice())
	}
}
