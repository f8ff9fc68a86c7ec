package loki

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestConfigErrorsNameFieldValueAndRemedy(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"nothing", Config{}, []string{`loki url "": give the base URL`}},
		{"no scheme", Config{URL: "loki:3100"}, []string{`loki url "loki:3100": want http://`}},
		{"no URL", Config{URL: "http://me:pass@a b"}, []string{`loki url "(unreadable)"`}},
		{"the path of the API", Config{URL: "http://loki:3100/loki/api/v1/push"}, []string{`leave out /loki/api`}},
		{"credentials twice", Config{URL: "http://me:pass@loki", Username: "me"}, []string{`loki url "http://me:xxxxx@loki": give credentials either`}},
		{"two methods", Config{URL: "http://loki", Username: "me", BearerTokenFile: "/token"}, []string{`choose one of basic and bearer`}},
		{"two tokens", Config{URL: "http://loki", BearerToken: "a", BearerTokenFile: "/token"}, []string{`not both`}},
		{"the whole selector", Config{URL: "http://loki", Selector: `{job="temporal"}`}, []string{`loki selector "{job=\"temporal\"}": want LogQL stream matchers without braces`}},
		{"a pipeline", Config{URL: "http://loki", Selector: `job="temporal"} |= "x" or {a="b"`}, []string{"without braces"}},
		{"an eternity", Config{URL: "http://loki", Timeout: time.Minute}, []string{`loki timeout "1m0s": use a positive duration of at most 30s`}},
		{"everything", Config{
			URL: "ftp://loki", Username: "me", BearerToken: "x", Tenant: "a\nb", Selector: "job", ServiceLabel: "a b", Timeout: -time.Second, MaxTemplates: 1000,
		}, []string{"loki url", "loki authentication", "loki tenant", "loki selector", `loki service_label "a b"`, `loki timeout "-1s"`, `loki max_templates "1000": use 1 to 400`}},
	} {
		_, err := New(c.cfg)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "pass@") {
			t.Errorf("%s: %q tells the password", c.name, err)
		}
	}
}

func TestSelectorsThatPeopleWrite(t *testing.T) {
	for _, selector := range []string{
		"", `job="temporal"`, `job = "temporal", cluster=~"eu-.*|us-.*",`, "app=`temporal`, pod!~`.*\\d`", `a="quoted \" in it",b!="}"`,
	} {
		if err := checkSelector(selector); err != nil {
			t.Error(err)
		}
	}
}

func TestAMissingCAFileIsToldAtOnce(t *testing.T) {
	if _, err := New(Config{URL: "https://loki", CAFile: "/nowhere/ca.pem"}); err == nil || !strings.Contains(err.Error(), "/nowhere/ca.pem") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreRedactedUnlessToldOtherwise(t *testing.T) {
	s, err := New(Config{URL: "http://loki"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.cfg.Redact("mail ann@acme-corp.com"); strings.Contains(got, "acme") {
		t.Errorf("not redacted: %s", got)
	}
}

func TestSeveralClustersShareTheMetrics(t *testing.T) {
	d := &double{}
	d.add(record{at: noon})
	reg := prometheus.NewRegistry()
	url := serve(t, d)
	for range 2 {
		s := scanner(t, url, func(c *Config) { c.Registerer = reg })
		if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
			t.Fatal(err)
		}
	}
	families, err := reg.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "copilot_loki_request_duration_seconds" {
		t.Fatalf("%v, %v", families, err)
	}
	var requests uint64
	for _, m := range families[0].GetMetric() {
		requests += m.GetHistogram().GetSampleCount()
	}
	if requests != uint64(len(d.asked)) {
		t.Errorf("%d requests measured of %d", requests, len(d.asked))
	}
}

func TestTLSAndABearerTokenFromAFile(t *testing.T) {
	d := &double{}
	d.add(record{at: noon})
	server := httptest.NewTLSServer(d)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "token")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := errors.Join(os.WriteFile(ca, block, 0o600), os.WriteFile(token, []byte("first\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s := scanner(t, server.URL, func(c *Config) { c.CAFile, c.BearerTokenFile = ca, token })
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(token, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
			t.Fatal(err)
		}
		if got := d.asked[len(d.asked)-1].header.Get("Authorization"); got != "Bearer "+want {
			t.Errorf("sent %q, want the token %q", got, want)
		}
	}
	s = scanner(t, server.URL)
	if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	s = scanner(t, server.URL, func(c *Config) { c.InsecureSkipVerify = true })
	if _, err := s.Scan(t.Context(), noon.Add(-step), noon, step); err != nil {
		t.Error(err)
	}
}
