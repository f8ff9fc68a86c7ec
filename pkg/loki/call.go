package loki

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	attempts     = 3
	firstBackoff = 200 * time.Millisecond
	// longestError bounds what is read of an answer that is an error.
	longestError = 4 << 10
)

// look makes a look-up.
func (s *Scanner) look(ctx context.Context, what, path string, form url.Values, data any) error {
	return s.do(ctx, what, func() (*http.Request, error) {
		u := s.base.JoinPath("loki", "api", "v1", path)
		u.RawQuery = form.Encode()
		return http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	}, data)
}

// query makes a query over a range. It is sent as a form, as it may be longer
// than what proxies take for a URL.
func (s *Scanner) query(ctx context.Context, what string, form url.Values, data any) error {
	return s.do(ctx, what, func() (*http.Request, error) {
		u := s.base.JoinPath("loki", "api", "v1", "query_range")
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return r, err
	}, data)
}

// do makes one request with bounded retries on what may pass by itself, and
// reads the answer's data. The context carries the deadline.
func (s *Scanner) do(ctx context.Context, what string, request func() (*http.Request, error), data any) error {
	var err error
	for attempt := range attempts {
		if attempt > 0 && !pause(ctx, err, attempt) {
			break
		}
		watch := instant.StartStopwatch()
		err = s.once(request, data)
		level := slog.LevelDebug
		if err != nil {
			level = slog.LevelWarn
		}
		s.cfg.Logger.Log(ctx, level, "loki request", "what", what, "took", watch.Elapsed(), "attempt", attempt+1, "error", s.describe(err))
		if err == nil {
			return nil
		}
		if !passing(err) || ctx.Err() != nil {
			break
		}
	}
	return s.describe(err)
}

// pause waits before another attempt: as long as Loki asks for, or longer each
// time. It returns false when the deadline would pass meanwhile.
func pause(ctx context.Context, last error, attempt int) bool {
	wait := firstBackoff << (attempt - 1)
	wait += rand.N(wait)
	var status *statusError
	if errors.As(last, &status) {
		wait = max(wait, status.retryAfter)
	}
	deadline, bounded := ctx.Deadline()
	if bounded && instant.System.Now().Add(wait).After(instant.FromTime(deadline)) {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// statusError is an answer that Loki, or what stands before it, refused.
type statusError struct {
	code       int
	text       string
	retryAfter time.Duration
}

// Error implements error.
func (e *statusError) Error() string { return fmt.Sprintf("%d: %s", e.code, e.text) }

// foreignError is an answer that is not Loki's.
type foreignError struct{ why string }

// Error implements error.
func (e *foreignError) Error() string { return e.why }

// envelope is the frame of Loki's answers.
type envelope struct {
	Status string          `json:"status"`
	Data   json.RawMessage `json:"data"`
}

// once makes one request.
func (s *Scanner) once(request func() (*http.Request, error), data any) error {
	r, err := request()
	if err != nil {
		return err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, longestError))
		refused := &statusError{code: resp.StatusCode, text: errorText(text), retryAfter: retryAfter(resp.Header)}
		if to, err := resp.Location(); err == nil {
			refused.text = to.Scheme + "://" + to.Host + to.Path
		}
		return refused
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return &foreignError{why: "not JSON: " + firstLine(string(body))}
	}
	// A Loki without any stream leaves the data of a list out.
	if e.Status != "success" {
		return &foreignError{why: fmt.Sprintf("status %q", e.Status)}
	}
	if len(e.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(e.Data, data); err != nil {
		return &foreignError{why: err.Error()}
	}
	return nil
}

// errorText reads the text of an error, which Loki gives as plain text or as
// JSON, depending on which of its parts refused.
func errorText(body []byte) string {
	var parsed struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &parsed) == nil {
		if text := parsed.Error + parsed.Message; text != "" {
			return firstLine(text)
		}
	}
	return firstLine(string(body))
}

// retryAfter reads how long a server asks to wait, in seconds or as a date,
// which is compared with the server's own clock.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	then, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, then.Sub(date))
}

