package temporal

import (
	"cmp"
	"context"
	"fmt"

	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"
)

// Serve runs a server until the context ends and then stops it in order. Its
// log goes to standard output, as in production. Each value from settings
// replaces the dynamic settings.
func Serve(ctx context.Context, cfg Config, settings <-chan Settings) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	services := cfg.Services
	if len(services) == 0 {
		services = temporal.DefaultServices
	}
	dynamic := dynamicconfig.NewMemoryClient()
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg.serverConfig()),
		temporal.ForServices(services),
		temporal.WithLogger(log.NewZapLogger(log.BuildZapLogger(log.Config{Stdout: true, Level: "info", Format: cmp.Or(cfg.LogFormat, LogJSON)}))),
		// Nothing is set until somebody does: the copilot has to do with the
		// server's defaults.
		temporal.WithDynamicConfigClient(dynamic),
	)
	if err != nil {
		return fmt.Errorf("configure the Temporal server: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the Temporal server: %w", err)
	}
	apply(ctx, dynamic, settings)
	if err := server.Stop(); err != nil {
		return fmt.Errorf("stop the Temporal server: %w", err)
	}
	return nil
}

// Settings are dynamic settings with numbers as values, by their names, such as
// "frontend.namespaceRPS".
type Settings map[string]int

// apply sets what it is told to, until the context ends.
func apply(ctx context.Context, dynamic *dynamicconfig.MemoryClient, settings <-chan Settings) {
	var undo []func()
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-settings:
			for _, remove := range undo {
				remove()
			}
			undo = nil
			for name, value := range next {
				undo = append(undo, dynamic.OverrideValue(dynamicconfig.MakeKey(name), value))
			}
		}
	}
}
