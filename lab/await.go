package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/temporal-sre/copilot/lab/supervise"
)

// whileRunning returns a context that ends, with the outcome as its cause, when
// the process ends: there is no use in waiting for it any longer.
func whileRunning(ctx context.Context, process *supervise.Process) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-process.Exited():
			cancel(errors.New(process.Outcome()))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// awaitHTTP waits until a process answers GET url with 200.
func awaitHTTP(ctx context.Context, process *supervise.Process, url string) error {
	ctx, cancel := whileRunning(ctx, process)
	defer cancel()
	for {
		err := getOK(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer on %s (%w): %w", process.Name(), url, err, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func getOK(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}
