package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and commit are set by the build: -ldflags "-X main.version=v1.2.3".
// Without it they come from what the Go tool notes in the binary.
var version, commit string

// versionReport is the answer of version.
type versionReport struct {
	Version string `json:"version"`
	// Commit of the source; empty if the build did not know it.
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand() *cobra.Command {
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Example: `  copilot version
  copilot version -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := thisVersion()
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			source := ""
			if report.Commit != "" {
				source = " (" + report.Commit + ")"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "copilot %s%s, %s, %s\n", report.Version, source, report.Go, report.Platform)
			return err
		},
	}
	addOutputFlag(cmd, &format)
	return cmd
}

func thisVersion() versionReport {
	report := versionReport{Version: version, Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok && report.Version == "" {
		report.Version = info.Main.Version
	}
	if report.Version == "" || report.Version == "(devel)" {
		report.Version = "development build"
	}
	if ok && report.Commit == "" {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
				report.Commit = setting.Value[:12]
			}
		}
	}
	return report
}
