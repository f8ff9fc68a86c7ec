package dsql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// everyMethod calls each method of a store that needs a schema.
func everyMethod(t *testing.T, store *Store) map[string]func() error {
	ctx := t.Context()
	zero := instant.Instant{}
	signals := SignalQuery{Cluster: "prod", Signals: []health.SignalID{"backlog_age_sec"}, From: start, To: start.Add(time.Hour)}
	only := func(_ any, err error) error { return err }
	return map[string]func() error{
		"Save": func() error {
			return store.Save(ctx, observation("prod", start, 1), assessment("prod", start, health.Happy))
		},
		"RegisterCluster":     func() error { return store.RegisterCluster(ctx, "prod", "") },
		"Latest":              func() error { return only(store.Latest(ctx, "prod")) },
		"LatestObservation":   func() error { return only(store.LatestObservation(ctx, "prod")) },
		"Observation":         func() error { return only(store.Observation(ctx, "prod", start)) },
		"Assessment":          func() error { return only(store.Assessment(ctx, "prod", start)) },
		"AssessmentByID":      func() error { return only(store.AssessmentByID(ctx, AssessmentID("prod", start))) },
		"Assessments":         func() error { return only(store.Assessments(ctx, AssessmentQuery{Cluster: "prod"})) },
		"AssessmentSummaries": func() error { return only(store.AssessmentSummaries(ctx, AssessmentQuery{Cluster: "prod"})) },
		"Timeline":            func() error { return only(store.Timeline(ctx, "prod", zero, zero)) },
		"TimelinePage":        func() error { return only(store.TimelinePage(ctx, RangeQuery{Cluster: "prod", To: start})) },
		"StateChanges":        func() error { return only(store.StateChanges(ctx, RangeQuery{Cluster: "prod"})) },
		"Issue":               func() error { return only(store.Issue(ctx, "prod", "billing")) },
		"IssueHistory":        func() error { return only(store.IssueHistory(ctx, "billing", RangeQuery{Cluster: "prod"})) },
		"SaveExplanation": func() error {
			return store.SaveExplanation(ctx, "prod", AssessmentID("prod", start), health.Explanation{})
		},
		"Retain":      func() error { _, _, err := store.Retain(ctx, "prod", zero, 0); return err },
		"Transitions": func() error { return only(store.Transitions(ctx, "prod", zero, zero, 0)) },
		"Signals":     func() error { return only(store.Signals(ctx, signals)) },
		"Issues":      func() error { return only(store.Issues(ctx, IssueQuery{Cluster: "prod"})) },
		"Clusters":    func() error { return only(store.Clusters(ctx)) },
		"TableCounts": func() error { return only(store.TableCounts(ctx)) },
	}
}

// secret is a password that must not show anywhere.
const secret = "hunter2%2F:@"

// isClear checks that an error is fit for people: one line, with all of says,
// without the password.
func isClear(t *testing.T, what string, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	text := err.Error()
	if strings.Contains(text, "\n") || strings.Contains(text, "hunter2") {
		t.Errorf("%s: not one line, or with the password: %q", what, text)
	}
	for _, part := range says {
		if !strings.Contains(text, part) {
			t.Errorf("%s: %q does not say %q", what, text, part)
		}
	}
}

func withUser(t *testing.T, database string, user *url.Userinfo) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = user
	return u.String()
}

func TestNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	store := openAt(t, Config{URL: "postgres://copilot:" + url.QueryEscape(secret) + "@" + address + "/copilot?sslmode=disable"})

	err = store.Ping(t.Context())
	isClear(t, "ping", err, address, "nothing listens there", "check host and port")
	var connect *ConnectError
	if !errors.As(err, &connect) || connect.Refused {
		t.Errorf("%#v is not a ConnectError that may pass", err)
	}
	for name, call := range everyMethod(t, store) {
		isClear(t, name, call(), address, "nothing listens there")
	}
}

func TestTheServerIsSilent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	store := openAt(t, Config{
		URL:            "postgres://copilot@" + listener.Addr().String() + "/copilot?sslmode=disable",
		ConnectTimeout: 200 * time.Millisecond,
	})
	isClear(t, "ping", store.Ping(t.Context()), listener.Addr().String(), "no answer in time")
}

