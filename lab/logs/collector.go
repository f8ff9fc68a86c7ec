package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Push hands on entries, in order. It returns when they are taken, when trying
// again would not help, or when the context ends.
type Push func(context.Context, []Entry) error

// Collector follows log files until it is closed. It holds at most one batch of
// each file in memory: what cannot be handed on yet stays in the files.
type Collector struct {
	push    Push
	stop    context.CancelFunc
	running sync.WaitGroup

	followers []*follower

	mu      sync.Mutex
	journal *os.File // nil: none is kept
	errs    []error  // the first of each kind
	refused int      // entries that push did not take
}

// Collect follows log files. If journal is not empty, every entry is also
// written to that file, one JSON object a line. The caller must call Close.
func Collect(sources []Source, push Push, journal string) (*Collector, error) {
	ctx, stop := context.WithCancel(context.Background())
	c := &Collector{push: push, stop: stop}
	if journal != "" {
		file, err := os.Create(journal)
		if err != nil {
			stop()
			return nil, fmt.Errorf("keep the logs: %w", err)
		}
		c.journal = file
	}
	for _, source := range sources {
		f := &follower{source: source, clock: instant.System, deliver: c.deliver, flushes: make(chan chan<- struct{})}
		c.followers = append(c.followers, f)
		c.running.Go(func() { f.run(ctx) })
	}
	return c, nil
}

// deliver keeps and hands on a batch. Its error means that the context has
// ended.
func (c *Collector) deliver(ctx context.Context, entries []Entry) error {
	if err := c.keep(entries); err != nil {
		c.failed(err, 0)
	}
	err := c.push(ctx, entries)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.failed(err, len(entries))
	}
	return nil
}

func (c *Collector) keep(entries []Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal == nil {
		return nil
	}
	encoder := json.NewEncoder(c.journal)
	encoder.SetEscapeHTML(false)
	for _, entry := range entries {
		if err := encoder.Encode(entry); err != nil {
			return fmt.Errorf("keep the logs: %w", err)
		}
	}
	return nil
}

// maxErrors is how many errors are remembered: those that follow come of them.
const maxErrors = 3

func (c *Collector) failed(err error, refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused += refused
	if len(c.errs) < maxErrors {
		c.errs = append(c.errs, err)
	}
}

// Flush returns when everything that the files hold now has been handed on. It
// reports what went wrong since the start.
func (c *Collector) Flush(ctx context.Context) error {
	for _, f := range c.followers {
		flushed := make(chan struct{})
		select {
		case f.flushes <- flushed:
		case <-ctx.Done():
			return fmt.Errorf("%s has not been handed on: %w", f.source.File, context.Cause(ctx))
		}
		select {
		case <-flushed:
		case <-ctx.Done():
			return fmt.Errorf("%s has not been handed on: %w", f.source.File, context.Cause(ctx))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) == 0 {
		return nil
	}
	return fmt.Errorf("%d lines of the logs were not taken: %w", c.refused, errors.Join(c.errs...))
}

// Close stops following. What was not handed on by then never is: see Flush.
func (c *Collector) Close() error {
	c.stop()
	c.running.Wait()
	if c.journal == nil {
		return nil
	}
	return c.journal.Close()
}
