package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestTimeOfALine(t *testing.T) {
	want := time.Date(2026, 11, 25, 2, 45, 0, 404_000_000, time.UTC).UnixNano()
	for _, line := range []string{
		`{"level":"info","ts":"2026-11-25T02:45:00.404Z","msg":"Acquired shard"}`,
		`{"level":"info","ts":"2026-11-25T03:45:00.404+0100","msg":"Acquired shard"}`,
		"2026-11-25T02:45:00.404Z\tinfo\tAcquired shard\t{\"shard-id\": 1}",
		`{"time":"2026-11-25T03:45:00.404+01:00","level":"WARN","msg":"Failed to poll for task."}`,
		`time=2026-11-25T02:45:00.404Z level=WARN msg="Failed to poll for task."`,
	} {
		if got, ok := stampOf([]byte(line)); !ok || got != want {
			t.Errorf("%s: time is %d (%t), want %d", line, got, ok, want)
		}
	}
	for _, line := range []string{"panic: runtime error", "\tmain.go:12", `{"msg":"no time"}`, ""} {
		if _, ok := stampOf([]byte(line)); ok {
			t.Errorf("%q has a time", line)
		}
	}
}

// taken collects what a Collector hands on.
type taken struct {
	mu      sync.Mutex
	entries []Entry
	fail    func() error
}

func (k *taken) push(ctx context.Context, entries []Entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		if err := k.fail(); err != nil {
			return err
		}
	}
	k.entries = append(k.entries, entries...)
	return nil
}

func (k *taken) lines() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var lines []string
	for _, entry := range k.entries {
		lines = append(lines, entry.Line)
	}
	return lines
}

func collect(t *testing.T, file string, k *taken, journal string) *Collector {
	t.Helper()
	c, err := Collect([]Source{{File: file, Labels: map[string]string{"job": "temporal"}}}, k.push, journal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func write(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func flush(t *testing.T, c *Collector) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// Lines are handed on in order and once, also those of a file that comes later,
// and a line whose end is not written yet only when it is.
func TestLinesAreHandedOnInOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "part.log")
	k := new(taken)
	c := collect(t, file, k, "")
	flush(t, c)
	write(t, file, "one\n\ntwo\nthr")
	flush(t, c)
	write(t, file, "ee\nfour")
	flush(t, c)
	var many strings.Builder
	want := []string{"one", "two", "three"}
	for i := range 3 * batchLines {
		fmt.Fprintf(&many, "\nline %d", i)
		want = append(want, fmt.Sprint("line ", i))
	}
	want[3] = "four"
	want = slices.Insert(want, 4, "line 0")
	write(t, file, many.String()+"\n")
	flush(t, c)
	if got := k.lines(); !slices.Equal(got, want) {
		t.Errorf("%d lines were handed on, want %d; the first are %q", len(got), len(want), got[:min(6, len(got))])
	}
}

// Every line has a time of its own, none earlier than that of the line before.
func TestTimes(t *testing.T) {
	now := instant.FromUnix(1_800_000_000)
	clock := instant.NewManual(now)
	f := &follower{clock: clock, waited: true}
	at := func(line string) time.Duration {
		return time.Duration(f.entry([]byte(line)).Nanos - now.Time().UnixNano())
	}
	stamp := func(d time.Duration) string {
		return now.Add(d).Time().Format("2006-01-02T15:04:05.000Z") + "\terror\tfailed"
	}
	for i, c := range []struct {
		line string
		want time.Duration
	}{
		{"panic: before anything else", 0},
		{stamp(2 * time.Second), 2 * time.Second},
		{"a stack trace", 2*time.Second + 1},
		{stamp(2 * time.Second), 2*time.Second + 2},
		{stamp(time.Second), 2*time.Second + 3},
		{stamp(3 * time.Second), 3 * time.Second},
	} {
		if got := at(c.line); got != c.want {
			t.Errorf("line %d is at %s, want %s", i, got, c.want)
		}
	}
	clock.Advance(time.Minute)
	f.waited = true
	if got := at("panic: later"); got != time.Minute {
		t.Errorf("a line without a time that comes after a pause is at %s, want 1m", got)
	}
}

// What cannot be handed on for good is told, and the lines after it are.
func TestRefusedLinesAreTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "part.log")
	refuse := true
	k := &taken{fail: func() error {
		if refuse {
			return errors.New("too long")
		}
		return nil
	}}
	c := collect(t, file, k, "")
	write(t, file, "one\ntwo\n")
	if err := c.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "2 lines of the logs were not taken: too long") {
		t.Errorf("Flush = %v", err)
	}
	k.mu.Lock()
	refuse = false
	k.mu.Unlock()
	write(t, file, "three\n")
	if err := c.Flush(t.Context()); err == nil {
		t.Error("what was lost is forgotten")
	}
	if got := k.lines(); !slices.Equal(got, []string{"three"}) {
		t.Errorf("handed on: %q", got)
	}
}

func TestArchiveKeepsWhatWasHandedOn(t *testing.T) {
	dir := t.TempDir()
	file, journal, archive := filepath.Join(dir, "part.log"), filepath.Join(dir, "journal"), filepath.Join(dir, "logs.ndjson.zst")
	k := new(taken)
	c := collect(t, file, k, journal)
	var text strings.Builder
	for i := range 2*batchLines + 7 {
		fmt.Fprintf(&text, "2026-11-25T02:45:00.404Z\tinfo\tline <%d>\n", i)
	}
	write(t, file, text.String())
	flush(t, c)
	kept, err := ReadJournal(journal)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(kept)
	if err := Archive(archive, kept); err != nil {
		t.Fatal(err)
	}
	var got []Entry
	err = ReadArchive(archive, func(some []Entry) error {
		got = append(got, some...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b Entry) bool {
		return a.Nanos == b.Nanos && a.Line == b.Line && a.Labels["job"] == "temporal" && len(b.Labels) == 1
	}
	if !slices.EqualFunc(got, k.entries, same) {
		t.Errorf("%d entries in the archive, %d were handed on; or they differ", len(got), len(k.entries))
	}
}