// passing tells whether an error may be gone the next time.
func passing(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.code == http.StatusTooManyRequests || status.code >= 500
	}
	var foreign *foreignError
	if errors.As(err, &foreign) || errors.Is(err, errTooLarge) {
		return false
	}
	var broken net.Error
	return errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// tooManySeries tells whether Loki refused an answer for its number of rows.
func tooManySeries(err error) bool {
	var status *statusError
	return errors.As(err, &status) && strings.Contains(status.text, "of series")
}

// RequestError is a request that failed, in one line for people.
type RequestError struct {
	text  string
	cause error
}

// Error says what is wrong and what to do.
func (e *RequestError) Error() string { return e.text }

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.cause }

// describe says what went wrong in one line without credentials.
func (s *Scanner) describe(err error) error {
	if err == nil {
		return nil
	}
	var described *RequestError
	if errors.As(err, &described) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return &RequestError{text: s.words(err), cause: err}
}

// words are the text of describe.
func (s *Scanner) words(err error) string {
	where := "Loki at " + redactURL(s.cfg.URL)
	var status *statusError
	var foreign *foreignError
	var dns *net.DNSError
	var transport *url.Error
	switch {
	case errors.Is(err, errTooLarge):
		return fmt.Sprintf("no use of the answer of %s: %v", where, errTooLarge)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer from %s within %s: it hangs, or has too much to read; narrow the selector, or allow more time", where, s.cfg.Timeout)
	case errors.As(err, &status):
		return s.refusal(where, status)
	case errors.As(err, &foreign):
		return fmt.Sprintf("%s does not answer like a Loki API (%s): check the URL", redactURL(s.cfg.URL), s.cfg.Redact(foreign.why))
	case errors.As(err, &dns):
		return fmt.Sprintf("no %s: the host %s is not known: check the URL", where, dns.Name)
	case errors.As(err, &transport):
		return fmt.Sprintf("cannot reach %s: %v", where, transport.Err)
	}
	return fmt.Sprintf("the request to %s failed: %v", where, err)
}

// refusal words an answer with another status than 200.
func (s *Scanner) refusal(where string, e *statusError) string {
	text := s.cfg.Redact(e.text)
	switch {
	case strings.Contains(e.text, "no org id"):
		return where + " serves several tenants and was asked for none: set the tenant, which is sent as X-Scope-OrgID"
	case e.code/100 == 3:
		return fmt.Sprintf("%s sends requests on to %s (%d): give the base of the API that is meant, or get past a login before it", redactURL(s.cfg.URL), text, e.code)
	case e.code == http.StatusUnauthorized:
		return fmt.Sprintf("%s does not know who asks (401: %s): check the user and password, or the bearer token", where, text)
	case e.code == http.StatusForbidden:
		return fmt.Sprintf("%s refuses to be read (403: %s): give the user or token the right to read logs, and check the tenant", where, text)
	case e.code == http.StatusNotFound:
		return fmt.Sprintf("%s does not answer like a Loki API (404: %s): check the URL", redactURL(s.cfg.URL), text)
	case e.code == http.StatusMethodNotAllowed:
		return fmt.Sprintf("%s, or a proxy before it, does not take a query by POST (405): let POST to /loki/api/v1/query_range through", where)
	case e.code == http.StatusTooManyRequests:
		return fmt.Sprintf("%s is asked too much (429: %s): narrow the selector, or raise its limits", where, text)
	case tooManySeries(e):
		return fmt.Sprintf("%s would answer with too many rows (%s): narrow the selector, or raise Loki's max_query_series", where, text)
	case e.code == http.StatusGatewayTimeout || strings.Contains(e.text, "timed out") || strings.Contains(e.text, "too many bytes"):
		return fmt.Sprintf("%s is too slow for the query (%d: %s): narrow the selector", where, e.code, text)
	}
	return fmt.Sprintf("an error from %s: %d: %s", where, e.code, text)
}

// firstLine keeps an error message short.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
