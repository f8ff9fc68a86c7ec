package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestBadLogs(t *testing.T) {
	_, err := Parse([]byte(`
name: bad
description: What is to be found in logs is written wrongly.
duration: 10m
logs:
  - {from: 3m, to: 2m, found: [persistence.unavailable]}
  - {from: 1m, to: 2m}
  - {from: 1m, to: 2m, found: [Deadline exceeded], tied: [{pattern: rpc.deadline, gate: Persistence}], not_found: [rpc.deadline]}
  - {from: 1m, to: 2m, lost: [rpc.deadline]}
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"logs: given: set topology.logs to json or console",
		"logs[0].to: 2m0s: it has to lie after 3m0s",
		"logs[1] is missing: say what is found",
		"logs[2].found: Deadline exceeded: use a pattern's id",
		"logs[2].tied[0].gate: Persistence: use a gate's id",
		"logs[2].not_found: rpc.deadline: it cannot also be found",
		"lost is not a field",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("told:\n%v", err)
	}
}

func TestLogsOfUnknownFormat(t *testing.T) {
	_, err := Parse([]byte("name: bad\ndescription: Odd logs.\nduration: 10m\ntopology: {logs: xml}\n"))
	if err == nil || !strings.Contains(err.Error(), "topology.logs: xml: use none, json, console") {
		t.Errorf("error is %v", err)
	}
}

// What is to be found has its place in the truth.
func TestLogsInTruth(t *testing.T) {
	s, err := Parse([]byte(`
name: one
description: The database is away.
duration: 10m
topology: {logs: json}
logs:
  - {from: 0s, to: 5m, nothing: true}
  - from: 5m
    to: 7m
    found: [persistence.unavailable]
    tied: [{pattern: persistence.unavailable, gate: pressure.persistence_errors}]
    not_found: [process.panic]
`))
	if err != nil {
		t.Fatal(err)
	}
	begin := instant.FromUnix(1_800_000_000)
	truth := s.TruthAt(begin, "")
	if len(truth.Logs) != 2 || !truth.Logs[0].Nothing {
		t.Fatalf("logs are %+v", truth.Logs)
	}
	got := truth.Logs[1]
	if got.From != begin.Add(5*time.Minute) || got.To != begin.Add(7*time.Minute) || got.Nothing {
		t.Errorf("interval is %+v", got)
	}
	if !slices.Equal(got.Found, []string{"persistence.unavailable"}) || !slices.Equal(got.NotFound, []string{"process.panic"}) ||
		!slices.Equal(got.Tied, []score.Tie{{Pattern: "persistence.unavailable", Gate: "pressure.persistence_errors"}}) {
		t.Errorf("expectations are %+v", got)
	}
}
