package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// resources answers the JSON API, which the query editor reads its choices
// from, too, and the catalogue of signals, which is the editor's alone. Grafana
// has asked who the caller is and whether they may query the data source.
func (s *source) resources() backend.CallResourceHandler {
	mux := http.NewServeMux()
	mux.Handle("/", api.New(api.Options{
		Open:   s.openForAPI,
		Clock:  s.clock,
		Log:    resourceLog(),
		Plugin: true,
	}))
	mux.HandleFunc("GET /signals", serveSignals)
	return httpadapter.New(mux)
}

// openForAPI returns the store. Wrong settings are the caller's to mend.
func (s *source) openForAPI(ctx context.Context) (api.Store, error) {
	st, err := s.open(ctx)
	var wrong *settingsInvalid
	if errors.As(err, &wrong) {
		return nil, &api.Error{
			Status: http.StatusBadRequest, Code: "invalid_settings",
			Message: upper(err.Error()), Remedy: "correct them in the data source's configuration",
		}
	}
	if err != nil {
		return nil, err
	}
	// Without what frames share: the API does that itself, and answers for the
	// very time range that it was asked for.
	return st.store, nil
}

// resourceLog writes what goes wrong as Grafana reads the log of a plugin, in
// the form of hclog.
func resourceLog() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.LevelKey:
				a.Key = "@level"
			case slog.MessageKey:
				a.Key = "@message"
			case slog.TimeKey:
				return slog.String("@timestamp", a.Value.Time().UTC().Format("2006-01-02T15:04:05.000000Z07:00"))
			}
			return a
		},
	}))
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
	w.Header().Set("Content-Type", "application/json")
	// The caller is gone if this fails.
	_ = json.NewEncoder(w).Encode(list)
}
