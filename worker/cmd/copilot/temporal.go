package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/temporal-sre/copilot/worker/workflows"
)

// temporalFlags say where the copilot's own Temporal is and how to be let in.
type temporalFlags struct {
	address, namespace, taskQueue         string
	tls                                   bool
	caFile, certFile, keyFile, serverName string
	apiKeyFile                            string
}

// apiKeyEnv holds the API key itself, for who has no file to name.
const apiKeyEnv = "COPILOT_TEMPORAL_API_KEY"

// temporalEnv names the environment variables that stand in for flags which are
// not given.
var temporalEnv = map[string]string{
	"temporal-address":      "COPILOT_TEMPORAL_ADDRESS",
	"temporal-namespace":    "COPILOT_TEMPORAL_NAMESPACE",
	"task-queue":            "COPILOT_TASK_QUEUE",
	"temporal-tls":          "COPILOT_TEMPORAL_TLS",
	"temporal-ca-file":      "COPILOT_TEMPORAL_CA_FILE",
	"temporal-cert-file":    "COPILOT_TEMPORAL_CERT_FILE",
	"temporal-key-file":     "COPILOT_TEMPORAL_KEY_FILE",
	"temporal-server-name":  "COPILOT_TEMPORAL_SERVER_NAME",
	"temporal-api-key-file": "COPILOT_TEMPORAL_API_KEY_FILE",
}

// addTemporalFlags adds them.
func addTemporalFlags(f *pflag.FlagSet, t *temporalFlags) {
	f.StringVar(&t.address, "temporal-address", "localhost:7233", "host:port of the Temporal that runs the copilot's workflows (env COPILOT_TEMPORAL_ADDRESS)")
	f.StringVar(&t.namespace, "temporal-namespace", "default", "its namespace for them (env COPILOT_TEMPORAL_NAMESPACE)")
	f.StringVar(&t.taskQueue, "task-queue", "temporal-sre-copilot", "its task queue for them (env COPILOT_TASK_QUEUE)")
	f.BoolVar(&t.tls, "temporal-tls", false, "connect with TLS; implied by each of the following (env COPILOT_TEMPORAL_TLS)")
	f.StringVar(&t.caFile, "temporal-ca-file", "", "certificate authority to trust, in PEM (env COPILOT_TEMPORAL_CA_FILE)")
	f.StringVar(&t.certFile, "temporal-cert-file", "", "certificate to show for mTLS, in PEM (env COPILOT_TEMPORAL_CERT_FILE)")
	f.StringVar(&t.keyFile, "temporal-key-file", "", "its private key, in PEM (env COPILOT_TEMPORAL_KEY_FILE)")
	f.StringVar(&t.serverName, "temporal-server-name", "", "name that the server's certificate has to be for, if not the address (env COPILOT_TEMPORAL_SERVER_NAME)")
	f.StringVar(&t.apiKeyFile, "temporal-api-key-file", "", "file with an API key (env COPILOT_TEMPORAL_API_KEY_FILE, or the key itself in "+apiKeyEnv+")")
}

// encrypted tells whether the connection uses TLS.
func (t *temporalFlags) encrypted() bool {
	return t.tls || t.caFile != "" || t.certFile != "" || t.keyFile != "" || t.serverName != "" || t.apiKeyFile != "" || os.Getenv(apiKeyEnv) != ""
}

// check returns all that is wrong with the settings.
func (t *temporalFlags) check() []error {
	var problems []error
	if host, port, err := net.SplitHostPort(t.address); err != nil || host == "" || port == "" {
		problems = append(problems, fmt.Errorf("--temporal-address %q: use host:port, such as localhost:7233", t.address))
	}
	for _, setting := range [][2]string{{"temporal-namespace", t.namespace}, {"task-queue", t.taskQueue}} {
		if setting[1] == "" {
			problems = append(problems, fmt.Errorf("--%s is empty", setting[0]))
		}
	}
	if (t.certFile == "") != (t.keyFile == "") {
		problems = append(problems, errors.New("--temporal-cert-file and --temporal-key-file belong together: give both"))
	}
	_, err := t.tlsConfig()
	problems = append(problems, err)
	if _, err := t.apiKey(context.Background()); t.apiKeyFile != "" && err != nil {
		problems = append(problems, err)
	}
	return problems
}

// tlsConfig returns nil for a connection without TLS. The certificate is read
// again at every connection, so that it can be renewed while the worker runs.
func (t *temporalFlags) tlsConfig() (*tls.Config, error) {
	if !t.encrypted() {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.serverName}
	if t.caFile != "" {
		pem, err := os.ReadFile(t.caFile)
		if err != nil {
			return nil, fmt.Errorf("--temporal-ca-file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--temporal-ca-file %s holds no certificate in PEM", t.caFile)
		}
	}
	if t.certFile != "" && t.keyFile != "" {
		load := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.certFile, t.keyFile)
			if err != nil {
				return nil, fmt.Errorf("--temporal-cert-file %s with --temporal-key-file %s: %w", t.certFile, t.keyFile, err)
			}
			return &pair, nil
		}
		if _, err := load(); err != nil {
			return nil, err
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	return cfg, nil
}

