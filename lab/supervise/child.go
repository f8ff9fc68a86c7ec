package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// ErrParentGone is the cause of a child's cancelled context after its parent
// has died.
var ErrParentGone = errors.New("the parent process is gone")

// Child is the child's end of what a Process sends.
type Child struct {
	messages *json.Decoder
}

// NewChild reads a child's configuration, the first JSON value on its standard
// input, into configuration.
func NewChild(input io.Reader, configuration any) (*Child, error) {
	child := &Child{messages: json.NewDecoder(input)}
	if err := child.messages.Decode(configuration); err != nil {
		return nil, fmt.Errorf("read the configuration from standard input (this command is for the lab's own use): %w", err)
	}
	return child, nil
}

// Context returns a context that ends with SIGTERM, with SIGINT, or with the
// parent's death. Until then every further message from the parent is handed
// to receive; nil ignores them.
func (c *Child) Context(ctx context.Context, receive func(json.RawMessage)) (context.Context, context.CancelFunc) {
	ctx, stopSignals := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		for {
			var message json.RawMessage
			if err := c.messages.Decode(&message); err != nil {
				cancel(fmt.Errorf("%w: %w", ErrParentGone, err))
				return
			}
			if receive != nil {
				receive(message)
			}
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		stopSignals()
	}
}
