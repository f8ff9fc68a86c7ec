package dsql

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dsql/auth"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Defaults of Config.
const (
	// DefaultUser is the role that a DSQL cluster is asked for. It is not the
	// administrator: the store needs to read and write its tables, no more.
	DefaultUser = "copilot"
	// DefaultConnectTimeout bounds one attempt to connect.
	DefaultConnectTimeout = 5 * time.Second
	// DefaultQueryTimeout bounds one call of a Store's method, its repetitions
	// included, when the caller's context leaves more time.
	DefaultQueryTimeout = 15 * time.Second
	// DefaultMinConns is how many connections stay open while nothing is asked.
	DefaultMinConns = 2
)

// adminUser is the one role that DSQL gives a token for DbConnectAdmin.
const adminUser = "admin"

// DSQL ends a connection after 60 minutes. Ours end before that, at a moment
// that differs for each, so that they are not all renewed at once.
const (
	connLifetime = 50 * time.Minute
	connJitter   = 5 * time.Minute
)

// tokenValidity is asked of each IAM token. A token is only looked at when a
// connection is made, which is right after it was signed.
const tokenValidity = 5 * time.Minute

// Config says where the store is. Exactly one of URL and Endpoint is set.
type Config struct {
	// URL of a PostgreSQL database, postgres://user:password@host:port/name.
	// Without a password the usual places are looked at: PGPASSWORD, a
	// password file, or a server that asks for none.
	URL string

	// Endpoint is the host name of an Aurora DSQL cluster, with a port if it
	// is not 5432. The password is an IAM token, signed anew for every
	// connection with the AWS credentials of the process; TLS with a verified
	// certificate is always on.
	Endpoint string
	// Region of the cluster. Empty: as the endpoint says, or else as the AWS
	// configuration does.
	Region string
	// User is the database role. Empty: DefaultUser, or "admin" with Admin.
	User string
	// Admin signs for the administrator, who alone may create the schema.
	Admin bool
	// Credentials to sign tokens with. Nil: those of the process.
	Credentials aws.CredentialsProvider

	// ReadOnly refuses everything that would write, here and at the server: on
	// PostgreSQL by default_transaction_read_only, on DSQL, which does not have
	// it, by read-only transactions.
	ReadOnly bool
	// MaxConns bounds the open connections. 0: four, or the number of
	// processors if that is more, or what the URL says.
	MaxConns int32
	// MinConns is how many stay open. 0: DefaultMinConns; below 0: none, which
	// suits a command that asks once.
	MinConns int32
	// ConnectTimeout bounds one attempt to connect. 0: DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// QueryTimeout bounds one call. 0: DefaultQueryTimeout.
	QueryTimeout time.Duration
	// MaxSamples is how many signal samples of one observation are stored, 1
	// to 10,000. 0: DefaultMaxSamples. Which ones is said there.
	MaxSamples int
}

// String says where the store is, without a password, so that a Config may be
// logged.
func (c Config) String() string {
	switch {
	case c.Endpoint != "":
		return "Aurora DSQL at " + c.Endpoint
	case c.URL == "":
		return "no store"
	}
	if parsed, err := url.Parse(c.URL); err == nil {
		return "PostgreSQL at " + parsed.Host
	}
	return "PostgreSQL at a URL that cannot be read"
}

// Store reads and writes the database. It may be used by many goroutines.
type Store struct {
	pool     *pgxpool.Pool
	cfg      Config
	target   target
	isolated pgx.TxOptions
	// schemaSeen is set while the schema is known to be the one that this
	// program wants.
	schemaSeen atomic.Bool
}

// target says in words where the store is, for error messages. It never holds
// a password.
type target struct {
	Host     string // with port
	Database string
	User     string
	DSQL     bool
}

func (t target) String() string {
	kind := "PostgreSQL"
	if t.DSQL {
		kind = "Aurora DSQL"
	}
	return fmt.Sprintf("%s at %s (database %s, user %s)", kind, t.Host, t.Database, t.User)
}

