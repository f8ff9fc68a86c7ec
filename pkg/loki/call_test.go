package loki

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	refuse := func(code int, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, text, code)
			return true
		}
	}
	write := func(text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	for _, c := range []struct {
		name   string
		before func(http.ResponseWriter, *http.Request) bool
		want   string
		tries  int
	}{
		{"no tenant", refuse(401, "no org id"), "set the tenant", 1},
		{"unknown user", refuse(401, "Unauthorized"), "check the user and password, or the bearer token", 1},
		{"forbidden", refuse(403, `{"error":"no rights"}`), "(403: no rights)", 1},
		{"another server", refuse(404, "404 page not found"), "does not answer like a Loki API (404", 1},
		{"sent on", func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://login.example/oauth?secret=1", http.StatusFound)
			return true
		}, "sends requests on to https://login.example/oauth (302)", 1},
		{"GET only", refuse(405, ""), "does not take a query by POST", 1},
		{"busy", refuse(429, "too many outstanding requests"), "is asked too much (429: too many outstanding requests)", 3},
		{"ill", refuse(503, `{"code":503,"message":"empty ring"}`), "an error from Loki at", 3},
		{"slow", refuse(504, "request timed out, decrease the duration of the request"), "too slow for the query (504", 3},
		{"too much to read", refuse(400, "the query would read too many bytes (query: 1TB, limit: 100GB)"), "too slow for the query", 1},
		{"many series", refuse(400, "maximum of series (500) reached for a single query"), "raise Loki's max_query_series", len(details)},
		{"wrong query", refuse(400, "parse error at line 1, col 1: syntax error\nmore"), "400: parse error at line 1, col 1: syntax error", 1},
		{"a secret in an error", refuse(400, "parse secret"), "parse [redacted:secret]", 1},
		{"a login page", write("<html>log in</html>"), "not JSON: <html>log in</html>", 1},
		{"nothing", write(""), "does not answer like a Loki API", 1},
		{"a failure as success", write(`{"status":"error"}`), `status "error"`, 1},
		{"another answer", write(`{"status":"success","data":{"resultType":"vector"}}`), "does not answer like a Loki API", 1},
		{"a value of another kind", write(`{"status":"success","data":{"resultType":"matrix","result":[{"values":[["x"]]}]}}`), "is not a time with a value", 1},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"status":`))
			return true
		}, "unexpected EOF", 3},
		{"gone in the middle", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, "cannot reach Loki", 3},
		{"garbage that claims to be compressed", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("garbage, and more than a header of it"))
			return true
		}, "gzip", 1},
		{"an answer without end", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			block := bytes.Repeat([]byte(" "), 1<<20)
			for range maxAnswer>>20 + 1 {
				_, _ = zip.Write(block)
			}
			_ = zip.Close()
			return true
		}, "larger than 16 MiB: narrow the selector", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &double{before: func(w http.ResponseWriter, r *http.Request) bool {
				return strings.Contains(r.Form.Get("query"), "count_over_time") && c.before(w, r)
			}}
			d.add(record{at: noon})
			s := scanner(t, serve(t, d), func(c *Config) { c.Timeout = longestTimeout })
			_, err := s.Scan(t.Context(), noon.Add(-step), noon, step)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not say %q", err, c.want)
			}
			if strings.Contains(fmt.Sprint(err), "\n") {
				t.Errorf("%q has several lines", err)
			}
			if tries := len(d.requests("topk")); tries != c.tries {
				t.Errorf("asked %d times, want %d", tries, c.tries)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := scanner(t, "http://me:pass@"+address, func(c *Config) { c.Timeout = longestTimeout })
	_, err = s.Scan(t.Context(), noon.Add(-step), noon, step)
	if err == nil || !strings.Contains(err.Error(), "cannot reach Loki at http://me:xxxxx@"+address) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "pass") {
		t.Errorf("%v tells the password", err)
	}
}

func TestASlowLokiIsNotWaitedFor(t *testing.T) {
	done := make(chan struct{})
	d := &double{before: func(http.ResponseWriter, *http.Request) bool { <-done; return true }}
	s := scanner(t, serve(t, d), func(c *Config) { c.Timeout = 100 * time.Millisecond })
	t.Cleanup(func() { close(done) })
	_, err := s.Scan(t.Context(), noon.Add(-step), noon, step)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "within 100ms") {
		t.Errorf("got %v", err)
	}
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	failures := 2
	d := &double{}
	d.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.Form.Get("query"), "topk") || failures == 0 {
			return false
		}
		failures--
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many outstanding requests", http.StatusTooManyRequests)
		return true
	}
	d.add(record{at: noon, group: failed("a")})
	var log bytes.Buffer
	s := scanner(t, serve(t, d), func(c *Config) {
		c.Timeout = longestTimeout
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Username, c.Password = "me", "hunter2"
	})
	before := time.Now()
	windows, err := s.Scan(t.Context(), noon.Add(-step), noon, step)
	if err != nil || len(windows) != 1 {
		t.Fatalf("got %v, %v", windows, err)
	}
	if took := time.Since(before); took < 2*time.Second {
		t.Errorf("waited %s where Loki asked for 1s twice", took)
	}
	if !strings.Contains(log.String(), "429") || strings.Contains(log.String(), "hunter2") {
		t.Errorf("log: %s", log.String())
	}
}

func TestALongRetryAfterIsNotWaitedFor(t *testing.T) {
	d := &double{before: func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "3600")
		http.Error(w, "over the limit", http.StatusTooManyRequests)
		return true
	}}
	s := scanner(t, serve(t, d))
	if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err == nil || !strings.Contains(err.Error(), "over the limit") {
		t.Errorf("got %v", err)
	}
	if len(d.asked) != 1 {
		t.Errorf("asked %d times", len(d.asked))
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0,
		"Wed, 25 Nov 2026 12:00:30 GMT": 30 * time.Second, "Wed, 25 Nov 2026 11:00:00 GMT": 0,
	} {
		h := http.Header{"Retry-After": {value}, "Date": {"Wed, 25 Nov 2026 12:00:00 GMT"}}
		if got := retryAfter(h); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}
