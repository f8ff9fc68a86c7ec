package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/dsql"
)

// Bounds of one connection. The API bounds each request itself.
const (
	apiHeaderTimeout = 5 * time.Second
	apiReadTimeout   = 10 * time.Second
	apiWriteTimeout  = 30 * time.Second
	apiIdleTimeout   = 2 * time.Minute
	apiMaxHeader     = 32 << 10 // bytes
	// apiStopTimeout is how long requests under way may take when the server is
	// asked to stop.
	apiStopTimeout = 10 * time.Second
)

// apiOptions are the settings of the API's server.
type apiOptions struct {
	store           storeFlags
	listen          string
	tokenFile       string
	tlsCert, tlsKey string
	origins         []string
	logFormat       string
	flags           *pflag.FlagSet

	// What settle makes of them.
	token        string
	certificates []tls.Certificate
	withoutToken bool // everybody on this machine is let in
}

// apiEnv names the environment variables that stand in for flags which are not
// given.
var apiEnv = map[string]string{
	"listen":       "COPILOT_API_LISTEN",
	"token-file":   "COPILOT_API_TOKEN_FILE",
	"tls-cert":     "COPILOT_API_TLS_CERT",
	"tls-key":      "COPILOT_API_TLS_KEY",
	"allow-origin": "COPILOT_API_ALLOW_ORIGIN",
	"log-format":   "COPILOT_LOG_FORMAT",
}

