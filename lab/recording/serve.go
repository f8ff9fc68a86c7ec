package recording

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/temporal-sre/copilot/lab/loopback"
	"github.com/temporal-sre/copilot/lab/prometheus"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/lab/supervise"
)

const (
	readyTimeout = 30 * time.Second
	stopGrace    = 5 * time.Second
	// keepAll is longer ago than any recording.
	keepAll = "100y"
)

// Server serves a recording through the HTTP API of a real Prometheus.
type Server struct {
	// URL is the base of the API.
	URL string
	// Truth is what was true when.
	Truth *score.Truth

	ports   loopback.Ports
	dir     string
	process *supervise.Process
}

// Serve serves the recording in a directory; port 0 means any. The Prometheus
// is found as the lab's is. The caller must call Close.
func Serve(ctx context.Context, dir string, port int) (*Server, error) {
	truth, err := ReadTruth(dir)
	if err != nil {
		return nil, err
	}
	binary, err := prometheus.Find("")
	if err != nil {
		return nil, err
	}
	s := &Server{Truth: truth}
	if err := s.start(ctx, binary, filepath.Join(dir, MetricsFile), port); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the recording in %s: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, binary, archive string, port int) (err error) {
	if s.dir, err = os.MkdirTemp("", "lab-replay-"); err != nil {
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
	return s.awaitReady(ctx)
}

func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/-/ready", nil)
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
		case <-s.process.Exited():
			return errors.New(s.process.Outcome())
		case <-ctx.Done():
			return fmt.Errorf("no answer on %s: %w", s.URL, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Exited is closed when the server has ended.
func (s *Server) Exited() <-chan struct{} { return s.process.Exited() }

// Close ends the server and removes what it unpacked.
func (s *Server) Close() error {
	var errs []error
	if s.process != nil {
		errs = append(errs, s.process.Stop(stopGrace))
	}
	s.ports.Close()
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
