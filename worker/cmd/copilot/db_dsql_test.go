package main

import (
	"testing"

	"github.com/temporal-sre/copilot/pkg/dsql/dsqltest"
)

// The database commands on the stand-in for Aurora DSQL, from an empty cluster
// to a role that may use it.
func TestDatabaseCommandsOnDSQL(t *testing.T) {
	server := dsqltest.New(t, dsqltest.Options{})
	keys, err := server.Credentials().Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": "",
		"AWS_EC2_METADATA_DISABLED": "true", "PGSSLROOTCERT": server.CAFile(),
		"COPILOT_DSQL_ENDPOINT": server.Endpoint(), "COPILOT_DSQL_REGION": dsqltest.Region,
	} {
		t.Setenv(name, value)
	}
	copilot(t, "db", "setup-schema").
		fails(t, "as the program's role", exitFailure, "may not create tables", "--dsql-admin")
	copilot(t, "db", "setup-schema", "--dsql-admin").succeeds(t, "as the administrator", "✓ 0001_schema_migrations", "is ready at version")
	copilot(t, "db", "setup-schema", "--dsql-admin").succeeds(t, "again", "is up to date at version")
	copilot(t, "db", "check-connection").
		fails(t, "without the grants", exitFailure, "permission denied", "GRANT SELECT")
	copilot(t, "db", "check-connection", "--dsql-admin").
		succeeds(t, "check-connection", "Connected to Aurora DSQL", "TLS 1.3", "up to date")
	copilot(t, "db", "list-tables", "--dsql-admin").succeeds(t, "list-tables", "assessments", "issue_changes")

	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	copilot(t, "db", "check-connection").
		fails(t, "with wrong credentials", exitFailure, "access denied", "dsql:DbConnect")
}
