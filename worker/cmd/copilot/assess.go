package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/worker/workflows"
)

func newAssessCommand() *cobra.Command {
	var t temporalFlags
	var cluster string
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "assess",
		Short: "Have the newest verdict put into words now",
		Long: `Have the newest stored verdict on a cluster put into words now, instead of at the
next scheduled time, and show them. The worker does it, within 30 seconds. A
verdict is assessed once: asked again before there is a newer one, the answer is
the same.`,
		Example: `  copilot assess --cluster prod --temporal-address temporal:7233
  copilot assess --cluster prod -o json | jq -r .explanation.summary`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			problems := append(fromEnv(cmd.Flags(), temporalEnv), t.check()...)
			if err := errors.Join(problems...); err != nil {
				return usageError(underHeading(err.Error()))
			}
			result, err := assessNow(cmd.Context(), &t, cluster)
			if err != nil {
				return err
			}
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), result)
			}
			return renderAssessment(styled(cmd.OutOrStdout()), &result)
		},
	}
	addTemporalFlags(cmd.Flags(), &t)
	addClusterFlag(cmd, &cluster)
	addOutputFlag(cmd, &format)
	return cmd
}

// assessNow asks for an assessment and waits for it. Several who ask at once
// are given the same.
func assessNow(ctx context.Context, t *temporalFlags, cluster string) (workflows.AssessResult, error) {
	// Nobody wants to read the SDK's log here.
	options, err := t.options(slog.New(slog.DiscardHandler))
	if err != nil {
		return workflows.AssessResult{}, usageError(err.Error())
	}
	var c client.Client
	err = within(ctx, tryTimeout, func(ctx context.Context) (err error) {
		c, err = t.dial(ctx, options)
		return err
	})
	if err != nil {
		return workflows.AssessResult{}, err
	}
	defer c.Close()

	var result workflows.AssessResult
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       "assess/" + cluster + "/by-hand",
		TaskQueue:                t.taskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowRunTimeout:       workflows.AssessTimeout,
		StaticSummary:            "assesses the newest verdict on cluster " + cluster,
	}, workflows.AssessHealthWorkflow, workflows.AssessInput{Cluster: cluster, Trigger: workflows.ByHand})
	if err == nil {
		err = run.Get(ctx, &result)
	}
	if err == nil && result.Joined {
		err = c.GetWorkflow(ctx, workflows.AssessWorkflowID(cluster, result.At), "").Get(ctx, &result)
	}
	var told *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	switch {
	case err == nil || ctx.Err() != nil:
		return result, err
	case errors.As(err, &told):
		return result, errors.New(told.Message())
	case errors.As(err, &timeout):
		return result, fmt.Errorf("no worker of task queue %q answered within %s; is \"copilot worker\" running, and on this task queue?",
			t.taskQueue, workflows.AssessTimeout)
	}
	return result, fmt.Errorf("assess cluster %s: %s", cluster, grpcReason(err))
}

// renderAssessment writes an assessment for people.
func renderAssessment(w io.Writer, r *workflows.AssessResult) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s    %s    since %s    observed %s\n\n",
		styleHead.Render(strings.ToUpper(r.State.String())), r.Cluster, r.Since, r.At)
	fmt.Fprintln(&b, lipgloss.NewStyle().Width(96).PaddingLeft(2).Render(r.Explanation.Summary))
	for i, factor := range r.Explanation.Factors {
		fmt.Fprintf(&b, "\n  %d. %s (%s)", i+1, factor.Text, factor.Gate)
	}
	for _, avoid := range r.Explanation.Avoid {
		fmt.Fprintf(&b, "\n  Don't %s", avoid)
	}
	fmt.Fprintf(&b, "\n\n  in the words of %s; asked for by %s; assessment %s\n", r.Explanation.By, r.Trigger, r.AssessmentID)
	if r.Failure != "" {
		fmt.Fprintf(&b, "  no other words: %s\n", r.Failure)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
