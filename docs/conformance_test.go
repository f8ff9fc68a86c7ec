package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// criteria is how many criteria each requirement has, in the order of the
// requirements document, which is not the order of the numbers. H stands for
// the properties of the health model.
var criteria = []struct {
	requirement string
	count       int
}{
	{"R1.", 7},
	{"R2.", 6},
	{"R3.", 6},
	{"R4.", 9},
	{"R5.", 6},
	{"R6.", 7},
	{"R7.", 8},
	{"R8.", 6},
	{"R11.", 5},
	{"R9.", 5},
	{"R10.", 5},
	{"R12.", 5},
	{"R13.", 7},
	{"R14.", 7},
	{"H", 16},
}

// expectedNumbers lists every number that the document must have, in order.
func expectedNumbers() []string {
	var numbers []string
	for _, c := range criteria {
		for i := 1; i <= c.count; i++ {
			numbers = append(numbers, fmt.Sprintf("%s%d", c.requirement, i))
		}
	}
	return numbers
}

// notYet is what a cell says when there is nothing to name.
const notYet = "not yet"

// row is one line of the document's tables.
type row struct {
	number, asked, where, shownBy string
}

var (
	numberCell = regexp.MustCompile(`^(R\d+\.\d+|H\d+)$`)
	inTicks    = regexp.MustCompile("`([^`]+)`")
)

// rows reads the tables' lines whose first cell is a criterion's number.
func rows(document string) (found []row, problems []string) {
	for line := range strings.Lines(document) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if !numberCell.MatchString(cells[0]) {
			continue
		}
		if len(cells) != 4 {
			problems = append(problems, fmt.Sprintf("%s: the row has %d cells, not 4", cells[0], len(cells)))
			continue
		}
		found = append(found, row{cells[0], cells[1], cells[2], cells[3]})
	}
	return found, problems
}

// check compares the document with the list of numbers and with the files of
// the repository, and returns all that is wrong.
func check(repository fs.FS, document string, want []string) []string {
	found, problems := rows(document)

	var numbers []string
	for _, r := range found {
		numbers = append(numbers, r.number)
	}
	for _, number := range want {
		switch count(numbers, number) {
		case 0:
			problems = append(problems, number+": the row is missing")
		case 1:
		default:
			problems = append(problems, number+": there is more than one row")
		}
	}
	for _, number := range numbers {
		if !slices.Contains(want, number) {
			problems = append(problems, number+": no such criterion")
		}
	}
	if len(problems) == 0 && !slices.Equal(numbers, want) {
		problems = append(problems, "the rows are not in the order of the requirements document")
	}

	for _, r := range found {
		for _, problem := range r.check(repository) {
			problems = append(problems, r.number+": "+problem)
		}
	}
	return problems
}

// count says how often a number appears.
func count(numbers []string, number string) int {
	n := 0
	for _, have := range numbers {
		if have == number {
			n++
		}
	}
	return n
}

// check returns what is wrong with one row.
func (r row) check(repository fs.FS) []string {
	var problems []string
	if r.asked == "" {
		problems = append(problems, "it does not say what is asked")
	}
	if r.where == notYet && r.shownBy != notYet {
		problems = append(problems, "a test is named for what is not built yet")
	}
	if r.where != notYet {
		paths := inTicks.FindAllStringSubmatch(r.where, -1)
		if len(paths) == 0 {
			problems = append(problems, `"Where" names no path in backticks and is not "not yet"`)
		}
		for _, match := range paths {
			if _, err := fs.Stat(repository, match[1]); err != nil {
				problems = append(problems, match[1]+" does not exist")
			}
		}
	}
	if r.shownBy != notYet {
		tests := inTicks.FindAllStringSubmatch(r.shownBy, -1)
		if len(tests) == 0 {
			problems = append(problems, `"Shown by" names no test in backticks and is not "not yet"`)
		}
		for _, match := range tests {
			if err := hasTest(repository, match[1]); err != nil {
				problems = append(problems, err.Error())
			}
		}
	}
	return problems
}

// hasTest reports why a test named as "file:name" is not there, or nil.
func hasTest(repository fs.FS, reference string) error {
	file, name, ok := strings.Cut(reference, ":")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		return fmt.Errorf("%s names no test: write file:test", reference)
	}
	source, err := fs.ReadFile(repository, file)
	if err != nil {
		return fmt.Errorf("%s does not exist", file)
	}
	switch {
	case strings.HasSuffix(file, "_test.go"):
		return hasGoTest(file, source, name)
	case isFrontendTest(file):
		return hasFrontendTest(file, string(source), name)
	default:
		return fmt.Errorf("%s is no test file", file)
	}
}

// hasGoTest reports whether the file declares the test function.
func hasGoTest(file string, source []byte, name string) error {
	if !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz") {
		return fmt.Errorf("%s is no name of a test", name)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("%s cannot be parsed: %w", file, err)
	}
	for _, decl := range parsed.Decls {
		if function, ok := decl.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == name {
			return nil
		}
	}
	return fmt.Errorf("%s has no test %s", file, name)
}

// isFrontendTest reports whether jest or playwright take the file for a test.
func isFrontendTest(file string) bool {
	extension := path.Ext(file)
	if extension != ".ts" && extension != ".tsx" {
		return false
	}
	kind := path.Ext(strings.TrimSuffix(file, extension))
	return kind == ".test" || kind == ".spec"
}

