package main

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
)

func TestSetupSchema(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	copilot(t, "db", "setup-schema", "--database-url", database).
		succeeds(t, "first", "✓ 0001_schema_migrations", "is ready at version")
	second := copilot(t, "db", "setup-schema", "--database-url", database)
	second.succeeds(t, "second", "is up to date at version")
	if strings.Contains(second.stdout, "✓") {
		t.Errorf("the second time applied: %s", second.stdout)
	}

	asJSON := copilot(t, "db", "setup-schema", "--database-url", postgrestest.NewDatabase(t), "-o", "json")
	asJSON.succeeds(t, "json")
	var report schemaReport
	if err := json.Unmarshal([]byte(asJSON.stdout), &report); err != nil || len(report.Applied) != report.Version || report.Version == 0 {
		t.Errorf("%v: %s", err, asJSON.stdout)
	}
}

func TestCheckConnection(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	copilot(t, "db", "check-connection", "--database-url", database).
		succeeds(t, "no schema", "✓ Connected to PostgreSQL at 127.0.0.1:", "not encrypted", "! none yet; run: copilot db setup-schema")
	copilot(t, "db", "setup-schema", "--database-url", database).succeeds(t, "setup-schema")
	t.Setenv("COPILOT_DATABASE_URL", database)
	copilot(t, "db", "check-connection").succeeds(t, "with schema", "role        postgres", "up to date")

	asJSON := copilot(t, "db", "check-connection", "-o", "json")
	asJSON.succeeds(t, "json")
	var report connectionReport
	if err := json.Unmarshal([]byte(asJSON.stdout), &report); err != nil {
		t.Fatalf("%v: %s", err, asJSON.stdout)
	}
	if report.Server != "PostgreSQL" || report.Version == "" || report.Role != "postgres" || report.SchemaProblem != "" ||
		report.SchemaVersion != report.SchemaWanted || report.ConnectMS <= 0 || report.RoundTripMS <= 0 {
		t.Errorf("report = %+v", report)
	}
}

func TestListTables(t *testing.T) {
	database := postgrestest.NewDatabase(t)
	copilot(t, "db", "list-tables", "--database-url", database).
		fails(t, "no schema", exitFailure, "the store has no schema", "run: copilot db setup-schema")
	copilot(t, "db", "setup-schema", "--database-url", database).succeeds(t, "setup-schema")
	copilot(t, "db", "list-tables", "--database-url", database).succeeds(t, "table", "TABLE", "assessments", "schema_migrations")

	asJSON := copilot(t, "db", "list-tables", "--database-url", database, "-o", "json")
	asJSON.succeeds(t, "json")
	var counts []dsql.TableCount
	if err := json.Unmarshal([]byte(asJSON.stdout), &counts); err != nil || len(counts) == 0 || counts[0].Name != "schema_migrations" || counts[0].Rows == 0 || counts[0].Estimated {
		t.Errorf("%v: %s", err, asJSON.stdout)
	}
}

func TestCountsForPeople(t *testing.T) {
	text := tableOfCounts([]dsql.TableCount{{Name: "assessments", Rows: 42}, {Name: "signal_samples", Rows: 1234567, Estimated: true}})
	for _, part := range []string{"        42", "~1,234,567"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing:\n%s", part, text)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 100000: "100,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s", n, got)
		}
	}
}

func TestStoreErrors(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := listener.Addr().String()
	listener.Close()
	wrongPassword, err := url.Parse(postgrestest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	wrongPassword.User = url.UserPassword("postgres", "hunter2")

	for _, command := range []string{"setup-schema", "check-connection", "list-tables"} {
		copilot(t, "db", command).fails(t, command+" without a store", exitUsage, "--database-url", "--dsql-endpoint")
		copilot(t, "db", command, "--database-url", "postgres://copilot:hunter2@"+dead+"/copilot").
			fails(t, command+", nothing listens", exitFailure, dead, "check host and port")
		copilot(t, "db", command, "--database-url", wrongPassword.String()).
			fails(t, command+", wrong password", exitFailure, wrongPassword.Host, "password authentication failed", "check user and password")
		copilot(t, "db", command, "--database-url", "mysql://u:hunter2@h/db").
			fails(t, command+", wrong URL", exitUsage, "postgres://user@host")
		copilot(t, "db", command, "--database-url", "postgres://h/db", "--dsql-endpoint", "abc.dsql.eu-west-1.on.aws").
			fails(t, command+", two stores", exitUsage, "not both")
		copilot(t, "db", command, "--database-url", "postgres://h/db", "--dsql-admin").
			fails(t, command+", admin of PostgreSQL", exitUsage, "belong to a DSQL endpoint")
	}
}

func TestStoreFlagsAndEnvironment(t *testing.T) {
	t.Setenv("COPILOT_DATABASE_URL", "postgres://env/db")
	t.Setenv("COPILOT_DSQL_USER", "reader")
	for what, test := range map[string]struct {
		flags storeFlags
		want  dsql.Config
	}{
		"environment":             {storeFlags{}, dsql.Config{URL: "postgres://env/db"}},
		"flag wins":               {storeFlags{url: "postgres://flag/db"}, dsql.Config{URL: "postgres://flag/db"}},
		"the other kind of store": {storeFlags{endpoint: "abc"}, dsql.Config{Endpoint: "abc", User: "reader"}},
		"its user by flag":        {storeFlags{endpoint: "abc", user: "writer"}, dsql.Config{Endpoint: "abc", User: "writer"}},
	} {
		if got := test.flags.config(); got != test.want {
			t.Errorf("%s: %+v, want %+v", what, got, test.want)
		}
	}
	t.Setenv("COPILOT_DATABASE_URL", "postgres://u:hunter2@env/db")
	if help := copilot(t, "db", "list-tables", "--help"); strings.Contains(help.stdout, "hunter2") {
		t.Errorf("help shows the password: %s", help.stdout)
	}
}
