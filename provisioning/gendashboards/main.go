// Command gendashboards writes the dashboards that Grafana provisions, so that
// their panels look alike and every query of the two ways in which Temporal's
// server names its metrics is built by the same few functions.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . ../dashboards

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gendashboards DIRECTORY")
		os.Exit(64)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gendashboards:", err)
		os.Exit(1)
	}
}

// write writes each dashboard to a file of its own.
func write(dir string) error {
	for _, d := range []dashboard{insights(), server(), persistence(), workers()} {
		text, err := json.MarshalIndent(d.model(), "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, d.uid+".json"), append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}
