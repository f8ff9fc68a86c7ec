package temporal

import (
	"fmt"

	"go.temporal.io/server/common/log"
	// The PostgreSQL plugin registers itself with the server's SQL layer.
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	v12 "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/tools/common/schema"
	"go.temporal.io/server/tools/sql"
)

// SetupSchema creates Temporal's tables in the two empty databases, from the
// files that the server's module embeds.
func SetupSchema(database Database) error {
	parts := []struct{ database, schema, version string }{
		{database.Main, "postgresql/v12/temporal", v12.Version},
		{database.Visibility, "postgresql/v12/visibility", v12.VisibilityVersion},
	}
	for _, part := range parts {
		if err := setupSchema(database, part.database, part.schema, part.version); err != nil {
			return fmt.Errorf("create Temporal's schema %s in database %s: %w", part.schema, part.database, err)
		}
	}
	return nil
}

func setupSchema(database Database, name, schemaName, version string) error {
	logger := log.NewNoopLogger()
	connection, err := sql.NewConnection(database.sql(name), logger)
	if err != nil {
		return err
	}
	defer connection.Close()
	return schema.NewSetupSchemaTask(connection, &schema.SetupConfig{
		SchemaName:     schemaName,
		InitialVersion: version,
	}, logger).Run()
}
