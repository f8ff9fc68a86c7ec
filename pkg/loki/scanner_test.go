package loki

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

var update = flag.Bool("update", false, "write the golden files anew")

const step = 30 * time.Second

// golden compares a query with a file. What the catalogue knows of events is left
// out: it is not this package's.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, events, "EVENTS")
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got+"\n" != string(want) {
		t.Errorf("%s differs (go test ./pkg/loki -update writes it anew):\n%s", name, got)
	}
}

// scanner returns a scanner of a double.
func scanner(t testing.TB, url string, change ...func(*Config)) *Scanner {
	t.Helper()
	cfg := Config{URL: url, Redact: func(s string) string { return strings.ReplaceAll(s, "secret", "[redacted:secret]") }}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// failed is the group of an error's lines.
func failed(message string, more ...string) map[string]string {
	group := map[string]string{"c_svc": "history", "c_level": "error", "c_text": message + separator}
	for i := 0; i < len(more); i += 2 {
		group[more[i]] = more[i+1]
	}
	return group
}

func TestScanCountsByTemplate(t *testing.T) {
	d := &double{}
	for i := range 3 {
		d.add(record{at: noon.Add(time.Duration(i) * time.Second), group: failed("Fail to process task", "c_comp", "queue-processor", "c_ns", "team-a", "c_tq", "orders")})
	}
	d.add(record{at: noon.Add(step), group: map[string]string{
		"c_svc": "temporal-matching", "c_level": "warning", "c_text": "pq: secret" + separator + "conflict (SQLSTATE 40001<*>) at <*>", "c_life": "Stopped",
	}})
	s := scanner(t, serve(t, d), func(c *Config) { c.Tenant, c.Username, c.Password = "team", "me", "pass" })
	windows, err := s.Scan(t.Context(), noon.Add(-step), noon.Add(step), step)
	if err != nil {
		t.Fatal(err)
	}
	want := []health.LogWindow{
		{From: noon.Add(-step), To: noon, Counts: []health.LogCount{{Lines: 1, LogTemplate: health.LogTemplate{
			Service: "history", Level: "error", Message: "Fail to process task", Component: "queue-processor", Namespace: "team-a", TaskQueue: "orders",
		}}}},
		{From: noon, To: noon.Add(step), Counts: []health.LogCount{{Lines: 2, LogTemplate: health.LogTemplate{
			Service: "history", Level: "error", Message: "Fail to process task", Component: "queue-processor", Namespace: "team-a", TaskQueue: "orders",
		}}, {Lines: 1, LogTemplate: health.LogTemplate{
			Service: "matching", Level: "warn", Message: "pq: [redacted:secret]", Error: "conflict (SQLSTATE 40001) at <*>", Lifecycle: "Stopped",
		}}}},
	}
	if !reflect.DeepEqual(windows, want) {
		t.Errorf("got\n%+v\nwant\n%+v", windows, want)
	}

	counts := d.requests("topk")
	if len(counts) != 1 {
		t.Fatalf("%d requests for two windows", len(counts))
	}
	a := counts[0]
	golden(t, "count.logql", a.form["query"])
	if a.form["start"] != nanos(noon) || a.form["end"] != nanos(noon.Add(step)) || a.form["step"] != "30" {
		t.Errorf("asked from %s to %s by %s", a.form["start"], a.form["end"], a.form["step"])
	}
	if a.path != "/loki/api/v1/query_range" {
		t.Errorf("asked %s", a.path)
	}
	for name, want := range map[string]string{
		"X-Scope-OrgID": "team", "User-Agent": "temporal-sre-copilot", "Authorization": "Basic bWU6cGFzcw==",
		"X-Query-Tags": "source=temporal-sre-copilot", "Cache-Control": "no-cache", "Accept-Encoding": "gzip",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, a := range d.asked {
		if a.form["start"] == "" || a.form["end"] == "" {
			t.Errorf("%s is not bounded in time", a.path)
		}
	}
}

func TestNothingToScan(t *testing.T) {
	d := &double{}
	windows, err := scanner(t, serve(t, d)).Scan(t.Context(), noon, noon, step)
	if err != nil || len(windows) != 0 || len(d.asked) != 0 {
		t.Errorf("got %v, %v with %d requests", windows, err, len(d.asked))
	}
}

func TestScanRefusesUnevenWindows(t *testing.T) {
	s := scanner(t, "http://localhost:1")
	for _, c := range []struct {
		from, to instant.Instant
		step     time.Duration
	}{
		{noon, noon.Add(time.Second), step},
		{noon.Add(step), noon, step},
		{noon, noon.Add(step), 7 * time.Second},
		{noon, noon.Add(step), time.Millisecond},
	} {
		if _, err := s.Scan(t.Context(), c.from, c.to, c.step); err == nil || !strings.Contains(err.Error(), "multiple") {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// Every line is in exactly one window, whichever the borders are, and whether a
// range was read in one go, in pieces, or by a scanner that was started anew.
func TestWindowsTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := time.Duration(rapid.SampledFrom([]int{1, 7, 30, 60}).Draw(t, "step")) * time.Second
		to := noon.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "to")) * step).Truncate(step)
		from := to.Add(-time.Duration(rapid.Int64Range(1, int64(200*step/time.Microsecond)).Draw(t, "length")) * time.Microsecond)
		last := from
		for _, p := range tile(from, to, step, windowsAtOnce) {
			if p.from != last || p.steps() < 1 || p.steps() > windowsAtOnce || p.from.Add(time.Duration(p.steps())*p.length) != p.to {
				t.Fatalf("%v after %s", p, last)
			}
			if p.to.Truncate(step) != p.to || p.from != from && p.from.Truncate(step) != p.from || p.length > step {
				t.Fatalf("%v is not between two steps", p)
			}
			if end := p.to.Add(p.shift()).Time().UnixNano(); end%step.Nanoseconds() != 0 || p.shift() < 0 || p.shift() >= step {
				t.Fatalf("%v is shifted by %s", p, p.shift())
			}
			last = p.to
		}
		if last != to {
			t.Fatalf("ends at %s", last)
		}
	})
}

func TestNoLineIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := &double{}
		step := time.Duration(rapid.SampledFrom([]int{7, 30}).Draw(rt, "step")) * time.Second
		noon := noon.Truncate(step)
		micros := rapid.Int64Range(-int64(10*step/time.Microsecond), int64(10*step/time.Microsecond))
		at := rapid.Custom(func(rt *rapid.T) instant.Instant {
			if rapid.Bool().Draw(rt, "on a border") {
				return noon.Add(time.Duration(rapid.IntRange(-10, 10).Draw(rt, "border")) * step)
			}
			return noon.Add(time.Duration(micros.Draw(rt, "micros")) * time.Microsecond)
		})
		for range rapid.IntRange(1, 60).Draw(rt, "lines") {
			d.add(record{at: at.Draw(rt, "at"), group: failed(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "message"))})
		}
		from := noon.Add(-10*step - time.Duration(rapid.IntRange(0, 6_999).Draw(rt, "unaligned"))*time.Millisecond)
		to := noon.Add(10 * step)
		url := serve(t, d)
		s := scanner(t, url, func(c *Config) { c.Selector = `job="temporal"` })
		var total, want int64
		last := from
		for last.Before(to) {
			next := last.Truncate(step).Add(time.Duration(rapid.IntRange(1, 8).Draw(rt, "windows")) * step)
			if next.After(to) {
				next = to
			}
			if rapid.Bool().Draw(rt, "restart") {
				s = scanner(t, url, func(c *Config) { c.Selector = `job="temporal"` })
			}
			windows, err := s.Scan(t.Context(), last, next, step)
			if err != nil {
				rt.Fatal(err)
			}
			for _, w := range windows {
				if w.From != last {
					rt.Fatalf("window from %s after %s", w.From, last)
				}
				last = w.To
				for _, c := range w.Counts {
					total += c.Lines
				}
			}
			if last != next {
				rt.Fatalf("read up to %s of %s", last, next)
			}
		}
		for _, r := range d.records {
			if r.at.After(from) && !r.at.After(to) {
				want++
			}
		}
		if total != want {
			rt.Fatalf("counted %d of %d lines", total, want)
		}
	})
}

