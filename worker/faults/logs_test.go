//go:build linux

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/dsqltest"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/temporaltest"
)

// lokiEnv names the program of the Loki to run; without it, the one that the
// repository builds is taken.
const lokiEnv = "COPILOT_LAB_LOKI"

// lokiConfig is a Loki in one process that keeps everything in one directory.
const lokiConfig = `
auth_enabled: false
server: {http_listen_address: 127.0.0.1, http_listen_port: %[2]s, grpc_listen_address: 127.0.0.1, grpc_listen_port: %[3]s, log_level: warn}
common:
  instance_addr: 127.0.0.1
  path_prefix: %[1]s
  storage: {filesystem: {chunks_directory: %[1]s/chunks, rules_directory: %[1]s/rules}}
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
schema_config:
  configs: [{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]
ingester: {lifecycler: {min_ready_duration: 0s}}
analytics: {reporting_enabled: false}
`

// logs is a real Loki behind a door that can be given trouble, and a server that
// logs to it.
type logs struct {
	url     string // of the door
	loki    string
	trouble atomic.Pointer[http.HandlerFunc]
	// lines is how many were written.
	lines int
	// slowest is how long the slowest line took to be taken in.
	slowest time.Duration
}

// openLogs starts a Loki, or skips the test where there is none.
func openLogs(t *testing.T) *logs {
	t.Helper()
	program := os.Getenv(lokiEnv)
	if program == "" {
		program = filepath.Join(root(t), "bin", "loki")
	}
	if _, err := os.Stat(program); err != nil {
		t.Skipf("there is no Loki to run (%v): run \"go tool mage build:loki\", or set %s", err, lokiEnv)
	}
	_, port, err := net.SplitHostPort(temporaltest.FreeAddress(t))
	_, grpc, more := net.SplitHostPort(temporaltest.FreeAddress(t))
	if err != nil || more != nil {
		t.Fatal(err, more)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "loki.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, lokiConfig, dir, port, grpc), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "Loki", exec.Command(program, "-config.file="+config))
	l := &logs{loki: "http://127.0.0.1:" + port}
	eventually(t, "Loki is ready", func() bool {
		resp, err := http.Get(l.loki + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	target, err := url.Parse(l.loki)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trouble := l.trouble.Load(); trouble != nil {
			(*trouble)(w, r)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		door.CloseClientConnections()
		door.Close()
	})
	l.url = door.URL
	return l
}

// write logs a line each tenth of a second until it is stopped, past the door.
func (l *logs) write(t *testing.T) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				watch := instant.StartStopwatch()
				if err := l.push(); err != nil {
					t.Errorf("a line was not written: %v", err)
					return
				}
				l.lines++
				l.slowest = max(l.slowest, watch.Elapsed())
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// push writes one line, of now.
func (l *logs) push() error {
	now := instant.System.Now()
	line := `{"level":"error","msg":"Persistent store operation Failure","service":"history","error":"dial tcp 127.0.0.1:5432: connect: connection refused"}`
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{
		"stream": map[string]string{"job": "temporal", "service_name": "temporal"},
		"values": [][2]string{{strconv.FormatInt(now.Time().UnixNano(), 10), line}},
	}}})
	if err != nil {
		return err
	}
	resp, err := http.Post(l.loki+"/loki/api/v1/push", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		said, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s", resp.Status, said)
	}
	return nil
}

// awayLogs takes the log source away in several ways while workers are killed:
// no verdict is late, blind or another for it, and no line is lost or doubled.
func awayLogs(t *testing.T, p *place, f form) []Outcome {
	l := openLogs(t)
	w := p.watch(t, "logs", dsqltest.Options{})
	// Lines take their time on a busy machine.
	w.flags = []string{"--loki-url", l.url, "--loki-selector", `job="temporal"`, "--settle", "3s"}
	one := w.work(t)
	w.recover(t)
	begin := instant.System.Now()
	stop := l.write(t)
	for _, trouble := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
		},
		func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			pause(r.Context(), time.Minute)
		},
		func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{`)
		},
	} {
		asked := instant.System.Now()
		l.trouble.Store(&trouble)
		pause(t.Context(), f.source)
		one.kill(t)
		one = w.work(t)
		eventually(t, "a verdict says that the logs could not be read", func() bool {
			newest, err := w.store.Latest(t.Context(), w.cluster)
			return err == nil && newest.At.After(asked) && newest.Logs != nil && newest.Logs.Reason != ""
		})
		l.trouble.Store(nil)
		eventually(t, "the logs are read again", func() bool {
			newest, err := w.store.Latest(t.Context(), w.cluster)
			return err == nil && newest.Logs != nil && newest.Logs.Reason == ""
		})
	}
	end := instant.System.Now()
	took := w.recover(t)
	stop()
	last := instant.System.Now()
	eventually(t, "the logs are read up to their end", func() bool {
		newest, err := w.store.Latest(t.Context(), w.cluster)
		return err == nil && newest.Logs != nil && newest.Logs.Reason == "" && newest.Logs.To.After(last.Add(3*interval))
	})
	sums, err := w.store.LogPatterns(t.Context(), dsql.RangeQuery{Cluster: w.cluster})
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for _, sum := range sums {
		if sum.ID == "persistence.unavailable" {
			stored += int(sum.Lines)
		}
	}
	// A line that took longer than it is waited for may be missing; none counts twice.
	if stored > l.lines || stored < l.lines && l.slowest < 3*time.Second {
		t.Errorf("%d lines were written, the slowest in %s, and %d are in the store", l.lines, l.slowest, stored)
	}
	return []Outcome{w.outcome(t, begin, end, instant.Instant{}, Outcome{
		Fault:      "Loki gone",
		Done:       fmt.Sprintf("503, no answer, garbage, for %s each, with a `kill -9` in each; of %d lines written, %d stored", f.source, l.lines, stored),
		Recoveries: []time.Duration{took},
	})}
}
