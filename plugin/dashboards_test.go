package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/plugin/plugintest"
)

// provisionedDashboard is what the tests read of a dashboard's JSON.
type provisionedDashboard struct {
	UID, Title, Refresh string
	Tags                []string
	Panels              []dashboardPanel
	Templating          struct{ List []dashboardVariable }
	Annotations         struct {
		List []struct{ Target map[string]any }
	}
}

type dashboardPanel struct {
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []map[string]any
	Options                  map[string]any
	// Panels are those in a closed row.
	Panels []dashboardPanel
}

// all are the panels of the dashboard, those in closed rows with them, and the
// rows themselves without.
func (d *provisionedDashboard) all() []dashboardPanel {
	var panels []dashboardPanel
	for _, p := range d.Panels {
		if p.Type == "row" {
			panels = append(panels, p.Panels...)
			continue
		}
		panels = append(panels, p)
	}
	return panels
}

type dashboardVariable struct {
	Type, Name, AllValue string
	Query                any
	Current              struct{ Value string }
}

// dashboards reads the dashboards that are provisioned, by uid.
func dashboards(t testing.TB) map[string]provisionedDashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "provisioning", "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	all := map[string]provisionedDashboard{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d provisionedDashboard
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if filepath.Base(file) != d.UID+".json" || all[d.UID].UID != "" {
			t.Errorf("%s has the uid %q", file, d.UID)
		}
		all[d.UID] = d
	}
	return all
}

// copilotQueries are the queries of a dashboard that go to the copilot, with
// its variables filled in as Grafana does.
func (d *provisionedDashboard) copilotQueries() []map[string]any {
	var found []map[string]any
	add := func(target map[string]any) {
		if target["queryType"] == nil {
			return
		}
		filled := map[string]any{}
		for name, value := range target {
			switch value := value.(type) {
			case string:
				filled[name] = strings.ReplaceAll(value, "$cluster", "prod")
			case []any:
				list := slices.Clone(value)
				for i := range list {
					if list[i] == "$state" {
						list[i] = "all"
					}
				}
				filled[name] = list
			default:
				filled[name] = value
			}
		}
		delete(filled, "datasource")
		found = append(found, filled)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			add(target)
		}
	}
	for _, annotation := range d.Annotations.List {
		add(annotation.Target)
	}
	for _, variable := range d.Templating.List {
		if query, ok := variable.Query.(map[string]any); ok {
			add(query)
		}
	}
	return found
}

