package main

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/worker/temporaltest"
)

// A worker is let in by a Temporal server that wants mTLS, and says what is
// wrong with its certificates when it is not.
func TestMutualTLS(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Temporal server")
	}
	servers, clients, strangers := temporaltest.NewAuthority(t), temporaltest.NewAuthority(t), temporaltest.NewAuthority(t)
	server := temporaltest.NewMutual(t, servers, clients)
	cert, key := clients.Sign(t, "copilot")
	strangerCert, strangerKey := strangers.Sign(t, "stranger")
	database := postgrestest.NewDatabase(t)
	copilot(t, "db", "setup-schema", "--database-url", database).succeeds(t, "setup-schema")
	metrics := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(metrics.Close)
	worker := func(flags ...string) []string {
		return append([]string{
			"worker", "--prometheus-url", metrics.URL, "--cluster", "tls", "--database-url", database,
			"--temporal-address", server.Address, "--listen", "off", "--start-timeout", "15s",
		}, flags...)
	}
	trusted := func(flags ...string) []string {
		return append([]string{"--temporal-ca-file", servers.CAFile}, flags...)
	}

	// A certificate may be renewed, so that a worker waits; all of them at once.
	for name, test := range map[string]struct {
		flags []string
		says  string
	}{
		"no TLS":                {nil, "--temporal-tls"},
		"no authority":          {[]string{"--temporal-tls", "--temporal-cert-file", cert, "--temporal-key-file", key}, "with --temporal-ca-file"},
		"another authority":     {[]string{"--temporal-ca-file", strangers.CAFile, "--temporal-cert-file", cert, "--temporal-key-file", key}, "with --temporal-ca-file"},
		"another name":          {trusted("--temporal-server-name", "elsewhere", "--temporal-cert-file", cert, "--temporal-key-file", key), "with --temporal-server-name"},
		"no certificate":        {trusted(), "give --temporal-cert-file and --temporal-key-file"},
		"a strange certificate": {trusted("--temporal-cert-file", strangerCert, "--temporal-key-file", strangerKey), "give --temporal-cert-file and --temporal-key-file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copilot(t, worker(test.flags...)...).says(t, exitFailure, "no Temporal server answers at "+server.Address, test.says)
		})
	}
	t.Run("a certificate with another's key", func(t *testing.T) {
		copilot(t, worker(trusted("--temporal-cert-file", cert, "--temporal-key-file", strangerKey)...)...).
			says(t, exitUsage, "--temporal-cert-file "+cert, "private key does not match public key")
	})

	t.Run("all as it has to be", func(t *testing.T) {
		t.Parallel()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		log, ended := new(shared), make(chan int, 1)
		go func() {
			ended <- run(ctx, worker(trusted("--temporal-cert-file", cert, "--temporal-key-file", key, "--start-timeout", "1m")...), io.Discard, log)
		}()
		eventually(t, "the worker observes", log, func() bool { return strings.Contains(log.String(), "observing") })
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d\n%s", code, log)
		}
	})
}

// doorman is a Temporal frontend that notes which API keys it was shown.
type doorman struct {
	workflowservice.UnimplementedWorkflowServiceServer

	mu    sync.Mutex
	shown []string
}

func (d *doorman) note(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fields, _ := metadata.FromIncomingContext(ctx)
	d.shown = append(d.shown, strings.Join(fields.Get("authorization"), ","))
}

// last is what the latest request showed.
func (d *doorman) last() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shown[len(d.shown)-1]
}

func (d *doorman) GetSystemInfo(ctx context.Context, _ *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	d.note(ctx)
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (d *doorman) DescribeNamespace(ctx context.Context, _ *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	d.note(ctx)
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

// serve serves it on a free port until the test ends.
func (d *doorman) serve(t *testing.T, options ...grpc.ServerOption) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	workflowservice.RegisterWorkflowServiceServer(server, d)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// The API key is shown with every request, over TLS, and read anew each time.
func TestAPIKey(t *testing.T) {
	authority := temporaltest.NewAuthority(t)
	pair, err := tls.LoadX509KeyPair(authority.Sign(t, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	door := new(doorman)
	address := door.serve(t, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	file := filepath.Join(t.TempDir(), "key")
	write := func(key string) {
		if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	flags := temporalFlags{address: address, namespace: "default", taskQueue: "q", caFile: authority.CAFile, apiKeyFile: file}
	options, err := flags.options(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c, err := flags.dial(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := door.last(); got != "Bearer first" {
		t.Errorf("shown %q", got)
	}
	write("second")
	if _, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := door.last(); got != "Bearer second" {
		t.Errorf("after it was renewed: shown %q", got)
	}
	write("")
	if _, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{}); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("without a key: %v", err)
	}

	// Nothing but TLS may carry it.
	plain := temporalFlags{address: new(doorman).serve(t), namespace: "default", taskQueue: "q", apiKeyFile: file}
	write("third")
	if options, err = plain.options(slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.dial(t.Context(), options); err == nil || !strings.Contains(err.Error(), "it speaks no TLS") {
		t.Errorf("without TLS: %v", err)
	}
}
