package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/signals"
)

func get(t *testing.T, s *source, path string) *backend.CallResourceResponse {
	t.Helper()
	var response *backend.CallResourceResponse
	err := s.CallResource(t.Context(), &backend.CallResourceRequest{Method: http.MethodGet, Path: path, URL: path},
		backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error { response = r; return nil }))
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestTheEditorsLists(t *testing.T) {
	s := sourceOf(goodStore())
	if got := get(t, s, "clusters"); got.Status != http.StatusOK || string(got.Body) != `[{"id":"prod","display":"Production"}]`+"\n" {
		t.Errorf("clusters: %d %s", got.Status, got.Body)
	}
	var list []struct{ ID, Title, Meaning, Class, Unit, Scope string }
	got := get(t, s, "signals")
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

func TestTheEditorIsToldWhyThereIsNoList(t *testing.T) {
	st := goodStore()
	st.err = errStoreAway
	got := get(t, sourceOf(st), "clusters")
	if got.Status != http.StatusBadGateway || string(got.Body) != `{"message":"Cannot connect to PostgreSQL at db:5432: nothing listens there"}`+"\n" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	st = goodStore()
	st.clusters = nil
	if got := get(t, sourceOf(st), "clusters"); string(got.Body) != "[]\n" {
		t.Errorf("no cluster: %s", got.Body)
	}
}
