package dsql

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/migrations"
)

// Why a schema cannot be used. Each is wrapped in a SchemaError, whose text
// says where and what to do.
var (
	// ErrNoSchema: the database is empty.
	ErrNoSchema = errors.New("the store has no schema")
	// ErrOldSchema: the schema is older than this program, or half made.
	ErrOldSchema = errors.New("the schema of the store is incomplete")
	// ErrNewSchema: the schema was made by a newer program.
	ErrNewSchema = errors.New("the schema of the store is newer than this program")
)

// setupCommand is the remedy for a schema that is missing or too old.
const setupCommand = "copilot db setup-schema"

// SchemaStatus compares the schema that is there with the one that this program
// was built for.
type SchemaStatus struct {
	// Current is the version that is there: that of the last migration of the
	// unbroken row from the first one. 0: none.
	Current int
	// Wanted is the version that this program needs.
	Wanted int
	// Known is false when a migration was applied that this program has not
	// heard of, which a newer one did.
	Known bool
}

// Err returns nil for the schema that this program needs, and otherwise what is
// wrong with it: ErrNoSchema, ErrOldSchema or ErrNewSchema.
func (s SchemaStatus) Err() error {
	switch {
	case !s.Known:
		return ErrNewSchema
	case s.Current == 0:
		return ErrNoSchema
	case s.Current < s.Wanted:
		return ErrOldSchema
	}
	return nil
}

// SchemaError reports a schema that cannot be used.
type SchemaError struct {
	// Kind is ErrNoSchema, ErrOldSchema or ErrNewSchema.
	Kind error
	// Status is the zero SchemaStatus when the schema was found wanting in the
	// middle of something else.
	Status SchemaStatus
	// Target says where the store is, without a password.
	Target string

	err error
}

func (e *SchemaError) Error() string {
	found, remedy := "", "run: "+setupCommand
	switch {
	case errors.Is(e.Kind, ErrNewSchema):
		found, remedy = fmt.Sprintf(", which knows version %d", e.Status.Wanted), "upgrade copilot"
	case e.err != nil:
		found = " (" + e.err.Error() + ")"
	case errors.Is(e.Kind, ErrOldSchema):
		found = fmt.Sprintf(" (version %d of %d)", e.Status.Current, e.Status.Wanted)
	}
	return fmt.Sprintf("%v%s: %s; %s", e.Kind, found, e.Target, remedy)
}

// Unwrap returns the kind of trouble and, if there is one, the driver's error.
func (e *SchemaError) Unwrap() []error {
	if e.err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.err}
}

// migrationTimeout bounds Migrate. Creating an empty table takes milliseconds;
// on a schema that others are changing, too, DSQL makes it wait.
const migrationTimeout = 2 * time.Minute

// migrateRetry is patient: two programs that set up the same database meet at
// every table.
var migrateRetry = backoff{tries: 12, first: 50 * time.Millisecond, longest: 2 * time.Second}

// step is one migration.
type step struct {
	version   int
	name      string // the file's name without extension
	statement string
}

// steps are the migrations in order; steps[i] has version i+1. The files are
// part of the program, so a wrong name is a defect of the build.
var steps = mustLoad(migrations.Files)

func mustLoad(files fs.FS) []step {
	loaded, err := load(files)
	if err != nil {
		panic(err)
	}
	return loaded
}

// load reads the migrations and checks that their numbers have no gap.
func load(files fs.FS) ([]step, error) {
	entries, err := fs.Glob(files, "*.sql") // in lexical order
	if err != nil {
		return nil, err
	}
	loaded := make([]step, 0, len(entries))
	for i, entry := range entries {
		number, _, _ := strings.Cut(entry, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: number %04d expected", entry, i+1)
		}
		content, err := fs.ReadFile(files, entry)
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, step{version: version, name: strings.TrimSuffix(entry, ".sql"), statement: string(content)})
	}
	return loaded, nil
}

