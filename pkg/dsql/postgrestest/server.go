package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// User is the superuser of every server that this package starts.
const User = "postgres"

// Bounds of what starting and stopping may take. A healthy machine needs two
// seconds for the first and a tenth of one for the second; a machine that
// builds at the same time needs a multiple, and one that is pressed by twenty
// programs more than a minute.
const (
	startTimeout = 3 * time.Minute
	stopTimeout  = 15 * time.Second
)

// portTries is how often Start takes another port when the one it chose was
// taken by someone else before PostgreSQL could bind it.
const portTries = 4

// Options configure a server. The zero value is right for tests.
type Options struct {
	// BinDir holds initdb and postgres. Empty: see FindBinaries.
	BinDir string
	// Dir is an existing directory in which the server makes its own. Empty:
	// the system's temporary directory. As root it must lie where an
	// unprivileged user can enter.
	Dir string
	// Port to listen on, 1 to 65535. 0: any free one.
	Port int
	// Durable keeps what is committed when the machine stops, at the price of
	// an fsync per commit. Tests and the lab throw the data away and leave it
	// false.
	Durable bool
	// MaxConnections is PostgreSQL's max_connections. 0 means 200.
	MaxConnections int
	// LogFile receives the server's output. Empty: a file in the server's
	// directory, of which Start quotes the end when it fails.
	LogFile string
	// Settings are further PostgreSQL settings by name; they win over those
	// that the other options lead to.
	Settings map[string]string
}

// Server is a running PostgreSQL.
type Server struct {
	// Host is always the IPv4 loopback address.
	Host string
	// Port is the TCP port on Host.
	Port int
	// Password of User. It is made anew for each server.
	Password string
	// BinDir is where the binaries came from.
	BinDir string

	dir     string
	logFile string
	durable bool
	process *exec.Cmd
	exited  chan struct{} // closed when the process has ended

	stopOnce sync.Once
	stopErr  error
}

// Start initialises a new database cluster and starts a server on it. It
// returns when the server answers queries. The caller must call Stop.
func Start(ctx context.Context, opts Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()

	binDir := opts.BinDir
	if binDir == "" {
		found, err := FindBinaries(ctx)
		if err != nil {
			return nil, err
		}
		binDir = found
	}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(opts.Dir, "copilot-postgres-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for PostgreSQL: %w", err)
	}
	server := &Server{
		Host:     "127.0.0.1",
		Password: rand.Text(),
		BinDir:   binDir,
		dir:      dir,
		logFile:  opts.LogFile,
		durable:  opts.Durable,
	}
	if server.logFile == "" {
		server.logFile = filepath.Join(dir, "postgres.log")
	}
	if err := server.start(ctx, opts, account); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return server, nil
}

// start fills the fresh directory and brings the server up on it.
func (s *Server) start(ctx context.Context, opts Options, account *account) error {
	// Readable for the account that the server runs as; what must stay
	// private, the data directory, is private to that account.
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return err
	}
	if err := account.canReach(s.dir); err != nil {
		return fmt.Errorf("PostgreSQL refuses to run as root, so it runs as %s: %w; choose another directory", account.name, err)
	}
	if account.canReach(s.BinDir) != nil {
		copied, err := copyInstallation(s.BinDir, filepath.Join(s.dir, "installation"))
		if err != nil {
			return fmt.Errorf("copy PostgreSQL's binaries from %s to where %s can reach them: %w", s.BinDir, account.name, err)
		}
		s.BinDir = copied
	}
	if err := s.initialise(ctx, account); err != nil {
		return err
	}
	var err error
	for range portTries {
		if s.Port = opts.Port; s.Port == 0 {
			if s.Port, err = freePort(); err != nil {
				return err
			}
		}
		err = s.launch(ctx, opts, account)
		if err == nil || opts.Port != 0 || !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// initialise runs initdb.
func (s *Server) initialise(ctx context.Context, account *account) error {
	if err := os.Mkdir(s.dataDir(), 0o700); err != nil {
		return err
	}
	passwordFile := filepath.Join(s.dir, "password")
	if err := os.WriteFile(passwordFile, []byte(s.Password), 0o600); err != nil {
		return err
	}
	for _, path := range []string{s.dataDir(), passwordFile} {
		if err := account.own(path); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.BinDir, executable("initdb")),
		"--pgdata="+s.dataDir(), "--username="+User, "--pwfile="+passwordFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir = s.dataDir()
	account.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(string(out), 5))
	}
	return os.Remove(passwordFile)
}

