package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Bounds of one request.
const (
	// requestTimeout bounds the answer to one request.
	requestTimeout = 8 * time.Second
	// readyTimeout bounds the look at the store that GET /readyz takes.
	readyTimeout = 2 * time.Second
	// maxBody is what is read of a request's body, in bytes.
	maxBody = 64 << 10
)

// Options say how the API is mounted.
type Options struct {
	// Open returns the store. It is called for every question to it, and so has
	// to remember a store that it opened. An [Error] passes to the caller as it
	// is. Required.
	Open func(ctx context.Context) (Store, error)
	// Clock tells the age of verdicts. Nil: the system's.
	Clock instant.Clock
	// Log takes a line for each request and for each failure. Nil: none.
	Log *slog.Logger
	// Observe is told of each request that was answered. Nil: nobody.
	Observe func(Served)

	// Token is what a request has to show as "Authorization: Bearer …", except
	// for /healthz and /readyz. Empty: no token is asked for.
	Token string
	// LoopbackOnly refuses requests that address the server by another name
	// than that of the loopback interface. A server without a token is open to
	// every page that its user's browser shows, unless it looks at the name.
	LoopbackOnly bool
	// AllowOrigins are the origins whose pages may read answers (CORS), such as
	// https://grafana.example.com. "*" lets every page read them, without
	// credentials. Empty: none.
	AllowOrigins []string
	// Metrics answers GET /metrics. Nil: there is no such route.
	Metrics http.Handler
	// Plugin suits the answers to Grafana's plugin proxy: they are not
	// compressed, and an error repeats its message where the front end looks.
	Plugin bool
}

// Served tells of a request that was answered.
type Served struct {
	// Route is the path with names for its variable parts, such as
	// /assessments/{id}; empty if there is no such route.
	Route  string
	Method string
	Status int
	// Bytes is the size of the body as it was sent.
	Bytes    int64
	Took     time.Duration
	Degraded bool
}

// Handler is the JSON API. It may be used by many goroutines.
type Handler struct {
	options Options
	mux     *http.ServeMux
	latest  *latest
}

// New makes the API.
func New(options Options) *Handler {
	if options.Clock == nil {
		options.Clock = instant.System
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{options: options, mux: http.NewServeMux()}
	h.latest = newLatest(options.Open, options.Clock)
	for _, route := range h.routes() {
		h.mux.Handle(route.Path, h.handle(route))
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, &Error{
			Status: statusNotFound, Code: CodeNotFound, Message: "there is nothing at this path",
			Field: "path", Value: echo(r.URL.Path), Remedy: "GET /openapi.json lists what there is",
		})
	})
	return h
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	watch := instant.StartStopwatch()
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	rec := &recorder{ResponseWriter: w}
	r = r.WithContext(context.WithValue(ctx, recorderKey{}, rec))
	if r.Body != nil {
		r.Body = http.MaxBytesReader(rec, r.Body, maxBody)
	}
	defer func() {
		if trouble := recover(); trouble != nil {
			h.options.Log.Error("a request could not be answered", "panic", trouble, "path", r.URL.Path, "stack", string(debug.Stack()))
			if rec.status == 0 {
				h.fail(rec, r, &Error{Status: http.StatusInternalServerError, Code: CodeInternal, Message: "the copilot made a mistake", Remedy: "its log has more; please report it"})
			}
		}
		h.served(r, rec, watch.Elapsed())
	}()
	h.guard(rec, r)
}

// guard lets those requests pass that may be answered.
func (h *Handler) guard(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if h.cors(w, r) {
		return
	}
	if err := h.admit(r); err != nil {
		if err.Status == http.StatusUnauthorized {
			header.Set("WWW-Authenticate", `Bearer realm="copilot"`)
		}
		h.fail(w, r, err)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// handle answers the requests of one route by their method.
func (h *Handler) handle(route route) http.Handler {
	allow := []string{http.MethodOptions, route.Method}
	if route.Method == http.MethodGet {
		allow = []string{http.MethodGet, http.MethodHead, http.MethodOptions}
	}
	allowed := strings.Join(allow, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorderOf(r).route = route.Path
		switch {
		case r.Method == route.Method, r.Method == http.MethodHead && route.Method == http.MethodGet:
			route.serve(w, r)
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", allowed)
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", allowed)
			h.fail(w, r, &Error{
				Status: http.StatusMethodNotAllowed, Code: CodeMethodNotAllowed, Message: "this path does not know the method",
				Field: "method", Value: echo(r.Method), Remedy: "use " + allowed,
			})
		}
	})
}

// served notes a request that was answered. Of its address only the path is
// noted: people put secrets into queries.
func (h *Handler) served(r *http.Request, rec *recorder, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case rec.status >= http.StatusInternalServerError && rec.status != http.StatusNotImplemented:
		level = slog.LevelWarn
	case rec.route == pathHealthz, rec.route == pathReadyz, rec.route == pathMetrics:
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("method", echo(r.Method)), slog.String("path", echo(r.URL.Path)), slog.Int("status", rec.status),
		slog.Int64("bytes", rec.bytes), slog.Duration("took", took), slog.String("remote", r.RemoteAddr),
	}
	if rec.degraded {
		attrs = append(attrs, slog.Bool("degraded", true))
	}
	if rec.failure != nil {
		attrs = append(attrs, slog.String("code", rec.failure.Code), slog.String("error", rec.failure.Message))
	}
	h.options.Log.LogAttrs(r.Context(), level, "request", attrs...)
	if h.options.Observe != nil {
		h.options.Observe(Served{Route: rec.route, Method: r.Method, Status: rec.status, Bytes: rec.bytes, Took: took, Degraded: rec.degraded})
	}
}

// store returns the store for one request.
func (h *Handler) store(ctx context.Context) (Store, error) {
	store, err := h.options.Open(ctx)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return nil, errors.New("no store was opened")
	}
	return store, nil
}

// query reads the parameters of a request.
func (h *Handler) query(r *http.Request) query {
	return query{values: r.URL.Query(), now: h.options.Clock.Now()}
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	route    string
	status   int
	bytes    int64
	degraded bool
	failure  *Error
}

// recorderKey is where a request's context has its recorder.
type recorderKey struct{}

// recorderOf returns the recorder of a request that came through ServeHTTP.
func recorderOf(r *http.Request) *recorder {
	return r.Context().Value(recorderKey{}).(*recorder)
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (r *recorder) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(data)
	r.bytes += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController the writer below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
