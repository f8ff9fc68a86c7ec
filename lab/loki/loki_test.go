package loki_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/lab/logs"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/loki/lokitest"
	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/supervise"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// configure describes a Loki for a test, which is skipped where there is none.
func configure(t *testing.T) loki.Config {
	t.Helper()
	binary, err := loki.Find("")
	if errors.Is(err, loki.ErrNoBinary) {
		t.Skipf("this test needs a real Loki: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := loki.Config{Binary: binary, Dir: dir, LogFile: filepath.Join(dir, "loki.log")}
	var ports loopback.Ports
	t.Cleanup(ports.Close)
	for _, port := range []*int{&config.Port, &config.GRPCPort} {
		if *port, err = ports.Pick(0); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// start starts a Loki and waits until it is ready.
func start(t *testing.T, config loki.Config) *supervise.Process {
	t.Helper()
	process, err := loki.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(20 * time.Second); err != nil {
			t.Error(err)
		}
	})
	deadline := time.After(2 * time.Minute)
	for {
		response, err := http.Get(config.ReadyURL())
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return process
			}
		}
		select {
		case <-deadline:
			t.Fatalf("Loki is not ready: %v\n%s", err, supervise.LastLines(config.LogFile, 10))
		case <-process.Exited():
			t.Fatal(process.Outcome())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var labels = map[string]string{"job": "temporal", "service_name": "temporal", "cluster": "lab"}

// lines are n lines that end at a time.
func lines(n int, until instant.Instant, every time.Duration) []logs.Entry {
	var entries []logs.Entry
	for i := range n {
		at := until.Add(-time.Duration(n-i) * every).Time().UnixNano()
		entries = append(entries, logs.Entry{Nanos: at, Labels: labels, Line: fmt.Sprintf(`{"level":"error","msg":"line %d"}`, i)})
	}
	return entries
}

// What was logged a moment ago is taken as what was logged months ago, and
// counted at once; what is too long is refused and told.
func TestLinesOfAnyAgeAreCounted(t *testing.T) {
	config := configure(t)
	start(t, config)
	client := loki.Client{URL: config.URL()}
	for _, until := range []instant.Instant{instant.System.Now().Add(-200 * 24 * time.Hour), instant.System.Now()} {
		if err := client.Push(t.Context(), lines(5000, until, 10*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if got := lokitest.Count(t, config.URL(), `sum(count_over_time({cluster="lab"} | json | level="error" [1m]))`, until)[""]; got != 5000 {
			t.Errorf("%d lines before %s, want 5000", got, until)
		}
	}
	long := lines(1, instant.System.Now(), 0)
	long[0].Line = strings.Repeat("x", 2<<20)
	if err := client.Push(t.Context(), long); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("pushing 2 MB in a line: %v", err)
	}
}

// While Loki is away the lines wait in their file; nothing is lost nor pushed
// twice, nor what was pushed before a Loki was killed.
func TestARestartOfLokiLosesNothing(t *testing.T) {
	config := configure(t)
	file := filepath.Join(t.TempDir(), "temporal-server-1.log")
	collector, err := logs.Collect([]logs.Source{{File: file, Labels: labels}}, loki.Client{URL: config.URL()}.Push, "")
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	begin := instant.System.Now()
	written := 0
	write := func(n int) {
		t.Helper()
		out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		for range n {
			// The same time and the same text, as of several goroutines that fail
			// alike in one millisecond.
			fmt.Fprintf(out, "{\"level\":\"error\",\"ts\":%q,\"msg\":\"service failures\"}\n", begin)
		}
		written += n
	}
	flush := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := collector.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	write(3000) // before there is a Loki
	process := start(t, config)
	flush()
	if err := syscall.Kill(process.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-process.Exited()
	write(3000)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := collector.Flush(ctx); err == nil {
		t.Error("a flush without a Loki succeeds")
	}
	start(t, config)
	flush()
	if got := lokitest.Count(t, config.URL(), `sum(count_over_time({cluster="lab"}[1m]))`, begin.Add(30*time.Second))[""]; got != written {
		t.Errorf("Loki has %d lines, %d were written", got, written)
	}
}
