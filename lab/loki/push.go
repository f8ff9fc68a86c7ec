package loki

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/lab/logs"
)

const (
	// pushTimeout bounds one request.
	pushTimeout = 15 * time.Second
	// Between two attempts a client waits longer and longer.
	firstPause, longestPause = 100 * time.Millisecond, 2 * time.Second
)

// Client pushes entries to a Loki.
type Client struct {
	// URL is the base of its API.
	URL string
}

// stream is one of Loki's push API: lines with the same labels.
type stream struct {
	Labels map[string]string `json:"stream"`
	Values [][2]string       `json:"values"`
}

// Push pushes entries and tries again, with the context as the bound, for as
// long as Loki is away or too busy. What Loki refuses for good is an error.
func (c Client) Push(ctx context.Context, entries []logs.Entry) error {
	body, err := json.Marshal(map[string]any{"streams": streamsOf(entries)})
	if err != nil {
		return fmt.Errorf("push to Loki: %w", err)
	}
	pause := firstPause
	for {
		again, err := c.push(ctx, body)
		if err == nil || !again {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, context.Cause(ctx))
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// streamsOf puts together what has the same labels, in order.
func streamsOf(entries []logs.Entry) []*stream {
	var streams []*stream
	find := func(labels map[string]string) *stream {
		for _, s := range streams {
			if maps.Equal(s.Labels, labels) {
				return s
			}
		}
		s := &stream{Labels: labels}
		streams = append(streams, s)
		return s
	}
	for _, entry := range entries {
		s := find(entry.Labels)
		s.Values = append(s.Values, [2]string{strconv.FormatInt(entry.Nanos, 10), entry.Line})
	}
	return streams
}

// push makes one attempt, and tells whether another one may succeed.
func (c Client) push(ctx context.Context, body []byte) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/loki/api/v1/push", bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("push to Loki: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return true, fmt.Errorf("push to Loki: %w", err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if response.StatusCode/100 == 2 {
		return false, nil
	}
	if err != nil {
		said = []byte(err.Error())
	}
	again = response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500
	return again, fmt.Errorf("push to Loki: %s: %s", response.Status, strings.TrimSpace(string(said)))
}
