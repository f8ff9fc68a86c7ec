// Command gendoc writes pkg/api/openapi.json and the table of routes in
// docs/api.md from the routes of package api and the types of its answers.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/temporal-sre/copilot/pkg/api"
)

func main() {
	root := flag.String("root", ".", "the repository's root")
	flag.Parse()
	if err := generate(*root); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

func generate(root string) error {
	comments, err := readComments(root, "pkg/api", "pkg/dsql", "pkg/health")
	if err != nil {
		return err
	}
	document, err := describe(api.Routes(), comments)
	if err != nil {
		return err
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "pkg", "api", "openapi.json"), buffer.Bytes(), 0o644); err != nil {
		return err
	}
	return writeTable(filepath.Join(root, "docs", "api.md"), api.Routes())
}
