package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
)

// What the worker does while it runs is tested in lab/integration, beside a
// real Temporal server.

// says checks the exit code, and that stderr, which may be several lines, has
// every part.
func (r result) says(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code || r.stdout != "" {
		t.Errorf("exit %d, want %d; stdout %q", r.code, code, r.stdout)
	}
	for _, part := range parts {
		if !strings.Contains(r.stderr, part) {
			t.Errorf("stderr does not say %q:\n%s", part, r.stderr)
		}
	}
	if strings.Contains(r.stderr, "secret") || strings.Contains(r.stderr, "goroutine") {
		t.Errorf("a password or a stack on stderr:\n%s", r.stderr)
	}
}

func TestWorkerTellsEveryMistakeAtOnce(t *testing.T) {
	t.Setenv("COPILOT_SETTLE", "soon")
	t.Setenv("COPILOT_LOG_FORMAT", "xml")
	copilot(t, "worker", "--prometheus-url", "localhost", "--selector", "cluster=", "--temporal-address", "localhost",
		"--task-queue", "", "--interval", "1h", "--catch-up", "2h", "--start-timeout", "0s").
		says(t, exitUsage, "these settings do not work:",
			"COPILOT_SETTLE=soon", "prometheus url", "selector", "no store is configured", "interval is 1h0m0s",
			`--temporal-address "localhost"`, "--task-queue is empty", "--start-timeout 0s", `--log-format "xml"`)
}

func TestWorkerTakesFlagsBeforeEnvironment(t *testing.T) {
	t.Setenv("COPILOT_INTERVAL", "2h")
	t.Setenv("COPILOT_TEMPORAL_ADDRESS", "nowhere")
	copilot(t, "worker", "--prometheus-url", "http://127.0.0.1:1", "--temporal-address", "127.0.0.1:1").
		says(t, exitUsage, "interval is 2h0m0s", "no store")
	r := copilot(t, "worker", "--prometheus-url", "http://127.0.0.1:1", "--interval", "30s")
	r.says(t, exitUsage, `--temporal-address "nowhere"`, "no store")
	if strings.Contains(r.stderr, "interval") {
		t.Errorf("the flag did not win:\n%s", r.stderr)
	}
}

func TestWorkerNeedsASchema(t *testing.T) {
	copilot(t, "worker", "--prometheus-url", "http://127.0.0.1:1", "--database-url", postgrestest.NewDatabase(t)).
		fails(t, "no schema", exitFailure, "the store has no schema", "run: copilot db setup-schema")
}

func TestWorkerSaysWhatItCannotReach(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	copilot(t, "db", "setup-schema", "--database-url", database).succeeds(t, "setup-schema")
	copilot(t, "worker", "--prometheus-url", "http://127.0.0.1:1", "--database-url", database,
		"--temporal-address", "127.0.0.1:1", "--start-timeout", "1s").
		says(t, exitFailure, "error: no Temporal server answers at 127.0.0.1:1", "connection refused", "--temporal-address")
	copilot(t, "worker", "--prometheus-url", "http://127.0.0.1:1", "--database-url", "postgres://postgres:secret@127.0.0.1:1/copilot",
		"--start-timeout", "1s").
		says(t, exitFailure, "error: cannot connect to PostgreSQL at 127.0.0.1:1", "nothing listens there")
}

func TestReach(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	never := func(error) bool { return false }
	away := errors.New("away")

	t.Run("waits", func(t *testing.T) {
		tries := 0
		err := reach(t.Context(), quiet, "it", time.Minute, func(context.Context) error {
			if tries++; tries == 1 {
				return away
			}
			return nil
		}, never)
		if err != nil || tries != 2 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
	t.Run("no longer than asked", func(t *testing.T) {
		tries := 0
		err := reach(t.Context(), quiet, "it", 50*time.Millisecond, func(context.Context) error { tries++; return away }, never)
		// A machine that stood still may find the pause over as well as the time.
		if !errors.Is(err, away) || tries > 2 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
	t.Run("not for what stays", func(t *testing.T) {
		for _, err := range []error{
			&dsql.ConnectError{Refused: true}, &dsql.SchemaError{Kind: dsql.ErrOldSchema}, fmt.Errorf("dial: %w", &errNoNamespace{}),
		} {
			tries := 0
			got := reach(t.Context(), quiet, "it", time.Minute, func(context.Context) error { tries++; return err },
				func(err error) bool { return storeIsHopeless(err) || temporalIsHopeless(err) })
			if !errors.Is(got, err) || tries != 1 {
				t.Errorf("%v: tried %d times", err, tries)
			}
		}
	})
	t.Run("not when interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := reach(ctx, quiet, "it", time.Minute, func(context.Context) error { cancel(); return away }, never)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func TestReasonOfGRPC(t *testing.T) {
	err := errors.New("failed reaching server: rpc error: code = Unavailable desc = connection error: desc = \"transport: dial tcp 127.0.0.1:1: connect: connection refused\"")
	if got, want := grpcReason(err), "transport: dial tcp 127.0.0.1:1: connect: connection refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogLines(t *testing.T) {
	var out strings.Builder
	newLogger(&out, "text").Info("health state changed", "RunID", "1", "WorkerID", "2", "cluster", "lab")
	line := out.String()
	if !strings.HasSuffix(line, "level=INFO msg=\"health state changed\" cluster=lab\n") || !strings.Contains(line, "Z ") {
		t.Errorf("line is %q", line)
	}
	out.Reset()
	newLogger(&out, "json").Info("observing")
	if !strings.HasPrefix(out.String(), `{"time":"2`) {
		t.Errorf("line is %q", out.String())
	}
}
