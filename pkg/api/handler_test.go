package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/api/apitest"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// failing is a store that cannot be opened.
func failing(err error) func(context.Context) (Store, error) {
	return func(context.Context) (Store, error) { return nil, err }
}

var errAway = &dsql.ConnectError{Target: "PostgreSQL at db:5432 (database copilot, user reader)", Reason: "nothing listens there", Remedy: "check host and port"}

// Without the store the last known verdict is answered, with its age and the
// reason; without one, 503 (R6.7).
func TestTheStoreIsAway(t *testing.T) {
	store, clock := &flaky{Store: newMemory()}, instant.NewManual(noon)
	h := handlerOn(store, Options{Clock: clock})
	ask(t, h, "GET", "/status").has(200)

	for _, trouble := range []error{errAway, errors.New("the role reader may not"), &dsql.SchemaError{Kind: dsql.ErrNewSchema, Target: "db"}} {
		store.away(trouble)
		clock.Advance(time.Minute)
		for _, target := range []string{"/status", "/status?cluster=prod", "/status/services", "/status/issues", "/status/summary"} {
			var head Head
			got := ask(t, h, "GET", target).has(200)
			got.into(&head)
			if !head.Degraded || head.DegradedReason == "" || head.AgeSec < 90 || head.Cluster != "prod" {
				t.Errorf("%v: %s answers %+v", trouble, target, head)
			}
		}
	}
	if age := clock.Advance(time.Hour); true {
		var head Head
		ask(t, h, "GET", "/status").has(200).into(&head)
		if !head.Stale || head.AgeSec != age.Sub(head.ObservedAt).Seconds() {
			t.Errorf("an hour later: %+v", head)
		}
	}
	e := ask(t, h, "GET", "/status?cluster=staging").has(503)
	if e.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	ask(t, h, "GET", "/readyz").fails(503, CodeStoreUnavailable, "")
	ask(t, h, "GET", "/healthz").has(200)

	store.away(nil)
	clock.Advance(2 * time.Second)
	var head Head
	if ask(t, h, "GET", "/status").has(200).into(&head); head.Degraded {
		t.Errorf("the store is back: %+v", head)
	}
}

// A cluster of which nothing was ever seen has empty lists, not null.
func TestAStatusOfNothing(t *testing.T) {
	store := newMemory()
	observation := health.Observation{Cluster: "prod", At: noon}
	observation.Normalize()
	assessment, _ := health.Evaluate(health.Window{}, observation)
	store.looks = []apitest.Look{{Observation: observation, Assessment: assessment}}
	h := handlerOn(store, Options{})
	for _, target := range []string{"/status", "/status/services", "/status/issues", "/status/summary"} {
		var head Head
		if ask(t, h, "GET", target).has(200).into(&head); head.HealthState != health.Unknown {
			t.Errorf("%s: %+v", target, head)
		}
	}
}

// A verdict that the store says it has not (any more) is not remembered.
func TestAVerdictThatIsGone(t *testing.T) {
	store, clock := &flaky{Store: newMemory()}, instant.NewManual(noon)
	h := handlerOn(store, Options{Clock: clock})
	ask(t, h, "GET", "/status?cluster=prod").has(200)
	store.away(&dsql.ErrUnknownCluster{Name: "prod"})
	clock.Advance(2 * time.Second)
	ask(t, h, "GET", "/status?cluster=prod").fails(404, CodeUnknownCluster, "cluster")
	store.away(errAway)
	clock.Advance(2 * time.Second)
	ask(t, h, "GET", "/status?cluster=prod").fails(503, CodeStoreUnavailable, "")
}

