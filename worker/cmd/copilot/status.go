package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func newStatusCommand(clock instant.Clock) *cobra.Command {
	var flags storeFlags
	var cluster string
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the newest verdict that the worker has stored",
		Long: `Show the newest verdict that the worker has stored on a cluster, with what it
rests on. A verdict that the worker has not renewed is shown with its age.

Exit status: 0 happy, 1 stressed, 2 critical, 3 unknown (blind, stale, or no
verdict to be had), 64 usage.`,
		Example: `  copilot status --database-url postgres://copilot@localhost:5432/copilot --cluster prod
  copilot status --cluster prod -o json | jq '.scopes[] | select(.state != "happy")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := flags.open(cmd.Context(), true)
			if err != nil {
				return unseen(err)
			}
			defer store.Close()
			cluster, err := onlyCluster(cmd.Context(), store, cluster)
			if err != nil {
				return unseen(err)
			}
			status, err := api.ReadStatus(cmd.Context(), store, cluster, clock.Now())
			if err != nil {
				return unseen(err)
			}
			code := verdictCode(status.Status)
			if status.Stale {
				code = exitUnknown
			}
			if format == outputJSON {
				if err := writeJSON(cmd.OutOrStdout(), status); err != nil {
					return err
				}
				return exitWith(code)
			}
			renderStored(styled(cmd.OutOrStdout()), &status, code)
			return exitWith(code)
		},
	}
	addStoreFlags(cmd, &flags)
	addOutputFlag(cmd, &format)
	addClusterFlag(cmd, &cluster)
	completeClusters(cmd, &flags)
	return cmd
}

// renderStored writes a stored verdict for a person, with its age and what the
// verdict of a moment does not need: the services and the issues.
func renderStored(out io.Writer, s *api.StatusAnswer, code int) {
	if s.Stale {
		fmt.Fprintf(out, "%s\n\n", styleHead.Render(fmt.Sprintf("This is %s old: no worker has judged %s since. Is \"copilot worker\" running?",
			health.AgoSeconds(s.AgeSec), s.Cluster)))
	}
	renderVerdict(out, &s.Status)
	renderServices(out, s.Scopes)
	if rows := issueRows(&s.Status); len(rows) > 0 {
		section(out, []string{"ISSUES", "open for"}, rows, 1, 1)
	}
	renderFooter(out, fmt.Sprintf("judged %s ago, %s", health.AgoSeconds(max(s.AgeSec, 0)), footer(&s.Status, 0)))
	fmt.Fprintf(out, "  %s\n", styleDim.Render(fmt.Sprintf("every rule: copilot explain %s    exit %d", s.AssessmentID, code)))
}

// renderServices writes the services in one line.
func renderServices(out io.Writer, scopes []health.ScopeVerdict) {
	var services []string
	for i := range scopes {
		if scopes[i].Kind == health.KindService {
			services = append(services, stateStyle(scopes[i].State).Render(shape(scopes[i].State))+" "+scopes[i].Name)
		}
	}
	if len(services) > 0 {
		fmt.Fprintf(out, "\n  %s  %s\n", styleHead.Render("SERVICES"), strings.Join(services, "   "))
	}
}

// issueRows are the open issues, worst first.
func issueRows(s *api.Status) [][]string {
	var rows [][]string
	for i := range s.Issues {
		issue := &s.Issues[i]
		if issue.Status != health.IssueOpen {
			continue
		}
		if len(rows) == maxRows {
			return append(rows, []string{"  and more, see -o json"})
		}
		rows = append(rows, []string{
			stateStyle(issue.Severity).Render(shape(issue.Severity)) + " " + issue.Title,
			health.Ago(max(s.ObservedAt.Sub(issue.OpenedAt), 0)),
		})
	}
	return rows
}

// onlyCluster returns the cluster that is meant. The default name stands for the
// only cluster of a store that holds one.
func onlyCluster(ctx context.Context, store *dsql.Store, cluster string) (string, error) {
	if cluster != defaultCluster {
		return cluster, nil
	}
	known, err := store.Clusters(ctx)
	if err != nil {
		return "", err
	}
	for i := range known {
		if known[i].ID == defaultCluster {
			return defaultCluster, nil
		}
	}
	name, err := api.OnlyCluster(known)
	var problem *api.Error
	if errors.As(err, &problem) && problem.Code == api.CodeClusterRequired {
		return "", usageError(fmt.Sprintf("%s; give --cluster, one of: %s", problem.Message, clusterNames(known)))
	}
	return name, err
}

func clusterNames(clusters []dsql.Cluster) string {
	names := make([]string, len(clusters))
	for i := range clusters {
		names[i] = clusters[i].ID
	}
	return listed(names, 20)
}

// completeClusters lets a shell complete --cluster with what the store holds.
func completeClusters(cmd *cobra.Command, flags *storeFlags) {
	// The only error is that the flag does not exist.
	_ = cmd.RegisterFlagCompletionFunc("cluster", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		store, err := flags.open(cmd.Context(), true)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer store.Close()
		known, err := store.Clusters(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		names := make([]string, len(known))
		for i := range known {
			names[i] = known[i].ID
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}