// hasFrontendTest reports whether a test of this title is in the file. The title
// has to stand there in quotes as a whole; parsing TypeScript for it would not
// find more.
func hasFrontendTest(file, source, title string) error {
	for _, quote := range []string{"'", `"`, "`"} {
		written := strings.ReplaceAll(title, quote, `\`+quote)
		if strings.Contains(source, quote+written+quote) {
			return nil
		}
	}
	return fmt.Errorf("%s has no test titled %q", file, title)
}

// TestConformance holds docs/conformance.md to the requirements' numbers and to
// the files and tests that are there.
func TestConformance(t *testing.T) {
	document, err := os.ReadFile("conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range check(os.DirFS(".."), string(document), expectedNumbers()) {
		t.Error(problem)
	}

	found, _ := rows(string(document))
	built, shown := 0, 0
	for _, r := range found {
		if r.where != notYet {
			built++
		}
		if r.shownBy != notYet {
			shown++
		}
	}
	t.Logf("of %d criteria %d are built and %d are shown by tests", len(found), built, shown)
}

// TestCheckFindsWhatIsWrong shows that the check above would fail.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	repository := fstest.MapFS{
		"pkg/health/gate.go":      {Data: []byte("package health\n")},
		"pkg/health/gate_test.go": {Data: []byte("package health\n\nfunc TestGate(t *testing.T) {}\n\nfunc (s suite) TestMethod() {}\n")},
		"pkg/broken/x_test.go":    {Data: []byte("not Go\n")},
		"src/Badge.test.tsx":      {Data: []byte("it('shows the state', () => {});\ntest(\"says \\\"no data\\\"\", () => {});\n")},
	}
	const good = "| R1.1 | a | `pkg/health` | `pkg/health/gate_test.go:TestGate` |\n"
	want := []string{"R1.1", "R1.2"}

	tests := []struct {
		name     string
		document string
		problem  string
	}{
		{"nothing wrong", good + "| R1.2 | b | not yet | not yet |", ""},
		{"built and not shown", good + "| R1.2 | b | `pkg/health/gate.go` and more | not yet |", ""},
		{"front-end test", good + "| R1.2 | b | `src` | `src/Badge.test.tsx: shows the state`, `src/Badge.test.tsx: says \"no data\"` |", ""},
		{"other tables are no business of this test", good + "| x | y |\n| --- | --- |\n| R1.2 | b | not yet | not yet |", ""},

		{"a row is missing", good, "R1.2: the row is missing"},
		{"a row is there twice", good + good + "| R1.2 | b | not yet | not yet |", "R1.1: there is more than one row"},
		{"an unknown number", good + "| R1.2 | b | not yet | not yet |\n| R1.3 | c | not yet | not yet |", "R1.3: no such criterion"},
		{"another order", "| R1.2 | b | not yet | not yet |\n" + good, "the rows are not in the order of the requirements document"},
		{"a cell is missing", good + "| R1.2 | b | not yet |", "R1.2: the row has 3 cells, not 4"},
		{"nothing is asked", good + "| R1.2 | | not yet | not yet |", "R1.2: it does not say what is asked"},
		{"no such file", good + "| R1.2 | b | `pkg/none.go` | not yet |", "R1.2: pkg/none.go does not exist"},
		{"no such test file", good + "| R1.2 | b | `pkg/health` | `pkg/none_test.go:TestGate` |", "R1.2: pkg/none_test.go does not exist"},
		{"no such Go test", good + "| R1.2 | b | `pkg/health` | `pkg/health/gate_test.go:TestGone` |", "R1.2: pkg/health/gate_test.go has no test TestGone"},
		{"a method is no test", good + "| R1.2 | b | `pkg/health` | `pkg/health/gate_test.go:TestMethod` |", "R1.2: pkg/health/gate_test.go has no test TestMethod"},
		{"no such front-end test", good + "| R1.2 | b | `src` | `src/Badge.test.tsx: shows` |", `R1.2: src/Badge.test.tsx has no test titled "shows"`},
		{"a test file without a test", good + "| R1.2 | b | `src` | `src/Badge.test.tsx` |", "R1.2: src/Badge.test.tsx names no test: write file:test"},
		{"not a test file", good + "| R1.2 | b | `pkg/health` | `pkg/health/gate.go:TestGate` |", "R1.2: pkg/health/gate.go is no test file"},
		{"a test of what is not built", good + "| R1.2 | b | not yet | `pkg/health/gate_test.go:TestGate` |", "R1.2: a test is named for what is not built yet"},
		{"a path without backticks", good + "| R1.2 | b | pkg/health | not yet |", `R1.2: "Where" names no path in backticks and is not "not yet"`},
		{"a test without backticks", good + "| R1.2 | b | `pkg/health` | TestGate |", `R1.2: "Shown by" names no test in backticks and is not "not yet"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			problems := check(repository, tt.document, want)
			if tt.problem == "" {
				if len(problems) > 0 {
					t.Fatalf("unexpected: %q", problems)
				}
				return
			}
			if !slices.Contains(problems, tt.problem) {
				t.Fatalf("got %q, want %q", problems, tt.problem)
			}
		})
	}

	if err := hasTest(repository, "pkg/broken/x_test.go:TestX"); err == nil || !strings.Contains(err.Error(), "cannot be parsed") {
		t.Errorf("got %v", err)
	}
}

// TestExpectedNumbers guards the list itself: a number dropped from it would
// let a row be dropped.
func TestExpectedNumbers(t *testing.T) {
	numbers := expectedNumbers()
	if len(numbers) != 89+16 {
		t.Errorf("the list has %d numbers; the requirements have 89 criteria and the health model 16 properties", len(numbers))
	}
	for _, number := range []string{"R1.1", "R4.9", "R7.8", "R11.5", "R14.7", "H1", "H16"} {
		if !slices.Contains(numbers, number) {
			t.Errorf("%s is not in the list", number)
		}
	}
}
