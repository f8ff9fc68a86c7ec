// Command lab brings up a real Temporal cluster under load on this machine,
// for the copilot to watch and for people to break.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run executes a command line and returns the exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first interrupt asks for an orderly end; a second one ends at once.
	context.AfterFunc(ctx, stop)

	root := command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 130 // as shells say of an interrupted program
	default:
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
}

// command returns the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "lab",
		Short: "A real Temporal cluster under load on this machine, to watch and to break",
		Long: `lab brings up PostgreSQL, a Temporal server, workers, a load generator and
Prometheus as processes of this machine, on the loopback interface only, and
takes everything down again when it ends.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(upCommand(), demoCommand(), runCommand(), replayCommand(), workersCommand(), loadCommand())
	root.AddCommand(serveCommands()...)
	return root
}
