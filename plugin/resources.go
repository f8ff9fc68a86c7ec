package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// resources answers what the query editor asks, to have something to choose
// from.
func (s *source) resources() backend.CallResourceHandler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /clusters", s.serveClusters)
	mux.HandleFunc("GET /signals", serveSignals)
	return httpadapter.New(mux)
}

// serveClusters lists the clusters that the store knows.
func (s *source) serveClusters(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	type cluster struct {
		ID      string `json:"id"`
		Display string `json:"display"`
	}
	list := []cluster{}
	st, err := s.open(ctx)
	if err != nil {
		writeError(w, err)
		return
	}
	clusters, err := st.Clusters(ctx)
	if err != nil {
		writeError(w, err)
		return
	}
	for _, c := range clusters {
		list = append(list, cluster{ID: c.ID, Display: c.Display})
	}
	writeJSON(w, http.StatusOK, list)
}

// serveSignals lists the catalogue.
func serveSignals(w http.ResponseWriter, _ *http.Request) {
	type signal struct {
		ID      health.SignalID  `json:"id"`
		Title   string           `json:"title"`
		Meaning string           `json:"meaning"`
		Class   health.Class     `json:"class"`
		Unit    string           `json:"unit"`
		Scope   health.ScopeKind `json:"scope"`
	}
	catalogue := signals.Catalogue()
	list := make([]signal, len(catalogue))
	for i, d := range catalogue {
		list[i] = signal{ID: d.ID, Title: d.Title, Meaning: d.Meaning, Class: d.Class, Unit: d.Unit, Scope: d.Scope}
	}
	writeJSON(w, http.StatusOK, list)
}

// writeError answers with an error, where Grafana's front end looks for it.
func writeError(w http.ResponseWriter, err error) {
	writeJSON(w, int(statusOf(err)), map[string]string{"message": upper(err.Error())})
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The caller is gone if this fails.
	_ = json.NewEncoder(w).Encode(value)
}