// Open prepares a store. It checks the configuration and does not connect: use
// Ping to know whether the database answers. The caller must call Close.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	var poolConfig *pgxpool.Config
	if cfg.Endpoint != "" {
		poolConfig, err = dsqlPool(ctx, cfg)
	} else {
		poolConfig, err = postgresPool(cfg)
	}
	if err != nil {
		return nil, err
	}

	conn := poolConfig.ConnConfig
	conn.ConnectTimeout = cfg.ConnectTimeout
	// No prepared statements: they are of one connection, and DSQL renews
	// connections all the time. Descriptions are remembered, so that a
	// statement still takes one round trip.
	conn.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	if conn.RuntimeParams["application_name"] == "" {
		conn.RuntimeParams["application_name"] = "copilot"
	}
	poolConfig.MaxConnLifetime = connLifetime
	poolConfig.MaxConnLifetimeJitter = connJitter
	if cfg.MaxConns > 0 {
		poolConfig.MaxConns = cfg.MaxConns
	}
	poolConfig.MinConns = min(max(cfg.MinConns, 0), poolConfig.MaxConns)

	store := &Store{
		cfg: cfg,
		target: target{
			Host:     net.JoinHostPort(conn.Host, fmt.Sprint(conn.Port)),
			Database: conn.Database,
			User:     conn.User,
			DSQL:     cfg.Endpoint != "",
		},
	}
	if !store.target.DSQL {
		// DSQL has no other isolation, and no syntax to ask for it.
		store.isolated.IsoLevel = pgx.RepeatableRead
	}
	if store.pool, err = pgxpool.NewWithConfig(ctx, poolConfig); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	return store, nil
}

// Close ends the connections. It waits for those in use.
func (s *Store) Close() { s.pool.Close() }

// Target says in words where the store is, without a password.
func (s *Store) Target() string { return s.target.String() }

// withDefaults checks the configuration and fills in what was left open.
func (c Config) withDefaults() (Config, error) {
	switch {
	case c.URL == "" && c.Endpoint == "":
		return c, &InvalidError{Message: "no store is configured: set --database-url or COPILOT_DATABASE_URL for PostgreSQL, or --dsql-endpoint for Aurora DSQL"}
	case c.URL != "" && c.Endpoint != "":
		return c, &InvalidError{Message: "two stores are configured: set a database URL or a DSQL endpoint, not both"}
	case c.Endpoint == "" && (c.Admin || c.User != "" || c.Region != ""):
		return c, &InvalidError{Message: "region, user and admin belong to a DSQL endpoint; for PostgreSQL the user is part of the database URL"}
	case c.Admin && c.User != "" && c.User != adminUser:
		return c, &InvalidError{Message: fmt.Sprintf("user %q and admin contradict each other: the administrator of a DSQL cluster is called %q", c.User, adminUser)}
	case c.MaxSamples < 0 || c.MaxSamples > maxMaxSamples:
		return c, &InvalidError{Message: fmt.Sprintf("the number of samples to store must be 1 to %d, it is %d", maxMaxSamples, c.MaxSamples)}
	case c.MaxConns < 0:
		return c, &InvalidError{Message: fmt.Sprintf("the number of connections must be positive, it is %d", c.MaxConns)}
	case c.ConnectTimeout < 0 || c.QueryTimeout < 0:
		return c, &InvalidError{Message: "a timeout must be positive"}
	}
	if c.User == "" {
		c.User = DefaultUser
		if c.Admin {
			c.User = adminUser
		}
	}
	if c.User == adminUser {
		c.Admin = true
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = DefaultConnectTimeout
	}
	if c.QueryTimeout == 0 {
		c.QueryTimeout = DefaultQueryTimeout
	}
	if c.MinConns == 0 {
		c.MinConns = DefaultMinConns
	}
	if c.MaxSamples == 0 {
		c.MaxSamples = DefaultMaxSamples
	}
	return c, nil
}

// postgresPool reads the URL of a PostgreSQL database.
func postgresPool(cfg Config) (*pgxpool.Config, error) {
	// Not passed on: pgx quotes the URL in its error, and a URL that cannot be
	// read is one in which it cannot find the password to hide.
	malformed := &InvalidError{Message: "the database URL cannot be read; write it like postgres://user@host:5432/copilot, with %-escapes for special characters in a password"}
	parsed, err := url.Parse(cfg.URL)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
		return nil, malformed
	}
	poolConfig, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, malformed
	}
	if cfg.ReadOnly {
		poolConfig.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	}
	return poolConfig, nil
}

