package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is how large a configuration file may be, in bytes.
const maxFile = 1 << 20

// Setting is a value that the file gives to a flag.
type Setting struct {
	// Path is where it stands in the file, such as "temporal.address".
	Path string
	// Flag is the name of the flag, without dashes.
	Flag string
	// Value is as the flag takes it.
	Value string
}

// File is a configuration file as it was read.
type File struct {
	path string
	doc  document
}

// document is the file's form. Values stay text until they are checked, so
// that every one of them can be told of with its path.
type document struct {
	Temporal struct {
		Address        string `yaml:"address"`
		Namespace      string `yaml:"namespace"`
		TaskQueue      string `yaml:"task_queue"`
		TLS            string `yaml:"tls"`
		CAFile         string `yaml:"ca_file"`
		CertFile       string `yaml:"cert_file"`
		KeyFile        string `yaml:"key_file"`
		ServerName     string `yaml:"server_name"`
		APIKeyFile     string `yaml:"api_key_file"`
		DeploymentName string `yaml:"deployment_name"`
	} `yaml:"temporal"`
	Store struct {
		URL      string `yaml:"url"`
		URLFile  string `yaml:"url_file"`
		Endpoint string `yaml:"dsql_endpoint"`
		Region   string `yaml:"dsql_region"`
		User     string `yaml:"dsql_user"`
		Admin    string `yaml:"dsql_admin"`
	} `yaml:"store"`
	Listen       string `yaml:"listen"`
	LogFormat    string `yaml:"log_format"`
	StartTimeout string `yaml:"start_timeout"`

	Observe  observeEntry   `yaml:"observe"`
	Assess   assessEntry    `yaml:"assess"`
	Retain   retainEntry    `yaml:"retain"`
	Clusters []clusterEntry `yaml:"clusters"`
}

// clusterEntry is one of the watched clusters.
type clusterEntry struct {
	Name       string          `yaml:"name"`
	Namespace  string          `yaml:"namespace"`
	Prometheus prometheusEntry `yaml:"prometheus"`
	Loki       lokiEntry       `yaml:"loki"`
	Observe    observeEntry    `yaml:"observe"`
	Assess     assessEntry     `yaml:"assess"`
	Retain     retainEntry     `yaml:"retain"`
}

type prometheusEntry struct {
	URL             string `yaml:"url"`
	Selector        string `yaml:"selector"`
	Dialect         string `yaml:"dialect"`
	Username        string `yaml:"username"`
	PasswordFile    string `yaml:"password_file"`
	BearerTokenFile string `yaml:"bearer_token_file"`
	Tenant          string `yaml:"tenant"`
	SigV4           bool   `yaml:"sigv4"`
	Region          string `yaml:"region"`
	RoleARN         string `yaml:"role_arn"`
	CAFile          string `yaml:"ca_file"`
	Timeout         string `yaml:"timeout"`
}

type lokiEntry struct {
	URL             string        `yaml:"url"`
	Selector        string        `yaml:"selector"`
	ServiceLabel    string        `yaml:"service_label"`
	Username        string        `yaml:"username"`
	PasswordFile    string        `yaml:"password_file"`
	BearerTokenFile string        `yaml:"bearer_token_file"`
	Tenant          string        `yaml:"tenant"`
	CAFile          string        `yaml:"ca_file"`
	Timeout         string        `yaml:"timeout"`
	Redact          []redactEntry `yaml:"redact"`
}

type redactEntry struct {
	Name    string `yaml:"name"`
	Pattern string `yaml:"pattern"`
}

type observeEntry struct {
	Interval string `yaml:"interval"`
	Settle   string `yaml:"settle"`
	CatchUp  string `yaml:"catch_up"`
	WarmUp   string `yaml:"warm_up"`
}

type assessEntry struct {
	Every   string `yaml:"every"`
	Jitter  string `yaml:"jitter"`
	Overlap string `yaml:"overlap"`
}

type retainEntry struct {
	Keep  string `yaml:"keep"`
	Every string `yaml:"every"`
}

