package main

import (
	"context"
	"fmt"
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
rests on. A verdict that the worker has not renewed is shown with its age.`,
		Example: `  copilot status --database-url postgres://copilot@localhost:5432/copilot --cluster prod
  copilot status --cluster prod -o json | jq '.scopes[] | select(.state != "happy")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := flags.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer store.Close()
			status, err := storedStatus(cmd.Context(), store, cluster, clock.Now())
			if err != nil {
				return err
			}
			if format == outputJSON {
				return writeJSON(cmd.OutOrStdout(), status)
			}
			out := styled(cmd.OutOrStdout())
			if status.Stale {
				fmt.Fprintf(out, "%s\n\n", styleHead.Render(fmt.Sprintf("This is %s old: no worker has judged %s since. Is \"copilot worker\" running?",
					health.AgoSeconds(status.AgeSec), status.Cluster)))
			}
			renderStatus(out, &status, footer(&status, 0))
			return nil
		},
	}
	addStoreFlags(cmd, &flags)
	addOutputFlag(cmd, &format)
	addClusterFlag(cmd, &cluster)
	return cmd
}

// storedStatus reads the newest verdict on a cluster. The default name stands
// for the only cluster of a store that holds one.
func storedStatus(ctx context.Context, store *dsql.Store, cluster string, now instant.Instant) (api.Status, error) {
	if cluster == defaultCluster {
		known, err := store.Clusters(ctx)
		if err != nil {
			return api.Status{}, err
		}
		switch {
		case len(known) == 1:
			cluster = known[0].ID
		case len(known) > 1:
			names := make([]string, 0, len(known))
			for i := range known {
				names = append(names, known[i].ID)
			}
			return api.Status{}, usageError(fmt.Sprintf("the store holds %d clusters; choose one with --cluster: %s", len(names), strings.Join(names, ", ")))
		}
	}
	assessment, err := store.Latest(ctx, cluster)
	if err != nil {
		return api.Status{}, err
	}
	observation, err := store.Observation(ctx, cluster, assessment.At)
	if err != nil {
		return api.Status{}, err
	}
	status := api.NewStatus(assessment, observation)
	status.Aged(now)
	return status, nil
}
