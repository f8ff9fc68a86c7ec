package dsql

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	pgquery "github.com/wasilibs/go-pgquery"
)

// beginsLikeSQL matches the start of every kind of statement that PostgreSQL
// has, so that none escapes the tests below by being of an unexpected kind.
var beginsLikeSQL = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|VALUES|TABLE|CREATE|ALTER|DROP|TRUNCATE|SET|SHOW|RESET|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|LOCK|COPY|CALL|DO|EXPLAIN|ANALYZE|VACUUM|GRANT|REVOKE|LISTEN|NOTIFY|COMMENT|PREPARE|EXECUTE|DECLARE|FETCH|REFRESH|CLUSTER|REINDEX)\s`)

// statements returns every SQL text in this package's source, tests aside, by
// the place where it is.
func statements(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	positions := token.NewFileSet()
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(positions, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err == nil && beginsLikeSQL.MatchString(text) {
				found[positions.Position(literal.Pos()).String()] = text
			}
			return true
		})
	}
	return found
}

// node is a part of a parse tree as JSON.
type node = map[string]any

// parse returns the one statement of an SQL text: its kind and its content.
func parse(t *testing.T, where, sql string) (kind string, statement node) {
	t.Helper()
	text, err := pgquery.ParseToJSON(sql)
	if err != nil {
		t.Fatalf("%s: %v\n%s", where, err, sql)
	}
	var tree struct {
		Stmts []struct{ Stmt node }
	}
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	if len(tree.Stmts) != 1 {
		t.Fatalf("%s: %d statements in one text\n%s", where, len(tree.Stmts), sql)
	}
	for kind, content := range tree.Stmts[0].Stmt {
		return kind, content.(node)
	}
	t.Fatalf("%s: an empty statement", where)
	return "", nil
}

// walk calls visit for every node of a tree with the name that it has there.
func walk(name string, v any, visit func(name string, n node)) {
	switch v := v.(type) {
	case node:
		visit(name, v)
		for key, child := range v {
			walk(key, child, visit)
		}
	case []any:
		for _, child := range v {
			walk(name, child, visit)
		}
	}
}

// lastName returns the end of a qualified name: that of a type or function
// without its schema.
func lastName(names any) string {
	list, _ := names.([]any)
	if len(list) == 0 {
		return ""
	}
	last, _ := list[len(list)-1].(node)["String"].(node)
	name, _ := last["sval"].(string)
	return name
}

// Columns may be of these types. All can be part of a key on DSQL.
var columnTypes = []string{"text", "int4", "int8", "float8", "timestamptz", "bool", "uuid"}

// primaryKeys are the key columns of each table, from the migrations.
func primaryKeys(t *testing.T) map[string][]string {
	t.Helper()
	keys := map[string][]string{}
	for _, step := range steps {
		kind, create := parse(t, step.name, step.statement)
		if kind != "CreateStmt" {
			continue
		}
		relation := create["relation"].(node)
		table := relation["relname"].(string)
		walk("", create["tableElts"], func(name string, n node) {
			if name != "Constraint" || n["contype"] != "CONSTR_PRIMARY" {
				return
			}
			for _, column := range n["keys"].([]any) {
				keys[table] = append(keys[table], lastName([]any{column}))
			}
		})
	}
	return keys
}

// Every migration is a statement that Aurora DSQL takes and that does nothing
// when its work is done.
func TestMigrationsAreForDSQL(t *testing.T) {
	if len(steps) == 0 {
		t.Fatal("no migrations")
	}
	keys := primaryKeys(t)
	for _, step := range steps {
		kind, create := parse(t, step.name, step.statement)
		if kind == "AlterTableStmt" {
			checkNewColumn(t, step.name, create, keys)
			continue
		}
		if kind != "CreateStmt" {
			t.Errorf("%s is a %s; this test does not know whether DSQL takes it, or in a transaction of its own", step.name, kind)
			continue
		}
		if create["if_not_exists"] != true {
			t.Errorf("%s cannot be repeated: IF NOT EXISTS is missing", step.name)
		}
		relation := create["relation"].(node)
		if relation["relpersistence"] != "p" {
			t.Errorf("%s creates a temporary or unlogged table", step.name)
		}
		for _, clause := range []string{"inhRelations", "partbound", "partspec", "ofTypename", "constraints", "options", "tablespacename", "accessMethod"} {
			if create[clause] != nil {
				t.Errorf("%s uses %s", step.name, clause)
			}
		}
		walk("", create["tableElts"], func(name string, n node) {
			switch name {
			case "typeName":
				if columnType := lastName(n["names"]); !slices.Contains(columnTypes, columnType) {
					t.Errorf("%s has a column of type %s", step.name, columnType)
				}
				if n["arrayBounds"] != nil {
					t.Errorf("%s has an array column", step.name)
				}
			case "Constraint":
				if kind := n["contype"]; kind != "CONSTR_PRIMARY" && kind != "CONSTR_NOTNULL" {
					t.Errorf("%s has a constraint %s", step.name, kind)
				}
			}
		})
		table := relation["relname"].(string)
		key := keys[table]
		if len(key) == 0 || len(key) > 8 {
			t.Errorf("%s: the key has %d columns", step.name, len(key))
		}
		if table != "schema_migrations" && (len(key) == 0 || key[0] != "cluster_id") {
			t.Errorf("%s: the key does not begin with cluster_id: %v", step.name, key)
		}
	}
}

// checkNewColumn holds ALTER TABLE to what DSQL takes and to what a program that
// does not know the column can live with: one new column that may be null.
func checkNewColumn(t *testing.T, name string, alter node, keys map[string][]string) {
	t.Helper()
	if table := alter["relation"].(node)["relname"].(string); keys[table] == nil {
		t.Errorf("%s alters %s, which no migration creates", name, table)
	}
	commands := alter["cmds"].([]any)
	if len(commands) != 1 {
		t.Errorf("%s does %d things", name, len(commands))
	}
	command := commands[0].(node)["AlterTableCmd"].(node)
	if command["subtype"] != "AT_AddColumn" || command["missing_ok"] != true {
		t.Errorf("%s is a %v that cannot be repeated; ADD COLUMN IF NOT EXISTS can", name, command["subtype"])
		return
	}
	column := command["def"].(node)["ColumnDef"].(node)
	if column["constraints"] != nil {
		t.Errorf("%s: the column has a default or a constraint", name)
	}
	if columnType := lastName(column["typeName"].(node)["names"]); !slices.Contains(columnTypes, columnType) || column["typeName"].(node)["arrayBounds"] != nil {
		t.Errorf("%s has a column of type %s", name, columnType)
	}
}

// What statements may use. Each is part of the SQL that DSQL's documentation
// lists or is PostgreSQL's plainest; a new one is to be looked up before it is
// added here.
var (
	statementKinds = []string{"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"}
	functions      = []string{"count", "max", "min", "sum", "avg", "floor", "extract", "now", "unnest", "current_database", "pg_table_is_visible"}
	castTypes      = []string{"text", "bool", "uuid", "int8", "float8", "timestamptz"}
)

// Every statement that the program can send is one that Aurora DSQL takes.
func TestStatementsAreForDSQL(t *testing.T) {
	found := statements(t)
	if len(found) < 30 {
		t.Fatalf("only %d statements found; are they still string literals?", len(found))
	}
	keys := primaryKeys(t)
	for where, sql := range found {
		kind, statement := parse(t, where, sql)
		if !slices.Contains(statementKinds, kind) {
			t.Errorf("%s: a %s", where, kind)
		}
		walk(kind, statement, func(name string, n node) {
			switch name {
			case "FuncCall":
				if function := lastName(n["funcname"]); !slices.Contains(functions, function) {
					t.Errorf("%s: calls %s", where, function)
				}
				if n["over"] != nil {
					t.Errorf("%s: a window function", where)
				}
			case "TypeCast":
				to := n["typeName"].(node)
				if cast := lastName(to["names"]); !slices.Contains(castTypes, cast) {
					t.Errorf("%s: a cast to %s", where, cast)
				}
			case "RangeVar":
				table := n["relname"].(string)
				if _, ours := keys[table]; !ours && table != "pg_class" {
					t.Errorf("%s: reads %s, which no migration creates", where, table)
				}
			case "WithClause":
				t.Errorf("%s: WITH", where)
			case "RangeSubselect", "RangeFunction":
				if n["lateral"] == true {
					t.Errorf("%s: LATERAL", where)
				}
			case "LockingClause":
				checkLock(t, where, statement, keys)
			case "OnConflictClause":
				if n["infer"] == nil {
					t.Errorf("%s: ON CONFLICT without its key", where)
				}
			}
		})
		if kind == "InsertStmt" {
			table := statement["relation"].(node)["relname"].(string)
			clause, ok := statement["onConflictClause"].(node)
			if !ok {
				// Under the lock of the cluster's row, after a look at what is there.
				if table != "assessments" && table != "issues" {
					t.Errorf("%s: an INSERT into %s that cannot be repeated", where, table)
				}
				continue
			}
			var columns []string
			walk("", clause["infer"], func(name string, n node) {
				if name == "IndexElem" {
					columns = append(columns, n["name"].(string))
				}
			})
			if !slices.Equal(slices.Sorted(slices.Values(columns)), slices.Sorted(slices.Values(keys[table]))) {
				t.Errorf("%s: ON CONFLICT (%s) is not the key of %s", where, strings.Join(columns, ", "), table)
			}
		}
	}
}

// checkLock holds FOR UPDATE to what DSQL allows: one table, each column of its
// key compared for equality.
func checkLock(t *testing.T, where string, statement node, keys map[string][]string) {
	t.Helper()
	from, _ := statement["fromClause"].([]any)
	if len(from) != 1 || from[0].(node)["RangeVar"] == nil {
		t.Errorf("%s: FOR UPDATE on something else than one table", where)
		return
	}
	table := from[0].(node)["RangeVar"].(node)["relname"].(string)
	compared := map[string]bool{}
	walk("", statement["whereClause"], func(name string, n node) {
		if name != "A_Expr" || n["kind"] != "AEXPR_OP" || lastName(n["name"]) != "=" {
			return
		}
		walk("", n["lexpr"], func(name string, column node) {
			if name == "ColumnRef" {
				compared[lastName(column["fields"])] = true
			}
		})
	})
	for _, column := range keys[table] {
		if !compared[column] {
			t.Errorf("%s: FOR UPDATE without %s = …: %v", where, column, slices.Collect(maps.Keys(compared)))
		}
	}
}

// The tests above are only as good as their eyes.
func TestForbiddenConstructsAreSeen(t *testing.T) {
	for _, sql := range []string{
		"TRUNCATE clusters", "SET statement_timeout = 1", "SAVEPOINT a", "LOCK TABLE clusters", "CREATE INDEX a ON b (c)",
	} {
		if !beginsLikeSQL.MatchString(sql) {
			t.Errorf("%q is not taken for SQL", sql)
		}
		if kind, _ := parse(t, "test", sql); slices.Contains(statementKinds, kind) {
			t.Errorf("%q passes as a %s", sql, kind)
		}
	}
	_, create := parse(t, "test", "CREATE TABLE a (b text[], c serial REFERENCES d, e jsonb)")
	var seen []string
	walk("", create, func(name string, n node) {
		switch name {
		case "typeName":
			seen = append(seen, fmt.Sprint(lastName(n["names"]), n["arrayBounds"] != nil))
		case "Constraint":
			seen = append(seen, fmt.Sprint(n["contype"]))
		}
	})
	slices.Sort(seen)
	equal(t, "seen", seen, []string{"CONSTR_FOREIGN", "jsonbfalse", "serialfalse", "texttrue"})
}
