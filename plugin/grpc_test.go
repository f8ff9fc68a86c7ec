package main

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/plugin/plugintest"
)

// This is the way of every panel: Grafana's process, gRPC, the built plugin,
// a real database with what a worker stores there.
func TestThePluginOverGRPC(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "plugin")
	if err := plugintest.Build(t.Context(), "..", binary); err != nil {
		t.Fatal(err)
	}
	plugin, err := plugintest.Start(binary, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plugin.Stop)

	url := postgrestest.NewDatabase(t)
	filled := sourceAt(t, url)
	end := fill(t, url)

	t.Run("a store that is filled", func(t *testing.T) {
		wantHealth(t, plugin, filled, true, "prod is stressed, assessed ")

		status := rows(t, plugin, filled, end, "status", nil)
		if got := text(t, status[0], "state", 0); got != "stressed" {
			t.Errorf("the state is %q", got)
		}
		if got := text(t, status[0], "summary", 0); !strings.Contains(got, "default/billing") {
			t.Errorf("the summary is %q", got)
		}

		rule, err := plugin.Query(t.Context(), filled, plugintest.Query{Type: "status", From: end.Add(-time.Hour), To: end, FromAlert: true})
		if err != nil || rule.Error != "" {
			t.Fatal(err, rule.Error)
		}
		if got := rule.Frames[0].Fields[0].At(0); got != 2.0 {
			t.Errorf("an alert rule gets the number %v for stressed", got)
		}

		timeline := rows(t, plugin, filled, end, "timeline", map[string]any{"cluster": "prod"})
		var states []string
		for row := range timeline[0].Rows() {
			states = append(states, text(t, timeline[0], "state", row))
		}
		if want := []string{"happy", "stressed"}; !slices.Equal(states, want) {
			t.Errorf("the timeline is %v, expected %v", states, want)
		}

		series := rows(t, plugin, filled, end, "signals", map[string]any{"signals": []string{"backlog_age_sec", "state_transitions_per_sec"}})
		if len(series) != 2 || series[0].Rows() != 10 || series[1].Rows() != 10 {
			t.Fatalf("the series are %v", series)
		}
		if got := series[0].Fields[1]; got.Name != "backlog_age_sec" || got.Labels.String() != "cluster=prod" || got.Config.Unit != "s" {
			t.Errorf("the first series is %s{%s} in %q", got.Name, got.Labels, got.Config.Unit)
		}
		if got := *series[0].Fields[1].At(9).(*float64); got != 9 {
			t.Errorf("the last value is %v", got)
		}
		queues := rows(t, plugin, filled, end, "signals", map[string]any{
			"signals": []string{"backlog_age_sec"}, "scope": map[string]any{"kind": "task_queue"},
		})
		if got := queues[0].Fields[1].Labels.String(); got != "cluster=prod, namespace=default, task_queue=billing, task_type=activity" {
			t.Errorf("the series of the task queue is of %s", got)
		}
	})

	t.Run("every query of the dashboards", func(t *testing.T) { wantDashboards(t, plugin, filled, end) })

	t.Run("a new assessment on Grafana Live", func(t *testing.T) {
		st := migrate(t, url)
		defer st.Close()
		var told []string
		err := plugin.Subscribe(t.Context(), filled, "status/prod", func(frame *data.Frame) error {
			told = append(told, text(t, frame, "state", 0))
			if len(told) == 2 {
				return io.EOF
			}
			worse := incident(end.Add(30 * time.Second))
			worse.State = health.Critical
			return st.Save(t.Context(), health.Observation{Cluster: "prod", At: worse.At, Measurements: []health.Measurement{}}, worse)
		})
		if !errors.Is(err, io.EOF) || !slices.Equal(told, []string{"stressed", "critical"}) {
			t.Errorf("told of %q, %v", told, err)
		}
		if err := plugin.Subscribe(t.Context(), filled, "status/nowhere", nil); err == nil {
			t.Error("subscribed to a cluster that is not known")
		}
	})

	t.Run("questions that have no answer", func(t *testing.T) {
		for _, test := range []struct {
			queryType string
			fields    map[string]any
			words     string
		}{
			{"state", nil, `query type "state" is not known; use one of: ` + knownTypes()},
			{"status", map[string]any{"cluster": "staging"}, `cluster "staging" is not known; the store holds: prod`},
			{"signals", map[string]any{"signals": []string{"cpu"}}, `signal "cpu" is not known; use some of: `},
			{"timeline", map[string]any{"cluster": []string{"prod"}}, `the query's field "cluster" must be a text, it is a JSON array`},
		} {
			wantNoAnswer(t, plugin, filled, end, test.queryType, test.fields, test.words)
		}
	})

	t.Run("what the query editor asks", func(t *testing.T) {
		code, body, err := plugin.Resource(t.Context(), filled, "clusters")
		if err != nil || code != 200 || !strings.HasPrefix(string(body), `[{"id":"prod","display":"prod",`) {
			t.Errorf("got %d %s %v", code, body, err)
		}
	})

	t.Run("a database without a schema", func(t *testing.T) {
		empty := sourceAt(t, postgrestest.NewDatabase(t))
		wantHealth(t, plugin, empty, false, "holds no copilot schema: check the database's name, or run: copilot db setup-schema.")
		wantNoAnswer(t, plugin, empty, end, "status", nil, "the store has no schema: ")
	})

	t.Run("a store without a cluster", func(t *testing.T) {
		url := postgrestest.NewDatabase(t)
		migrate(t, url).Close()
		wantHealth(t, plugin, sourceAt(t, url), false, `no cluster has been observed yet: start "copilot worker" with this store.`)
		wantNoAnswer(t, plugin, sourceAt(t, url), end, "status", nil, "no cluster has been observed yet")
	})

	t.Run("a store that is away", func(t *testing.T) {
		away := sourceAt(t, "postgres://reader:hunter2@"+closedPort(t)+"/copilot?sslmode=disable")
		wantHealth(t, plugin, away, false, "nothing listens there")
		for _, queryType := range queryTypes {
			wantNoAnswer(t, plugin, away, end, queryType.name, nil, "cannot connect to PostgreSQL at 127.0.0.1:")
		}
	})

	t.Run("a wrong password", func(t *testing.T) {
		server := postgrestest.Shared(t)
		wrong := sourceAt(t, strings.Replace(url, server.Password, "hunter2", 1))
		wantHealth(t, plugin, wrong, false, "password authentication failed")
	})

	t.Run("settings that are wrong", func(t *testing.T) {
		wrong, err := plugintest.NewSource(map[string]any{"host": "db:5432", "user": "reader"}, "")
		if err != nil {
			t.Fatal(err)
		}
		wantHealth(t, plugin, wrong, false, `setting "host" is "db:5432": enter the name alone`)
		wantNoAnswer(t, plugin, wrong, end, "status", nil, `setting "host" is "db:5432"`)
	})
}

