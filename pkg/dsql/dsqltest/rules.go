package dsqltest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
	pgquery "github.com/wasilibs/go-pgquery"
)

// kind says how a statement is run.
type kind int

const (
	empty   kind = iota
	reading      // SELECT and its like
	writing      // INSERT, UPDATE, DELETE
	ddl          // changes the schema
	begin
	commit
	rollback
	other // settings and the like, which touch no table
)

// statement is an SQL statement that DSQL takes.
type statement struct {
	kind kind
	// sql is what PostgreSQL is given: without FOR UPDATE, without ASYNC.
	sql string
	// locking is the statement with its FOR UPDATE, if it has one.
	locking string
	// touches tells whether a table is read or written.
	touches bool
	// target is the table that is written.
	target string
	// async is set for CREATE INDEX ASYNC.
	async bool
	// readOnly is set for BEGIN READ ONLY.
	readOnly bool
}

// node is a part of a parse tree as JSON.
type node = map[string]any

// refusal makes the error of something that DSQL does not have.
func refusal(format string, args ...any) *pgproto3.ErrorResponse {
	return failure(codeUnsupported, format, args...)
}

// asyncIndex matches the one syntax that PostgreSQL's parser does not know.
var asyncIndex = regexp.MustCompile(`(?is)^(\s*create\s+(?:unique\s+)?index)\s+async\b`)

// parsed remembers what was made of a text; clients send the same few again and
// again, and the parser is a slow one.
var parsed sync.Map // string → parseResult

type parseResult struct {
	statement statement
	refused   *pgproto3.ErrorResponse
}

// parse reads an SQL text and checks that DSQL takes it.
func parse(sql string) (statement, *pgproto3.ErrorResponse) {
	if known, ok := parsed.Load(sql); ok {
		result := known.(parseResult)
		return result.statement, result.refused
	}
	s, refused := read(sql)
	parsed.Store(sql, parseResult{s, refused})
	return s, refused
}

func read(sql string) (statement, *pgproto3.ErrorResponse) {
	s := statement{sql: sql}
	if asyncIndex.MatchString(sql) {
		s.async = true
		s.sql = asyncIndex.ReplaceAllString(sql, "$1")
	}
	text, err := pgquery.ParseToJSON(s.sql)
	if err != nil {
		return s, failure(codeSyntax, "%s", err)
	}
	var tree struct {
		Stmts []struct{ Stmt node }
	}
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return s, failure(codeInternal, "read the parse tree: %s", err)
	}
	switch len(tree.Stmts) {
	case 0:
		return s, nil
	case 1:
	default:
		return s, refusal("the stand-in takes one statement a message")
	}
	for name, content := range tree.Stmts[0].Stmt {
		content, _ := content.(node)
		if refused := s.classify(name, content); refused != nil {
			return s, refused
		}
		if refused := s.inspect(name, content); refused != nil {
			return s, refused
		}
	}
	if s.locking != "" {
		stripped, err := withoutLock(s.sql)
		if err != nil {
			return s, failure(codeInternal, "take FOR UPDATE out of a query: %s", err)
		}
		s.sql = stripped
	}
	return s, nil
}

// withoutLock takes the FOR UPDATE out of a query.
func withoutLock(sql string) (string, error) {
	tree, err := pgquery.Parse(sql)
	if err != nil {
		return "", err
	}
	tree.Stmts[0].Stmt.GetSelectStmt().LockingClause = nil
	return pgquery.Deparse(tree)
}

// ddlStatements are the schema changes that need no closer look.
var ddlStatements = []string{
	"AlterDomainStmt", "AlterFunctionStmt", "AlterOwnerStmt", "AlterRoleStmt", "CreateDomainStmt", "CreateRoleStmt",
	"CreateSchemaStmt", "DropRoleStmt", "GrantRoleStmt", "GrantStmt", "RenameStmt", "ViewStmt",
}