// Read reads a file. The error names the lines that are not understood, all of
// them.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		var failed *os.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("configuration file %s has %d bytes; it may have %d", path, len(text), maxFile)
	}
	f := &File{path: path}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f.doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, notUnderstood(path, err)
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("configuration file %s: it holds more than one document; use one", path)
	}
	return f, nil
}

// notUnderstood words what the YAML reader complains about.
func notUnderstood(path string, err error) error {
	var several *yaml.TypeError
	if !errors.As(err, &several) {
		return fmt.Errorf("configuration file %s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var problems []error
	for _, problem := range several.Errors {
		line, what, _ := strings.Cut(problem, ": ")
		if before, _, unknown := strings.Cut(what, " not found in type "); unknown {
			what = before + " is not known here; docs/configuration.md lists the fields"
		}
		problems = append(problems, fmt.Errorf("configuration file %s, %s: %s", path, line, what))
	}
	return errors.Join(problems...)
}

// Path is where the file was read from.
func (f *File) Path() string { return f.path }

// Settings are what the file gives to flags, in the order of the documentation.
// Those of its clusters are not among them.
func (f *File) Settings() []Setting {
	d := &f.doc
	var given []Setting
	for _, s := range []Setting{
		{"temporal.address", "temporal-address", d.Temporal.Address},
		{"temporal.namespace", "temporal-namespace", d.Temporal.Namespace},
		{"temporal.task_queue", "task-queue", d.Temporal.TaskQueue},
		{"temporal.tls", "temporal-tls", d.Temporal.TLS},
		{"temporal.ca_file", "temporal-ca-file", d.Temporal.CAFile},
		{"temporal.cert_file", "temporal-cert-file", d.Temporal.CertFile},
		{"temporal.key_file", "temporal-key-file", d.Temporal.KeyFile},
		{"temporal.server_name", "temporal-server-name", d.Temporal.ServerName},
		{"temporal.api_key_file", "temporal-api-key-file", d.Temporal.APIKeyFile},
		{"temporal.deployment_name", "deployment-name", d.Temporal.DeploymentName},
		{"store.url", "database-url", d.Store.URL},
		{"store.dsql_endpoint", "dsql-endpoint", d.Store.Endpoint},
		{"store.dsql_region", "dsql-region", d.Store.Region},
		{"store.dsql_user", "dsql-user", d.Store.User},
		{"store.dsql_admin", "dsql-admin", d.Store.Admin},
		{"listen", "listen", d.Listen},
		{"log_format", "log-format", d.LogFormat},
		{"start_timeout", "start-timeout", d.StartTimeout},
		{"observe.interval", "interval", d.Observe.Interval},
		{"observe.settle", "settle", d.Observe.Settle},
		{"observe.catch_up", "catch-up", d.Observe.CatchUp},
		{"observe.warm_up", "warm-up", d.Observe.WarmUp},
		{"assess.every", "assess-every", d.Assess.Every},
		{"assess.jitter", "assess-jitter", d.Assess.Jitter},
		{"assess.overlap", "assess-overlap", d.Assess.Overlap},
		{"retain.keep", "retain-keep", d.Retain.Keep},
		{"retain.every", "retain-every", d.Retain.Every},
	} {
		if s.Value != "" {
			given = append(given, s)
		}
	}
	return given
}

// StoreURL reads the store's URL from the file that store.url_file names. The
// error names both. Without such a file it is empty.
func (f *File) StoreURL() (string, error) {
	return secret("store.url_file", f.doc.Store.URLFile)
}

// ListsClusters tells whether the file names the clusters to watch.
func (f *File) ListsClusters() bool { return len(f.doc.Clusters) > 0 }

// secret reads a file that holds one.
func secret(field, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		var failed *os.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return "", fmt.Errorf("%s: %s: %w; name a file that the worker can read", field, path, err)
	}
	value := strings.TrimSpace(string(text))
	if value == "" {
		return "", fmt.Errorf("%s: %s is empty; put the secret into it", field, path)
	}
	return value, nil
}