func TestLateLinesAreThereWhenReadAgain(t *testing.T) {
	d := &double{}
	d.add(record{at: noon, group: failed("a")})
	s := scanner(t, serve(t, d))
	for lines := int64(1); lines <= 3; lines++ {
		windows, err := s.Scan(t.Context(), noon.Add(-step), noon, step)
		if err != nil {
			t.Fatal(err)
		}
		if got := windows[0].Counts[0].Lines; got != lines {
			t.Errorf("counted %d of %d", got, lines)
		}
		d.add(record{at: noon.Add(-time.Second), group: failed("a")})
	}
}

func TestTheRestIsCounted(t *testing.T) {
	d := &double{}
	for kind := range 5 {
		for range 5 - kind {
			d.add(record{at: noon, group: failed(fmt.Sprint("kind", kind))})
		}
	}
	d.add(record{at: noon.Add(step), group: failed("kind0")})
	s := scanner(t, serve(t, d), func(c *Config) { c.MaxTemplates = 2 })
	windows, err := s.Scan(t.Context(), noon.Add(-step), noon.Add(step), step)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, c := range windows[0].Counts {
		kept = append(kept, fmt.Sprint(c.Message, "×", c.Lines))
	}
	if !slices.Equal(kept, []string{"kind0×5", "kind1×4"}) || windows[0].Rest != 6 {
		t.Errorf("kept %v, left %d", kept, windows[0].Rest)
	}
	if windows[1].Rest != 0 || len(windows[1].Counts) != 1 {
		t.Errorf("second window %+v", windows[1])
	}
	if a := d.requests("sum(count"); len(a) != 1 {
		t.Errorf("%d requests for the total", len(a))
	} else {
		golden(t, "total.logql", a[0].form["query"])
	}
}

func TestTooManySeriesAreAskedForInPieces(t *testing.T) {
	d := &double{mostSeries: 4}
	for window := range 4 {
		for kind := range 3 {
			d.add(record{at: noon.Add(time.Duration(window) * step), group: failed(fmt.Sprintf("kind %d of %d", kind, window))})
		}
	}
	s := scanner(t, serve(t, d))
	windows, err := s.Scan(t.Context(), noon.Add(-step), noon.Add(3*step), step)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range windows {
		if len(w.Counts) != 3 || w.From != noon.Add(time.Duration(i-1)*step) {
			t.Errorf("window %d: %+v", i, w)
		}
	}
	if len(windows) != 4 {
		t.Errorf("%d windows", len(windows))
	}
}

func TestTooManySeriesInOneWindowAreCountedWithLessDetail(t *testing.T) {
	d := &double{mostSeries: 4}
	for queue := range 6 {
		d.add(record{at: noon, group: failed("a", "c_ns", "team", "c_tq", fmt.Sprint("queue", queue))})
	}
	windows, err := scanner(t, serve(t, d)).Scan(t.Context(), noon.Add(-step), noon, step)
	if err != nil {
		t.Fatal(err)
	}
	if c := windows[0].Counts; len(c) != 1 || c[0].Lines != 6 || c[0].TaskQueue != "" {
		t.Errorf("got %+v", c)
	}
	for message := range 7 {
		d.add(record{at: noon, group: failed(fmt.Sprint("message", message))})
	}
	windows, err = scanner(t, serve(t, d)).Scan(t.Context(), noon.Add(-step), noon, step)
	if err != nil || len(windows) != 1 || len(windows[0].Counts) != 0 || windows[0].Rest != 13 {
		t.Errorf("got %+v, %v", windows, err)
	}
}

