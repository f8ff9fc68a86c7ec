package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/demo"
	"github.com/temporal-sre/copilot/lab/supervise"
)

// demoFlags are what the demo can be told.
type demoFlags struct {
	options  lab.Options
	copilot  string
	interval time.Duration
	keep     bool
}

func demoCommand() *cobra.Command {
	var flags demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Let the copilot watch a live cluster while it breaks and recovers",
		Long: `demo brings up a lab, lets the copilot watch it, and then stops the workers of
one task queue, of all, and starts them again. It shows what the copilot says at
each stage, and fails if it does not say what it should.`,
		Example: `  lab demo
  lab demo --keep`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), flags, newTerminal(cmd.OutOrStdout()))
		},
	}
	addOptions(cmd.Flags(), &flags.options)
	cmd.Flags().StringVar(&flags.copilot, "copilot", "", "copilot binary (default: beside this program, or on PATH)")
	cmd.Flags().DurationVar(&flags.interval, "interval", 5*time.Second, "how often the copilot observes the cluster")
	cmd.Flags().BoolVar(&flags.keep, "keep", false, "leave everything running after the story, until interrupted")
	return cmd
}

// runDemo brings everything up, tells the story, and takes everything down.
func runDemo(ctx context.Context, flags demoFlags, out *terminal) (err error) {
	if flags.copilot == "" {
		flags.copilot = find("copilot")
	}
	if _, err := exec.LookPath(flags.copilot); err != nil {
		return errors.New("no copilot binary beside this program or on PATH: run \"go tool mage build:copilot\" in the repository, or give --copilot")
	}
	flags.options.SecondTemporal = true
	out.begin("Bringing up a Temporal cluster on this machine")
	running, err := bringUp(ctx, flags.options, "", out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, takeDown(running, "", out)) }()

	copilot := newCopilot(running.State(), flags, out)
	worker, err := startCopilot(ctx, copilot, running, out)
	if err != nil {
		return err
	}
	// It goes before the servers that it uses.
	defer func() { err = errors.Join(err, worker.Stop(10*time.Second)) }()
	out.summary(running.State())
	out.closerLook(running.State(), copilot)

	ctx, cancel := untilFailure(ctx, running, worker)
	defer cancel()
	story := demo.Story{
		Cluster:  running,
		Watcher:  copilot,
		Listener: &narrator{terminal: out, ctx: ctx, copilot: copilot},
		Poll:     time.Second,
		Remind:   20 * time.Second,
	}
	outcomes, err := story.Tell(ctx, demo.Stages())
	out.outcomes(outcomes)
	if err != nil {
		return err
	}
	if !flags.keep {
		return nil
	}
	out.kept(running.State(), copilot)
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// newCopilot tells the copilot where the parts of the lab are.
func newCopilot(state control.State, flags demoFlags, out *terminal) demo.Copilot {
	return demo.Copilot{
		Binary:          flags.copilot,
		DatabaseURL:     state.Postgres.URL,
		Cluster:         lab.Cluster,
		PrometheusURL:   state.Prometheus.URL,
		TemporalAddress: state.CopilotTemporal.Address,
		Interval:        flags.interval,
		Colour:          out.coloured(),
	}
}

// startCopilot creates the copilot's tables and starts its worker.
func startCopilot(ctx context.Context, copilot demo.Copilot, running *lab.Lab, out *terminal) (*supervise.Process, error) {
	part := lab.Progress{Part: "copilot"}
	out.progress(part)
	begun := time.Now()
	if err := copilot.SetupSchema(ctx); err != nil {
		return nil, err
	}
	worker, err := copilot.Start(filepath.Join(running.Logs(), "copilot-worker.log"))
	if err != nil {
		return nil, err
	}
	part.Started, part.Took = true, time.Since(begun)
	part.Detail = fmt.Sprintf("observes the cluster every %v", copilot.Interval)
	out.progress(part)
	return worker, nil
}

// untilFailure returns a context that ends when the lab or the copilot's worker
// does, with what happened as its cause.
func untilFailure(ctx context.Context, running *lab.Lab, worker *supervise.Process) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case err := <-running.Failed():
			cancel(err)
		case <-worker.Exited():
			cancel(errors.New(worker.Outcome()))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// narrator shows a story on the terminal.
type narrator struct {
	*terminal
	ctx     context.Context //nolint:containedctx // the listener's methods have no room for it
	copilot demo.Copilot
}

func (n *narrator) Began(stage demo.Stage) {
	n.begin("▶ " + upperFirst(stage.Name))
	n.line(faint.Render("expected: " + stage.Expected))
}

func (n *narrator) Changed(from, to demo.Status, after time.Duration) {
	change := verdict(to)
	if from.HealthState != "" {
		change = verdict(from) + " → " + change
	}
	n.line(fmt.Sprintf("%s  %s  %s", to.ObservedAt, change, faint.Render("after "+strings.TrimSpace(seconds(after)))))
}

func (n *narrator) Waits(last demo.Status, after time.Duration, err error) {
	says := "no verdict yet"
	if last.HealthState != "" {
		says = "still " + last.HealthState
	}
	if err != nil {
		says += " (" + strings.SplitN(err.Error(), "\n", 2)[0] + ")"
	}
	n.line(faint.Render(fmt.Sprintf("… %s   %s", seconds(after), says)))
}

func (n *narrator) Reached(outcome demo.Outcome) {
	n.line(fmt.Sprintf("%s %s  %s", good.Render("✓"), outcome.Stage.Expected, faint.Render("after "+strings.TrimSpace(seconds(outcome.Took)))))
	text, err := n.copilot.StatusText(n.ctx)
	if err != nil {
		n.notice(err.Error())
		return
	}
	n.quote("copilot status", text)
}

// upperFirst begins a sentence.
func upperFirst(sentence string) string { return strings.ToUpper(sentence[:1]) + sentence[1:] }
