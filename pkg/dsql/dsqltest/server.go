package dsqltest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// DSQL's limits.
const (
	maxConnections  = 10_000
	connectionRate  = 100 // a second
	connectionBurst = 1000
	maxLifetime     = time.Hour
	maxRows         = 3000
	maxBytes        = 10 << 20
	maxDuration     = 5 * time.Minute
)

// Region is the AWS region that every stand-in is in.
const Region = "eu-west-1"

// Roles of a cluster. Admin alone may change the schema; User is a role as an
// administrator would make for the program, and may at first do nothing.
const (
	Admin = "admin"
	User  = "copilot"
)

// Options make the limits of a stand-in smaller than DSQL's, so that a test can
// reach them. A zero is DSQL's own limit.
type Options struct {
	// MaxConnections at once, 1 to 10,000.
	MaxConnections int
	// ConnectionRate is how many new connections a second are let in for long,
	// ConnectionBurst how many at once.
	ConnectionRate, ConnectionBurst int
	// Lifetime of a connection.
	Lifetime time.Duration
	// MaxRows and MaxBytes that a transaction may change, MaxDuration that it
	// may last.
	MaxRows, MaxBytes int
	MaxDuration       time.Duration
	// Clock that tokens and the rate of connections are checked by. Nil: the
	// machine's.
	Clock instant.Clock
}

func (o Options) withDefaults() Options {
	set := func(value *int, fallback int) {
		if *value == 0 {
			*value = fallback
		}
	}
	set(&o.MaxConnections, maxConnections)
	set(&o.ConnectionRate, connectionRate)
	set(&o.ConnectionBurst, connectionBurst)
	set(&o.MaxRows, maxRows)
	set(&o.MaxBytes, maxBytes)
	if o.Lifetime == 0 {
		o.Lifetime = maxLifetime
	}
	if o.MaxDuration == 0 {
		o.MaxDuration = maxDuration
	}
	if o.Clock == nil {
		o.Clock = instant.System
	}
	return o
}

// Stats count what a stand-in did since it was made.
type Stats struct {
	// Connections let in, and Refused at the door for whatever reason.
	Connections, Refused int64
	// Commits of transactions that changed rows.
	Commits int64
	// Conflicts told at commit, as OC000 and as OC001; those that were made up
	// for a test are part of them and counted in Injected as well.
	DataConflicts, SchemaConflicts, Injected int64
	// LostAnswers are commits that were made and never confirmed.
	LostAnswers int64
}

// Server is a stand-in for one DSQL cluster. It is empty at first.
type Server struct {
	opts     Options
	keys     keys
	listener net.Listener
	secure   *tls.Config
	caFile   string
	backing  *pgconn.Config

	// schema counts the changes of the schema; whoever commits holds
	// schemaLock, to write if it changes the schema.
	schema     atomic.Int64
	schemaLock sync.RWMutex

	mu        sync.Mutex
	sessions  map[net.Conn]struct{}
	cut       bool
	tokens    float64 // of the connection rate
	filled    instant.Instant
	random    *rand.Rand
	conflicts float64
	losses    float64
	stats     Stats

	working sync.WaitGroup
}

// New starts a stand-in on a new database of the test's shared PostgreSQL. It
// ends with the test.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	s, err := start(t.Context(), postgrestest.NewDatabase(t), filepath.Join(t.TempDir(), "ca.pem"), opts)
	if err != nil {
		t.Fatalf("dsqltest: %v", err)
	}
	t.Cleanup(s.close)
	return s
}

func start(ctx context.Context, database, caFile string, opts Options) (*Server, error) {
	me, err := newIdentity()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(caFile, me.pem, 0o600); err != nil {
		return nil, err
	}
	backing, err := pgconn.ParseConfig(database)
	if err != nil {
		return nil, err
	}
	if err := furnish(ctx, database); err != nil {
		return nil, fmt.Errorf("prepare the database: %w", err)
	}
	s := &Server{
		opts: opts.withDefaults(), keys: newKeys(), caFile: caFile, backing: backing,
		sessions: map[net.Conn]struct{}{}, random: rand.New(rand.NewPCG(1, 1)),
	}
	s.tokens, s.filled = float64(s.opts.ConnectionBurst), s.opts.Clock.Now()
	s.secure = &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName != hostName {
				return nil, fmt.Errorf("the client asks for the server %q, not for %q", hello.ServerName, hostName)
			}
			return &me.certificate, nil
		},
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.working.Go(s.accept)
	return s, nil
}

