package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/api/apitest"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// incidentDatabase makes a database with an incident on each of the clusters, of
// which some time was observed, the end of it some time ago.
func incidentDatabase(t *testing.T, long, ago time.Duration, clusters ...string) string {
	t.Helper()
	url := postgrestest.NewDatabase(t)
	store, err := dsql.Open(t.Context(), dsql.Config{URL: url, MinConns: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	from := instant.System.Now().Truncate(time.Second).Add(-ago - long)
	for _, cluster := range clusters {
		for _, look := range apitest.Incident(cluster, from, long) {
			if err := store.Save(t.Context(), look.Observation, look.Assessment); err != nil {
				t.Fatal(err)
			}
		}
	}
	return url
}

// exits checks the exit code, that stderr is empty, and that stdout has every
// part.
func (r result) exits(t *testing.T, what string, code int, says ...string) result {
	t.Helper()
	if r.code != code || r.stderr != "" {
		t.Errorf("%s: exit %d, want %d; stderr %q", what, r.code, code, r.stderr)
	}
	for _, part := range says {
		if !strings.Contains(r.stdout, part) {
			t.Errorf("%s: stdout does not say %q:\n%s", what, part, r.stdout)
		}
	}
	return r
}

func TestStoredVerdicts(t *testing.T) {
	t.Setenv("COPILOT_DATABASE_URL", incidentDatabase(t, 10*time.Minute, time.Second, "prod"))
	var status api.StatusAnswer
	asJSON := copilot(t, "status", "-o", "json")
	if err := json.Unmarshal([]byte(asJSON.stdout), &status); err != nil {
		t.Fatal(err)
	}
	want := verdictCode(status.Status)
	if want != exitStressed && want != exitCritical {
		t.Fatalf("the incident is %s", status.HealthState)
	}
	asJSON.exits(t, "status -o json", want)
	table := copilot(t, "status", "--cluster", "prod").exits(t, "status", want,
		strings.ToUpper(status.HealthState.String()), "billing", "SERVICES  ● frontend   ● history   ● matching", "ISSUES", "open for", "DO", "judged ", " ago", status.AssessmentID)
	if strings.Contains(table.stdout, "Is \"copilot worker\" running?") {
		t.Errorf("a fresh verdict is called old:\n%s", table.stdout)
	}

	copilot(t, "timeline").exits(t, "timeline", 0, "24h00m", "● HAPPY")
	copilot(t, "timeline", "--from", "30m").exits(t, "timeline", 0, "● HAPPY", "▲ STRESSED", "▁", "▄", "STATE", "explain", "progress.", " %)")
	var timeline api.TimelineAnswer
	asJSON = copilot(t, "timeline", "--from", "1h", "-o", "json").exits(t, "timeline -o json", 0)
	if err := json.Unmarshal([]byte(asJSON.stdout), &timeline); err != nil || len(timeline.Intervals) < 2 || timeline.Cluster != "prod" {
		t.Fatalf("%v: %s", err, asJSON.stdout)
	}
	copilot(t, "timeline", "--from", "3h", "--to", "2h").exits(t, "before the first look", 0, "had not been observed yet")

	text := copilot(t, "explain", status.AssessmentID).exits(t, "explain", 0, "GATES", "✗ ", "✓ ", "task_queue/default/billing", "task_queue/default/orders", " against ", "explained by rules", status.AssessmentID)
	for i := range status.Gates {
		if !strings.Contains(text.stdout, status.Gates[i].ID) {
			t.Errorf("explain leaves out the gate %s", status.Gates[i].ID)
		}
	}
	var whole api.AssessmentAnswer
	asJSON = copilot(t, "explain", "latest", "-o", "json").exits(t, "explain -o json", 0)
	if err := json.Unmarshal([]byte(asJSON.stdout), &whole); err != nil || whole.ID != status.AssessmentID || len(whole.Gates) != len(status.Gates) {
		t.Errorf("%v: %.500s", err, asJSON.stdout)
	}
	copilot(t, "explain", dsql.AssessmentID("prod", timeline.From)).fails(t, "explain what is not there", exitFailure, "no such assessment", "copilot timeline")

	if t.Failed() {
		t.Log(table.stdout, "\n", copilot(t, "timeline", "--from", "30m").stdout, "\n", text.stdout)
	}
}

// A verdict that nobody has renewed is no verdict for a script.
func TestStaleStatus(t *testing.T) {
	t.Setenv("COPILOT_DATABASE_URL", incidentDatabase(t, time.Minute, time.Hour, "prod"))
	copilot(t, "status").exits(t, "stale", exitUnknown, "no worker has judged prod since", "HAPPY", "exit 3")
	copilot(t, "status", "-o", "json").exits(t, "stale", exitUnknown, `"stale": true`, `"degraded": false`)
	copilot(t, "status", "--cluster", "nobody").fails(t, "unknown cluster", exitUnknown, `cluster "nobody" is not known; the store holds: prod`)
}

func TestWhichClusterIsMeant(t *testing.T) {
	database := incidentDatabase(t, 30*time.Second, time.Second, "prod", "staging")
	for _, command := range [][]string{{"status"}, {"timeline"}, {"explain", "latest"}} {
		args := slices.Concat(command, []string{"--database-url", database})
		copilot(t, args...).fails(t, command[0], exitUsage, "--cluster", "prod, staging")
		if got := copilot(t, slices.Concat(args, []string{"--cluster", "staging"})...); got.stderr != "" || !strings.Contains(got.stdout, "staging") {
			t.Errorf("%v: %+v", command, got)
		}
	}
	names := copilot(t, "__complete", "status", "--database-url", database, "--cluster", "")
	if !strings.HasPrefix(names.stdout, "prod\nstaging\n") {
		t.Errorf("completion offers %q", names.stdout)
	}
	empty := incidentDatabase(t, 0, 0)
	copilot(t, "status", "--database-url", empty).fails(t, "an empty store", exitUnknown, "no cluster", "copilot worker")
	copilot(t, "timeline", "--database-url", empty).fails(t, "an empty store", exitFailure, "no cluster", "copilot worker")
}

func TestUsageOfStoredVerdicts(t *testing.T) {
	const nowhere = "postgres://copilot@127.0.0.1:1/copilot"
	for what, test := range map[string]struct {
		args []string
		says []string
	}{
		"no id":           {[]string{"explain"}, []string{"ID is missing", "copilot explain --help"}},
		"two ids":         {[]string{"explain", "a", "b"}, []string{`"b"`}},
		"no such id":      {[]string{"explain", "abc", "--database-url", nowhere}, []string{`"abc"`, "copilot timeline"}},
		"no time":         {[]string{"timeline", "--from", "yesterday"}, []string{`--from "yesterday"`, "2026-11-24T03:04:30Z"}},
		"backwards":       {[]string{"timeline", "--from", "1h", "--to", "2h"}, []string{"--from 1h", "empty"}},
		"too long":        {[]string{"timeline", "--from", "400d"}, []string{"longer than 92 days"}},
		"no store":        {[]string{"timeline"}, []string{"--database-url"}},
		"status no store": {[]string{"status"}, []string{"--database-url"}},
		"no shell":        {[]string{"completion"}, []string{"bash"}},
		"other shell":     {[]string{"completion", "tcsh"}, []string{`"tcsh"`, "zsh"}},
	} {
		copilot(t, test.args...).fails(t, what, exitUsage, test.says...)
	}
	copilot(t, "status", "--database-url", nowhere).fails(t, "status without its store", exitUnknown, "nothing listens there")
	copilot(t, "timeline", "--database-url", nowhere).fails(t, "timeline without its store", exitFailure, "nothing listens there")
}

func TestCompletion(t *testing.T) {
	for shell, part := range map[string]string{"bash": "__start_copilot", "zsh": "#compdef copilot", "fish": "complete -c copilot", "powershell": "Register-ArgumentCompleter"} {
		copilot(t, "completion", shell).succeeds(t, shell, part)
	}
	copilot(t, "completion", "--help").succeeds(t, "help", "EXAMPLES", "source <(copilot completion bash)")
}

// The ribbon shows the worst of each stretch, and what was not seen as such.
func TestRibbon(t *testing.T) {
	from := instant.FromUnix(1_795_520_000)
	at := func(minute int) instant.Instant { return from.Add(time.Duration(minute) * time.Minute) }
	of := func(state health.State, blind, unobserved bool, begin, end int) api.TimelineInterval {
		return api.TimelineInterval{Interval: dsql.Interval{State: state, Blind: blind, Unobserved: unobserved, From: at(begin), To: at(end)}}
	}
	line := ribbon(&api.TimelineAnswer{From: from, To: at(ribbonWidth), Intervals: []api.TimelineInterval{
		of(health.Happy, false, false, 1, 10), of(health.Stressed, false, false, 10, 20), of(health.Critical, false, false, 20, 30),
		of(health.Critical, true, false, 30, 40), of(health.Unknown, false, true, 40, 50), of(health.Happy, false, false, 50, 96),
	}})
	var text strings.Builder
	if _, err := styled(&text).Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	want := " " + strings.Repeat("▁", 9) + strings.Repeat("▄", 10) + strings.Repeat("█", 10) + strings.Repeat("?", 10) + strings.Repeat("·", 10) + strings.Repeat("▁", 46)
	if text.String() != want {
		t.Errorf("the ribbon is\n%s, want\n%s", text.String(), want)
	}
}
