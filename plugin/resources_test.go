package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// call asks for a resource as Grafana passes it on.
func call(t *testing.T, s *source, method, url string) *backend.CallResourceResponse {
	t.Helper()
	path, _, _ := strings.Cut(url, "?")
	var response *backend.CallResourceResponse
	err := s.CallResource(t.Context(), &backend.CallResourceRequest{Method: method, Path: path, URL: url},
		backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error { response = r; return nil }))
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func get(t *testing.T, s *source, url string) *backend.CallResourceResponse {
	t.Helper()
	return call(t, s, http.MethodGet, url)
}

func TestTheEditorsLists(t *testing.T) {
	s := sourceOf(goodStore())
	var clusters []struct{ ID, Display string }
	got := get(t, s, "clusters")
	if err := json.Unmarshal(got.Body, &clusters); err != nil || got.Status != http.StatusOK || len(clusters) != 1 || clusters[0].ID != "prod" || clusters[0].Display != "Production" {
		t.Errorf("clusters: %d %s", got.Status, got.Body)
	}
	var list []struct{ ID, Title, Meaning, Class, Unit, Scope string }
	got = get(t, s, "signals")
	if err := json.Unmarshal(got.Body, &list); err != nil || len(list) != len(signals.Catalogue()) {
		t.Fatalf("signals: %d %v %s", got.Status, err, got.Body)
	}
	for _, signal := range list {
		if signal.ID == "" || signal.Title == "" || signal.Meaning == "" || signal.Class == "" || signal.Unit == "" || signal.Scope == "" {
			t.Errorf("%+v", signal)
		}
	}
	if got := get(t, s, "nothing"); got.Status != http.StatusNotFound {
		t.Errorf("nothing: %d", got.Status)
	}
}

// The editor shows what stands in "message".
func TestTheEditorIsToldWhyThereIsNoList(t *testing.T) {
	st := goodStore()
	st.err = errStoreAway
	var body struct{ Message string }
	got := get(t, sourceOf(st), "clusters")
	if err := json.Unmarshal(got.Body, &body); err != nil || got.Status != http.StatusServiceUnavailable || !strings.Contains(body.Message, "nothing listens there") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	st = goodStore()
	st.clusters = nil
	if got := get(t, sourceOf(st), "clusters"); string(got.Body) != "[]\n" {
		t.Errorf("no cluster: %s", got.Body)
	}
	wrong := newSource(errStoreAway, instant.Fixed(noon), nil)
	got = get(t, wrong, "clusters")
	if err := json.Unmarshal(got.Body, &body); err != nil || got.Status != http.StatusBadRequest || !strings.Contains(body.Message, "settings are wrong") {
		t.Errorf("wrong settings: %d %s", got.Status, got.Body)
	}
}

// The plugin mounts the JSON API: the same handler as copilot api, over the data
// source's store.
func TestThePluginMountsTheAPI(t *testing.T) {
	st := goodStore()
	s := sourceOf(st)
	var status api.StatusAnswer
	got := get(t, s, "status?cluster=prod")
	if err := json.Unmarshal(got.Body, &status); err != nil || got.Status != http.StatusOK || status.Cluster != "prod" || status.AgeSec != 30 {
		t.Errorf("status: %d %v %s", got.Status, err, got.Body)
	}
	for _, path := range []string{"status/services", "status/issues", "status/summary", "openapi.json", "healthz", "readyz"} {
		if got := get(t, s, path); got.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	if got := get(t, s, "metrics"); got.Status != http.StatusNotFound {
		t.Errorf("metrics: %d", got.Status)
	}
	if got := call(t, s, http.MethodPost, "actions"); got.Status != http.StatusNotImplemented || !strings.Contains(string(got.Body), api.CodeNotImplemented) {
		t.Errorf("actions: %d %s", got.Status, got.Body)
	}
	if got := call(t, s, http.MethodDelete, "status"); got.Status != http.StatusMethodNotAllowed || len(got.Headers["Allow"]) != 1 {
		t.Errorf("DELETE status: %d %v", got.Status, got.Headers)
	}
}

// Every data source remembers the last verdict of its own store.
func TestTheLastKnownVerdictInThePlugin(t *testing.T) {
	st, clock := goodStore(), instant.NewManual(noon)
	s := sourceOf(st)
	s.clock = clock
	s.CallResourceHandler = s.resources()
	get(t, s, "status")
	st.err = errStoreAway
	clock.Advance(time.Minute)
	var status api.StatusAnswer
	got := get(t, s, "status")
	if err := json.Unmarshal(got.Body, &status); err != nil || got.Status != http.StatusOK || !status.Degraded || status.AgeSec != 90 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := get(t, sourceOf(st), "status"); got.Status != http.StatusServiceUnavailable {
		t.Errorf("another data source: %d", got.Status)
	}
}