// sourceAt configures a data source.
func sourceAt(t *testing.T, url string) plugintest.Source {
	t.Helper()
	source, err := plugintest.PostgresSource(url)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// migrate opens a store for writing and sets it up.
func migrate(t testing.TB, url string) *dsql.Store {
	t.Helper()
	st, err := dsql.Open(t.Context(), dsql.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

// fill stores ten assessments, the last of them a moment ago: the cluster was
// happy and becomes stressed. It returns the instant of the last.
func fill(t *testing.T, url string) instant.Instant {
	t.Helper()
	st := migrate(t, url)
	defer st.Close()
	end := instant.System.Now().Truncate(time.Second)
	billing := health.TaskQueueScope("default", "billing").Of(health.ActivityTasks)
	turned := end.Add(-4 * 30 * time.Second)
	for i := range 10 {
		at := end.Add(-time.Duration(9-i) * 30 * time.Second)
		transitions, waiting := 100.0, float64(i)
		obs := health.Observation{Cluster: "prod", At: at, Measurements: []health.Measurement{
			{Signal: health.StateTransitions, Class: health.Primary, Unit: "1/s", Status: health.OK, Value: &transitions},
			{
				Signal: health.BacklogAge, Class: health.Primary, Unit: "s", Status: health.OK, Value: &waiting,
				Samples: []health.Sample{{Scope: billing, Value: waiting}},
			},
			{Signal: health.PersistenceLatency, Class: health.Amplifier, Unit: "ms", Status: health.OK, Value: &transitions},
			{Signal: health.SlotsUsed, Class: health.Worker, Unit: "1", Status: health.OK, Value: &waiting},
			{Signal: health.Pollers, Class: health.Worker, Unit: "1", Status: health.Missing},
		}}
		obs.Normalize()
		a := incident(at)
		a.State, a.Since = health.Happy, end.Add(-9*30*time.Second)
		if !at.Before(turned) {
			a.State, a.Since = health.Stressed, turned
		}
		if at == turned {
			a.Transition = &health.Transition{From: health.Happy, To: health.Stressed, At: at, Gates: []string{"progress.head_of_line"}}
		}
		if err := st.Save(t.Context(), obs, a); err != nil {
			t.Fatal(err)
		}
	}
	return end
}

// closedPort returns an address that refuses connections.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// panel makes the query of a panel that shows the time around end, of which the
// second half lies in the future.
func panel(end instant.Instant, queryType string, fields map[string]any) plugintest.Query {
	return plugintest.Query{Type: queryType, Fields: fields, From: end.Add(-time.Hour), To: end.Add(time.Hour)}
}

// rows asks for data and checks that it is there.
func rows(t *testing.T, plugin *plugintest.Plugin, source plugintest.Source, end instant.Instant, queryType string, fields map[string]any) data.Frames {
	t.Helper()
	answer, err := plugin.Query(t.Context(), source, panel(end, queryType, fields))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Error != "" {
		t.Fatalf("%s: %s", queryType, answer.Error)
	}
	if len(answer.Frames) == 0 || answer.Frames[0].Rows() == 0 {
		t.Fatalf("%s: no data", queryType)
	}
	return answer.Frames
}

// text returns a value of a field of texts.
func text(t *testing.T, frame *data.Frame, name string, row int) string {
	t.Helper()
	f, _ := frame.FieldByName(name)
	if f == nil {
		t.Fatalf("the frame has no field %q", name)
	}
	switch v := f.At(row).(type) {
	case string:
		return v
	case *string:
		if v != nil {
			return *v
		}
	}
	return ""
}

// wantHealth checks what "Save & test" says.
func wantHealth(t *testing.T, plugin *plugintest.Plugin, source plugintest.Source, ok bool, words string) {
	t.Helper()
	health, err := plugin.CheckHealth(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	if health.OK != ok || !strings.Contains(health.Message, words) {
		t.Errorf("got  %v %q\nwant %v with %q", health.OK, health.Message, ok, words)
	}
	if strings.Contains(health.Message+string(health.Details), "hunter2") {
		t.Errorf("the password is in %q %s", health.Message, health.Details)
	}
}

// wantNoAnswer checks that a query fails, on one line, and not as the plugin's
// fault.
func wantNoAnswer(t *testing.T, plugin *plugintest.Plugin, source plugintest.Source, end instant.Instant, queryType string, fields map[string]any, words string) {
	t.Helper()
	answer, err := plugin.Query(t.Context(), source, panel(end, queryType, fields))
	if err != nil {
		t.Fatalf("%s: the whole request failed: %v", queryType, err)
	}
	if !strings.Contains(answer.Error, words) || strings.Contains(answer.Error, "\n") || strings.Contains(answer.Error, "hunter2") {
		t.Errorf("%s: the error says %q\nexpected %q", queryType, answer.Error, words)
	}
	if answer.ErrorSource != "downstream" || answer.Status < 400 {
		t.Errorf("%s: status %d, the error's source is %q", queryType, answer.Status, answer.ErrorSource)
	}
}
