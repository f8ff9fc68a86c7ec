package main

import (
	"slices"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestStatus(t *testing.T) {
	golden(t, "status", ask(t, sourceOf(goodStore()), query(t, "status", nil)))
}

func TestStatusOfABlindCopilot(t *testing.T) {
	st := goodStore()
	a := incident(noon.Add(-30 * time.Second))
	a.Blind, a.BlindReason, a.SeenAt = true, "Prometheus does not answer", noon.Add(-4*time.Minute)
	// Nothing is known of what it has no value for.
	a.Progress, a.Issues, a.Scopes = health.Progress{}, nil, nil
	st.latest["prod"] = a
	golden(t, "status_blind", ask(t, sourceOf(st), query(t, "status", nil)))
}

func TestStatusOfACopilotThatIsAway(t *testing.T) {
	st := goodStore()
	st.latest["prod"] = incident(noon.Add(-3 * time.Hour))
	want := []string{`The last assessment is 3 h old; check that "copilot worker" runs. What is shown was true at 2026-11-24T09:00:00Z.`}
	if got := notices(ask(t, sourceOf(st), query(t, "status", nil))); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestStatusOfAClockThatIsAhead(t *testing.T) {
	st := goodStore()
	st.latest["prod"] = incident(noon.Add(3 * time.Second))
	response := ask(t, sourceOf(st), query(t, "status", nil))
	field, _ := response.Frames[0].FieldByName("age_sec")
	if got := field.At(0); got != 0.0 {
		t.Errorf("the age is %v", got)
	}
}

func TestStatusBeforeTheFirstAssessment(t *testing.T) {
	st := goodStore()
	st.latest = nil
	wantFailure(t, ask(t, sourceOf(st), query(t, "status", nil)), backend.StatusNotFound,
		`cluster "prod" has not been assessed yet; check that "copilot worker" runs`)
}

func TestStatusForMachines(t *testing.T) {
	for _, header := range []string{"FromAlert", "http_X-Grafana-From-Expr"} {
		response := ask(t, sourceOf(goodStore()), query(t, "status", nil), header)
		golden(t, "status_number", response)
	}
}

// A copilot that died while all was well must not keep an alert rule quiet.
func TestStatusForMachinesIsNoDataWhenStale(t *testing.T) {
	st := goodStore()
	st.latest["prod"] = incident(noon.Add(-2*time.Minute - time.Second))
	response := ask(t, sourceOf(st), query(t, "status", nil), "FromAlert")
	if response.Error != nil || len(response.Frames) != 1 || len(response.Frames[0].Fields) != 0 {
		t.Errorf("got %v", response)
	}
}
