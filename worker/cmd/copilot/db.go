package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// storeFlags say where the store is.
type storeFlags struct {
	url, endpoint, region, user string
	admin                       bool
}

// addStoreFlags adds the flags that say where the store is. Each has an
// environment variable, so that a password need not be on the command line; it
// is read late, because help shows the defaults of flags.
func addStoreFlags(cmd *cobra.Command, f *storeFlags) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "database-url", "", "PostgreSQL database, postgres://user:password@host:5432/name (env COPILOT_DATABASE_URL)")
	flags.StringVar(&f.endpoint, "dsql-endpoint", "", "host name of an Aurora DSQL cluster, instead of a URL (env COPILOT_DSQL_ENDPOINT)")
	flags.StringVar(&f.region, "dsql-region", "", "its AWS region, if the endpoint does not say it (env COPILOT_DSQL_REGION)")
	flags.StringVar(&f.user, "dsql-user", "", "database role to sign in as, \""+dsql.DefaultUser+"\" if not set (env COPILOT_DSQL_USER)")
	flags.BoolVar(&f.admin, "dsql-admin", false, "sign in as the administrator, who alone can set up the schema (env COPILOT_DSQL_ADMIN=true)")
}

// config returns what flags and environment say; flags win, and one kind of
// store on the command line sets aside the other kind in the environment.
func (f *storeFlags) config() dsql.Config {
	cfg := dsql.Config{URL: f.url, Endpoint: f.endpoint, Region: f.region, User: f.user, Admin: f.admin}
	if cfg.URL == "" && cfg.Endpoint == "" {
		cfg.URL, cfg.Endpoint = os.Getenv("COPILOT_DATABASE_URL"), os.Getenv("COPILOT_DSQL_ENDPOINT")
	}
	if cfg.Endpoint != "" && cfg.URL == "" {
		cfg.Region = firstOf(cfg.Region, os.Getenv("COPILOT_DSQL_REGION"))
		cfg.User = firstOf(cfg.User, os.Getenv("COPILOT_DSQL_USER"))
		cfg.Admin = cfg.Admin || os.Getenv("COPILOT_DSQL_ADMIN") == "true"
	}
	return cfg
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// openStore opens a store; what is wrong with its configuration is an error of
// usage.
func openStore(ctx context.Context, cfg dsql.Config) (*dsql.Store, error) {
	store, err := dsql.Open(ctx, cfg)
	var invalid *dsql.InvalidError
	if errors.As(err, &invalid) {
		return nil, usageError(invalid.Message)
	}
	return store, err
}

// open opens the store for a command that asks once and ends.
func (f *storeFlags) open(ctx context.Context, readOnly bool) (*dsql.Store, error) {
	cfg := f.config()
	cfg.ReadOnly = readOnly
	cfg.MinConns = -1
	return openStore(ctx, cfg)
}

func newDBCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db",
		Short: "Set up the store and look at it",
		Long: `Set up the store and look at it: an Aurora DSQL cluster, or a PostgreSQL
database for development.`,
		Example: `  copilot db setup-schema --dsql-endpoint abc123.dsql.eu-west-1.on.aws --dsql-admin
  copilot db check-connection --database-url postgres://postgres@localhost:5432/copilot`,
		Args: noArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(newSetupSchemaCommand(), newCheckConnectionCommand(), newListTablesCommand())
	return cmd
}

// schemaReport is the answer of setup-schema.
type schemaReport struct {
	Store   string   `json:"store"`
	Applied []string `json:"applied"`
	Version int      `json:"version"`
}

