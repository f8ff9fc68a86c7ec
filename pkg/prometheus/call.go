package prometheus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	attempts     = 3
	firstBackoff = 200 * time.Millisecond
)

// call makes one request with bounded retries on what may pass by itself. The
// context carries the deadline of the whole observation.
func call[T any](ctx context.Context, o *Observer, what string, ask func(context.Context) (T, v1.Warnings, v1.Infos, error)) (T, error) {
	var zero T
	var err error
	for attempt := range attempts {
		if attempt > 0 {
			wait := firstBackoff << (attempt - 1)
			wait += rand.N(wait)
			select {
			case <-ctx.Done():
				return zero, o.describe(err)
			case <-time.After(wait):
			}
		}
		watch := instant.StartStopwatch()
		var value T
		var warnings v1.Warnings
		o.requests.Add(1)
		value, warnings, _, err = ask(ctx)
		level := slog.LevelDebug
		if err != nil {
			level = slog.LevelWarn
		}
		o.cfg.Logger.Log(ctx, level, "prometheus request", "what", what, "took", watch.Elapsed(), "attempt", attempt+1, "warnings", len(warnings), "error", o.describe(err))
		if err == nil {
			return value, nil
		}
		if !passing(err) || ctx.Err() != nil {
			break
		}
	}
	return zero, o.describe(err)
}

// passing tells whether an error may be gone the next time.
func passing(err error) bool {
	var answer *v1.Error
	if errors.As(err, &answer) {
		switch answer.Type {
		case v1.ErrServer, v1.ErrTimeout:
			return true
		case v1.ErrClient:
			return strings.Contains(answer.Msg, "429")
		}
		return false
	}
	if bound := tooLarge(err); bound != nil {
		return errors.Is(bound, errCrowded) // others may be done with theirs
	}
	var refused net.Error
	return errors.As(err, &refused)
}

// describe says what went wrong in one line without credentials.
func (o *Observer) describe(err error) error {
	if err == nil {
		return nil
	}
	where := redactURL(o.cfg.URL)
	var answer *v1.Error
	var dns *net.DNSError
	var transport *url.Error
	var unsigned *credentialsError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &unsigned):
		return fmt.Errorf("no AWS credentials to sign requests to Prometheus at %s with: %s: check the role or the AWS_… settings of this process", where, firstLine(unsigned.Error()))
	case tooLarge(err) != nil:
		return fmt.Errorf("no use of the answer of Prometheus at %s: %w", where, tooLarge(err))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer from Prometheus at %s within %s", where, o.cfg.Timeout)
	case errors.As(err, &answer):
		if answer.Type == v1.ErrBadResponse {
			return fmt.Errorf("%s does not answer like a Prometheus API (%s): check the URL", where, firstLine(answer.Msg))
		}
		return fmt.Errorf("an error from Prometheus at %s: %s: %s", where, answer.Type, firstLine(answer.Msg))
	case errors.As(err, &dns):
		return fmt.Errorf("no Prometheus at %s: the host %s is not known: check the URL", where, dns.Name)
	case errors.As(err, &transport):
		return fmt.Errorf("cannot reach Prometheus at %s: %w", where, transport.Err)
	}
	return fmt.Errorf("the request to Prometheus at %s failed: %w", where, err)
}

// firstLine keeps an error message short.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}
