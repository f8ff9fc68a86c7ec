package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What check and backtest say to bad input and to a Prometheus that is not
// there: an exit code, and what to do.
func TestCheckAndBacktestOnBadInput(t *testing.T) {
	clusters := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := []string{}
		switch {
		case strings.HasSuffix(r.URL.Path, "/label/__name__/values"):
			names = []string{"restarts", "state_transition_count_count"}
		case strings.HasSuffix(r.URL.Path, "/label/cluster/values"):
			names = []string{"eu", "us"}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": names})
	}))
	t.Cleanup(clusters.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()

	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"check", exitUsage, "give the base URL"},
		{"check --prometheus-url localhost:9090", exitUsage, "want http://"},
		{"check --prometheus-url " + gone.URL + " --selector cluster=prod", exitUsage, "without braces"},
		{"check --prometheus-url " + gone.URL + " --step 1ms", exitUsage, "between 1s and 5m"},
		{"check --prometheus-url " + clusters.URL, exitUsage, `--selector 'cluster="eu"'`},
		{"check --prometheus-url " + gone.URL, exitUnknown, "BLIND"},
		{"check --prometheus-url " + gone.URL + " --dialect otel", exitUsage, `dialect "otel": "otel" is no naming: use auto, tally, opentelemetry or cloud`},
		{"backtest --prometheus-url " + gone.URL + " --start 1h --dialect server=tally,workers=none", exitUsage, "is no naming"},
		{"backtest --prometheus-url " + gone.URL, exitUsage, "--start is missing"},
		{"backtest --prometheus-url " + gone.URL + " --start yesterday", exitUsage, "use RFC 3339"},
		{"backtest --prometheus-url " + gone.URL + " --start 1h --end 2h", exitUsage, "is not before"},
		{"backtest --prometheus-url " + gone.URL + " --start 9000h --step 1s", exitUsage, "too many"},
		{"backtest --prometheus-url " + gone.URL + " --start 1h -o xml", exitUsage, "use table or jsonl"},
		{"backtest --prometheus-url " + clusters.URL + " --start 1h", exitUsage, `--selector 'cluster="us"'`},
		{"backtest --prometheus-url " + gone.URL + " --start 5m", exitUnknown, "nothing could be seen"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), strings.Fields(c.args), &out, &errs)
		said := out.String() + errs.String()
		if code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("copilot %s: exit %d, want %d with %q:\n%s", c.args, code, c.code, c.want, said)
		}
		if strings.Contains(said, "HAPPY") || strings.Contains(said, "goroutine") {
			t.Errorf("copilot %s says:\n%s", c.args, said)
		}
	}
}

// The dialect in use is shown, in words that can be prescribed.
func TestCheckShowsTheDialect(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		var data any = []string{}
		switch {
		case strings.HasSuffix(r.URL.Path, "/query") || strings.HasSuffix(r.URL.Path, "/query_range"):
			data = map[string]any{"resultType": "matrix", "result": []any{}}
		case strings.HasSuffix(r.URL.Path, "/label/__name__/values") && !strings.Contains(r.Form.Get("match[]"), "task_queue"):
			data = []string{"restarts_total", "service_latency_milliseconds_bucket"}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
	}))
	t.Cleanup(server.Close)
	for given, want := range map[string]string{
		"auto":                         "server=opentelemetry workers=none",
		"server=tally workers=tally":   "server=tally workers=tally",
		"workers=prometheus names=raw": "server=opentelemetry workers=prometheus",
	} {
		var out, errs bytes.Buffer
		run(t.Context(), []string{"check", "--prometheus-url", server.URL, "--dialect", given}, &out, &errs)
		if !strings.Contains(out.String(), ", "+want+", ") {
			t.Errorf("--dialect %q: no %q in\n%s%s", given, want, out.String(), errs.String())
		}
		out.Reset()
		run(t.Context(), []string{"check", "--prometheus-url", server.URL, "--dialect", given, "-o", "json"}, &out, &errs)
		var status struct {
			Source struct {
				Dialect string `json:"dialect"`
			} `json:"source"`
		}
		if err := json.Unmarshal(out.Bytes(), &status); err != nil || status.Source.Dialect != want {
			t.Errorf("--dialect %q: JSON has %q, %v", given, status.Source.Dialect, err)
		}
	}
}

// check -o json is JSON also when nothing can be seen, and says so.
func TestCheckJSONInTheDark(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"check", "--prometheus-url", gone.URL, "-o", "json"}, &out, &errs)
	var status struct {
		State string `json:"health_state"`
		Blind bool   `json:"blind"`
	}
	if err := json.Unmarshal(out.Bytes(), &status); err != nil || code != exitUnknown || status.State != "unknown" || !status.Blind {
		t.Errorf("exit %d, %v: %s%s", code, err, out.String(), errs.String())
	}
}
