package recordings

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/lab/recording"
)

// dashboardQuery is a query of a provisioned dashboard.
type dashboardQuery struct{ dashboard, panel, expr string }

// dashboardPanel is what is read of a panel. A closed row holds others.
type dashboardPanel struct {
	Title   string
	Targets []struct{ Expr string }
	Panels  []dashboardPanel
}

// dashboardQueries reads the queries of the provisioned dashboards that are for
// Prometheus, and those in closed rows, which are for Loki, with their variables
// as they are at first.
func dashboardQueries(t *testing.T) (prometheus, loki []dashboardQuery) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "provisioning", "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	filled := strings.NewReplacer("$__rate_interval", "1m", "$selector", `cluster="lab"`, "$queue", ".*",
		"$logs", `job="temporal"`, "$__auto", "1m")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			UID    string
			Panels []dashboardPanel
		}
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatal(err)
		}
		read := func(panels []dashboardPanel) (queries []dashboardQuery) {
			for _, panel := range panels {
				for _, target := range panel.Targets {
					if target.Expr != "" {
						queries = append(queries, dashboardQuery{d.UID, panel.Title, filled.Replace(target.Expr)})
					}
				}
			}
			return queries
		}
		prometheus = append(prometheus, read(d.Panels)...)
		for _, row := range d.Panels {
			loki = append(loki, read(row.Panels)...)
		}
	}
	return prometheus, loki
}

// always are the panels that have data whenever a cluster works, however its
// server names its metrics. Recordings hold no more than a part of all metrics,
// so that others stay empty here.
var always = []string{
	"State transitions", "Workflows started and closed", "Tasks completed", "Requests", "Request latency, p99",
	"Slowest operations of the frontend, p99", "Persistence latency", "Slowest operations, p99", "Persistence requests", "Connection pools, the fullest replica",
	"Open polls", "Tasks added", "Free slots of each worker", "Used slots", "Pollers of the workers",
}

// Every query of the dashboards is one that Prometheus takes, on a server of
// either naming, and those that must have data have it.
func TestTheDashboardsOnRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Prometheus for each recording")
	}
	for _, name := range []string{"all-workers-gone", "healthy-opentelemetry"} {
		t.Run(name, func(t *testing.T) {
			server, err := recording.ServeMetrics(t.Context(), name, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			// Early in each recording everything still works.
			at := server.Truth.From.Add(server.Truth.To.Sub(server.Truth.From) / 6)
			found := map[string]int{}
			queries, _ := dashboardQueries(t)
			for _, query := range queries {
				series, err := ask(t, server.URL+"/api/v1/query?", url.Values{"query": {query.expr}, "time": {at.String()}})
				if err != nil {
					t.Errorf("%s, %s: %v\n%s", query.dashboard, query.panel, err, query.expr)
				}
				found[query.panel] += series
			}
			for _, panel := range always {
				if found[panel] == 0 {
					t.Errorf("%s has no data", panel)
				}
			}
			t.Logf("panels with data: %v", found)
		})
	}
}

// Every query for logs is one that Loki takes, and finds lines of servers in
// JSON and of workers in text, in trouble.
func TestTheLogPanelsOnRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Loki for each recording")
	}
	_, queries := dashboardQueries(t)
	if len(queries) < 6 {
		t.Fatalf("only %d queries for logs", len(queries))
	}
	for name, dashboards := range map[string][]string{
		"logs-db-cut-off":           {"copilot-server-health", "copilot-dsql-persistence"},
		"logs-console-worker-panic": {"copilot-workers"},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := recording.Serve(t.Context(), name, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			for _, query := range queries {
				found, err := ask(t, server.LokiURL+"/loki/api/v1/query_range?", url.Values{
					"query": {query.expr}, "start": {server.Truth.From.String()}, "end": {server.Truth.To.String()}, "step": {"60"}, "limit": {"200"},
				})
				if err != nil {
					t.Errorf("%s, %s: %v\n%s", query.dashboard, query.panel, err, query.expr)
				}
				if slices.Contains(dashboards, query.dashboard) && found == 0 {
					t.Errorf("%s, %s finds nothing\n%s", query.dashboard, query.panel, query.expr)
				}
			}
		})
	}
}

// ask returns how many series or streams a query of a Prometheus or a Loki finds.
func ask(t *testing.T, address string, query url.Values) (int, error) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+query.Encode(), nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("%s: %w: %.200s", response.Status, err, body)
	}
	if answer.Status != "success" {
		return 0, errors.New(answer.Error)
	}
	return len(answer.Data.Result), nil
}
