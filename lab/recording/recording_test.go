package recording

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPackAndUnpack(t *testing.T) {
	source, target := t.TempDir(), t.TempDir()
	archive := filepath.Join(t.TempDir(), MetricsFile)
	files := map[string]string{"01ABC/index": "an index", "01ABC/chunks/000001": strings.Repeat("samples ", 1000), "01ABC/meta.json": "{}"}
	for name, content := range files {
		path := filepath.Join(source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := pack(source, archive); err != nil {
		t.Fatal(err)
	}
	if err := unpack(archive, target); err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(target, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q (%v)", name, got, err)
		}
	}
}

func TestDamagedArchive(t *testing.T) {
	archive := filepath.Join(t.TempDir(), MetricsFile)
	if err := os.WriteFile(archive, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unpack(archive, t.TempDir()); err == nil || !strings.Contains(err.Error(), archive) {
		t.Errorf("error is %v", err)
	}
}

// What the catalogue and usual alert rules read is kept, in both dialects;
// what nobody reads is not.
func TestSelectors(t *testing.T) {
	selector := Selectors()[0]
	names := regexp.MustCompile("^(?:" + strings.TrimSuffix(strings.TrimPrefix(selector, `{__name__=~"`), `"}`) + ")$")
	for name, want := range map[string]bool{
		"up": true, "restarts": true, "restarts_total": true, "service_requests": true, "service_requests_total": true,
		"persistence_latency_bucket": true, "persistence_latency_milliseconds_bucket": true,
		"approximate_backlog_age_seconds": true, "temporal_num_pollers": true, "no_poller_tasks": true,
		"poll_success_sync_total": true, "service_latency_bucket": true,
		"go_goroutines": false, "service_latency_sum": false, "cache_latency_bucket": false, "scrape_duration_seconds": false,
	} {
		if got := names.MatchString(name); got != want {
			t.Errorf("%s: kept is %t, want %t", name, got, want)
		}
	}
}
