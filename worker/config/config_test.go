package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/worker/schedules"
	"github.com/temporal-sre/copilot/worker/workflows"
)

var usual = Defaults{Observe: workflows.DefaultObserveConfig(), Assess: schedules.DefaultAssess(), Retain: schedules.DefaultRetain()}

// write puts a configuration into a file.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copilot.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The example that we ship works and means what it looks like.
func TestExample(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE") // SigV4 wants to sign with something
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	file, err := Read("../../docs/copilot.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	clusters, err := file.Clusters(usual)
	if err != nil {
		t.Fatal(err)
	}
	if len(clusters) != 2 || clusters[0].Name != "prod" || clusters[1].Name != "staging" {
		t.Fatalf("clusters are %+v", clusters)
	}
	prod, staging := clusters[0], clusters[1]
	if prod.Prometheus.Selector != `cluster="prod"` || !prod.Prometheus.SigV4 || prod.Prometheus.Cluster != "prod" ||
		prod.Retain.Keep != 90*24*time.Hour || prod.Observe != usual.Observe {
		t.Errorf("prod is %+v", prod)
	}
	if staging.Prometheus.Selector != `cluster="staging"` || staging.Prometheus.URL != prod.Prometheus.URL ||
		staging.Observe.Interval != time.Minute || staging.Observe.CatchUp != 2*time.Hour || staging.Observe.Settle != usual.Observe.Settle ||
		staging.Assess != (schedules.Assess{Every: 15 * time.Minute, Jitter: 10 * time.Second, Overlap: schedules.BufferOne}) {
		t.Errorf("staging is %+v", staging)
	}
	given := map[string]string{}
	for _, s := range file.Settings() {
		given[s.Flag] = s.Value
	}
	for flag, value := range map[string]string{
		"temporal-namespace": "copilot", "dsql-endpoint": "abc123.dsql.eu-west-1.on.aws", "settle": "20s", "retain-keep": "720h", "log-format": "json",
	} {
		if given[flag] != value {
			t.Errorf("--%s is %q, want %q", flag, given[flag], value)
		}
	}
}

// Everything that is wrong is told at once, with its path, its value and what
// would do.
func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	file, err := Read(write(t, `
clusters:
  - prometheus: {url: "http://localhost:9090"}
  - name: prod
    prometheus: {url: "prometheus:9090", selector: "cluster="}
    observe: {interval: 2h}
    assess: {every: 5s, overlap: twice}
    retain: {keep: 24h, every: 1m}
  - name: prod
    prometheus: {url: "http://user:hunter2@localhost:9090", timeout: soon, password_file: /nonexistent}
    observe: {settle: 5}
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Clusters(usual)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{
		"clusters[0]: name is empty",
		`clusters[1] (prod): prometheus url "prometheus:9090": want http://`,
		"clusters[1] (prod): prometheus selector",
		"clusters[1] (prod): observe.interval is 2h0m0s; it has to be between 1s and 10m0s",
		"clusters[1] (prod): assess.every is 5s",
		`clusters[1] (prod): assess.overlap is "twice"; it has to be skip or buffer_one`,
		"clusters[1] (prod): retain.keep is 24h0m0s; it has to be between 168h0m0s",
		"clusters[1] (prod): retain.every is 1m0s",
		`clusters[2] (prod).name: "prod" is taken`,
		"clusters[2] (prod).prometheus.url: it holds a user or password",
		`clusters[2] (prod).prometheus.timeout: "soon" is no duration`,
		`clusters[2] (prod).observe.settle: "5" is no duration`,
		"clusters[2] (prod).prometheus.password_file: /nonexistent: no such file",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error holds a password:\n%v", err)
	}
}

func TestWhatIsNotUnderstood(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"unknown field": {"clusters:\n  - name: a\n    promethus: {}\n", "line 3: field promethus is not known here"},
		"not YAML":      {"clusters: [", "configuration file"},
		"wrong kind":    {"clusters: 5\n", "line 1"},
		"two documents": {"listen: off\n---\nlisten: off\n", "more than one document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(write(t, test.text))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error is %v, want %q", err, test.says)
			}
		})
	}
	if _, err := Read("/nonexistent.yaml"); err == nil || !strings.Contains(err.Error(), "/nonexistent.yaml: no such file") {
		t.Errorf("error is %v", err)
	}
	if file, err := Read(write(t, "")); err != nil || file.ListsClusters() || len(file.Settings()) != 0 {
		t.Errorf("an empty file: %v", err)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	password := write(t, "hunter2\n")
	file, err := Read(write(t, "store: {url_file: "+password+"}\nclusters:\n  - name: a\n    prometheus: {url: 'http://localhost:9090', username: me, password_file: "+password+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	clusters, err := file.Clusters(usual)
	if err != nil || clusters[0].Prometheus.Password != "hunter2" {
		t.Errorf("%v: %+v", err, clusters)
	}
	if url, err := file.StoreURL(); err != nil || url != "hunter2" {
		t.Errorf("%q, %v", url, err)
	}
}