// A store that does not answer delays the last known verdict by less than 500
// ms (R6.4), also when the cluster was left out.
func TestTheStoreHangs(t *testing.T) {
	store, clock := &flaky{Store: newMemory()}, instant.NewManual(noon)
	h := handlerOn(store, Options{Clock: clock})
	ask(t, h, "GET", "/status").has(200)
	until := make(chan struct{})
	store.hangs(until)
	clock.Advance(time.Minute)
	watch := instant.StartStopwatch()
	var head Head
	ask(t, h, "GET", "/status").has(200).into(&head)
	if !head.Degraded || head.AgeSec != 95 || !strings.Contains(head.DegradedReason, "350ms") {
		t.Errorf("%+v", head)
	}
	if took := watch.Elapsed(); took < patience || took > 30*time.Second {
		t.Errorf("the answer took %s", took)
	}
	close(until)
	store.hangs(nil)
	for range 100 {
		clock.Advance(2 * time.Second)
		if ask(t, h, "GET", "/status").has(200).into(&head); !head.Degraded {
			break
		}
	}
	if head.Degraded && head.DegradedReason != "" {
		t.Errorf("the store answers again: %+v", head)
	}
}

// However many ask at once, the store is asked once.
func TestManyAskAtOnce(t *testing.T) {
	until := make(chan struct{})
	store := &flaky{Store: newMemory(), hang: until}
	h := handlerOn(store, Options{})
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/status?cluster=prod", nil))
			if w.Code != 200 {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	for store.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	close(until)
	clients.Wait()
	if n := store.count(); n > 2 {
		t.Errorf("the store was asked %d times", n)
	}
}

// A caller that goes away takes nobody else's answer along.
func TestACallerGoesAway(t *testing.T) {
	until := make(chan struct{})
	store := &flaky{Store: newMemory(), hang: until}
	h := handlerOn(store, Options{})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/status?cluster=prod", nil))
	}()
	for store.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	<-gone
	go close(until)
	ask(t, h, "GET", "/status?cluster=prod").has(200)
}

func TestToken(t *testing.T) {
	var log bytes.Buffer
	h := handlerOn(newMemory(), Options{Token: "hunter2", Log: logTo(&log)})
	for _, bad := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Bearer hunter22", "Basic hunter2", "hunter2", "Bearer hunter"} {
		e := ask(t, h, "GET", "/status", "Authorization", bad).fails(401, CodeUnauthorized, "Authorization")
		if strings.Contains(e.Message+e.Value+e.Remedy, "hunter") {
			t.Errorf("%q: the error repeats a secret: %+v", bad, e)
		}
	}
	if got := ask(t, h, "GET", "/nothing").has(401).header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
		t.Errorf("WWW-Authenticate: %q", got)
	}
	ask(t, h, "GET", "/status", "Authorization", "Bearer hunter2").has(200)
	ask(t, h, "GET", "/status", "Authorization", "bearer hunter2").has(200)
	ask(t, h, "GET", "/healthz").has(200)
	ask(t, h, "GET", "/readyz").has(200)
	ask(t, h, "GET", "/status?token=hunter2").has(401)
	if strings.Contains(log.String(), "hunter") {
		t.Errorf("a secret in the log: %s", log.String())
	}
}

// A server without a token is not reached through a name that somebody else's
// DNS points at the loopback interface.
func TestOnlyLoopbackNames(t *testing.T) {
	h := handlerOn(newMemory(), Options{LoopbackOnly: true})
	for _, good := range []string{"localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "::1"} {
		ask(t, h, "GET", "/status", "Host", good).has(200)
	}
	for _, bad := range []string{"evil.example", "localhost.evil.example:8080", "10.0.0.1:8080", "", "127.0.0.1.evil.example"} {
		ask(t, h, "GET", "/status", "Host", bad).fails(403, CodeForbiddenHost, "Host")
	}
}

