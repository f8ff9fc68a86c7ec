package postgrestest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shared is the server of a test program whose TestMain calls Main. It starts
// with the first test that asks for it.
var shared struct {
	managed bool // Main is in charge and will stop the server
	once    sync.Once
	server  *Server
	err     error
}

// databases counts the databases that NewDatabase has made, for their names.
var databases atomic.Int64

// Main runs a package's tests and stops the shared server after them. Call it
// from TestMain as its last statement: it does not return.
func Main(m *testing.M) {
	shared.managed = true
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "postgrestest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Shared returns the server that all tests of the package share, starting it
// if this is the first call. Without Main in TestMain nothing could stop a
// shared server in the end, so the test then gets one of its own, which is
// slower by its start (about two seconds).
func Shared(t testing.TB) *Server {
	t.Helper()
	if !shared.managed {
		server, err := Start(t.Context(), Options{})
		if err != nil {
			t.Fatalf("postgrestest: %v", err)
		}
		t.Cleanup(func() {
			if err := server.Stop(); err != nil {
				t.Errorf("postgrestest: %v", err)
			}
		})
		return server
	}
	shared.once.Do(func() {
		// Not the test's context: the server outlives the test.
		shared.server, shared.err = Start(context.Background(), Options{})
	})
	if shared.err != nil {
		t.Fatalf("postgrestest: %v", shared.err)
	}
	return shared.server
}

// NewDatabase returns the URL of an empty database on the shared server. It is
// dropped when the test and its subtests have ended.
func NewDatabase(t testing.TB) string {
	t.Helper()
	server := Shared(t)
	name := "test_" + strconv.FormatInt(databases.Add(1), 10)
	if err := server.CreateDatabase(t.Context(), name); err != nil {
		t.Fatalf("postgrestest: %v", err)
	}
	t.Cleanup(func() {
		// The test's own context is over by now.
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		if err := server.DropDatabase(ctx, name); err != nil {
			t.Errorf("postgrestest: %v", err)
		}
	})
	return server.URL(name)
}
