package loki

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/temporal-sre/copilot/pkg/redact"
)

// Config says where Loki is, how to be let in, and which lines are the cluster's.
type Config struct {
	// URL is the base of the API, without /loki/api/v1.
	URL string
	// Username and Password are for basic authentication.
	Username, Password string
	// BearerToken and BearerTokenFile are for bearer authentication; the file is
	// read again when it changes.
	BearerToken, BearerTokenFile string
	// Tenant is sent as X-Scope-OrgID. Several are joined by |.
	Tenant             string
	CAFile             string
	InsecureSkipVerify bool
	// Cluster is the name of the watched cluster. Where the logs hold several
	// clusters, it chooses the one that is called the same.
	Cluster string
	// Selector chooses the cluster's streams, as LogQL matchers without braces.
	// Empty: the streams are found by their labels.
	Selector string
	// ServiceLabel is the label that tells which service wrote a line, for lines
	// that do not say it themselves. Empty: it is found.
	ServiceLabel string
	// Timeout bounds one Scan. Default 5 s, at most 30 s: a slower Loki is of no use
	// to who looks every half a minute.
	Timeout time.Duration
	// MaxTemplates bounds the templates of a window; the most frequent are
	// kept. Default 100, at most 400, since Loki refuses to answer with more than
	// 500 series unless told otherwise.
	MaxTemplates int
	// Redact takes secrets and personal data out of a text; nil for the built-in
	// rules.
	Redact func(string) string
	// Logger receives a line for each request; nil for none.
	Logger *slog.Logger
	// Registerer receives the metrics of the requests; nil for none.
	Registerer prometheus.Registerer
}

const (
	defaultTimeout      = 5 * time.Second
	longestTimeout      = 30 * time.Second
	defaultMaxTemplates = 100
	mostTemplates       = 400
)

// ConfigError is a setting that cannot work; retrying is of no use.
type ConfigError struct{ Field, Value, Remedy string }

// Error names the field, the value and the remedy.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("loki %s %q: %s", e.Field, e.Value, e.Remedy)
}

// labelName is what Loki allows as the name of a label.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// validate reports every bad setting at once, and fills in defaults.
func (c *Config) validate() error {
	var errs []error
	bad := func(field, value, remedy string) {
		errs = append(errs, &ConfigError{Field: field, Value: value, Remedy: remedy})
	}
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		bad("url", "", "give the base URL of a Loki API, such as http://localhost:3100")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		bad("url", redactURL(c.URL), "want http:// or https:// with a host, such as http://localhost:3100")
	case strings.Contains(u.Path, "/loki/api"):
		bad("url", redactURL(c.URL), "leave out /loki/api and what follows: the URL is the base of the API, such as http://localhost:3100")
	case u.User != nil && (c.Username != "" || c.BearerToken != "" || c.BearerTokenFile != ""):
		bad("url", redactURL(c.URL), "give credentials either in the URL or as settings, not both")
	}
	if c.Username != "" && (c.BearerToken != "" || c.BearerTokenFile != "") {
		bad("authentication", "several", "choose one of basic and bearer")
	}
	if c.BearerToken != "" && c.BearerTokenFile != "" {
		bad("authentication", "several", "give the bearer token or the file that holds it, not both")
	}
	if strings.ContainsFunc(c.Tenant, func(r rune) bool { return r < ' ' || r > '~' }) {
		bad("tenant", c.Tenant, "want printable ASCII, as Loki's X-Scope-OrgID takes it")
	}
	if c.ServiceLabel != "" && !labelName.MatchString(c.ServiceLabel) {
		bad("service_label", c.ServiceLabel, "want the name of one label, such as service_name")
	}
	if err := checkSelector(c.Selector); err != nil {
		errs = append(errs, err)
	}
	c.Selector = strings.TrimSuffix(strings.TrimSpace(c.Selector), ",") // LogQL takes no comma at the end
	if c.Timeout < 0 || c.Timeout > longestTimeout {
		bad("timeout", c.Timeout.String(), fmt.Sprintf("use a positive duration of at most %s, or 0 for the default", longestTimeout))
	}
	if c.MaxTemplates < 0 || c.MaxTemplates > mostTemplates {
		bad("max_templates", fmt.Sprint(c.MaxTemplates), fmt.Sprintf("use 1 to %d, or 0 for the default", mostTemplates))
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxTemplates == 0 {
		c.MaxTemplates = defaultMaxTemplates
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Redact == nil {
		rules, err := redact.New()
		if err != nil {
			errs = append(errs, err)
		} else {
			c.Redact = rules.Text
		}
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