func TestTheDashboardsAreWellMade(t *testing.T) {
	all := dashboards(t)
	sources, err := os.ReadFile(filepath.Join("..", "provisioning", "datasources", "copilot.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for uid, d := range all {
		if d.Refresh != "30s" {
			t.Errorf("%s refreshes every %q", uid, d.Refresh)
		}
		variables := map[string]dashboardVariable{}
		for _, v := range d.Templating.List {
			variables[v.Name] = v
			if v.Type == "datasource" && v.Current.Value != "" && !strings.Contains(string(sources), "uid: "+v.Current.Value+"\n") {
				t.Errorf("%s: variable %s begins with data source %q, which is not provisioned", uid, v.Name, v.Current.Value)
			}
		}
		panels := d.all()
		for i, p := range panels {
			if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
				t.Errorf("%s: panel %d has no title, description or query", uid, i)
			}
			if p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: %s is wider than the dashboard", uid, p.Title)
			}
			for _, other := range panels[:i] {
				a, b := p.GridPos, other.GridPos
				if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Errorf("%s: %s lies on %s", uid, p.Title, other.Title)
				}
			}
			for _, target := range p.Targets {
				source, _ := target["datasource"].(map[string]any)
				name, isVariable := strings.CutPrefix(strings.TrimSuffix(source["uid"].(string), "}"), "${")
				if v := variables[name]; !isVariable || v.Type != "datasource" || v.Query != source["type"] {
					t.Errorf("%s: %s asks data source %v, which no variable chooses", uid, p.Title, source)
				}
			}
		}
		for _, query := range d.copilotQueries() {
			if !slices.ContainsFunc(queryTypes, func(known queryType) bool { return known.name == query["queryType"] }) {
				t.Errorf("%s: query type %v", uid, query["queryType"])
			}
			for name := range query {
				if !slices.Contains(ours, name) && !slices.Contains(grafanas, name) {
					t.Errorf("%s: a query has the field %q, which means nothing", uid, name)
				}
			}
		}
		text, err := os.ReadFile(filepath.Join("..", "provisioning", "dashboards", uid+".json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`"/d/([^?"/]+)`).FindAllStringSubmatch(string(text), -1) {
			if _, known := all[link[1]]; !known {
				t.Errorf("%s links to dashboard %q, which is not provisioned", uid, link[1])
			}
		}
		for _, used := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(string(text), -1) {
			if name := used[1]; variables[name].Name == "" && !strings.HasPrefix(name, "__") {
				t.Errorf("%s uses the variable %q, which it does not have", uid, name)
			}
		}
	}
}

// What requirement R7 asks of the dashboard, panel by panel.
func TestTheInsightsDashboard(t *testing.T) {
	all := dashboards(t)
	d := all["copilot-insights"]
	for _, uid := range []string{"copilot-server-health", "copilot-dsql-persistence", "copilot-workers"} {
		if !slices.Contains(all[uid].Tags, "temporal") {
			t.Errorf("dashboard %s is not among those that all link to", uid)
		}
	}
	hero := d.Panels[0]
	if hero.Type != "temporalsre-copilothero-panel" || hero.GridPos.Y != 0 || hero.GridPos.W != 24 {
		t.Errorf("the first panel is a %s at %+v", hero.Type, hero.GridPos)
	}
	asked := map[string]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			asked[p.Type+" "+target["queryType"].(string)] = p.Title
		}
	}
	for _, want := range []string{
		"temporalsre-copilothero-panel status", "temporalsre-copilothero-panel issues", "temporalsre-copilothero-panel actions",
		"temporalsre-copilothero-panel summary", "temporalsre-copilothero-panel timeline",
		"table services", "table scopes", "stat signals", "table issues", "table actions", "table log_patterns", "state-timeline timeline",
	} {
		if asked[want] == "" {
			t.Errorf("no panel of the kind %q", want)
		}
	}
	filter := slices.IndexFunc(d.Templating.List, func(v dashboardVariable) bool { return v.Name == hero.Options["filterVariable"] })
	if filter < 0 || !slices.Contains(allStates, d.Templating.List[filter].AllValue) {
		t.Error("the hero panel's filter sets a variable that is not there, or that the backend does not read")
	}
}

// PromQL is parsed by a real Prometheus in the lab's tests. Here is what a parser
// does not see.
func TestThePromQLOfTheDashboards(t *testing.T) {
	for uid, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				expr, _ := target["expr"].(string)
				switch {
				case expr == "":
					continue
				case strings.Contains(expr, "state_transition_count_sum"), strings.Contains(expr, "sharditem_acquisition_latency"), strings.Contains(expr, "task_latency_queue"):
					t.Errorf("%s: %s reads a metric that misleads", uid, p.Title)
				case strings.Contains(expr, "service_latency") && !strings.Contains(expr, `operation!~"Poll.*`):
					t.Errorf("%s: %s counts long polls as latency", uid, p.Title)
				case strings.Contains(expr, "approximate_backlog") && !strings.Contains(expr, `partition!="__sticky__"`):
					t.Errorf("%s: %s counts sticky queues", uid, p.Title)
				case strings.Contains(expr, "rate(") && !strings.Contains(expr, "_total{") && !strings.Contains(expr, "_milliseconds_bucket{") && !strings.Contains(expr, "_ratio"):
					t.Errorf("%s: %s asks only one way in which the server names its metrics", uid, p.Title)
				}
			}
		}
	}
}

