// Package temporaltest starts a real Temporal server for tests: the lab's, with
// nothing beside it, on a PostgreSQL of package postgrestest. What only a real
// server does is tested on it: schedules, conflicts of workflow ids, versions
// of workers.
//
// The server is the program bin/lab, which "go tool mage build:lab" builds. A
// test that finds none is skipped, since the build takes minutes.
package temporaltest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// startTimeout is how long a server may take to answer. It takes some seconds
// on an idle machine.
const startTimeout = 90 * time.Second

// Namespace is the namespace that is registered on the server.
const Namespace = "default"

// Server is a running Temporal server that a test may kill and start again.
type Server struct {
	// Address is host:port on loopback, and stays the same.
	Address string

	program       string
	configuration []byte
	client        *tls.Config // of who prepares the server; nil for none
	cmd           *exec.Cmd
	input         io.WriteCloser
	output        *bytes.Buffer
}

// Start starts a server that ends with the test, and returns its address,
// host:port on loopback. The test's package has to have postgrestest.Main.
func Start(t *testing.T) string {
	t.Helper()
	return New(t).Address
}

// New is Start for a test that does something to the server.
func New(t *testing.T) *Server {
	t.Helper()
	return start(t, nil, nil)
}

// start starts a server that encrypts as told, and is asked for by a client
// that does. Nil: neither.
func start(t *testing.T, client *tls.Config, encryption map[string]string) *Server {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(here), "..", "..")
	program := filepath.Join(root, "bin", "lab")
	if _, err := os.Stat(program); err != nil {
		t.Skip("no Temporal server: go tool mage build:lab builds bin/lab")
	}
	main, visibility := postgrestest.NewDatabase(t), postgrestest.NewDatabase(t)
	schema := schemaDir(t, filepath.Join(root, "lab"))
	setUp(t, main, schema, "temporal", "Version")
	setUp(t, visibility, schema, "visibility", "VisibilityVersion")

	at, err := url.Parse(main)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := at.User.Password()
	other, err := url.Parse(visibility)
	if err != nil {
		t.Fatal(err)
	}
	ports := make([]int, 8)
	for i := range ports {
		ports[i] = freePort(t)
	}
	configuration, err := json.Marshal(map[string]any{
		"database": map[string]any{
			"address": at.Host, "user": at.User.Username(), "password": password,
			"main": at.Path[1:], "visibility": other.Path[1:],
		},
		"ports": map[string]any{
			"frontend": ports[0], "history": ports[1], "matching": ports[2], "worker": ports[3], "membership": ports[4:8],
		},
		"metrics_framework": "tally",
		"tls":               encryption,
	})
	if err != nil {
		t.Fatal(err)
	}

	s := &Server{Address: fmt.Sprintf("127.0.0.1:%d", ports[0]), program: program, configuration: configuration, client: client}
	t.Cleanup(s.stop)
	s.Start(t)
	return s
}

// Start starts the server, again after Kill, and waits until it answers.
func (s *Server) Start(t *testing.T) {
	t.Helper()
	s.output = new(bytes.Buffer)
	s.cmd = exec.Command(s.program, "serve-temporal")
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	input, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.input = input
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := input.Write(s.configuration); err != nil {
		t.Fatal(err)
	}
	if err := prepare(t.Context(), s.Address, s.client); err != nil {
		s.Kill() // nothing writes to the output any more
		tail := s.output.Bytes()
		t.Fatalf("%v\nthe server said:\n%s", err, tail[max(0, len(tail)-2000):])
	}
}

// Set gives the running server dynamic settings with numbers as values, in
// place of those that it was given before. Durations are in seconds.
func (s *Server) Set(t *testing.T, settings map[string]int) {
	t.Helper()
	if err := json.NewEncoder(s.input).Encode(settings); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server at once, as a crash does. What it has told its clients
// is in its database.
func (s *Server) Kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// stop ends the server in order. It ends when its input does, so that it does
// not outlive the test either when that is killed.
func (s *Server) stop() {
	if s.cmd == nil || s.cmd.Process == nil || s.cmd.ProcessState != nil {
		return
	}
	_ = s.input.Close()
	ended := time.AfterFunc(20*time.Second, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	ended.Stop()
}

// schemaDir finds the files of Temporal's schema, which are part of the module
// that the lab is built from.
func schemaDir(t *testing.T, lab string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "go.temporal.io/server")
	cmd.Dir = lab
	dir, err := cmd.Output()
	if err != nil {
		t.Fatalf("where is the Temporal server's module? %v", err)
	}
	return filepath.Join(string(bytes.TrimSpace(dir)), "schema", "postgresql", "v12")
}

// setUp puts the schema of a kind into an empty database.
func setUp(t *testing.T, database, dir, kind, versionName string) {
	t.Helper()
	ctx := t.Context()
	tables, err := os.ReadFile(filepath.Join(dir, kind, "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	versions, err := os.ReadFile(filepath.Join(dir, "version.go"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`const ` + versionName + ` = "([\d.]+)"`).FindSubmatch(versions)
	if version == nil {
		t.Fatalf("%s/version.go names no %s", dir, versionName)
	}
	connection, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.WithoutCancel(ctx))
	if _, err := connection.PgConn().Exec(ctx, string(tables)).ReadAll(); err != nil {
		t.Fatalf("Temporal's %s schema: %v", kind, err)
	}
	if _, err := connection.Exec(ctx, `CREATE TABLE schema_version (
		version_partition INT NOT NULL, db_name VARCHAR(255) NOT NULL, creation_time TIMESTAMP,
		curr_version VARCHAR(64), min_compatible_version VARCHAR(64), PRIMARY KEY (version_partition, db_name))`); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Exec(ctx, `INSERT INTO schema_version VALUES (0, current_database(), now(), $1, $1)`, string(version[1])); err != nil {
		t.Fatal(err)
	}
}

// prepare waits until the server answers and knows the namespace.
func prepare(ctx context.Context, address string, encryption *tls.Config) error {
	watch := instant.StartStopwatch()
	for {
		err := register(ctx, address, encryption)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if watch.Elapsed() > startTimeout {
			return fmt.Errorf("no Temporal server within %s: %w", startTimeout, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func register(ctx context.Context, address string, encryption *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{
		HostPort: address, Namespace: Namespace, ConnectionOptions: client.ConnectionOptions{TLS: encryption},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return err
	}
	// A new namespace reaches the services' caches a little later.
	_, err = c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1})
	return err
}
