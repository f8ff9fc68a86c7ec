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
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// promQuery is a query of a provisioned dashboard.
type promQuery struct{ dashboard, panel, expr string }

// dashboardQueries reads the Prometheus queries of the provisioned dashboards,
// with their variables as they are at first.
func dashboardQueries(t *testing.T) []promQuery {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "provisioning", "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	filled := strings.NewReplacer("$__rate_interval", "1m", "$selector", `cluster="lab"`, "$queue", ".*")
	var queries []promQuery
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			UID    string
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatal(err)
		}
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				if target.Expr != "" {
					queries = append(queries, promQuery{d.UID, panel.Title, filled.Replace(target.Expr)})
				}
			}
		}
	}
	return queries
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
			for _, query := range dashboardQueries(t) {
				series, err := ask(t, server.URL, query.expr, at)
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

// ask returns how many series a query has at an instant.
func ask(t *testing.T, base, expr string, at instant.Instant) (int, error) {
	address := base + "/api/v1/query?" + url.Values{"query": {expr}, "time": {at.String()}}.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
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
		return 0, fmt.Errorf("%s: %w", response.Status, err)
	}
	if answer.Status != "success" {
		return 0, errors.New(answer.Error)
	}
	return len(answer.Data.Result), nil
}