func TestTheHostIsUnknown(t *testing.T) {
	store := openAt(t, Config{URL: "postgres://copilot:" + url.QueryEscape(secret) + "@no.such.host.invalid/copilot"})
	isClear(t, "ping", store.Ping(t.Context()), "no.such.host.invalid")
}

func TestTheServerRefuses(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	wrong := openAt(t, Config{URL: withUser(t, database, url.UserPassword("postgres", secret))})
	err := wrong.Ping(t.Context())
	isClear(t, "wrong password", err, "password authentication failed", "check user and password")
	var connect *ConnectError
	if !errors.As(err, &connect) || !connect.Refused {
		t.Errorf("%#v is not a ConnectError that stays", err)
	}

	nowhere, parseErr := url.Parse(database)
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	nowhere.Path = "/nowhere"
	store := openAt(t, Config{URL: nowhere.String()})
	isClear(t, "no such database", store.Ping(t.Context()), "nowhere", "does not exist", "create the database")
}

func TestConfigRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		says string
	}{
		"nothing":              {Config{}, "no store is configured"},
		"two stores":           {Config{URL: "postgres://h/db", Endpoint: "x.dsql.eu-west-1.on.aws"}, "not both"},
		"user beside URL":      {Config{URL: "postgres://h/db", User: "x"}, "part of the database URL"},
		"admin is not a user":  {Config{Endpoint: "x.dsql.eu-west-1.on.aws", User: "x", Admin: true}, "contradict"},
		"another scheme":       {Config{URL: "mysql://u:" + secret + "@h/db"}, "postgres://user@host"},
		"not a URL":            {Config{URL: "postgres://u:" + secret + "@h:port/db"}, "cannot be read"},
		"a wrong setting":      {Config{URL: "postgres://u:x@h/db?sslmode=maybe"}, "cannot be read"},
		"too many samples":     {Config{URL: "postgres://h/db", MaxSamples: 1 << 20}, "1 to 10000"},
		"negative connections": {Config{URL: "postgres://h/db", MaxConns: -1}, "positive"},
		"negative timeout":     {Config{URL: "postgres://h/db", QueryTimeout: -1}, "positive"},
	} {
		store, err := Open(t.Context(), test.cfg)
		if err == nil {
			store.Close()
		}
		var bad *InvalidError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		isClear(t, name, err, test.says)
	}
}

func TestAConfigCanBeLogged(t *testing.T) {
	for _, url := range []string{"postgres://u:hunter2@h:5432/db", "postgres://u:hunter2@h:port/db"} {
		if text := fmt.Sprintf("%v %+v", Config{URL: url}, Config{URL: url}); strings.Contains(text, "hunter2") {
			t.Errorf("%s", text)
		}
	}
}

