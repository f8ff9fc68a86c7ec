package postgrestest

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var value string
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func TestDatabasesAreSeparateAndUTC(t *testing.T) {
	first, second := NewDatabase(t), NewDatabase(t)
	if first == second {
		t.Fatalf("two databases have the same URL %s", first)
	}
	if got := query(t, first, "SELECT current_setting('timezone')"); got != "UTC" {
		t.Errorf("timezone = %q, want UTC", got)
	}
	if got := query(t, second, "SELECT current_setting('fsync')"); got != "off" {
		t.Errorf("fsync = %q, want off: tests should not wait for the disk", got)
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	parent := t.TempDir()
	openTo(t, parent)
	server, err := Start(t.Context(), Options{Dir: parent, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, server.URL("postgres"), "SELECT current_setting('fsync')"); got != "on" {
		t.Errorf("fsync of a durable server = %q, want on", got)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-server.Exited():
	default:
		t.Error("the process has not ended")
	}
	left, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnreachableInstallationIsCopied(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root starts the server as another user; nothing to copy here")
		return
	}
	bin, err := FindBinaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(bin, "node_modules") {
		t.Logf("binaries of the system in %s are reachable for everyone", bin)
		return
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	hidden, err := copyInstallation(bin, filepath.Join(closed, "installation"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := Start(t.Context(), Options{BinDir: hidden})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = Start(t.Context(), Options{Port: listener.Addr().(*net.TCPAddr).Port})
	if !errors.Is(err, errPortTaken) {
		t.Errorf("Start on a taken port = %v, want %v", err, errPortTaken)
	}
}

func TestMissingBinariesNameTheRemedy(t *testing.T) {
	t.Setenv(BinEnv, t.TempDir())
	_, err := Start(t.Context(), Options{})
	if err == nil || !strings.Contains(err.Error(), BinEnv) {
		t.Errorf("Start with an empty %s = %v, want an error that names it", BinEnv, err)
	}
}

// openTo lets every user enter a test's temporary directory, which Go makes
// private, so that a server started by root can use it.
func openTo(t *testing.T, dir string) {
	t.Helper()
	for ; dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
