package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Exit codes of every command. A command may have further ones, which its help
// lists.
const (
	exitFailure     = 1
	exitUsage       = 64 // EX_USAGE of sysexits.h
	exitInterrupted = 130
)

// exitError ends the program with a code of the command's own choice.
type exitError struct {
	code int
	// err is told to the user; nil: the command has said all there is to say.
	err error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitWith ends the program with a code that is an answer and no failure, as
// that of check is.
func exitWith(code int) error {
	if code == 0 {
		return nil
	}
	return &exitError{code: code}
}

// usageError reports what the caller has to change on the command line or in
// the environment.
func usageError(message string) error {
	return &exitError{code: exitUsage, err: errors.New(message)}
}

// run executes the command line and returns the exit code. Errors are written
// to stderr, each as one line that names the remedy.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return execute(ctx, newRootCommand(), args, stdout, stderr)
}

func execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		if exit.err != nil {
			printError(stderr, exit.err)
		}
		return exit.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		printError(stderr, errors.New("interrupted"))
		return exitInterrupted
	}
	printError(stderr, err)
	return exitFailure
}

func printError(stderr io.Writer, err error) {
	label := lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true).Render("error:")
	fmt.Fprintln(colorprofile.NewWriter(stderr, cmdEnviron()), label, err)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "copilot",
		Short: "Says whether a Temporal cluster makes forward progress, and why not",
		Long: `Watches Temporal clusters through their metrics and says of each whether it is
happy, stressed or critical, where, why, and what to do about it. Rules decide;
nothing here can change the cluster that is watched.`,
		Example: `  copilot check --prometheus-url http://localhost:9090
  copilot db setup-schema --database-url postgres://postgres@localhost:5432/copilot`,
		Args:          noArgs,
		RunE:          showHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Sprintf("%v; see: %s --help", err, cmd.CommandPath()))
	})
	styleHelp(root)
	root.AddCommand(
		newCheckCommand(instant.System),
		newBacktestCommand(instant.System),
		newStatusCommand(instant.System),
		newTimelineCommand(instant.System),
		newExplainCommand(),
		newAPICommand(),
		newDBCommand(),
		newWorkerCommand(),
		newAssessCommand(),
		newCompletionCommand(),
		newVersionCommand(),
	)
	return root
}

// showHelp is what a command does that only has subcommands.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noArgs refuses arguments: flags say everything. A word after a command with
// subcommands is a subcommand that does not exist.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usageError(fmt.Sprintf("%s takes no argument %q; see: %s --help", cmd.CommandPath(), args[0], cmd.CommandPath()))
	}
	message := fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+args[0])
	cmd.SuggestionsMinimumDistance = 2 // letters that may be wrong
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usageError(fmt.Sprintf("%s; did you mean %q?", message, cmd.CommandPath()+" "+near[0]))
	}
	return usageError(fmt.Sprintf("%s; see: %s --help", message, cmd.CommandPath()))
}

// helpTemplate is cobra's with styled headings and without the lines that only
// fill space. Examples are left as they are, to be copied.
const helpTemplate = `{{with or .Long .Short}}{{. | trimTrailingWhitespaces}}

{{end}}{{heading "USAGE"}}
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

{{heading "EXAMPLES"}}
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

{{heading "COMMANDS"}}{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

{{heading "FLAGS"}}
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

{{heading "FLAGS OF EVERY COMMAND"}}
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

func styleHelp(root *cobra.Command) {
	cobra.AddTemplateFunc("heading", func(text string) string { return lipgloss.NewStyle().Bold(true).Render(text) })
	root.SetHelpTemplate(helpTemplate)
	plain := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		out := cmd.OutOrStdout()
		cmd.SetOut(styled(out))
		plain(cmd, args)
		cmd.SetOut(out)
	})
}

// cmdEnviron is the environment that decides about colours: NO_COLOR,
// CLICOLOR_FORCE, TERM and their kin.
func cmdEnviron() []string { return os.Environ() }

// styled returns a writer that takes colours and leaves out those that w cannot
// show: all of them when w is no terminal or NO_COLOR is set.
func styled(w io.Writer) io.Writer { return colorprofile.NewWriter(w, cmdEnviron()) }

// outputFormat is how a command writes its answer.
type outputFormat string

// The output formats. A table is for people, JSON for programs; the JSON stays
// as it is from version to version.
const (
	outputTable outputFormat = "table"
	outputJSON  outputFormat = "json"
)

// String, Set and Type make an outputFormat a flag.
func (f *outputFormat) String() string { return string(*f) }

// Set reads the format that the user asks for.
func (f *outputFormat) Set(s string) error {
	switch format := outputFormat(strings.ToLower(s)); format {
	case outputTable, outputJSON:
		*f = format
		return nil
	}
	return errors.New("use table or json")
}

// Type is shown in the help.
func (f *outputFormat) Type() string { return "table|json" }

// addOutputFlag adds -o to a command that answers.
func addOutputFlag(cmd *cobra.Command, format *outputFormat) {
	*format = outputTable
	cmd.Flags().VarP(format, "output", "o", "form of the answer")
	// The only error is that the flag does not exist.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{string(outputTable), string(outputJSON)}, cobra.ShellCompDirectiveNoFileComp))
}

// defaultCluster is the name of a cluster that nobody has named.
const defaultCluster = "default"

// addClusterFlag adds --cluster to a command that reads the store.
func addClusterFlag(cmd *cobra.Command, cluster *string) {
	name := defaultCluster
	if fromEnv := os.Getenv("COPILOT_CLUSTER"); fromEnv != "" {
		name = fromEnv
	}
	cmd.Flags().StringVar(cluster, "cluster", name, "name of the monitored cluster (env COPILOT_CLUSTER)")
}

// writeJSON writes an answer for programs.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