// classify finds out what a statement is and refuses what DSQL has no support
// for: everything that is not named here.
func (s *statement) classify(name string, content node) *pgproto3.ErrorResponse {
	switch name {
	case "SelectStmt":
		s.kind = reading
		return s.classifySelect(content)
	case "InsertStmt", "UpdateStmt", "DeleteStmt":
		s.kind = writing
		relation, _ := content["relation"].(node)
		s.target, _ = relation["relname"].(string)
		if relation["schemaname"] == "sys" {
			return refusal("sys.%s cannot be written", s.target)
		}
	case "TransactionStmt":
		return s.classifyTransaction(content)
	case "CreateStmt":
		s.kind = ddl
		return checkCreateTable(content)
	case "AlterTableStmt":
		s.kind = ddl
		return checkAlterTable(content)
	case "IndexStmt":
		s.kind = ddl
		return s.checkIndex(content)
	case "DropStmt":
		s.kind = ddl
		object, _ := content["removeType"].(string)
		if slices.Contains([]string{"OBJECT_EXTENSION", "OBJECT_MATVIEW", "OBJECT_TRIGGER"}, object) {
			return refusal("unsupported statement: DROP of %s", object)
		}
	case "CreateFunctionStmt":
		s.kind = ddl
		return checkFunction(content)
	case "ExplainStmt", "VariableShowStmt":
		s.kind = other
	case "VariableSetStmt":
		s.kind = other
		return checkSetting(content)
	case "VacuumStmt":
		s.kind = other
		if content["is_vacuumcmd"] == true {
			return refusal("unsupported statement: VACUUM")
		}
	default:
		if !slices.Contains(ddlStatements, name) {
			return refusal("unsupported statement: %s", strings.TrimSuffix(name, "Stmt"))
		}
		s.kind = ddl
	}
	return nil
}

func (s *statement) classifySelect(content node) *pgproto3.ErrorResponse {
	if content["intoClause"] != nil {
		return refusal("unsupported statement: SELECT INTO")
	}
	locks, _ := content["lockingClause"].([]any)
	for _, lock := range locks {
		clause, _ := lock.(node)["LockingClause"].(node)
		strength, policy := clause["strength"], clause["waitPolicy"]
		if strength != "LCS_FORUPDATE" && strength != "LCS_FORKEYSHARE" || policy != "LockWaitBlock" {
			return refusal("locking clause %v %v not supported", strength, policy)
		}
		s.locking = s.sql
	}
	return nil
}

// classifyTransaction takes the plain transaction statements and no savepoint,
// two-phase commit or chain.
func (s *statement) classifyTransaction(content node) *pgproto3.ErrorResponse {
	what, _ := content["kind"].(string)
	switch what {
	case "TRANS_STMT_BEGIN", "TRANS_STMT_START":
		s.kind = begin
	case "TRANS_STMT_COMMIT":
		s.kind = commit
	case "TRANS_STMT_ROLLBACK":
		s.kind = rollback
	default:
		return refusal("unsupported statement: %s", strings.TrimPrefix(what, "TRANS_STMT_"))
	}
	if content["chain"] == true {
		return refusal("AND CHAIN not supported")
	}
	options, _ := content["options"].([]any)
	for _, option := range options {
		element, _ := option.(node)["DefElem"].(node)
		value := constant(element["arg"])
		switch element["defname"] {
		case "transaction_isolation":
			if value != "repeatable read" {
				return refusal("isolation level %v not supported, only repeatable read", value)
			}
		case "transaction_read_only":
			s.readOnly = value == 1.0
		default:
			return refusal("transaction option %v not supported", element["defname"])
		}
	}
	return nil
}

// constant returns the value of a constant: a text or a number.
func constant(v any) any {
	wrapped, _ := v.(node)
	value, _ := wrapped["A_Const"].(node)
	if text, ok := value["sval"].(node); ok {
		return text["sval"]
	}
	if number, ok := value["ival"].(node); ok {
		if number["ival"] == nil { // JSON leaves a zero out
			return 0.0
		}
		return number["ival"]
	}
	return nil
}

// columnTypes are those that a column of a DSQL table may have.
var columnTypes = []string{
	"int2", "int4", "int8", "float4", "float8", "numeric", "bpchar", "varchar", "text", "date", "time", "timetz", "timestamp",
	"timestamptz", "interval", "bool", "bytea", "uuid",
}

func checkCreateTable(content node) *pgproto3.ErrorResponse {
	relation, _ := content["relation"].(node)
	if relation["relpersistence"] != "p" {
		return refusal("temporary and unlogged tables not supported")
	}
	for _, clause := range []string{"inhRelations", "partbound", "partspec", "ofTypename", "tablespacename", "accessMethod", "options"} {
		if content[clause] != nil {
			return refusal("CREATE TABLE with %s not supported", clause)
		}
	}
	elements, _ := content["tableElts"].([]any)
	for _, element := range elements {
		if refused := checkColumn(element); refused != nil {
			return refused
		}
	}
	return nil
}

