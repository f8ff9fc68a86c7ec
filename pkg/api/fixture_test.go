package api

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/temporal-sre/copilot/pkg/api/apitest"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// length is how much time the record of the tests covers.
const length = 10 * time.Minute

var (
	// began is when it begins, noon when the tests take place.
	began = instant.FromUnix(1_795_521_000) // 2026-11-24T11:50:00Z
	noon  = began.Add(length + 5*time.Second)
)

// storeOf opens a store on a new database of PostgreSQL that holds the first part
// of an incident on each of the clusters.
func storeOf(t testing.TB, long time.Duration, clusters ...string) *dsql.Store {
	t.Helper()
	store, err := dsql.Open(t.Context(), dsql.Config{URL: postgrestest.NewDatabase(t), MinConns: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	if _, err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, cluster := range clusters {
		for _, look := range apitest.Incident(cluster, began, long) {
			if err := store.Save(t.Context(), look.Observation, look.Assessment); err != nil {
				t.Fatal(err)
			}
		}
	}
	return store
}

// flaky is a store that may be away. It counts what is asked of it.
type flaky struct {
	Store
	mu    sync.Mutex
	err   error         // is the answer
	hang  chan struct{} // no answer before this is closed
	empty bool          // holds no cluster
	asked int
}

func (f *flaky) away(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *flaky) hangs(until chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang = until
}

func (f *flaky) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

func (f *flaky) answer(ctx context.Context) error {
	f.mu.Lock()
	f.asked++
	err, hang := f.err, f.hang
	f.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (f *flaky) Latest(ctx context.Context, cluster string) (health.Assessment, error) {
	if err := f.answer(ctx); err != nil {
		return health.Assessment{}, err
	}
	return f.Store.Latest(ctx, cluster)
}

func (f *flaky) Clusters(ctx context.Context) ([]dsql.Cluster, error) {
	if err := f.answer(ctx); err != nil {
		return nil, err
	}
	if f.empty {
		return nil, nil
	}
	return f.Store.Clusters(ctx)
}

func (f *flaky) Ping(ctx context.Context) error {
	if err := f.answer(ctx); err != nil {
		return err
	}
	return f.Store.Ping(ctx)
}

// memory is a store in memory that holds the end of an incident.
type memory struct {
	Store
	looks []apitest.Look
}

func newMemory() *memory { return &memory{looks: apitest.Incident("prod", began, length)} }

func (m *memory) Ping(context.Context) error { return nil }

func (m *memory) Schema(context.Context) (dsql.SchemaStatus, error) {
	return dsql.SchemaStatus{Current: 1, Wanted: 1, Known: true}, nil
}

func (m *memory) Clusters(context.Context) ([]dsql.Cluster, error) {
	return []dsql.Cluster{{ID: "prod", Display: "prod", LastSeen: m.looks[len(m.looks)-1].Assessment.At, State: health.Stressed}}, nil
}

func (m *memory) Latest(_ context.Context, cluster string) (health.Assessment, error) {
	if cluster != "prod" {
		return health.Assessment{}, &dsql.ErrUnknownCluster{Name: cluster, Known: []string{"prod"}}
	}
	return m.looks[len(m.looks)-1].Assessment, nil
}

func (m *memory) Observation(context.Context, string, instant.Instant) (health.Observation, error) {
	return m.looks[len(m.looks)-1].Observation, nil
}

// handlerOn makes the API on a store, at noon unless the options say otherwise.
func handlerOn(store Store, options Options) *Handler {
	options.Open = func(context.Context) (Store, error) { return store, nil }
	if options.Clock == nil {
		options.Clock = instant.Fixed(noon)
	}
	return New(options)
}

// answer is what a request got.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   []byte
}

// ask sends a request and holds the answer to the description. Headers come in
// pairs of name and value.
func ask(t *testing.T, h http.Handler, method, target string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	r.Host = "127.0.0.1:8080"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answer{t: t, what: method + " " + target, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	if a.header.Get("Content-Encoding") == "gzip" {
		reader, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if a.body, err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(string(a.body), "goroutine ") || strings.Contains(string(a.body), ".go:") {
		t.Errorf("%s: a stack in the answer: %s", a.what, a.body)
	}
	a.holdsToDescription(r.URL.Path)
	return a
}

// has checks the status.
func (a answer) has(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %.500s", a.what, a.status, status, a.body)
	}
	return a
}

// into reads the body.
func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%s: %v: %.500s", a.what, err, a.body)
	}
}

// fails checks that the answer is an error with a code, that names a field and
// a remedy.
func (a answer) fails(status int, code, field string) Error {
	a.t.Helper()
	a.has(status)
	var body ErrorAnswer
	a.into(&body)
	if body.Error.Code != code || body.Error.Field != field || body.Error.Message == "" || body.Error.Remedy == "" {
		a.t.Errorf("%s: want code %s, field %q, a message and a remedy: %s", a.what, code, field, a.body)
	}
	return body.Error
}

// description is the API's own, with every structure closed: a field that it
// does not tell of is a mistake.
var description = sync.OnceValue(func() *jsonschema.Compiler {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		panic(err)
	}
	components := document.(map[string]any)["components"].(map[string]any)
	for _, schema := range components["schemas"].(map[string]any) {
		schema.(map[string]any)["additionalProperties"] = false
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", document); err != nil {
		panic(err)
	}
	return compiler
})

// told notes which answers of which routes have been seen.
var told sync.Map

// holdsToDescription validates an answer against the OpenAPI document.
func (a answer) holdsToDescription(path string) {
	a.t.Helper()
	method, _, _ := strings.Cut(a.what, " ")
	route := ""
	for _, known := range Routes() {
		if (method == known.Method || method == http.MethodHead && known.Method == http.MethodGet) &&
			(known.Path == path || known.Path == "/assessments/{id}" && strings.HasPrefix(path, "/assessments/")) {
			route = known.Path
		}
	}
	schema := "openapi.json#/components/schemas/ErrorAnswer"
	if route != "" && a.status < http.StatusBadRequest {
		pointer := "openapi.json#/paths/" + strings.ReplaceAll(route, "/", "~1") + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(a.status)
		schema = pointer + "/content/application~1json/schema"
		if a.status == http.StatusNotModified {
			schema = ""
		}
	}
	if route != "" {
		told.Store(route+" "+strconv.Itoa(a.status), true)
	}
	if method == http.MethodHead || method == http.MethodOptions || schema == "" || route == pathMetrics {
		return
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		a.t.Errorf("%s: Content-Type %q", a.what, got)
	}
	compiled, err := description().Compile(schema)
	if err != nil {
		a.t.Fatalf("%s: status %d is not described: %v", a.what, a.status, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		a.t.Fatalf("%s: the answer is no JSON: %v: %.500s", a.what, err, a.body)
	}
	if err := compiled.Validate(value); err != nil {
		a.t.Errorf("%s: the answer is not as described: %v", a.what, err)
	}
}

// logTo returns a log that writes to a buffer.
func logTo(buffer *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(buffer, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
