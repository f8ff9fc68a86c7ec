package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
)

func TestMain(m *testing.M) {
	// The settings of whoever runs the tests are not part of them.
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		if strings.HasPrefix(name, "COPILOT_") && name != postgrestest.BinEnv || strings.HasPrefix(name, "PG") {
			os.Unsetenv(name)
		}
	}
	postgrestest.Main(m)
}

// result is what a command left behind.
type result struct {
	code           int
	stdout, stderr string
}

// copilot runs a command line as main does.
func copilot(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return result{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// fails checks that a command failed with a code and one line on stderr that
// has every part of says.
func (r result) fails(t *testing.T, what string, code int, says ...string) {
	t.Helper()
	if r.code != code || r.stdout != "" {
		t.Errorf("%s: exit %d, want %d; stdout %q", what, r.code, code, r.stdout)
	}
	if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "error: ") {
		t.Errorf("%s: not one line on stderr: %q", what, r.stderr)
	}
	if strings.Contains(r.stderr, "goroutine") || strings.Contains(r.stderr, "hunter2") {
		t.Errorf("%s: a stack or a password on stderr: %q", what, r.stderr)
	}
	for _, part := range says {
		if !strings.Contains(r.stderr, part) {
			t.Errorf("%s: stderr %q does not say %q", what, r.stderr, part)
		}
	}
}

// succeeds checks that a command succeeded and that its answer has every part
// of says.
func (r result) succeeds(t *testing.T, what string, says ...string) {
	t.Helper()
	if r.code != 0 || r.stderr != "" {
		t.Errorf("%s: exit %d, stderr %q", what, r.code, r.stderr)
	}
	for _, part := range says {
		if !strings.Contains(r.stdout, part) {
			t.Errorf("%s: stdout %q does not say %q", what, r.stdout, part)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for what, test := range map[string]struct {
		args []string
		says []string
	}{
		"unknown command":    {[]string{"frobnicate"}, []string{`no command "copilot frobnicate"`, "copilot --help"}},
		"misspelt command":   {[]string{"db", "list-tabels"}, []string{`did you mean "copilot db list-tables"?`}},
		"unknown flag":       {[]string{"db", "list-tables", "--nope"}, []string{"--nope", "copilot db list-tables --help"}},
		"flag without value": {[]string{"db", "list-tables", "--database-url"}, []string{"--database-url"}},
		"argument":           {[]string{"version", "now"}, []string{`"now"`, "copilot version --help"}},
		"output format":      {[]string{"version", "-o", "yaml"}, []string{"use table or json"}},
	} {
		copilot(t, test.args...).fails(t, what, exitUsage, test.says...)
	}
}

func TestExitCodesOfCommands(t *testing.T) {
	if exitWith(0) != nil {
		t.Error("0 is no error")
	}
	var stdout, stderr bytes.Buffer
	for code, err := range map[int]error{2: exitWith(2), exitUsage: usageError("not so"), exitFailure: os.ErrNotExist} {
		t.Run("", func(t *testing.T) {
			stdout.Reset()
			stderr.Reset()
			root := &cobra.Command{SilenceErrors: true, SilenceUsage: true, RunE: func(*cobra.Command, []string) error { return err }}
			if got := execute(t.Context(), root, nil, &stdout, &stderr); got != code {
				t.Errorf("exit %d, want %d", got, code)
			}
			if silent := stderr.Len() == 0; silent != (code == 2) {
				t.Errorf("exit %d: stderr %q", code, stderr.String())
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"db", "list-tables", "--database-url", "postgres://postgres@127.0.0.1:1/x"}, &stdout, &stderr)
	if code != exitInterrupted || stderr.String() != "error: interrupted\n" {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}

// Every command explains itself with an example that is one.
func TestHelp(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		path := strings.Fields(cmd.CommandPath())
		help := copilot(t, append(path[1:], "--help")...)
		help.succeeds(t, cmd.CommandPath()+" --help", "USAGE", "EXAMPLES", "\n  copilot ")
		if strings.Contains(help.stdout, "\x1b[") {
			t.Errorf("%s --help: colours where nobody can see them", cmd.CommandPath())
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: Short %q", cmd.CommandPath(), cmd.Short)
		}
		for _, line := range strings.Split(cmd.Example, "\n") {
			if !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: the example %q is not indented", cmd.CommandPath(), line)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRootCommand())
}

func TestVersion(t *testing.T) {
	copilot(t, "version").succeeds(t, "version", "copilot ", "go1.")
	asJSON := copilot(t, "version", "-o", "json")
	var report versionReport
	if err := json.Unmarshal([]byte(asJSON.stdout), &report); err != nil || report.Version == "" || report.Platform == "" {
		t.Errorf("%v: %s", err, asJSON.stdout)
	}
}

func TestColours(t *testing.T) {
	t.Setenv("CLICOLOR_FORCE", "1")
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("NO_COLOR", "")
	if help := copilot(t, "--help"); !strings.Contains(help.stdout, "\x1b[") {
		t.Error("no colours although they were asked for")
	}
	t.Setenv("NO_COLOR", "1")
	if help := copilot(t, "--help"); strings.Contains(help.stdout, "\x1b[3") {
		t.Errorf("colours in spite of NO_COLOR: %q", help.stdout)
	}
}