// dsqlPool describes connections to an Aurora DSQL cluster.
func dsqlPool(ctx context.Context, cfg Config) (*pgxpool.Config, error) {
	address := url.URL{
		Scheme: "postgres",
		User:   url.User(cfg.User),
		Host:   cfg.Endpoint,
		Path:   "/postgres",
		// The server's name is checked against a trusted certificate.
		RawQuery: "sslmode=verify-full",
	}
	poolConfig, err := pgxpool.ParseConfig(address.String())
	if err != nil {
		return nil, &InvalidError{Message: fmt.Sprintf("the DSQL endpoint %q is not a host name", cfg.Endpoint)}
	}
	conn := poolConfig.ConnConfig
	conn.TLSConfig.MinVersion = tls.VersionTLS12
	// DSQL refuses settings that it does not know, and the environment (PGTZ,
	// PGOPTIONS) is not meant for it.
	conn.RuntimeParams = map[string]string{}
	conn.ValidateConnect = nil

	region := cfg.Region
	if region == "" {
		region = regionOf(conn.Host)
	}
	options := []func(*config.LoadOptions) error{}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	awsConfig, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if awsConfig.Region == "" {
		return nil, &InvalidError{Message: fmt.Sprintf("the region of the DSQL endpoint %s is not known: set --dsql-region or AWS_REGION", cfg.Endpoint)}
	}
	credentials := awsConfig.Credentials
	if cfg.Credentials != nil {
		credentials = cfg.Credentials
	}
	sign := auth.GenerateDbConnectAuthToken
	if cfg.Admin {
		sign = auth.GenerateDBConnectAdminAuthToken
	}
	poolConfig.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
		token, err := sign(ctx, conn.Host, awsConfig.Region, credentials, func(o *auth.TokenOptions) { o.ExpiresIn = tokenValidity })
		if err != nil {
			return &tokenError{err: err}
		}
		conn.Password = token
		return nil
	}
	return poolConfig, nil
}

// regionOf reads the region out of an endpoint such as
// abcdefghijklmnopqrstuvwxyz.dsql.eu-west-1.on.aws; empty if it has another form.
func regionOf(host string) string {
	labels := strings.Split(host, ".")
	if len(labels) == 5 && labels[1] == "dsql" && labels[3] == "on" && labels[4] == "aws" {
		return labels[2]
	}
	return ""
}

// Ping asks the database for an answer, once. It does not look at the schema.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	return s.explain("reach the store", s.pool.Ping(ctx))
}

// Server is what is known of the database server.
type Server struct {
	// Version as the server says it, such as "16.14".
	Version string
	// DSQL tells whether it was addressed as an Aurora DSQL cluster.
	DSQL bool
	// Host with port, database and role of this connection.
	Host, Database, Role string
	// TLS is the protocol's version, such as "TLS 1.3"; empty without TLS.
	TLS string
	// ReadOnly tells whether this store refuses to write.
	ReadOnly bool
}

// Server asks the database server who it is.
func (s *Store) Server(ctx context.Context) (Server, error) {
	server := Server{DSQL: s.target.DSQL, Host: s.target.Host, ReadOnly: s.cfg.ReadOnly}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	err := s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		pgConn := conn.Conn().PgConn()
		server.Version = pgConn.ParameterStatus("server_version")
		if secure, ok := pgConn.Conn().(*tls.Conn); ok {
			server.TLS = tls.VersionName(secure.ConnectionState().Version)
		}
		return conn.QueryRow(ctx, `SELECT current_database(), current_user`).Scan(&server.Database, &server.Role)
	})
	if err != nil {
		return Server{}, s.explain("ask the database server", err)
	}
	return server, nil
}

// querier is what a pool, a connection and a transaction have in common.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// read runs op, which may only read, on a schema that this program knows. It
// repeats op when the database was in the way, so op must begin by forgetting
// what an earlier run has collected.
func (s *Store) read(ctx context.Context, what string, op func(context.Context, querier) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	return s.explain(what, readRetry.do(ctx, func(ctx context.Context) error {
		if err := s.ready(ctx); err != nil {
			return err
		}
		if s.cfg.ReadOnly && s.target.DSQL {
			// DSQL has no setting for a whole session.
			return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return op(ctx, tx) })
		}
		return op(ctx, s.pool)
	}))
}

// write runs op in a transaction on a schema that this program knows, and again
// from the start when the transaction lost a conflict or its connection. The
// connection may be lost after the commit, so op must not do harm when its
// work is there already.
func (s *Store) write(ctx context.Context, what string, op func(context.Context, pgx.Tx) error) error {
	if s.cfg.ReadOnly {
		return fmt.Errorf("%s: %w", what, ErrReadOnly)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	return s.explain(what, writeRetry.do(ctx, func(ctx context.Context) error {
		if err := s.ready(ctx); err != nil {
			return err
		}
		err := pgx.BeginTxFunc(ctx, s.pool, s.isolated, func(tx pgx.Tx) error { return op(ctx, tx) })
		if errors.Is(err, errNothingToDo) {
			return nil
		}
		return err
	}))
}

// errNothingToDo ends a transaction that found its work done.
var errNothingToDo = errors.New("nothing to do")