func TestCORS(t *testing.T) {
	const grafana = "https://grafana.example.com"
	preflight := []string{"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization"}
	h := handlerOn(newMemory(), Options{AllowOrigins: []string{grafana}, Token: "hunter2"})
	got := ask(t, h, "OPTIONS", "/status", append(preflight, "Origin", grafana)...).has(204).header
	if got.Get("Access-Control-Allow-Origin") != grafana || got.Get("Access-Control-Allow-Credentials") != "true" ||
		!strings.Contains(got.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(got.Get("Access-Control-Allow-Methods"), "GET") {
		t.Errorf("preflight: %v", got)
	}
	for _, authorization := range []string{"Bearer hunter2", "Bearer wrong"} {
		got = ask(t, h, "GET", "/status", "Origin", grafana, "Authorization", authorization).header
		if got.Get("Access-Control-Allow-Origin") != grafana || !strings.Contains(strings.Join(got.Values("Vary"), ","), "Origin") {
			t.Errorf("%s: %v", authorization, got)
		}
	}
	for _, other := range []string{"https://evil.example", "http://grafana.example.com", "null", grafana + ".evil.example"} {
		got = ask(t, h, "GET", "/status", "Origin", other, "Authorization", "Bearer hunter2").has(200).header
		if got.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read: %v", other, got)
		}
		if got = ask(t, h, "OPTIONS", "/status", append(preflight, "Origin", other)...).header; got.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may ask: %v", other, got)
		}
	}
	all := handlerOn(newMemory(), Options{AllowOrigins: []string{"*"}})
	got = ask(t, all, "GET", "/status", "Origin", "https://any.example").has(200).header
	if got.Get("Access-Control-Allow-Origin") != "*" || got.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("a wildcard: %v", got)
	}
	if got = ask(t, handlerOn(newMemory(), Options{}), "GET", "/status", "Origin", grafana).has(200).header; got.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("nobody was allowed: %v", got)
	}
	for origin, good := range map[string]bool{
		"*": true, grafana: true, "http://localhost:3000": true, "": false, "grafana.example.com": false,
		grafana + "/": false, "https://Grafana.example.com": false, "ftp://x": false, "null": false, "https://*.example.com/a": false,
	} {
		if err := CheckOrigin(origin); (err == nil) != good {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

func TestCompression(t *testing.T) {
	h := handlerOn(newMemory(), Options{})
	for header, want := range map[string]string{
		"": "", "gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.000": "", "*": "gzip", "identity": "", "br": "", "gzip;q=x": "",
	} {
		got := ask(t, h, "GET", "/status", "Accept-Encoding", header).has(200)
		if got.header.Get("Content-Encoding") != want || !strings.Contains(strings.Join(got.header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("Accept-Encoding %q: %v", header, got.header)
		}
	}
	if got := ask(t, h, "GET", "/healthz", "Accept-Encoding", "gzip"); got.header.Get("Content-Encoding") != "" {
		t.Error("a few bytes are compressed")
	}
	if got := ask(t, handlerOn(newMemory(), Options{Plugin: true}), "GET", "/status", "Accept-Encoding", "gzip"); got.header.Get("Content-Encoding") != "" {
		t.Error("the plugin's answers are compressed")
	}
}

func TestMethods(t *testing.T) {
	h := handlerOn(newMemory(), Options{})
	for target, allowed := range map[string]string{"/status": "GET, HEAD, OPTIONS", "/actions": "OPTIONS, POST"} {
		if got := ask(t, h, "OPTIONS", target).has(204).header.Get("Allow"); got != allowed {
			t.Errorf("OPTIONS %s: Allow %q", target, got)
		}
		for _, method := range []string{"PUT", "PATCH", "DELETE", "BREW"} {
			got := ask(t, h, method, target)
			if got.fails(405, CodeMethodNotAllowed, "method"); got.header.Get("Allow") != allowed {
				t.Errorf("%s %s: Allow %q", method, target, got.header.Get("Allow"))
			}
		}
	}
}

func TestBodiesAreLimited(t *testing.T) {
	h := handlerOn(newMemory(), Options{})
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/actions", io.LimitReader(zeros{}, 1<<20))
	r.ContentLength = 1 << 20
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), CodeTooLarge) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// panicking is a store with a defect.
type panicking struct{ Store }

func (panicking) Clusters(context.Context) ([]dsql.Cluster, error) { panic("secret internals") }

func TestPanics(t *testing.T) {
	var log bytes.Buffer
	h := handlerOn(panicking{newMemory()}, Options{Log: logTo(&log)})
	got := ask(t, h, "GET", "/clusters")
	if got.fails(500, CodeInternal, ""); strings.Contains(string(got.body), "secret") {
		t.Errorf("the answer tells of the inside: %s", got.body)
	}
	if !strings.Contains(log.String(), "secret internals") || !strings.Contains(log.String(), "goroutine") {
		t.Errorf("the log does not tell of the defect: %s", log.String())
	}
}

func TestLogAndObserve(t *testing.T) {
	var log bytes.Buffer
	var served []Served
	h := handlerOn(newMemory(), Options{Log: logTo(&log), Observe: func(s Served) { served = append(served, s) }})
	status := ask(t, h, "GET", "/status?cluster=prod&password=hunter2")
	ask(t, h, "GET", "/status?limit=x&cluster=nobody")
	ask(t, h, "GET", "/nothing")
	if len(served) != 3 || served[0].Route != "/status" || served[0].Bytes != int64(len(status.body)) || served[1].Status != 404 || served[2].Route != "" {
		t.Errorf("%+v", served)
	}
	for _, part := range []string{`"path":"/status"`, `"status":200`, `"code":"unknown_cluster"`, `"took":`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log has no %s: %s", part, log.String())
		}
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log repeats a query: %s", log.String())
	}
}

// An error of the plugin tells Grafana's front end what it wants to show.
func TestErrorsInThePlugin(t *testing.T) {
	h := handlerOn(newMemory(), Options{Plugin: true})
	var body ErrorAnswer
	ask(t, h, "GET", "/status?cluster=nobody").has(404).into(&body)
	if want := `cluster "nobody": this cluster is not known; use one of: prod`; body.Message != want {
		t.Errorf("message %q, want %q", body.Message, want)
	}
	own := New(Options{Plugin: true, Open: failing(&Error{Status: 400, Code: "settings", Message: "the settings are wrong"})})
	ask(t, own, "GET", "/clusters").has(400).into(&body)
	if body.Message != "the settings are wrong" {
		t.Errorf("%+v", body)
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]instant.Instant{
		"now": noon, "now-6h": noon.Add(-6 * time.Hour), "now-90s": noon.Add(-90 * time.Second), "now-15m": noon.Add(-15 * time.Minute),
		"now-7d": noon.Add(-7 * 24 * time.Hour), "now-2w": noon.Add(-14 * 24 * time.Hour),
		"2026-11-24T12:00:05Z": noon, "2026-11-24T13:00:05+01:00": noon, strconv.FormatInt(noon.UnixMilli(), 10): noon,
	} {
		if got, err := ParseTime(text, noon); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "yesterday", "now+1h", "now-", "now-1y", "now-999999w", "now-99999999h", "2026-11-24", "2026-11-24T12:00:05", "-5", "9999999999999999", "1e9", "now-6h; drop table"} {
		if got, err := ParseTime(text, noon); err == nil {
			t.Errorf("%q is %s", text, got)
		} else if !strings.Contains(err.Error(), "2026-11-24T03:04:30Z") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTimeRanges(t *testing.T) {
	h := handlerOn(newMemory(), Options{})
	for query, field := range map[string]string{
		"from=soon": "from", "to=soon": "to", "from=now&to=now-1h": "from", "from=now-1h&to=now-1h": "from",
		"from=2027-11-24T00:00:00Z": "from", "to=2027-11-24T00:00:00Z": "to", "from=now-93d": "from", "from=now-100d&to=now-1d": "from",
		"from=1960-01-01T00:00:00Z": "from", "from=0": "from", "to=1": "to", "from=2026-11-24T12:00:05+01:00": "from", "from=now-1h&from=now-2h": "from",
	} {
		e := ask(t, h, "GET", "/status/timeline?"+query).fails(400, CodeInvalidParameter, field)
		if strings.Contains(query, "+01:00") && !strings.Contains(e.Remedy, "%2B") {
			t.Errorf("%s: %+v", query, e)
		}
		ask(t, h, "GET", "/assessments?"+query).fails(400, CodeInvalidParameter, field)
		ask(t, h, "GET", "/status/issues?"+query).fails(400, CodeInvalidParameter, field)
	}
	e := ask(t, h, "GET", "/assessments?from="+strings.Repeat("9", 5000)).fails(400, CodeInvalidParameter, "from")
	if len(e.Value) > 80 {
		t.Errorf("the error repeats %d bytes", len(e.Value))
	}
}
