package recording

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/prometheus"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/lab/supervise"
)

const (
	readyTimeout = time.Minute
	stopGrace    = 5 * time.Second
	// keepAll is longer ago than any recording.
	keepAll = "100y"
)

// Server serves a recording through the HTTP APIs of a real Prometheus and, if
// it has logs, of a real Loki.
type Server struct {
	// URL is the base of Prometheus' API.
	URL string
	// LokiURL is the base of Loki's API. Empty: the recording has no logs, or
	// they are not served.
	LokiURL string
	// Truth is what was true when.
	Truth *score.Truth

	ports   loopback.Ports
	dir     string
	process *supervise.Process
	loki    *supervise.Process // nil without logs
}

// Serve serves the recording in a directory, with its logs; port 0 means any
// for Prometheus. The binaries are found as the lab's are: without one of Loki
// the error of a recording with logs is loki.ErrNoBinary. The caller must call
// Close.
func Serve(ctx context.Context, dir string, port int) (*Server, error) {
	logs, err := holdsLogs(dir)
	if err != nil {
		return nil, err
	}
	return serve(ctx, dir, port, logs)
}

// ServeMetrics is like Serve, without logs.
func ServeMetrics(ctx context.Context, dir string, port int) (*Server, error) {
	return serve(ctx, dir, port, false)
}

func serve(ctx context.Context, dir string, port int, logs bool) (*Server, error) {
	truth, err := ReadTruth(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{Truth: truth}
	if err := s.start(ctx, dir, port, logs); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the recording in %s: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, recording string, port int, logs bool) (err error) {
	if s.dir, err = os.MkdirTemp("", "lab-replay-"); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.startPrometheus(ctx, filepath.Join(recording, MetricsFile), port) })
	if logs {
		group.Go(func() error { return s.startLoki(ctx, filepath.Join(recording, LogsFile)) })
	}
	return group.Wait()
}

func (s *Server) startPrometheus(ctx context.Context, archive string, port int) error {
	binary, err := prometheus.Find("")
	if err != nil {
		return err
	}
	data := prometheus.DataDir(s.dir)
	if err := os.Mkdir(data, 0o755); err != nil {
		return err
	}
	if err := unpack(archive, data); err != nil {
		return err
	}
	if port == 0 {
		if port, err = s.ports.Pick(0); err != nil {
			return err
		}
	}
	s.process, err = prometheus.Start(prometheus.Config{
		Binary: binary, Address: loopback.Address(port), Dir: s.dir,
		LogFile: filepath.Join(s.dir, "prometheus.log"), ScrapeInterval: time.Minute, Retention: keepAll,
	})
	if err != nil {
		return err
	}
	s.URL = "http://" + loopback.Address(port)
	return awaitReady(ctx, s.process, s.URL+"/-/ready")
}

// awaitReady waits until a process answers GET url with 200.
func awaitReady(ctx context.Context, process *supervise.Process, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-process.Exited():
			return errors.New(process.Outcome())
		case <-ctx.Done():
			return fmt.Errorf("no answer on %s: %w", url, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Exited is closed when Prometheus or Loki has ended.
func (s *Server) Exited() <-chan struct{} {
	if s.loki == nil {
		return s.process.Exited()
	}
	either := make(chan struct{})
	go func() {
		select {
		case <-s.process.Exited():
		case <-s.loki.Exited():
		}
		close(either)
	}()
	return either
}

// Close ends the server and removes what it unpacked.
func (s *Server) Close() error {
	var errs []error
	for _, process := range []*supervise.Process{s.process, s.loki} {
		if process != nil {
			errs = append(errs, process.Stop(stopGrace))
		}
	}
	s.ports.Close()
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