// errPortTaken reports that PostgreSQL could not bind its port.
var errPortTaken = errors.New("the port is in use by another program")

// launch starts the server process on s.Port and waits until it answers.
func (s *Server) launch(ctx context.Context, opts Options, account *account) error {
	// Append: a second try must not overwrite what the first one said.
	log, err := os.OpenFile(s.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open PostgreSQL's log: %w", err)
	}
	defer log.Close()

	cmd := exec.Command(filepath.Join(s.BinDir, executable("postgres")), s.arguments(opts)...)
	cmd.Dir = s.dataDir()
	cmd.Stdout, cmd.Stderr = log, log
	account.apply(cmd)
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	s.process, s.exited = cmd, make(chan struct{})
	go func() {
		// How it ended is in its log; that it ended is what matters here.
		_ = cmd.Wait()
		close(s.exited)
	}()
	if err := s.waitUntilReady(ctx); err != nil {
		return errors.Join(err, s.end())
	}
	return nil
}

func (s *Server) arguments(opts Options) []string {
	connections := opts.MaxConnections
	if connections == 0 {
		connections = 200
	}
	settings := map[string]string{
		"listen_addresses":        s.Host,
		"port":                    strconv.Itoa(s.Port),
		"unix_socket_directories": "", // loopback only, and no socket file to leave behind
		"max_connections":         strconv.Itoa(connections),
		"shared_buffers":          "64MB",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"logging_collector":       "off",
	}
	if !opts.Durable {
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			settings[name] = "off"
		}
	}
	for name, value := range opts.Settings {
		settings[name] = value
	}
	args := []string{"-D", s.dataDir()}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

func (s *Server) waitUntilReady(ctx context.Context) error {
	for {
		connectCtx, cancel := context.WithTimeout(ctx, 5*time.Second)
		conn, err := pgx.Connect(connectCtx, s.URL("postgres"))
		cancel()
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.exited:
			said := s.LastLog(8)
			if strings.Contains(said, "could not bind") {
				return fmt.Errorf("PostgreSQL on port %d: %w", s.Port, errPortTaken)
			}
			return fmt.Errorf("PostgreSQL ended at once; it said: %s", said)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer on port %d (%w): %w; it said: %s", s.Port, ctx.Err(), err, s.LastLog(8))
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// URL returns the connection URL of a database, with user and password. TLS is
// off: the traffic never leaves the loopback interface.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(User, s.Password),
		Host:     net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// CreateDatabase creates an empty database. The name may hold any character.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	return s.administer(ctx, "create database "+name, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// DropDatabase removes a database, ending the connections that are open to it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.administer(ctx, "drop database "+name, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
}

func (s *Server) administer(ctx context.Context, what, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = conn.Exec(ctx, statement)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// PID is the process id of the server's main process; its backends are that
// process's children.
func (s *Server) PID() int { return s.process.Process.Pid }

// Exited is closed when the server process has ended, for whatever reason.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// LastLog returns the last n lines that the server wrote to its log.
func (s *Server) LastLog(n int) string {
	content, err := os.ReadFile(s.logFile)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	return lastLines(string(content), n)
}

// Stop ends the server and removes its directory. A durable server shuts down
// in order; any other is ended at once, as its data is thrown away. Further
// calls return what the first one returned.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		s.stopErr = errors.Join(s.end(), os.RemoveAll(s.dir))
	})
	return s.stopErr
}

// end makes the process end and waits for it.
func (s *Server) end() error {
	if err := requestStop(s.process.Process, s.durable); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL (process %d): %w", s.PID(), err)
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
	}
	if err := s.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill PostgreSQL (process %d): %w", s.PID(), err)
	}
	<-s.exited
	return nil
}

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }

// freePort asks the kernel for a port that nobody listens on now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