// checkColumn looks at the types and constraints of a column or a table.
func checkColumn(element any) (refused *pgproto3.ErrorResponse) {
	walk("", element, func(name string, n node) {
		switch {
		case refused != nil:
		case name == "typeName":
			if n["arrayBounds"] != nil {
				refused = refusal("datatype array not supported in a column")
			} else if name := lastName(n["names"]); !slices.Contains(columnTypes, name) {
				refused = refusal("datatype %s not supported in a column", name)
			}
		case name == "Constraint":
			if kind := n["contype"]; kind == "CONSTR_FOREIGN" || kind == "CONSTR_EXCLUSION" {
				refused = refusal("constraint %s not supported", kind)
			}
		}
	})
	return refused
}

// checkAlterTable takes a new column without default and constraint, and a new
// owner.
func checkAlterTable(content node) *pgproto3.ErrorResponse {
	commands, _ := content["cmds"].([]any)
	if len(commands) != 1 {
		return refusal("ALTER TABLE with several actions not supported")
	}
	command, _ := commands[0].(node)["AlterTableCmd"].(node)
	switch command["subtype"] {
	case "AT_ChangeOwner":
		return nil
	case "AT_AddColumn":
		definition, _ := command["def"].(node)["ColumnDef"].(node)
		if definition["constraints"] != nil {
			return refusal("ALTER TABLE ADD COLUMN with constraints not supported")
		}
		return checkColumn(command["def"])
	}
	return refusal("ALTER TABLE action %v not supported", command["subtype"])
}

func (s *statement) checkIndex(content node) *pgproto3.ErrorResponse {
	if !s.async || content["concurrent"] == true {
		return refusal("unsupported mode. please use CREATE INDEX ASYNC")
	}
	if content["whereClause"] != nil {
		return refusal("partial indexes not supported")
	}
	columns, _ := content["indexParams"].([]any)
	for _, column := range columns {
		element, _ := column.(node)["IndexElem"].(node)
		if element["expr"] != nil {
			return refusal("expression indexes not supported")
		}
		if element["ordering"] != "SORTBY_DEFAULT" {
			return refusal("ASC and DESC not supported in an index")
		}
	}
	return nil
}

// checkFunction takes functions in SQL only.
func checkFunction(content node) *pgproto3.ErrorResponse {
	if content["is_procedure"] == true {
		return refusal("unsupported statement: CREATE PROCEDURE")
	}
	language := any("sql")
	options, _ := content["options"].([]any)
	for _, option := range options {
		element, _ := option.(node)["DefElem"].(node)
		if element["defname"] != "language" {
			continue
		}
		argument, _ := element["arg"].(node)
		value, _ := argument["String"].(node)
		language = value["sval"]
	}
	if language != "sql" {
		return refusal("language %v not supported", language)
	}
	return nil
}

// settings are those that a session may change.
var settings = []string{"application_name", "client_encoding", "datestyle", "search_path", "timezone"}

func checkSetting(content node) *pgproto3.ErrorResponse {
	name, _ := content["name"].(string)
	if content["kind"] == "VAR_RESET_ALL" || slices.Contains(settings, strings.ToLower(name)) {
		return nil
	}
	return refusal("setting configuration parameter %q not supported", name)
}

// forbiddenFunctions begin like the functions that DSQL does not have.
var forbiddenFunctions = []string{"pg_advisory_", "pg_try_advisory_", "pg_notify", "lo_", "dblink"}

// inspect looks at all parts of a statement: the tables that it touches, and
// functions that DSQL does not have.
func (s *statement) inspect(name string, content node) (refused *pgproto3.ErrorResponse) {
	walk(name, content, func(name string, n node) {
		switch name {
		case "RangeVar", "relation":
			s.touches = true
		case "FuncCall":
			function := lastName(n["funcname"])
			for _, forbidden := range forbiddenFunctions {
				if strings.HasPrefix(function, forbidden) {
					refused = refusal("function %s not supported", function)
				}
			}
		}
	})
	return refused
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

// lastName returns the end of a qualified name.
func lastName(names any) string {
	list, _ := names.([]any)
	if len(list) == 0 {
		return ""
	}
	last, _ := list[len(list)-1].(node)["String"].(node)
	return fmt.Sprint(last["sval"])
}