// apiKey reads the key anew each time, so that it can be renewed while the
// worker runs.
func (t *temporalFlags) apiKey(context.Context) (string, error) {
	if t.apiKeyFile == "" {
		return os.Getenv(apiKeyEnv), nil
	}
	key, err := os.ReadFile(t.apiKeyFile)
	if err != nil {
		return "", fmt.Errorf("--temporal-api-key-file: %w", err)
	}
	if len(strings.TrimSpace(string(key))) == 0 {
		return "", fmt.Errorf("--temporal-api-key-file %s is empty", t.apiKeyFile)
	}
	return strings.TrimSpace(string(key)), nil
}

// options are those of a client of the copilot's own Temporal.
func (t *temporalFlags) options(log *slog.Logger) (client.Options, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	encryption, err := t.tlsConfig()
	if err != nil {
		return client.Options{}, err
	}
	o := client.Options{
		HostPort:          t.address,
		Namespace:         t.namespace,
		Identity:          fmt.Sprintf("copilot %d@%s", os.Getpid(), host),
		Logger:            sdklog.NewStructuredLogger(log),
		DataConverter:     workflows.DataConverter(),
		ConnectionOptions: client.ConnectionOptions{TLS: encryption, TLSDisabled: encryption == nil},
	}
	if t.apiKeyFile != "" || os.Getenv(apiKeyEnv) != "" {
		o.Credentials = client.NewAPIKeyDynamicCredentials(t.apiKey)
	}
	return o, nil
}

// dial connects to Temporal and makes sure that the namespace is there.
func (t *temporalFlags) dial(ctx context.Context, o client.Options) (client.Client, error) {
	c, err := client.DialContext(ctx, o)
	if err != nil {
		reason := grpcReason(err)
		return nil, fmt.Errorf("no Temporal server answers at %s (%s); %s", t.address, reason, remedy(reason, o.ConnectionOptions.TLS != nil))
	}
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &missing):
		err = &errNoNamespace{address: t.address, namespace: t.namespace}
	default:
		err = fmt.Errorf("ask Temporal at %s for namespace %q: %s", t.address, t.namespace, grpcReason(err))
	}
	c.Close()
	return nil, err
}

// remedy tells what to do about a connection, with TLS or without, that failed for
// a reason, of which gRPC passes on the words alone.
func remedy(reason string, withTLS bool) string {
	for _, known := range []struct {
		words  []string
		remedy string
	}{
		{
			[]string{"remote error: tls: certificate required", "remote error: tls: bad certificate", "remote error: tls: unknown certificate"},
			"it asks for a certificate that it trusts: give --temporal-cert-file and --temporal-key-file",
		},
		{
			[]string{"certificate signed by unknown authority", "certificate is not trusted"},
			"name the authority that signed its certificate with --temporal-ca-file",
		},
		{
			[]string{"certificate is valid for", "certificate is not valid for", "IP SANs", "cannot validate certificate"},
			"its certificate is for another name: say which with --temporal-server-name",
		},
		{[]string{"certificate has expired"}, "one of the certificates is too old or too young: renew it, or set the clock"},
		{[]string{"first record does not look like a TLS handshake"}, "it speaks no TLS: leave out --temporal-tls and the files for it"},
		{[]string{"error reading server preface"}, "it may want TLS: give --temporal-tls or --temporal-ca-file"},
	} {
		for _, words := range known.words {
			if strings.Contains(reason, words) {
				return known.remedy
			}
		}
	}
	// A server may have ended the connection before its reason was read.
	for _, ended := range []string{"broken pipe", "connection reset by peer", "EOF"} {
		switch {
		case !strings.Contains(reason, ended):
		case withTLS:
			return "it ends the connection, as one does that asks for a certificate that it trusts: give --temporal-cert-file and --temporal-key-file"
		default:
			return "it ends the connection, as one does that wants TLS: give --temporal-tls or --temporal-ca-file"
		}
	}
	return "check that it runs, or name another with --temporal-address"
}

// errNoNamespace is the error for a namespace that does not exist.
type errNoNamespace struct{ address, namespace string }

func (e *errNoNamespace) Error() string {
	return fmt.Sprintf("Temporal at %s has no namespace %q: create it (temporal operator namespace create -n %s), or name another with --temporal-namespace",
		e.address, e.namespace, e.namespace)
}

// temporalIsHopeless tells whether Temporal's error stays until somebody acts.
func temporalIsHopeless(err error) bool {
	var missing *errNoNamespace
	return errors.As(err, &missing)
}

// grpcReason is the last part of a gRPC error, which says what happened.
func grpcReason(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if i := strings.LastIndex(text, "desc = "); i >= 0 {
		text = text[i+len("desc = "):]
	}
	return strings.Trim(text, `"`)
}
