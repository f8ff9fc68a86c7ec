package instant_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// forbidden are the parts of the time package that read the machine's clock, or
// give a time in another zone than UTC.
var forbidden = map[string]bool{
	"Now": true, "Since": true, "Until": true,
	"Parse": true, "ParseInLocation": true,
	"Local": true, "LoadLocation": true,
}

// The linter holds the same rule. This test shows it without the linter, and
// would show that someone had switched the linter off.
func TestNobodyElseReadsTheClock(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if leftAlone(root, path) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name := timePackageName(file)
		ast.Inspect(file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok || !forbidden[selector.Sel.Name] {
				return true
			}
			if pkg, ok := selector.X.(*ast.Ident); ok && name != "" && pkg.Name == name {
				t.Errorf("%s: time.%s; use package instant", set.Position(selector.Pos()), selector.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no Go file was found")
	}
}

// leftAlone reports whether the rule does not hold for a folder: this package
// itself, the lab, which runs in real time beside real servers, and what is not
// our code.
func leftAlone(root, path string) bool {
	relative, err := filepath.Rel(root, path)
	if err != nil {
		return false
	}
	switch filepath.ToSlash(relative) {
	case "lab", "pkg/instant", "bin", "dist", ".git":
		return true
	}
	base := filepath.Base(path)
	return base == "node_modules" || base == "testdata"
}

// timePackageName returns the name under which a file imports package time, or
// the empty string.
func timePackageName(file *ast.File) string {
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err != nil || path != "time" {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return "time"
	}
	return ""
}