func newSetupSchemaCommand() *cobra.Command {
	var flags storeFlags
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "setup-schema",
		Short: "Create the tables, or bring them up to date",
		Long: `Create the tables of the store, or bring those of an older version up to date.
It may be run at any time, also twice at once, and again after it was
interrupted: what is there stays, and nothing is ever deleted.

On Aurora DSQL only the administrator can create tables. The role that the
worker and the plugin sign in as needs to be granted their use, and again when
a newer version has created more of them:

  GRANT USAGE ON SCHEMA public TO copilot;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO copilot;`,
		Example: `  copilot db setup-schema --database-url postgres://postgres@localhost:5432/copilot
  copilot db setup-schema --dsql-endpoint abc123.dsql.eu-west-1.on.aws --dsql-admin`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := flags.open(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer store.Close()
			report, err := setupSchema(cmd.Context(), store)
			if err != nil {
				return err
			}
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			out := styled(cmd.OutOrStdout())
			for _, name := range report.Applied {
				fmt.Fprintf(out, "%s %s\n", goodMark(), name)
			}
			did := "is up to date"
			if len(report.Applied) > 0 {
				did = "is ready"
			}
			fmt.Fprintf(out, "The schema %s at version %d: %s\n", did, report.Version, report.Store)
			return nil
		},
	}
	addStoreFlags(cmd, &flags)
	addOutputFlag(cmd, &format)
	return cmd
}

func setupSchema(ctx context.Context, store *dsql.Store) (schemaReport, error) {
	applied, err := store.Migrate(ctx)
	if err != nil {
		return schemaReport{}, err
	}
	status, err := store.Schema(ctx)
	if err != nil {
		return schemaReport{}, err
	}
	return schemaReport{Store: store.Target(), Applied: append([]string{}, applied...), Version: status.Current}, nil
}

// connectionReport is the answer of check-connection.
type connectionReport struct {
	Host     string `json:"host"`
	Database string `json:"database"`
	Role     string `json:"role"`
	// Server is "Aurora DSQL" or "PostgreSQL", Version its version.
	Server  string `json:"server"`
	Version string `json:"version"`
	// TLS is the protocol's version; empty: the connection is not encrypted.
	TLS string `json:"tls"`
	// ConnectMS is how long it took to connect, RoundTripMS the median of
	// some questions afterwards.
	ConnectMS   float64 `json:"connect_ms"`
	RoundTripMS float64 `json:"round_trip_ms"`
	// SchemaVersion is the one that is there; SchemaWanted is this program's.
	SchemaVersion int `json:"schema_version"`
	SchemaWanted  int `json:"schema_wanted"`
	// SchemaProblem says why the schema cannot be used; empty: it can.
	SchemaProblem string `json:"schema_problem,omitempty"`
}