// wantDashboards has the built plugin answer every query that the dashboards ask.
func wantDashboards(t *testing.T, plugin *plugintest.Plugin, source plugintest.Source, end instant.Instant) {
	for uid, d := range dashboards(t) {
		for _, query := range d.copilotQueries() {
			queryType := query["queryType"].(string)
			answer, err := plugin.Query(t.Context(), source, panel(end, queryType, query))
			if err != nil || answer.Error != "" {
				t.Fatalf("%s: %v: %v %s", uid, query, err, answer.Error)
			}
			// The play behind the store had no logs.
			if queryType != "log_patterns" && (len(answer.Frames) == 0 || answer.Frames[0].Rows() == 0) {
				t.Errorf("%s: no data for %v", uid, query)
			}
		}
	}
}

// alertRule is a rule of provisioning/alerting.
type alertRule struct {
	UID, Title, Condition string
	Annotations           map[string]string
	Data                  []struct {
		RefID         string `yaml:"refId"`
		DatasourceUID string `yaml:"datasourceUid"`
		Model         struct {
			QueryType, Measure string
			Type, Expression   string
			Conditions         []struct {
				Evaluator struct {
					Type   string
					Params []float64
				}
			}
		}
	}
}

// UnmarshalYAML reads a rule by way of JSON, which takes names in any case.
func (r *alertRule) UnmarshalYAML(node *yaml.Node) error {
	var fields map[string]any
	if err := node.Decode(&fields); err != nil {
		return err
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	type plain alertRule
	return json.Unmarshal(text, (*plain)(r))
}

// alertSituation is a store, and what goes on in it.
type alertSituation struct {
	name  string
	store *fakeStore
}

func alertSituations() []alertSituation {
	at := func(change func(*dsql.Cluster)) *fakeStore {
		st := goodStore()
		st.clusters[0].State = health.Happy
		change(&st.clusters[0])
		return st
	}
	return []alertSituation{
		{"happy", at(func(*dsql.Cluster) {})},
		{"critical", at(func(c *dsql.Cluster) { c.State = health.Critical })},
		{"stressed", at(func(c *dsql.Cluster) { c.State = health.Stressed })},
		{"blind", at(func(c *dsql.Cluster) { c.Blind = true })},
		{"silent", at(func(c *dsql.Cluster) { c.LastSeen = noon.Add(-10 * time.Minute) })},
	}
}

func TestTheAlertRulesFireWhenTheyShould(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "provisioning", "alerting", "copilot.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct{ Rules []alertRule }
	}
	if err := yaml.Unmarshal(content, &file); err != nil || len(file.Groups) != 1 {
		t.Fatal(err, len(file.Groups))
	}
	all := dashboards(t)
	var firing []string
	for _, situation := range alertSituations() {
		for _, rule := range file.Groups[0].Rules {
			asked, condition := rule.Data[0], rule.Data[1]
			if asked.DatasourceUID != "temporal-sre-copilot" || condition.RefID != rule.Condition || condition.Model.Expression != asked.RefID || condition.Model.Type != "threshold" {
				t.Fatalf("rule %s is %+v", rule.UID, rule)
			}
			if all[rule.Annotations["__dashboardUid__"]].UID == "" {
				t.Errorf("rule %s names a dashboard that is not provisioned", rule.UID)
			}
			fields := map[string]any{"measure": asked.Model.Measure}
			response := ask(t, sourceOf(situation.store), query(t, asked.Model.QueryType, fields), "FromAlert")
			if response.Error != nil {
				t.Fatal(response.Error)
			}
			evaluator := condition.Model.Conditions[0].Evaluator
			if evaluator.Type != "gt" {
				t.Fatalf("rule %s compares with %q", rule.UID, evaluator.Type)
			}
			for _, f := range response.Frames[0].Fields {
				if f.At(0).(float64) > evaluator.Params[0] {
					firing = append(firing, situation.name+": "+rule.UID+" of "+f.Labels["cluster"])
				}
			}
		}
	}
	want := []string{
		"critical: copilot-cluster-critical of prod", "critical: copilot-cluster-stressed of prod",
		"stressed: copilot-cluster-stressed of prod",
		"blind: copilot-blind of prod",
		"silent: copilot-silent of prod",
	}
	if !slices.Equal(firing, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(firing, "\n"), strings.Join(want, "\n"))
	}
}
