package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/lab"
	"github.com/temporal-sre/copilot/lab/play"
	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/lab/scenario"
	"github.com/temporal-sre/copilot/lab/verdicts"
	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func runCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "run SCENARIO.yaml",
		Short: "Play a scenario on a real cluster, record it, and judge the verdicts",
		Long: `run brings up the cluster that the scenario describes, gives it work, breaks it
at the times written there, and records what Prometheus saw. Then the copilot's
evaluator judges the recording, and its verdicts are compared with the truth.

At the end it also tells how hard the machine was pressed: one that could not
keep up has played another scenario than the one that is written.

It fails if a verdict was falsely Critical, an incident was missed, or fewer
than 98 % of the evaluations were right outside the allowed transitions.`,
		Example: `  lab run scenarios/all-workers-gone.yaml --out ./recording
  lab replay ./recording`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runScenario(cmd.Context(), args[0], out, newTerminal(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`directory` for the recording (needed)")
	// There is no error to tell of: the flag was defined one line above.
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func runScenario(ctx context.Context, path, out string, t *terminal) error {
	script, err := scenario.Read(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("--out %s: %w", out, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, recording.ScenarioFile), content, 0o644); err != nil {
		return fmt.Errorf("--out %s: %w", out, err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the path of this program: %w", err)
	}
	t.begin("Playing " + script.Name + ", " + script.Duration.String())
	for line := range strings.SplitSeq(strings.TrimSpace(script.Description), "\n") {
		t.line(faint.Render(line))
	}
	t.line("")
	kept, err := play.Record(ctx, script, play.Options{
		Out: out, Program: program, Progress: t.progress, Notice: t.notice,
		Up: func(l *lab.Lab, begin instant.Instant) {
			t.line("")
			places := "  Prometheus is at " + l.State().Prometheus.URL
			if loki := l.State().Loki; loki != nil {
				places += ", Loki at " + loki.URL
			}
			t.line(clockTime(0) + "  begins at " + begin.String() + faint.Render(places))
		},
		Event: func(since time.Duration, what string) { t.line(clockTime(since) + "  " + what) },
	})
	if err != nil {
		return err
	}
	t.line(clockTime(script.Duration.Value()) + "  recorded " + kept)
	return judge(ctx, out, t)
}

// judge has the evaluator judge a recording, and shows what it said.
func judge(ctx context.Context, dir string, t *terminal) error {
	result, err := verdicts.Of(ctx, dir, verdicts.Copilot())
	if err != nil {
		return err
	}
	said, s := result.Verdicts[0], &result.Scores[0]
	if err := writeVerdicts(filepath.Join(dir, recording.VerdictsFile), said); err != nil {
		return err
	}
	t.timeline(result.Truth, said, s)
	t.strain(result.Truth.Strain)
	if lacks := s.Lacks(); len(lacks) > 0 {
		return errors.New("the goals are not met: " + strings.Join(lacks, "; "))
	}
	t.line(good.Render("✓") + " the goals are met")
	return nil
}

func writeVerdicts(path string, said []api.Verdict) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	for i := range said {
		if err := encoder.Encode(&said[i]); err != nil {
			return err
		}
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write the verdicts: %w", err)
	}
	return nil
}

// clockTime writes a time since the begin of a play.
func clockTime(since time.Duration) string {
	since = since.Round(time.Second)
	return fmt.Sprintf("%02d:%02d", int(since.Minutes()), int(since.Seconds())%60)
}