func newCheckConnectionCommand() *cobra.Command {
	var flags storeFlags
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "check-connection",
		Short: "Connect to the store and say what is there",
		Long: `Connect to the store and say what is there: server and version, role, TLS,
round trip, and the version of the schema. Changes nothing. A schema that is
missing or old is told, and is no failure of the connection.`,
		Example: `  copilot db check-connection --database-url postgres://postgres@localhost:5432/copilot
  copilot db check-connection --dsql-endpoint abc123.dsql.eu-west-1.on.aws -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := flags.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer store.Close()
			report, err := checkConnection(cmd.Context(), store)
			if err != nil {
				return err
			}
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			encryption := report.TLS
			if encryption == "" {
				encryption = "none: the connection is not encrypted"
			}
			schema := fmt.Sprintf("version %d, up to date", report.SchemaVersion)
			mark := goodMark()
			if report.SchemaProblem != "" {
				schema, mark = report.SchemaProblem, warnMark()
			}
			out := styled(cmd.OutOrStdout())
			fmt.Fprintf(out, "%s Connected to %s\n\n", goodMark(), store.Target())
			for _, row := range [][2]string{
				{"server", report.Server + " " + report.Version},
				{"database", report.Database},
				{"role", report.Role},
				{"TLS", encryption},
				{"connect", milliseconds(report.ConnectMS)},
				{"round trip", milliseconds(report.RoundTripMS)},
				{"schema", mark + " " + schema},
			} {
				fmt.Fprintf(out, "  %s%s\n", lipgloss.NewStyle().Faint(true).Width(12).Render(row[0]), row[1])
			}
			return nil
		},
	}
	addStoreFlags(cmd, &flags)
	addOutputFlag(cmd, &format)
	return cmd
}

// roundTrips is how many questions the latency is the median of.
const roundTrips = 5

func checkConnection(ctx context.Context, store *dsql.Store) (connectionReport, error) {
	watch := instant.StartStopwatch()
	if err := store.Ping(ctx); err != nil {
		return connectionReport{}, err
	}
	connect := watch.Elapsed()
	trips := make([]time.Duration, roundTrips)
	for i := range trips {
		watch := instant.StartStopwatch()
		if err := store.Ping(ctx); err != nil {
			return connectionReport{}, err
		}
		trips[i] = watch.Elapsed()
	}
	slices.Sort(trips)
	server, err := store.Server(ctx)
	if err != nil {
		return connectionReport{}, err
	}
	schema, err := store.Schema(ctx)
	if err != nil {
		return connectionReport{}, err
	}
	report := connectionReport{
		Host: server.Host, Database: server.Database, Role: server.Role,
		Server: "PostgreSQL", Version: server.Version, TLS: server.TLS,
		ConnectMS:     inMilliseconds(connect),
		RoundTripMS:   inMilliseconds(trips[roundTrips/2]),
		SchemaVersion: schema.Current, SchemaWanted: schema.Wanted,
	}
	if server.DSQL {
		report.Server = "Aurora DSQL, PostgreSQL"
	}
	switch err := schema.Err(); {
	case errors.Is(err, dsql.ErrNoSchema):
		report.SchemaProblem = "none yet; run: copilot db setup-schema"
	case errors.Is(err, dsql.ErrOldSchema):
		report.SchemaProblem = fmt.Sprintf("version %d of %d; run: copilot db setup-schema", schema.Current, schema.Wanted)
	case errors.Is(err, dsql.ErrNewSchema):
		report.SchemaProblem = fmt.Sprintf("newer than this program, which knows version %d; upgrade copilot", schema.Wanted)
	}
	return report, nil
}

func newListTablesCommand() *cobra.Command {
	var flags storeFlags
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "list-tables",
		Short: "Show the tables and how many rows they have",
		Long: `Show the tables of the store and how many rows they have. Tables of more than
100,000 rows are not counted: their number is the database's estimate, marked
with ~ (in JSON: "estimated": true).`,
		Example: `  copilot db list-tables --database-url postgres://postgres@localhost:5432/copilot
  copilot db list-tables --dsql-endpoint abc123.dsql.eu-west-1.on.aws -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := flags.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer store.Close()
			counts, err := store.TableCounts(cmd.Context())
			if err != nil {
				return err
			}
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), counts)
			}
			fmt.Fprintln(styled(cmd.OutOrStdout()), tableOfCounts(counts))
			return nil
		},
	}
	addStoreFlags(cmd, &flags)
	addOutputFlag(cmd, &format)
	return cmd
}

func tableOfCounts(counts []dsql.TableCount) string {
	rows := make([][]string, len(counts))
	for i, c := range counts {
		number := thousands(c.Rows)
		if c.Estimated {
			number = "~" + number
		}
		rows[i] = []string{c.Name, number}
	}
	return table.New().
		Border(lipgloss.HiddenBorder()).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).
		Headers("TABLE", "ROWS").
		Rows(rows...).
		StyleFunc(func(row, column int) lipgloss.Style {
			style := lipgloss.NewStyle().PaddingRight(2)
			if row == table.HeaderRow {
				style = style.Bold(true)
			}
			if column == 1 {
				style = style.Align(lipgloss.Right).PaddingRight(0)
			}
			return style
		}).
		String()
}

// thousands writes a number with commas.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var groups []string
	for len(digits) > 3 {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return strings.Join(groups, ",")
}

func inMilliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func milliseconds(ms float64) string { return strconv.FormatFloat(ms, 'f', 1, 64) + " ms" }

// goodMark and warnMark tell by shape what colour tells, too.
func goodMark() string { return lipgloss.NewStyle().Foreground(lipgloss.Green).Render("✓") }
func warnMark() string { return lipgloss.NewStyle().Foreground(lipgloss.Yellow).Render("!") }
