// Command bridge plays Grafana's server for the browser tests: it starts the
// built backend of the data source as Grafana does and gives it an HTTP face.
// What the backend reads is a PostgreSQL that is filled with the verdicts on a
// recorded play. It is for tests only, and no part of the plugin.
//
// It listens on a free port of the loopback address, says its address in one
// line of JSON on its standard output, and ends, with all that it started, when
// its standard input is closed or it is interrupted.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/plugin/plugintest"
)

func main() {
	plugin := flag.String("plugin", "", "the built backend")
	lab := flag.String("lab", "", "the lab's program, which serves recordings")
	recording := flag.String("recording", "", "the directory of the recording to play")
	flag.Parse()
	if err := untilStopped(func(ctx context.Context) error { return serve(ctx, *plugin, *lab, *recording) }); err != nil {
		fmt.Fprintln(os.Stderr, "bridge:", err)
		os.Exit(1)
	}
}

// untilStopped does something until it ends, the bridge is interrupted, or
// whoever started it closes its standard input or is gone.
func untilStopped(do func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return do(ctx)
}

// serve brings everything up, answers until ctx ends, and takes it down.
func serve(ctx context.Context, binary, lab, recording string) error {
	reel, err := read(ctx, lab, recording)
	if err != nil {
		return err
	}
	postgres, err := postgrestest.Start(ctx, postgrestest.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = postgres.Stop() }()
	plugin, err := plugintest.Start(binary, nil)
	if err != nil {
		return err
	}
	defer plugin.Stop()
	s, err := newStage(ctx, reel, plugin, postgres)
	if err != nil {
		return err
	}
	defer s.store.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": "http://" + listener.Addr().String()}); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
