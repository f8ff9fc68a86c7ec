package temporal

import (
	"context"
	"fmt"

	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"
)

// Serve runs a server until the context ends and then stops it in order. Its
// log goes to standard output as JSON lines, as in production.
func Serve(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg.serverConfig()),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(log.NewZapLogger(log.BuildZapLogger(log.Config{Stdout: true, Level: "info", Format: "json"}))),
		// No dynamic settings: the copilot has to do with the server's defaults.
		temporal.WithDynamicConfigClient(dynamicconfig.NewNoopClient()),
	)
	if err != nil {
		return fmt.Errorf("configure the Temporal server: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the Temporal server: %w", err)
	}
	<-ctx.Done()
	if err := server.Stop(); err != nil {
		return fmt.Errorf("stop the Temporal server: %w", err)
	}
	return nil
}
