package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/loki"
)

// A Loki that fails is not asked again for the rest of a history, and each
// observation says why it has no logs.
func TestALogFeedEndsWithTheFirstFailure(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "not for you", http.StatusForbidden)
	}))
	defer server.Close()
	flags := lokiFlags{cfg: loki.Config{URL: server.URL, Selector: `job="temporal"`}}
	feed, err := flags.feed("prod", 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	start := instant.FromUnix(1_764_000_000)
	end := start.Add(1000 * 30 * time.Second)
	for at := start; !at.After(end); at = at.Add(30 * time.Second) {
		reading := feed.until(t.Context(), at, end)
		if len(reading.Windows) != 0 || !strings.Contains(reading.Reason, "403") {
			t.Fatalf("at %s: %+v", at, reading)
		}
	}
	if n := asked.Load(); n > 3 {
		t.Errorf("%d requests", n)
	}
}
