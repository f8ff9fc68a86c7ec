package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/temporal-sre/copilot/pkg/explain"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/prometheus"
)

// readyTimeout is how long a replay may take to answer.
const readyTimeout = time.Minute

// reel is what a worker would have observed of a recorded play.
type reel struct {
	observations []health.Observation
	// states are those that the rules give to the observations.
	states []health.State
}

// read has the lab serve a recording, and observes it from beginning to end.
func read(ctx context.Context, lab, recording string) (*reel, error) {
	content, err := os.ReadFile(filepath.Join(recording, "truth.json"))
	if err != nil {
		return nil, err
	}
	var truth struct {
		From, To    instant.Instant
		StepSeconds int `json:"step_seconds"`
		Selector    string
	}
	if err := json.Unmarshal(content, &truth); err != nil {
		return nil, fmt.Errorf("the truth of %s: %w", recording, err)
	}
	url, stop, err := replay(ctx, lab, recording)
	if err != nil {
		return nil, err
	}
	defer stop()
	observer, err := prometheus.New(prometheus.Config{URL: url, Cluster: "recorded", Selector: truth.Selector, Timeout: readyTimeout})
	if err != nil {
		return nil, err
	}
	observations, err := observer.Observe(ctx, truth.From, truth.To, time.Duration(truth.StepSeconds)*time.Second)
	if err != nil {
		return nil, err
	}
	r := &reel{observations: observations}
	var window health.Window
	for _, observation := range observations {
		var a health.Assessment
		a, window = health.Evaluate(window, observation)
		r.states = append(r.states, a.State)
	}
	return r, nil
}

// replay starts the lab's replay of a recording and returns its address when it
// answers.
func replay(ctx context.Context, lab, recording string) (url string, stop func(), err error) {
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, lab, "replay", recording, "--port", strconv.Itoa(port))
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan struct{})
	go func() {
		// That it ended is what matters; it said on stderr why.
		_ = cmd.Wait()
		close(ended)
	}()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	}
	url = "http://127.0.0.1:" + strconv.Itoa(port)
	ready, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		if isReady(ready, url) {
			return url, stop, nil
		}
		select {
		case <-ended:
			return "", nil, errors.New("the replay of " + recording + " ended by itself")
		case <-ready.Done():
			stop()
			return "", nil, fmt.Errorf("the replay of %s does not answer on %s: %w", recording, url, ready.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func isReady(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/-/ready", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// freePort asks the kernel for a port that nobody listens on now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// play is the reel on its way into the store, as a cluster of its own, moved in
// time.
type play struct {
	reel    *reel
	cluster string
	// later is how much later than recorded everything happens.
	later  time.Duration
	window health.Window
	next   int
}

// step gives the next observation and what the rules say of it.
func (p *play) step() (health.Observation, health.Assessment, error) {
	if p.next == len(p.reel.observations) {
		return health.Observation{}, health.Assessment{}, fmt.Errorf("the play of %s is over", p.cluster)
	}
	observation := p.reel.observations[p.next]
	observation.Cluster, observation.At = p.cluster, observation.At.Add(p.later)
	p.next++
	var a health.Assessment
	a, p.window = health.Evaluate(p.window, observation)
	a.Explanation = explain.Rules(&a)
	return observation, a, nil
}

// find returns the first step from which on the state holds for at least so many
// steps.
func (r *reel) find(state health.State, steps int) (int, error) {
	held := 0
	for i, is := range r.states {
		if is != state {
			held = 0
			continue
		}
		if held++; held == steps {
			return i - steps + 1, nil
		}
	}
	return 0, fmt.Errorf("the recording is never %s for %d steps", state, steps)
}