// Schema says which version the schema has. An empty database is no error.
func (s *Store) Schema(ctx context.Context) (SchemaStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	var applied map[int]bool
	err := readRetry.do(ctx, func(ctx context.Context) (err error) {
		applied, err = s.applied(ctx)
		return err
	})
	if err != nil {
		return SchemaStatus{}, s.explain("read the version of the schema", err)
	}
	return statusOf(applied), nil
}

// applied returns the versions of the migrations that are in the database.
func (s *Store) applied(ctx context.Context) (map[int]bool, error) {
	rows, err := s.pool.Query(ctx, `SELECT version FROM schema_migrations`)
	var versions []int
	if err == nil {
		versions, err = pgx.CollectRows(rows, pgx.RowTo[int])
	}
	if err != nil && sqlState(err) != codeUndefinedTable {
		return nil, err
	}
	applied := make(map[int]bool, len(versions))
	for _, version := range versions {
		applied[version] = true
	}
	return applied, nil
}

func statusOf(applied map[int]bool) SchemaStatus {
	status := SchemaStatus{Wanted: len(steps), Known: true}
	for applied[status.Current+1] && status.Current < status.Wanted {
		status.Current++
	}
	for version := range applied {
		if version > status.Wanted {
			status.Known = false
		}
	}
	return status
}

// ready reports whether the schema is the one that this program needs. Once it
// was, it stays so: migrations only add, and a newer program that adds more
// does not stop those that are running.
func (s *Store) ready(ctx context.Context) error {
	if s.schemaSeen.Load() {
		return nil
	}
	applied, err := s.applied(ctx)
	if err != nil {
		return err
	}
	status := statusOf(applied)
	if kind := status.Err(); kind != nil {
		return &SchemaError{Kind: kind, Status: status, Target: s.target.String()}
	}
	s.schemaSeen.Store(true)
	return nil
}

// Migrate brings the schema to the version that this program needs and returns
// the names of the migrations that this call applied. It may be called at any
// time, by several programs at once, and again after it was interrupted: each
// step is one statement that does nothing when its work is done, and is noted
// down after it.
func (s *Store) Migrate(ctx context.Context) (applied []string, err error) {
	if s.cfg.ReadOnly {
		return nil, fmt.Errorf("set up the schema: %w", ErrReadOnly)
	}
	ctx, cancel := context.WithTimeout(ctx, migrationTimeout)
	defer cancel()
	var done map[int]bool
	err = migrateRetry.do(ctx, func(ctx context.Context) (err error) {
		done, err = s.applied(ctx)
		return err
	})
	if err != nil {
		return nil, s.explain("read the version of the schema", err)
	}
	if status := statusOf(done); !status.Known {
		return nil, &SchemaError{Kind: ErrNewSchema, Status: status, Target: s.target.String()}
	}
	for _, step := range steps {
		if done[step.version] {
			continue
		}
		noted, err := s.apply(ctx, step)
		if sqlState(err) == codeNoPrivilege {
			return applied, fmt.Errorf("apply migration %s: the role %s may not create tables (%w); sign in as one that may, on Aurora DSQL with --dsql-admin",
				step.name, s.target.User, err)
		}
		if err != nil {
			return applied, s.explain("apply migration "+step.name, err)
		}
		if noted {
			applied = append(applied, step.name)
		}
	}
	return applied, nil
}

// apply runs one migration and notes it down. It returns whether it was this
// call that noted it, and not that of another program at the same time.
func (s *Store) apply(ctx context.Context, step step) (noted bool, err error) {
	err = migrateRetry.do(ctx, func(ctx context.Context) error {
		// A statement on its own is a transaction of its own.
		_, err := s.pool.Exec(ctx, step.statement)
		switch sqlState(err) {
		case codeUniqueViolation, codeDuplicateTable, codeDuplicateColumn, codeDuplicateObject:
			// PostgreSQL's IF NOT EXISTS does not see what another transaction
			// is just creating. The next look will.
			return errConflict
		}
		return err
	})
	if err != nil {
		return false, err
	}
	err = migrateRetry.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, `
			INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, now())
			ON CONFLICT (version) DO NOTHING`, step.version, step.name)
		noted = noted || tag.RowsAffected() == 1
		return err
	})
	return noted, err
}
