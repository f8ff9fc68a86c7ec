package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/temporal-sre/copilot/pkg/prometheus"
)

// prometheusFlags say where Prometheus is and how to be let in.
type prometheusFlags struct{ cfg prometheus.Config }

// addPrometheusFlags adds them. Each has an environment variable, so that
// secrets stay out of the process list; it is read late, because help shows
// the defaults of flags.
func addPrometheusFlags(cmd *cobra.Command, flags *prometheusFlags) {
	cfg := &flags.cfg
	f := cmd.Flags()
	f.StringVar(&cfg.URL, "prometheus-url", "", "base URL of the Prometheus API (env COPILOT_PROMETHEUS_URL)")
	f.StringVar(&cfg.Selector, "selector", "", `PromQL matchers that choose one cluster, such as 'cluster="prod"' (env COPILOT_SELECTOR)`)
	f.StringVar(&cfg.Dialect, "dialect", "", `how the metrics are named, when detecting it goes wrong: auto, tally, opentelemetry, cloud, or what check shows, such as 'server=tally workers=prometheus' (env COPILOT_DIALECT; default auto)`)
	f.StringVar(&cfg.Username, "prometheus-username", "", "user for basic authentication (env COPILOT_PROMETHEUS_USERNAME); the password comes from COPILOT_PROMETHEUS_PASSWORD")
	f.StringVar(&cfg.BearerTokenFile, "prometheus-bearer-token-file", "", "file with a bearer token (env COPILOT_PROMETHEUS_BEARER_TOKEN_FILE, or the token itself in COPILOT_PROMETHEUS_BEARER_TOKEN)")
	f.StringVar(&cfg.Tenant, "prometheus-tenant", "", "tenant to send as X-Scope-OrgID (env COPILOT_PROMETHEUS_TENANT)")
	f.BoolVar(&cfg.SigV4, "prometheus-sigv4", false, "sign requests for Amazon Managed Prometheus (env COPILOT_PROMETHEUS_SIGV4=true)")
	f.StringVar(&cfg.Region, "prometheus-region", "", "AWS region to sign for (env COPILOT_PROMETHEUS_REGION; default AWS_REGION)")
	f.StringVar(&cfg.Role, "prometheus-role-arn", "", "IAM role to assume for signing (env COPILOT_PROMETHEUS_ROLE_ARN)")
	f.StringVar(&cfg.CAFile, "prometheus-ca-file", "", "certificate authority to trust (env COPILOT_PROMETHEUS_CA_FILE)")
	f.DurationVar(&cfg.Timeout, "prometheus-timeout", 0, "bound on all the queries of one observation together (default 20s)")
}

// config returns what flags and environment say; flags win.
func (f *prometheusFlags) config() prometheus.Config {
	cfg := f.cfg
	for _, setting := range []struct {
		field *string
		env   string
	}{
		{&cfg.URL, "COPILOT_PROMETHEUS_URL"},
		{&cfg.Selector, "COPILOT_SELECTOR"},
		{&cfg.Dialect, "COPILOT_DIALECT"},
		{&cfg.Username, "COPILOT_PROMETHEUS_USERNAME"},
		{&cfg.Password, "COPILOT_PROMETHEUS_PASSWORD"},
		{&cfg.BearerTokenFile, "COPILOT_PROMETHEUS_BEARER_TOKEN_FILE"},
		{&cfg.BearerToken, "COPILOT_PROMETHEUS_BEARER_TOKEN"},
		{&cfg.Tenant, "COPILOT_PROMETHEUS_TENANT"},
		{&cfg.Region, "COPILOT_PROMETHEUS_REGION"},
		{&cfg.Role, "COPILOT_PROMETHEUS_ROLE_ARN"},
		{&cfg.CAFile, "COPILOT_PROMETHEUS_CA_FILE"},
	} {
		*setting.field = firstOf(*setting.field, os.Getenv(setting.env))
	}
	cfg.SigV4 = cfg.SigV4 || os.Getenv("COPILOT_PROMETHEUS_SIGV4") == "true"
	return cfg
}

// streamError makes a usage error of what the caller can mend on the command
// line.
func streamError(err error) error {
	var several *prometheus.SeveralClustersError
	var config *prometheus.ConfigError
	if errors.As(err, &several) || errors.As(err, &config) {
		return usageError(err.Error())
	}
	return err
}
