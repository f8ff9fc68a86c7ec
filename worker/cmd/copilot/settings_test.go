package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/config"
)

// settings reads a command line as the worker does.
func settings(t *testing.T, args ...string) (*workerOptions, []config.Cluster, error) {
	t.Helper()
	o := new(workerOptions)
	o.addFlags(&cobra.Command{})
	if err := o.flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	clusters, problems := o.settled()
	return o, clusters, errors.Join(problems...)
}

// file writes a file of the test's and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	twoClusters = `
temporal: {address: "file:7233", namespace: from-file}
store: {url: "postgres://postgres@file:5432/copilot"}
observe: {interval: 40s, settle: 10s}
` + listOfTwo
	listOfTwo = `
clusters:
  - name: a
    prometheus: {url: "http://a:9090"}
  - name: b
    prometheus: {url: "http://b:9090"}
    observe: {interval: 1m}
`
)

// A cluster's own word wins over flags, those over the environment, that over
// what the file says for all, that over the defaults.
func TestWhatWins(t *testing.T) {
	path := file(t, "copilot.yaml", twoClusters)
	t.Setenv("COPILOT_TEMPORAL_NAMESPACE", "from-env")
	t.Setenv("COPILOT_SETTLE", "7s")
	o, clusters, err := settings(t, "--config", path, "--interval", "50s")
	if err != nil {
		t.Fatal(err)
	}
	if o.temporal.address != "file:7233" || o.temporal.namespace != "from-env" || o.temporal.taskQueue != "temporal-sre-copilot" {
		t.Errorf("temporal is %+v", o.temporal)
	}
	a, b := clusters[0].Observe, clusters[1].Observe
	if a.Interval != 50*time.Second || b.Interval != time.Minute || a.Settle != 7*time.Second || b.CatchUp != time.Hour {
		t.Errorf("a observes by %+v, b by %+v", a, b)
	}
	if o.store.config().URL != "postgres://postgres@file:5432/copilot" {
		t.Errorf("the store is %s", o.store.config())
	}

	t.Setenv("COPILOT_DSQL_ENDPOINT", "abc.dsql.eu-west-1.on.aws")
	o, _, err = settings(t, "--config", path)
	if err != nil || o.store.config().URL != "" || o.store.config().Endpoint == "" {
		t.Errorf("%v: the store of the environment does not win: %s", err, o.store.config())
	}
}

func TestTheFileIsReadAgain(t *testing.T) {
	path := file(t, "copilot.yaml", twoClusters)
	o, _, err := settings(t, "--config", path, "--interval", "50s")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(twoClusters, "name: b", "name: c", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh, clusters, err := o.again()
	if err != nil || len(clusters) != 2 || clusters[1].Name != "c" || clusters[0].Observe.Interval != 50*time.Second {
		t.Errorf("%v: %+v", err, clusters)
	}
	for name, value := range o.fixed() {
		if fresh.fixed()[name] != value {
			t.Errorf("%s is said to have changed", name)
		}
	}
	if err := os.WriteFile(path, []byte("clusters: [{name: a}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.again(); err == nil {
		t.Error("a file that does not work is taken")
	}
}

func TestMistakesBesideAFile(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		args []string
		says string
	}{
		"a flag for one cluster": {twoClusters, []string{"--prometheus-url", "http://c:9090"}, "--prometheus-url is for one cluster"},
		"a password":             {"store: {url: 'postgres://me:hunter2@db/copilot'}\n" + listOfTwo, nil, "store.url_file"},
		"no duration":            {"observe: {interval: soon}\n" + listOfTwo, nil, `observe.interval: "soon"`},
		"a build of nothing":     {twoClusters, []string{"--build-id", "1"}, "--deployment-name"},
		"a deployment of no one": {twoClusters, []string{"--deployment-name", "copilot"}, "--build-id"},
		"nowhere to listen":      {twoClusters, []string{"--listen", "here"}, "--listen"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := settings(t, append(test.args, "--config", file(t, "copilot.yaml", test.text))...)
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error is %v, want %q", err, test.says)
			}
		})
	}
}

// pair writes a certificate with its key and returns their paths.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := instant.System.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "copilot"},
		NotBefore: now.Add(-time.Hour).Time(), NotAfter: now.Add(time.Hour).Time(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})))
}

func TestTheConnectionToTemporal(t *testing.T) {
	cert, key := pair(t)
	quiet := slog.New(slog.DiscardHandler)
	base := temporalFlags{address: "temporal:7233", namespace: "default", taskQueue: "q"}

	plain, err := base.options(quiet)
	if err != nil || plain.ConnectionOptions.TLS != nil || !plain.ConnectionOptions.TLSDisabled || plain.Credentials != nil {
		t.Errorf("%v: %+v", err, plain.ConnectionOptions)
	}

	mutual := base
	mutual.caFile, mutual.certFile, mutual.keyFile, mutual.serverName = cert, cert, key, "frontend"
	o, err := mutual.options(quiet)
	if err != nil || o.ConnectionOptions.TLS == nil || o.ConnectionOptions.TLS.RootCAs == nil || o.ConnectionOptions.TLS.ServerName != "frontend" {
		t.Fatalf("%v: %+v", err, o.ConnectionOptions)
	}
	if shown, err := o.ConnectionOptions.TLS.GetClientCertificate(nil); err != nil || len(shown.Certificate) != 1 {
		t.Errorf("no certificate is shown: %v", err)
	}

	keyed := base
	keyed.apiKeyFile = file(t, "api-key", "hunter2\n")
	o, err = keyed.options(quiet)
	if err != nil || o.ConnectionOptions.TLS == nil || o.Credentials == nil {
		t.Errorf("%v: an API key without TLS or unused: %+v", err, o.ConnectionOptions)
	}
	if got, err := keyed.apiKey(context.Background()); err != nil || got != "hunter2" {
		t.Errorf("the key is %q, %v", got, err)
	}

	for name, spoil := range map[string]func(*temporalFlags){
		"half a pair":   func(f *temporalFlags) { f.keyFile = key },
		"no authority":  func(f *temporalFlags) { f.caFile = key },
		"wrong pair":    func(f *temporalFlags) { f.certFile, f.keyFile = cert, cert },
		"no such key":   func(f *temporalFlags) { f.apiKeyFile = "/nonexistent" },
		"empty key":     func(f *temporalFlags) { f.apiKeyFile = file(t, "empty", " \n") },
		"no namespace":  func(f *temporalFlags) { f.namespace = "" },
		"bare hostname": func(f *temporalFlags) { f.address = "temporal" },
	} {
		t.Run(name, func(t *testing.T) {
			bad := base
			spoil(&bad)
			if err := errors.Join(bad.check()...); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestAssessNeedsTemporal(t *testing.T) {
	copilot(t, "assess", "--temporal-address", "nowhere").says(t, exitUsage, `--temporal-address "nowhere"`)
	copilot(t, "assess", "--cluster", "prod", "--temporal-address", "127.0.0.1:2").
		fails(t, "no Temporal", exitFailure, "no Temporal server answers at 127.0.0.1:2")
}
