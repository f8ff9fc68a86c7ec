package workload

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
)

// dialFor bounds how long Dial waits for a frontend that does not answer yet.
const dialFor = 30 * time.Second

// Dial connects to Temporal. A frontend that listens may still refuse for some
// seconds until it is healthy, at the start and after a restart, and what is
// started beside it has to bear that.
func Dial(ctx context.Context, options client.Options) (client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	for {
		connection, err := client.DialContext(ctx, options)
		if err == nil {
			return connection, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to Temporal on %s: %w", options.HostPort, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
