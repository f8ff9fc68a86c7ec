package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/loki"
	"github.com/temporal-sre/copilot/pkg/redact"
)

// lokiFlags say where the logs are and how to be let in. Without a URL no logs
// are read.
type lokiFlags struct {
	cfg    loki.Config
	redact []string
}

// addLokiFlags adds them, with an environment variable for each, as the flags of
// Prometheus have.
// The last argument is how long a reading of the logs takes at most by default.
func addLokiFlags(cmd *cobra.Command, flags *lokiFlags, patience time.Duration) {
	cfg := &flags.cfg
	f := cmd.Flags()
	f.StringVar(&cfg.URL, "loki-url", "", "base URL of the Loki API, for what the logs tell beside the metrics (env COPILOT_LOKI_URL; default: no logs)")
	f.StringVar(&cfg.Selector, "loki-selector", "", `LogQL matchers that choose the cluster's streams, such as 'job="temporal"' (env COPILOT_LOKI_SELECTOR; default: found by their labels)`)
	f.StringVar(&cfg.ServiceLabel, "loki-service-label", "", "label that names the service which wrote a line (env COPILOT_LOKI_SERVICE_LABEL; default: found)")
	f.StringVar(&cfg.Username, "loki-username", "", "user for basic authentication (env COPILOT_LOKI_USERNAME); the password comes from COPILOT_LOKI_PASSWORD")
	f.StringVar(&cfg.BearerTokenFile, "loki-bearer-token-file", "", "file with a bearer token (env COPILOT_LOKI_BEARER_TOKEN_FILE, or the token itself in COPILOT_LOKI_BEARER_TOKEN)")
	f.StringVar(&cfg.Tenant, "loki-tenant", "", "tenant to send as X-Scope-OrgID (env COPILOT_LOKI_TENANT)")
	f.StringVar(&cfg.CAFile, "loki-ca-file", "", "certificate authority to trust (env COPILOT_LOKI_CA_FILE)")
	f.StringArrayVar(&flags.redact, "loki-redact", nil, `further rule for what must not leave the logs, as name=regular expression, such as 'customer=CUST-[0-9]{8}'; may be given several times`)
	f.DurationVar(&cfg.Timeout, "loki-timeout", 0, fmt.Sprintf("bound on one reading of the logs (default %s)", patience))
}

// config returns what flags and environment say; flags win.
func (f *lokiFlags) config() (loki.Config, []redact.Rule) {
	cfg := f.cfg
	for _, setting := range []struct {
		field *string
		env   string
	}{
		{&cfg.URL, "COPILOT_LOKI_URL"},
		{&cfg.Selector, "COPILOT_LOKI_SELECTOR"},
		{&cfg.ServiceLabel, "COPILOT_LOKI_SERVICE_LABEL"},
		{&cfg.Username, "COPILOT_LOKI_USERNAME"},
		{&cfg.Password, "COPILOT_LOKI_PASSWORD"},
		{&cfg.BearerTokenFile, "COPILOT_LOKI_BEARER_TOKEN_FILE"},
		{&cfg.BearerToken, "COPILOT_LOKI_BEARER_TOKEN"},
		{&cfg.Tenant, "COPILOT_LOKI_TENANT"},
		{&cfg.CAFile, "COPILOT_LOKI_CA_FILE"},
	} {
		*setting.field = firstOf(*setting.field, os.Getenv(setting.env))
	}
	var rules []redact.Rule
	for _, rule := range f.redact {
		name, pattern, _ := strings.Cut(rule, "=")
		rules = append(rules, redact.Rule{Name: name, Pattern: pattern})
	}
	return cfg, rules
}
