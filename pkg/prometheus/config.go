package prometheus

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	metrics "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/config"

	"github.com/temporal-sre/copilot/pkg/signals"
)

// Config says where Prometheus is, how to be let in, and what to look at.
type Config struct {
	// URL is the base of the API, without /api/v1.
	URL string
	// Username and Password are for basic authentication.
	Username, Password string
	// BearerToken and BearerTokenFile are for bearer authentication; the file
	// is read again when it changes.
	BearerToken, BearerTokenFile string
	// Tenant is sent as X-Scope-OrgID (Mimir, Cortex).
	Tenant string
	// SigV4 signs requests for Amazon Managed Prometheus with the default
	// credential chain, which is asked for credentials by the first request.
	// Region may be empty when the environment names it.
	SigV4                 bool
	Region, Profile, Role string
	CAFile                string
	InsecureSkipVerify    bool
	// Cluster is the name that observations carry.
	Cluster string
	// Selector narrows every query, as PromQL matchers without braces.
	Selector string
	// Namespace keeps only one Temporal namespace's task queues.
	Namespace string
	// Dialect prescribes how the metrics are named, as signals.ParseChoice reads
	// it; empty or "auto" detects it.
	Dialect string
	// Timeout bounds all the queries of one observation together. Default 20 s.
	Timeout time.Duration
	// Concurrency bounds the queries under way at once. Default 8: the
	// copilot must not press on what it watches.
	Concurrency int
	// MaxTaskQueues bounds the task queues of an observation; the busiest are
	// kept, and those without any work are the first to go. Default 200.
	MaxTaskQueues int
	// Logger receives a line for each request; nil for none.
	Logger *slog.Logger
	// Registerer receives the metrics of the requests; nil for none.
	Registerer metrics.Registerer
}

const (
	defaultTimeout       = 20 * time.Second
	defaultConcurrency   = 8
	defaultMaxTaskQueues = 200
)

// ConfigError is a setting that cannot work; retrying is of no use.
type ConfigError struct{ Field, Value, Remedy string }

// Error names the field, the value and the remedy.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("prometheus %s %q: %s", e.Field, e.Value, e.Remedy)
}

// validate reports every bad setting at once, and fills in defaults.
func (c *Config) validate() error {
	var errs []error
	bad := func(field, value, remedy string) {
		errs = append(errs, &ConfigError{Field: field, Value: value, Remedy: remedy})
	}
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		bad("url", "", "give the base URL of a Prometheus API, such as http://localhost:9090")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		bad("url", redactURL(c.URL), "want http:// or https:// with a host, such as http://localhost:9090")
	case u.User != nil && (c.Username != "" || c.BearerToken != "" || c.SigV4):
		bad("url", redactURL(c.URL), "give credentials either in the URL or as settings, not both")
	}
	methods := 0
	for _, used := range []bool{c.Username != "", c.BearerToken != "" || c.BearerTokenFile != "", c.SigV4} {
		if used {
			methods++
		}
	}
	if methods > 1 {
		bad("authentication", "several", "choose one of basic, bearer and SigV4")
	}
	if c.Timeout < 0 || c.Concurrency < 0 || c.MaxTaskQueues < 0 {
		bad("limits", "negative", "use positive values, or 0 for the default")
	}
	if err := checkSelector(c.Selector); err != nil {
		errs = append(errs, err)
	}
	if _, err := signals.ParseChoice(c.Dialect); err != nil {
		bad("dialect", c.Dialect, err.Error()+": "+signals.ChoiceHelp)
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Concurrency == 0 {
		c.Concurrency = defaultConcurrency
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxTaskQueues == 0 {
		c.MaxTaskQueues = defaultMaxTaskQueues
	}
	return errors.Join(errs...)
}

// redactURL writes a URL without its password.
func redactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable)"
	}
	return u.Redacted()
}

// connect builds the API client with authentication, metrics and limits.
func connect(c Config) (v1.API, error) {
	h := config.HTTPClientConfig{FollowRedirects: true}
	h.TLSConfig.CAFile = c.CAFile
	h.TLSConfig.InsecureSkipVerify = c.InsecureSkipVerify
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	if password, set := u.User.Password(); set || u.User.Username() != "" {
		c.Username, c.Password = u.User.Username(), password
		u.User = nil
	}
	if c.Username != "" {
		h.BasicAuth = &config.BasicAuth{Username: c.Username, Password: config.Secret(c.Password)}
	}
	if c.BearerToken != "" || c.BearerTokenFile != "" {
		h.Authorization = &config.Authorization{Type: "Bearer", Credentials: config.Secret(c.BearerToken), CredentialsFile: c.BearerTokenFile}
	}
	rt, err := config.NewRoundTripperFromConfig(h, "temporal-sre-copilot")
	if err != nil {
		return nil, fmt.Errorf("prometheus connection: %w", err)
	}
	if c.SigV4 {
		if rt, err = newSigning(c, rt); err != nil {
			return nil, err
		}
	}
	rt = &polite{next: rt, tenant: c.Tenant, all: &answersOfAll}
	if c.Registerer != nil {
		rt = instrumented(rt, c.Registerer)
	}
	client, err := api.NewClient(api.Config{Address: u.String(), RoundTripper: rt})
	if err != nil {
		return nil, fmt.Errorf("prometheus url %q: %w", redactURL(c.URL), err)
	}
	return v1.NewAPI(client), nil
}

// instrumented counts and times the requests.
func instrumented(rt http.RoundTripper, reg metrics.Registerer) http.RoundTripper {
	seconds := metrics.NewHistogramVec(metrics.HistogramOpts{
		Name:    "copilot_prometheus_request_duration_seconds",
		Help:    "Time of requests to the Prometheus that holds the cluster's metrics.",
		Buckets: metrics.ExponentialBuckets(0.005, 2, 13),
	}, []string{"code", "method"})
	if err := reg.Register(seconds); err != nil {
		var already metrics.AlreadyRegisteredError
		if errors.As(err, &already) {
			if known, ok := already.ExistingCollector.(*metrics.HistogramVec); ok {
				seconds = known
			}
		}
	}
	return promhttp.InstrumentRoundTripperDuration(seconds, rt)
}
