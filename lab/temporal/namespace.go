package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention is how long closed workflows are kept: the shortest that the
// server allows, and longer than any lab lives.
const retention = 24 * time.Hour

// PrepareNamespace waits until the server at address answers, registers the
// namespace if it is not there, and returns when it can be used. The context
// bounds the wait.
func PrepareNamespace(ctx context.Context, address, namespace string) error {
	connection, err := connect(ctx, address, namespace)
	if err != nil {
		return err
	}
	defer connection.Close()

	return retry(ctx, fmt.Sprintf("prepare namespace %s on %s", namespace, address), func(ctx context.Context) error {
		_, err := connection.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace:                        namespace,
			Description:                      "registered by the lab",
			WorkflowExecutionRetentionPeriod: durationpb.New(retention),
		})
		var exists *serviceerror.NamespaceAlreadyExists
		if err != nil && !errors.As(err, &exists) {
			return err
		}
		// A new namespace reaches the services' caches a little later.
		_, err = connection.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1})
		return err
	})
}

// connect dials until the frontend answers.
func connect(ctx context.Context, address, namespace string) (client.Client, error) {
	var connection client.Client
	err := retry(ctx, "connect to Temporal on "+address, func(ctx context.Context) (err error) {
		connection, err = client.DialContext(ctx, client.Options{
			HostPort:  address,
			Namespace: namespace,
			Logger:    sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		})
		return err
	})
	return connection, err
}

// retry calls try until it succeeds or the context ends.
func retry(ctx context.Context, what string, try func(context.Context) error) error {
	for {
		tryCtx, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := try(tryCtx)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s (%w): %w", what, err, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
