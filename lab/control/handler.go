package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Lab is what the API controls.
type Lab interface {
	State() State
	// StopWorkers stops the worker of a queue: in order, or at once with kill.
	// It fails for a queue that the lab does not have. A stopped worker stays
	// stopped.
	StopWorkers(ctx context.Context, queue string, kill bool) error
	// StartWorkers starts the worker of a queue if it is not running.
	StartWorkers(ctx context.Context, queue string) error
	// SetRate changes the load, in pieces of work a second.
	SetRate(perSecond float64) error
}

// Handler serves the API:
//
//	GET  /v1/state                               the State
//	POST /v1/workers/{queue}/stop?kill=true      stop a queue's worker
//	POST /v1/workers/{queue}/start               start it again
//	POST /v1/load/rate?per_second=20             change the load
//
// Every answer is the State after the request; an error is {"error": "…"} with
// a status of 400 or above.
func Handler(lab Lab) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/state", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, lab, nil)
	})
	mux.HandleFunc("POST /v1/workers/{queue}/stop", func(w http.ResponseWriter, r *http.Request) {
		kill := false
		if value := r.FormValue("kill"); value != "" {
			parsed, err := strconv.ParseBool(value)
			if err != nil {
				answer(w, lab, fmt.Errorf("kill=%s: use true or false", value))
				return
			}
			kill = parsed
		}
		answer(w, lab, lab.StopWorkers(r.Context(), r.PathValue("queue"), kill))
	})
	mux.HandleFunc("POST /v1/workers/{queue}/start", func(w http.ResponseWriter, r *http.Request) {
		answer(w, lab, lab.StartWorkers(r.Context(), r.PathValue("queue")))
	})
	mux.HandleFunc("POST /v1/load/rate", func(w http.ResponseWriter, r *http.Request) {
		perSecond, err := strconv.ParseFloat(r.FormValue("per_second"), 64)
		if err != nil {
			answer(w, lab, fmt.Errorf("per_second=%s: give a number", r.FormValue("per_second")))
			return
		}
		answer(w, lab, lab.SetRate(perSecond))
	})
	// A page in somebody's browser must not be able to stop workers.
	return http.NewCrossOriginProtection().Handler(mux)
}

// failure is the body of an answer to a request that failed.
type failure struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, lab Lab, err error) {
	w.Header().Set("Content-Type", "application/json")
	var body any = lab.State()
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		body = failure{Error: err.Error()}
	}
	// A client that has gone away needs no answer.
	_ = json.NewEncoder(w).Encode(body)
}
