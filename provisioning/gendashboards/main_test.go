package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheDashboardsAreFresh(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	written, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob(filepath.Join("..", "dashboards", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(written) != 4 || len(kept) != len(written) {
		t.Errorf("%d dashboards are written, %d are there", len(written), len(kept))
	}
	for _, path := range written {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "dashboards", filepath.Base(path)))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is out of date (%v); run: go generate ./provisioning/gendashboards", filepath.Base(path), err)
		}
	}
}

// Both ways in which Temporal's server names its metrics are asked, and units are
// the same.
func TestQueriesAskEitherNaming(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{rate("a", "b", "c"), `sum by (c) (rate(a{b}[$__rate_interval])) or sum by (c) (rate(a_total{b}[$__rate_interval]))`},
		{gauge("max", "a", "b", ""), `max (a{b})`},
	} {
		if test.got != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
	if got := quantile(0.99, "a", "b", ""); !strings.Contains(got, "a_bucket{b}") || !strings.HasSuffix(got, "a_milliseconds_bucket{b}[$__rate_interval]))) / 1000") {
		t.Errorf("got %s", got)
	}
}