func TestPasswordlessURL(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	t.Setenv("PGPASSWORD", password)
	store := openAt(t, Config{URL: withUser(t, database, url.User("postgres"))})
	if err := store.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestServer(t *testing.T) {
	store := openAt(t, Config{URL: postgrestest.NewDatabase(t), ReadOnly: true})
	server, err := store.Server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if server.Role != "postgres" || !strings.HasPrefix(server.Database, "test_") || server.TLS != "" || !server.ReadOnly || server.DSQL || server.Version == "" {
		t.Errorf("server = %+v", server)
	}
}

func TestReadOnly(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	writer := openAt(t, Config{URL: database})
	if _, err := writer.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	save(t, writer, "prod", 0, health.Happy)

	reader := openAt(t, Config{URL: database, ReadOnly: true})
	if _, err := reader.Latest(t.Context(), "prod"); err != nil {
		t.Error(err)
	}
	_, migrate := reader.Migrate(t.Context())
	for name, err := range map[string]error{
		"save":     reader.Save(t.Context(), observation("prod", start, 1), assessment("prod", start, health.Happy)),
		"register": reader.RegisterCluster(t.Context(), "prod", "Production"),
		"migrate":  migrate,
	} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The server holds to it, too.
	if _, err := reader.pool.Exec(t.Context(), "DELETE FROM clusters"); sqlState(err) != codeReadOnly {
		t.Errorf("the server let a read-only connection write: %v", err)
	}
}

func TestDSQLConnections(t *testing.T) {
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI"}, nil
	})
	t.Setenv("PGPASSWORD", "not this one")
	t.Setenv("PGOPTIONS", "-c statement_timeout=1")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, test := range map[string]struct {
		cfg                  Config
		user, action, region string
	}{
		"application": {Config{Endpoint: "abc.dsql.eu-west-1.on.aws"}, "copilot", "Action=DbConnect&", "eu-west-1"},
		"named role":  {Config{Endpoint: "abc.dsql.eu-west-1.on.aws", User: "reader"}, "reader", "Action=DbConnect&", "eu-west-1"},
		"admin":       {Config{Endpoint: "abc.dsql.eu-west-1.on.aws", Admin: true}, "admin", "Action=DbConnectAdmin&", "eu-west-1"},
		"user admin":  {Config{Endpoint: "abc.dsql.eu-west-1.on.aws", User: "admin"}, "admin", "Action=DbConnectAdmin&", "eu-west-1"},
		"own name":    {Config{Endpoint: "db.example.com"}, "copilot", "Action=DbConnect&", "us-east-1"},
		"own region":  {Config{Endpoint: "db.example.com", Region: "eu-north-1"}, "copilot", "Action=DbConnect&", "eu-north-1"},
	} {
		test.cfg.Credentials = keys
		store := openAt(t, test.cfg)
		pool := store.pool.Config()
		conn := pool.ConnConfig
		if conn.User != test.user || conn.Database != "postgres" || conn.Port != 5432 {
			t.Errorf("%s: user %s, database %s, port %d", name, conn.User, conn.Database, conn.Port)
		}
		if tls := conn.TLSConfig; tls == nil || tls.InsecureSkipVerify || tls.ServerName != test.cfg.Endpoint {
			t.Errorf("%s: the server's certificate is not verified: %+v", name, tls)
		}
		if len(conn.Fallbacks) != 0 {
			t.Errorf("%s: falls back to %d other ways to connect", name, len(conn.Fallbacks))
		}
		if len(conn.RuntimeParams) != 1 || conn.RuntimeParams["application_name"] != "copilot" {
			t.Errorf("%s: settings that DSQL refuses: %v", name, conn.RuntimeParams)
		}
		if longest := pool.MaxConnLifetime + pool.MaxConnLifetimeJitter + pool.HealthCheckPeriod; longest >= time.Hour || pool.MaxConnLifetimeJitter == 0 {
			t.Errorf("%s: a connection may live for %v, DSQL ends it after an hour", name, longest)
		}
		if store.isolated != (pgx.TxOptions{}) {
			t.Errorf("%s: begins transactions with options that DSQL has no syntax for: %+v", name, store.isolated)
		}
		first := conn.Copy()
		if err := pool.BeforeConnect(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{test.action, test.cfg.Endpoint, "%2F" + test.region + "%2Fdsql%2F", "X-Amz-Signature="} {
			if !strings.Contains(first.Password, part) {
				t.Errorf("%s: token %s has no %s", name, first.Password, part)
			}
		}
	}
}

func TestDSQLWithoutCredentialsOrRegion(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	_, err := Open(t.Context(), Config{Endpoint: "db.example.com"})
	isClear(t, "no region", err, "--dsql-region")

	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no EC2 IMDS role found")
	})
	store := openAt(t, Config{Endpoint: "abc.dsql.eu-west-1.on.aws", Credentials: none})
	isClear(t, "no credentials", store.Ping(t.Context()), "abc.dsql.eu-west-1.on.aws", "no IAM token", "AWS credentials")
}

func TestAStoreWithoutPrivileges(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	owner := openAt(t, Config{URL: database})
	if _, err := owner.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"DROP ROLE IF EXISTS nobody_special",
		"CREATE ROLE nobody_special LOGIN PASSWORD 'x'",
	} {
		if _, err := owner.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := owner.pool.Exec(context.Background(), "DROP ROLE nobody_special"); err != nil {
			t.Error(err)
		}
	})
	store := openAt(t, Config{URL: withUser(t, database, url.UserPassword("nobody_special", "x"))})
	_, err := store.Latest(t.Context(), "prod")
	isClear(t, "latest", err, "nobody_special", "permission denied", "GRANT SELECT")

	empty := openAt(t, Config{URL: withUser(t, postgrestest.NewDatabase(t), url.UserPassword("nobody_special", "x"))})
	_, err = empty.Migrate(t.Context())
	isClear(t, "migrate", err, "nobody_special", "may not create tables", "--dsql-admin")
}
