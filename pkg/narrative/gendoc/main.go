// Command gendoc writes docs/log-patterns.md from the catalogue.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/temporal-sre/copilot/pkg/narrative"
)

func main() {
	out := flag.String("out", "", "file to write")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := narrative.WriteDocument(f); err != nil {
		return err
	}
	return f.Close()
}
