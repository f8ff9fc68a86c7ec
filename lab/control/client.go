package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrNoLab reports that no lab is running where one was looked for.
var ErrNoLab = errors.New("no lab is running: start one with \"lab up\", or give its address with --control")

// requestTimeout bounds one request; stopping a worker in order takes a few
// seconds.
const requestTimeout = 30 * time.Second

// Client talks to a running lab.
type Client struct {
	url string
}

// NewClient returns a client for the lab at an address such as
// http://127.0.0.1:7290. An empty address means the lab that the file at
// DefaultFile tells of.
func NewClient(address string) (*Client, error) {
	if address != "" {
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
		return &Client{url: strings.TrimSuffix(address, "/")}, nil
	}
	path, err := DefaultFile()
	if err != nil {
		return nil, err
	}
	state, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoLab
	}
	if err != nil {
		return nil, err
	}
	return &Client{url: state.Control.URL}, nil
}

// State asks what the lab consists of.
func (c *Client) State(ctx context.Context) (State, error) {
	return c.do(ctx, http.MethodGet, "/v1/state")
}

// StopWorkers stops the worker of a queue: in order, or at once with kill.
func (c *Client) StopWorkers(ctx context.Context, queue string, kill bool) (State, error) {
	return c.do(ctx, http.MethodPost, "/v1/workers/"+url.PathEscape(queue)+"/stop?kill="+strconv.FormatBool(kill))
}

// StartWorkers starts the worker of a queue.
func (c *Client) StartWorkers(ctx context.Context, queue string) (State, error) {
	return c.do(ctx, http.MethodPost, "/v1/workers/"+url.PathEscape(queue)+"/start")
}

// SetRate changes the load, in pieces of work a second.
func (c *Client) SetRate(ctx context.Context, perSecond float64) (State, error) {
	return c.do(ctx, http.MethodPost, "/v1/load/rate?per_second="+strconv.FormatFloat(perSecond, 'g', -1, 64))
}

func (c *Client) do(ctx context.Context, method, path string) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, nil)
	if err != nil {
		return State{}, fmt.Errorf("--control %s: %w", c.url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return State{}, fmt.Errorf("%w (%w)", ErrNoLab, err)
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	if response.StatusCode != http.StatusOK {
		var failed failure
		if err := decoder.Decode(&failed); err != nil {
			return State{}, fmt.Errorf("%s answered %s: is this a lab?", request.URL, response.Status)
		}
		return State{}, errors.New(failed.Error)
	}
	var state State
	if err := decoder.Decode(&state); err != nil {
		return State{}, fmt.Errorf("%s answered no lab's state: %w", request.URL, err)
	}
	return state, nil
}