func TestWindowsBeforeAFailureAreReturned(t *testing.T) {
	d := &double{}
	d.add(record{at: noon, group: failed("a")})
	d.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Form.Get("start") == nanos(noon.Add(step)) && strings.HasPrefix(r.Form.Get("query"), "topk") {
			http.Error(w, "the query would read too many bytes", http.StatusBadRequest)
			return true
		}
		return false
	}
	windows, err := scanner(t, serve(t, d)).Scan(t.Context(), noon.Add(-time.Second), noon.Add(2*step), step)
	if err == nil || len(windows) != 1 || windows[0].To != noon || len(windows[0].Counts) != 1 {
		t.Errorf("got %+v, %v", windows, err)
	}
}

func TestAnIllLokiIsNotPressedOn(t *testing.T) {
	d := &double{}
	d.add(record{at: noon, group: failed("a")})
	ill := true
	d.before = func(w http.ResponseWriter, _ *http.Request) bool {
		if !ill {
			return false
		}
		http.Error(w, "parse error", http.StatusBadRequest)
		return true
	}
	s := scanner(t, serve(t, d))
	scan := func() (bool, error) {
		before := len(d.asked)
		_, err := s.Scan(t.Context(), noon.Add(-step), noon, step)
		return len(d.asked) > before, err
	}
	var pattern []bool
	for range 11 {
		asks, err := scan()
		if err == nil || !strings.Contains(err.Error(), "parse error") {
			t.Fatalf("failed with %v", err)
		}
		pattern = append(pattern, asks)
	}
	if want := []bool{true, true, true, false, false, false, true, false, false, false, true}; !slices.Equal(pattern, want) {
		t.Errorf("asked %v", pattern)
	}
	ill = false
	for range 3 {
		if asks, err := scan(); asks || err == nil || !strings.Contains(err.Error(), "not asked this time") {
			t.Errorf("asked %v: %v", asks, err)
		}
	}
	for range 2 {
		if asks, err := scan(); !asks || err != nil {
			t.Errorf("asked %v: %v", asks, err)
		}
	}
}

func TestACancelledScanSaysNothingOfLoki(t *testing.T) {
	d := &double{}
	d.add(record{at: noon, group: failed("a")})
	s := scanner(t, serve(t, d))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 5 {
		if _, err := s.Scan(gone, noon.Add(-step), noon, step); err == nil {
			t.Fatal("no error")
		}
	}
	if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
		t.Error(err)
	}
}

// A Loki that needs long for every window is caught up with in parts that it
// answers in time; what was read is kept.
func TestASlowLokiIsCaughtUpWith(t *testing.T) {
	const windows = 40
	d := &double{}
	for i := range windows {
		d.add(record{at: noon.Add(-time.Duration(i) * step), group: failed("a")})
	}
	d.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "query_range") || !strings.Contains(r.Form.Get("query"), "count_over_time") {
			return false
		}
		from, _ := strconv.ParseInt(r.Form.Get("start"), 10, 64)
		to, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64)
		select {
		case <-r.Context().Done():
		case <-time.After(time.Duration((to-from)/step.Nanoseconds()+1) * 400 * time.Millisecond):
		}
		return false
	}
	s := scanner(t, serve(t, d), func(c *Config) { c.Timeout = 2 * time.Second })
	from, lines, scans := noon.Add(-windows*step), int64(0), 0
	for ; from.Before(noon) && scans < 60; scans++ {
		read, _ := s.Scan(t.Context(), from, noon, step)
		for _, w := range read {
			if w.From != from {
				t.Fatalf("a window begins at %s, want %s", w.From, from)
			}
			for _, c := range w.Counts {
				lines += c.Lines
			}
			from = w.To
		}
	}
	if from != noon || lines != windows {
		t.Errorf("after %d scans read up to %s with %d lines, want all %d up to %s", scans, from, lines, windows, noon)
	}
}
