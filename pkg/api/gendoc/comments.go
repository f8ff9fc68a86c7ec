package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// comments are what the source says about types and their fields.
type comments struct {
	// of a type, "health.Gate", and of a field, "health.Gate.Outcome".
	of map[string]string
	// values are the constants of a type of text, in the order of the source.
	values map[string][]string
}

// readComments reads the source of packages.
func readComments(root string, packages ...string) (*comments, error) {
	c := &comments{of: map[string]string{}, values: map[string][]string{}}
	for _, pkg := range packages {
		dir := filepath.Join(root, filepath.FromSlash(pkg))
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			for _, declared := range file.Decls {
				if general, ok := declared.(*ast.GenDecl); ok {
					c.add(file.Name.Name, general)
				}
			}
		}
	}
	if len(c.of) == 0 {
		return nil, fmt.Errorf("no comment was found below %s", root)
	}
	return c, nil
}

func (c *comments) add(pkg string, declared *ast.GenDecl) {
	for _, spec := range declared.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name := pkg + "." + spec.Name.Name
			c.of[name] = sentence(declared.Doc)
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			before := ""
			for _, field := range structure.Fields.List {
				doc := sentence(field.Doc)
				for _, fieldName := range field.Names {
					c.of[name+"."+fieldName.Name] = doc
					// One comment often tells of the field after it, too.
					if doc == "" && strings.Contains(before, fieldName.Name) {
						c.of[name+"."+fieldName.Name] = before
					}
				}
				if doc != "" {
					before = doc
				}
			}
		case *ast.ValueSpec:
			kind, ok := spec.Type.(*ast.Ident)
			if !ok || declared.Tok != token.CONST {
				continue
			}
			for _, value := range spec.Values {
				if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						c.values[pkg+"."+kind.Name] = append(c.values[pkg+"."+kind.Name], text)
					}
				}
			}
		}
	}
}

// sentence puts a comment on one line.
func sentence(doc *ast.CommentGroup) string {
	return strings.Join(strings.Fields(doc.Text()), " ")
}