func newAPICommand() *cobra.Command {
	var o apiOptions
	cmd := &cobra.Command{
		Use:   "api",
		Short: "Serve verdicts and their history as JSON over HTTP",
		Long: `Serve what the worker has stored as JSON over HTTP: status, services, issues,
summary, timeline and every assessment. GET /openapi.json describes it. The store
is opened read-only, and nothing can be changed through it: the server ends when
the database does not hold it to that.

On a loopback address, the default, everybody on this machine may ask. Anywhere
else callers have to show a token, "Authorization: Bearer …", which is read from
--token-file or COPILOT_API_TOKEN; /healthz and /readyz need none.

While the store is away the last known verdict is answered, and said to be that.`,
		Example: `  copilot api --database-url postgres://copilot@localhost:5432/copilot
  copilot api --dsql-endpoint abc123.dsql.eu-west-1.on.aws --listen :8443 --token-file /run/secrets/api-token \
    --tls-cert /etc/copilot/tls.crt --tls-key /etc/copilot/tls.key --allow-origin https://grafana.example.com
  curl -s localhost:8080/status | jq '{health_state, summary}'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.settle(); err != nil {
				return err
			}
			return serveAPI(cmd.Context(), &o, cmd.OutOrStdout(), newLogger(cmd.ErrOrStderr(), o.logFormat))
		},
	}
	addStoreFlags(cmd, &o.store)
	o.flags = cmd.Flags()
	o.flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "host:port to listen at; port 0: any that is free (env COPILOT_API_LISTEN)")
	o.flags.StringVar(&o.tokenFile, "token-file", "", "file with the token that callers have to show (env COPILOT_API_TOKEN_FILE, or COPILOT_API_TOKEN with the token itself)")
	o.flags.StringVar(&o.tlsCert, "tls-cert", "", "file with the certificate, PEM; needs --tls-key (env COPILOT_API_TLS_CERT)")
	o.flags.StringVar(&o.tlsKey, "tls-key", "", "file with its private key, PEM (env COPILOT_API_TLS_KEY)")
	o.flags.StringSliceVar(&o.origins, "allow-origin", nil, "origin whose pages may read answers (CORS), such as https://grafana.example.com; may be repeated (env COPILOT_API_ALLOW_ORIGIN)")
	o.flags.StringVar(&o.logFormat, "log-format", "text", "form of the log on stderr, text or json (env COPILOT_LOG_FORMAT)")
	return cmd
}

// settle reads the environment and the files, and says everything that is wrong
// with the settings at once.
func (o *apiOptions) settle() error {
	problems := fromEnv(o.flags, apiEnv)
	host, port, err := net.SplitHostPort(o.listen)
	if number, wrong := strconv.Atoi(port); err != nil || wrong != nil || number < 0 || number > 65535 {
		problems = append(problems, fmt.Errorf("--listen %q: use host:port, such as 127.0.0.1:8080", o.listen))
	}
	problems = append(problems, o.readToken())
	if o.token == "" && err == nil {
		o.withoutToken = isLoopback(host)
		if !o.withoutToken && o.tokenFile == "" {
			problems = append(problems, fmt.Errorf("--listen %q can be reached from other machines, so callers need a token: give --token-file or COPILOT_API_TOKEN, or listen at 127.0.0.1", o.listen))
		}
	}
	problems = append(problems, o.readCertificate())
	for _, origin := range o.origins {
		if err := api.CheckOrigin(origin); err != nil {
			problems = append(problems, fmt.Errorf("--allow-origin %w", err))
		}
	}
	if o.logFormat != "text" && o.logFormat != "json" {
		problems = append(problems, fmt.Errorf("--log-format %q: use text or json", o.logFormat))
	}
	if err := errors.Join(problems...); err != nil {
		return usageError(underHeading(err.Error()))
	}
	return nil
}

// readToken reads the token that callers have to show, if there is one.
func (o *apiOptions) readToken() error {
	fromEnvironment := os.Getenv("COPILOT_API_TOKEN")
	switch {
	case o.tokenFile != "" && fromEnvironment != "":
		return errors.New("--token-file and COPILOT_API_TOKEN: two tokens are set, give one")
	case o.tokenFile == "":
		o.token = strings.TrimSpace(fromEnvironment)
		return nil
	}
	text, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return fmt.Errorf("--token-file: %w; name a file that this user can read", err)
	}
	if o.token = strings.TrimSpace(string(text)); o.token == "" {
		return fmt.Errorf("--token-file %s is empty: write the token into it, for example with: openssl rand -hex 32", o.tokenFile)
	}
	return nil
}

// readCertificate reads the certificate, if there is one.
func (o *apiOptions) readCertificate() error {
	switch {
	case o.tlsCert == "" && o.tlsKey == "":
		return nil
	case o.tlsCert == "":
		return fmt.Errorf("--tls-key %s has no certificate: give --tls-cert, too", o.tlsKey)
	case o.tlsKey == "":
		return fmt.Errorf("--tls-cert %s has no private key: give --tls-key, too", o.tlsCert)
	}
	certificate, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return fmt.Errorf("--tls-cert %s with --tls-key %s: %w; name PEM files of a certificate and of its own key", o.tlsCert, o.tlsKey, err)
	}
	o.certificates = []tls.Certificate{certificate}
	return nil
}

// isLoopback tells whether only this machine reaches what listens at a host.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// serveAPI serves until ctx ends, and then lets what is under way end.
func serveAPI(ctx context.Context, o *apiOptions, out io.Writer, log *slog.Logger) error {
	cfg := o.store.config()
	cfg.ReadOnly = true
	store, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer store.Close()

	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; choose another port, or 0 for any that is free", o.listen, err)
	}
	server := &http.Server{
		Handler:           o.handler(store, log),
		ReadHeaderTimeout: apiHeaderTimeout, ReadTimeout: apiReadTimeout, WriteTimeout: apiWriteTimeout, IdleTimeout: apiIdleTimeout,
		MaxHeaderBytes: apiMaxHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	scheme := "http"
	if o.certificates != nil {
		scheme = "https"
		server.TLSConfig = &tls.Config{Certificates: o.certificates, MinVersion: tls.VersionTLS12}
	}
	who := "callers show a token"
	if o.withoutToken {
		who = "no token is needed"
	}
	if _, err := fmt.Fprintf(out, "copilot api listens at %s://%s    %s, read-only, %s\n", scheme, listener.Addr(), store.Target(), who); err != nil {
		listener.Close()
		return fmt.Errorf("say where it listens: %w", err)
	}

	ended := make(chan error, 1)
	go func() {
		if o.certificates != nil {
			ended <- server.ServeTLS(listener, "", "")
			return
		}
		ended <- server.Serve(listener)
	}()
	looking, done := context.WithCancel(ctx)
	defer done()
	writable := make(chan error, 1)
	go func() {
		if err := refuseToWrite(looking, store, log); err != nil {
			writable <- err
		}
	}()
	var refused error
	select {
	case err := <-ended:
		return fmt.Errorf("the API is no longer served: %w", err)
	case refused = <-writable:
	case <-ctx.Done():
	}
	log.Info("stopping: requests under way are answered")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), apiStopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		server.Close()
		return errors.Join(refused, fmt.Errorf("some requests had not ended %s after the order to stop: %w", apiStopTimeout, err))
	}
	return refused
}

// refuseToWrite looks, as soon as the store answers, whether the database itself
// keeps this server from writing. The error is that it does not.
func refuseToWrite(ctx context.Context, store *dsql.Store, log *slog.Logger) error {
	for told := false; ; told = true {
		readOnly, err := store.IsReadOnly(ctx)
		switch {
		case ctx.Err() != nil || err == nil && readOnly:
			return nil
		case err == nil:
			return fmt.Errorf("%s does not hold this server to reading; perhaps a connection pooler drops the setting, then run: ALTER ROLE … SET default_transaction_read_only = on", store.Target())
		case !told:
			log.Warn("the store does not answer; once it does, it has to hold this server to reading", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tryPause):
		}
	}
}

// handler makes the API with its metrics.
func (o *apiOptions) handler(store *dsql.Store, log *slog.Logger) *api.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return api.New(api.Options{
		Open:         func(context.Context) (api.Store, error) { return store, nil },
		Log:          log,
		Observe:      observeRequests(registry),
		Token:        o.token,
		LoopbackOnly: o.withoutToken,
		AllowOrigins: o.origins,
		Metrics:      promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	})
}

// observeRequests counts requests by route, method and status.
func observeRequests(registry prometheus.Registerer) func(api.Served) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "copilot_api_requests_total", Help: "Requests answered.",
	}, []string{"route", "method", "status"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "copilot_api_request_duration_seconds", Help: "Time from a request to its answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"route"})
	degraded := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "copilot_api_degraded_answers_total", Help: "Answers from memory, because the store gave none.",
	})
	registry.MustRegister(requests, seconds, degraded)
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions}
	return func(s api.Served) {
		route, method := s.Route, s.Method
		// Callers choose both: neither may make a series of its own.
		if route == "" {
			route = "none"
		}
		if !slices.Contains(known, method) {
			method = "other"
		}
		requests.WithLabelValues(route, method, strconv.Itoa(s.Status)).Inc()
		seconds.WithLabelValues(route).Observe(s.Took.Seconds())
		if s.Degraded {
			degraded.Inc()
		}
	}
}
