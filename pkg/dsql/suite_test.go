package dsql

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// suite are the tests that run on the stand-in for Aurora DSQL as well as on
// PostgreSQL.
var suite = []func(*testing.T){
	TestPaging,
	TestAssessmentByID,
	TestNotFoundAndUnknown,
	TestClusters,
	TestRegisterCluster,
	TestTheLifeOfIssues,
	TestTheHistoryOfAnIssue,
	TestIssuesByPages,
	TestAnUnchangedIssueIsNotWritten,
	TestIssuesOfAnUnknownCluster,
	TestAWriteThatLosesAConflictIsRunAgain,
	TestSaveAndReadBack,
	TestSaveIsIdempotent,
	TestTheFirstSaveOfAnInstantStays,
	TestSaveAfterACrashHalfway,
	TestConcurrentSaves,
	TestALateSaveLeavesNewerFactsAlone,
	TestSaveRefuses,
	TestSaveMakesLargeThingsFit,
	TestMigrateTwice,
	TestMigrateByManyAtOnce,
	TestMigrateAfterACrash,
	TestAnOlderSchemaKeepsItsRecord,
	TestEveryMethodNamesTheMissingSchema,
	TestASchemaThatIsGone,
	TestANewerSchemaIsRefused,
	TestSignals,
	TestSignalsRefuses,
	TestTableCounts,
	TestLogLines,
	TestLogLinesStandApart,
	TestTimeline,
	TestTimelineOfLateSaves,
	TestTimelineByPages,
	TestTimelineRefuses,
	TestStateChangesKeepTheirEvidence,
	TestSaveExplanation,
	TestSaveExplanationRefuses,
	TestExplanationsAtOnce,
	TestRetain,
	TestRetainManyRows,
	TestRetainRefuses,
}

// notOnDSQL are the tests with a database that stay on PostgreSQL, and why.
var notOnDSQL = map[string]string{
	"TestBigTablesAreEstimated":       "fills a table with more rows than a transaction may write",
	"TestSavesUnderAConflictStorm":    "a row that is written all the time starves everyone else without locks; see TestAConflictStormOnDSQL",
	"TestSavesWhileConnectionsAreCut": "asks the server to end its connections; see TestTheStoreIsAwayForAWhile",
	"TestReadOnly":                    "checks a setting of PostgreSQL; see TestReadOnlyOnDSQL",
}

// nameOfTest returns the name of a test function.
func nameOfTest(test func(*testing.T)) string {
	name := runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

func TestTheSuiteOnDSQL(t *testing.T) {
	onDSQL = true
	defer func() { onDSQL = false }()
	for _, test := range suite {
		t.Run(nameOfTest(test), test)
	}
}

// A test that opens a store runs on both databases, or says why not.
func TestTheSuiteIsWhole(t *testing.T) {
	var listed []string
	for _, test := range suite {
		listed = append(listed, nameOfTest(test))
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	opening := 0
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(function.Name.Name, "Test") || !opensStore(function) {
				continue
			}
			opening++
			name := function.Name.Name
			if _, excused := notOnDSQL[name]; excused == slices.Contains(listed, name) {
				t.Errorf("%s must be either in suite or, with a reason, in notOnDSQL", name)
			}
		}
	}
	if opening < len(suite) {
		t.Errorf("only %d tests were found to open a store, %d are listed", opening, len(suite))
	}
}

// opensStore tells whether a test asks for a database of either kind.
func opensStore(function *ast.FuncDecl) (opens bool) {
	ast.Inspect(function, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if name, ok := call.Fun.(*ast.Ident); ok {
			opens = opens || slices.Contains([]string{"newStore", "newStores", "newDatabase"}, name.Name)
		}
		return true
	})
	return opens
}