// furnish makes the roles and what DSQL has beside PostgreSQL. Roles belong to
// the whole PostgreSQL server, so another stand-in may have made them.
func furnish(ctx context.Context, database string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	for _, sql := range []string{
		"CREATE ROLE " + Admin + " NOSUPERUSER CREATEROLE",
		"CREATE ROLE " + User + " NOSUPERUSER",
	} {
		_, err := conn.Exec(ctx, sql)
		var known *pgconn.PgError
		if err != nil && (!errors.As(err, &known) || known.Code != "42710" && known.Code != codeUnique) {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	for _, sql := range []string{
		"ALTER SCHEMA public OWNER TO " + Admin,
		"GRANT CREATE ON DATABASE " + quoted(conn.Config().Database) + " TO " + Admin,
		"CREATE SCHEMA sys",
		"CREATE TABLE sys.jobs (job_id text PRIMARY KEY, status text NOT NULL, details text, job_type text NOT NULL, object_name text NOT NULL)",
		"GRANT USAGE ON SCHEMA sys TO PUBLIC",
		"GRANT SELECT ON sys.jobs TO PUBLIC",
		"GRANT INSERT ON sys.jobs TO " + Admin,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

// Endpoint is where the stand-in listens, a host name with a port.
func (s *Server) Endpoint() string {
	return net.JoinHostPort(hostName, strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port))
}

// CAFile names a PEM file with the certificate authority to trust.
func (s *Server) CAFile() string { return s.caFile }

// Credentials are the AWS credentials that sign tokens the stand-in takes.
func (s *Server) Credentials() aws.CredentialsProvider { return s.keys }

// Stats returns what was counted so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Conflict makes a share of the commits that changed rows, 0 to 1, fail like
// those that lost a conflict, by a die that seed loads.
func (s *Server) Conflict(share float64, seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conflicts, s.random = share, rand.New(rand.NewPCG(seed, seed))
}

// LoseAnswers makes a share of the commits that changed rows, 0 to 1, end
// their connection after they are made and before the client is told.
func (s *Server) LoseAnswers(share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses = share
}

// Cut ends all connections and lets none in until Restore is called.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
	for conn := range s.sessions {
		// What it was doing ends with an error there.
		_ = conn.Close()
	}
}

// Restore lets connections in again.
func (s *Server) Restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = false
}

// close ends the stand-in and waits for its connections to end.
func (s *Server) close() {
	s.Cut()
	_ = s.listener.Close()
	s.working.Wait()
}

func (s *Server) count(add func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.stats)
}

// chance throws the die for a commit.
func (s *Server) chance() (conflict, schema, lose bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conflict = s.random.Float64() < s.conflicts
	// Most conflicts are about data, as they are in life.
	schema = conflict && s.random.IntN(5) == 0
	lose = !conflict && s.random.Float64() < s.losses
	return conflict, schema, lose
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		cut := s.cut
		if !cut {
			s.sessions[conn] = struct{}{}
		}
		s.mu.Unlock()
		if cut {
			_ = conn.Close()
			continue
		}
		s.working.Go(func() {
			end := time.AfterFunc(s.opts.Lifetime, func() { _ = conn.Close() })
			defer end.Stop()
			// How a session ends is the client's affair.
			_ = s.serve(conn)
			_ = conn.Close()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.sessions, conn)
		})
	}
}

// full tells why there is no room for one more connection; empty: there is.
func (s *Server) full() (code, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) > s.opts.MaxConnections {
		return codeTooMany, "Unable to accept connection, too many open connections."
	}
	now := s.opts.Clock.Now()
	s.tokens = min(s.tokens+now.Sub(s.filled).Seconds()*float64(s.opts.ConnectionRate), float64(s.opts.ConnectionBurst))
	s.filled = now
	if s.tokens < 1 {
		return codeTooFast, "Unable to accept connection, rate exceeded."
	}
	s.tokens--
	return "", ""
}

// actionFor is the action that a role's token must be signed for.
func actionFor(role string) string {
	if role == Admin {
		return actionConnectAdmin
	}
	return actionConnect
}

// quoted writes a name as an SQL identifier.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
