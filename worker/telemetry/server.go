package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout bounds all checks of one /readyz together.
const checkTimeout = 3 * time.Second

// Check asks whether something that the worker needs is there. The error says
// why not, in one line without secrets.
type Check func(context.Context) error

// Server tells about the worker over HTTP:
//
//   - /metrics: the metrics, in Prometheus' text format.
//   - /healthz: 200 for as long as the process answers at all.
//   - /readyz: 200 while the worker takes tasks and all that it needs answers,
//     else 503; the body has a line for each of these. What is not ready mends
//     itself: do not restart a worker for it.
type Server struct {
	checks   map[string]Check
	stopping atomic.Bool
	started  atomic.Bool
	server   *http.Server
	address  string
}

// Serve listens at an address, host:port, and serves until Close.
func Serve(address string, registry prometheus.Gatherer, checks map[string]Check, log *slog.Logger) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics and health at %s: %w", address, err)
	}
	s := &Server{checks: checks, address: listener.Addr().String()}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second}
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics and health are no longer served", "address", s.address, "error", err)
		}
	}()
	return s, nil
}

// Address is where the server listens; of use when the port was 0.
func (s *Server) Address() string { return s.address }

// Started says that the worker takes tasks now.
func (s *Server) Started() {
	if s != nil {
		s.started.Store(true)
	}
}

// Stopping says that the worker takes no further tasks.
func (s *Server) Stopping() {
	if s != nil {
		s.stopping.Store(true)
	}
}

// Close stops serving at once.
func (s *Server) Close() {
	if s != nil {
		_ = s.server.Close()
	}
}

// ready answers /readyz.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	var lines []string
	ready := true
	say := func(what string, err error) {
		text := "ok"
		if err != nil {
			ready, text = false, strings.Join(strings.Fields(err.Error()), " ")
		}
		lines = append(lines, what+": "+text)
	}
	switch {
	case s.stopping.Load():
		say("worker", errors.New("stopping"))
	case !s.started.Load():
		say("worker", errors.New("starting"))
	default:
		say("worker", nil)
	}
	type answer struct {
		what string
		err  error
	}
	answers := make(chan answer, len(s.checks))
	for what, check := range s.checks {
		go func() { answers <- answer{what, check(ctx)} }()
	}
	for range s.checks {
		got := <-answers
		say(got.what, got.err)
	}
	slices.Sort(lines)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprintln(w, strings.Join(lines, "\n"))
}
