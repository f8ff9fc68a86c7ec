package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/dsql"
)

// The kinds of store that a data source reads from.
const (
	kindPostgres = "postgres"
	kindDSQL     = "dsql"
)

// What holds for a setting that is left empty; src/settings.ts shows the same.
const (
	defaultPort     = 5432
	defaultDatabase = "copilot"
	defaultSSLMode  = "verify-full"
)

// sslModes are those of libpq, without the two that may silently not encrypt.
var sslModes = []string{"disable", "require", "verify-ca", "verify-full"}

// settings say where the store is. They are what the config editor, or a
// provisioning file, wrote into the data source's jsonData and secureJsonData.
type settings struct {
	Kind string `json:"kind"`

	// For PostgreSQL.
	Host            string `json:"host"`
	Port            port   `json:"port"`
	Database        string `json:"database"`
	SSLMode         string `json:"sslMode"`
	SSLRootCertFile string `json:"sslRootCertFile"`

	// For Aurora DSQL.
	Endpoint string `json:"endpoint"`
	Region   string `json:"region"`

	// User is the database role, of either.
	User string `json:"user"`

	// password comes from secureJsonData, PostgreSQL only.
	password string
}

// port is a TCP port. A provisioning file that takes it from the environment
// writes it as a text; an empty text, like no port at all, is the default.
type port int

// UnmarshalJSON reads a number or a text that holds one.
func (p *port) UnmarshalJSON(data []byte) error {
	text := strings.Trim(strings.TrimSpace(string(data)), `"`)
	if text == "" || text == "null" {
		*p = 0
		return nil
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return &settingError{Name: "port", Value: text, Remedy: "enter a number from 1 to 65535"}
	}
	*p = port(number)
	return nil
}

// settingError says that one setting cannot be right.
type settingError struct {
	// Name is that of the field in jsonData.
	Name, Value, Remedy string
}

// Error names the setting, its value and what to do.
func (e *settingError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("setting %q is empty: %s", e.Name, e.Remedy)
	}
	return fmt.Sprintf("setting %q is %q: %s", e.Name, e.Value, e.Remedy)
}

// loadSettings reads the settings of a data source. The error tells all that is
// wrong with them, on one line.
func loadSettings(instance backend.DataSourceInstanceSettings) (settings, error) {
	var s settings
	if len(instance.JSONData) > 0 {
		if err := json.Unmarshal(instance.JSONData, &s); err != nil {
			return settings{}, explainJSON(err)
		}
	}
	s.Kind = or(strings.TrimSpace(s.Kind), kindPostgres)
	s.Host = strings.Trim(strings.TrimSpace(s.Host), "[]")
	s.Database = or(strings.TrimSpace(s.Database), defaultDatabase)
	s.SSLMode = or(strings.TrimSpace(s.SSLMode), defaultSSLMode)
	s.SSLRootCertFile = strings.TrimSpace(s.SSLRootCertFile)
	s.Endpoint = strings.TrimSpace(s.Endpoint)
	s.Region = strings.TrimSpace(s.Region)
	s.User = strings.TrimSpace(s.User)
	if s.Port == 0 {
		s.Port = defaultPort
	}
	s.password = instance.DecryptedSecureJSONData["password"]
	return s, s.validate()
}

// explainJSON says which setting has a value of the wrong type.
func explainJSON(err error) error {
	var (
		setting *settingError
		wrong   *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &setting):
		return setting
	case errors.As(err, &wrong):
		return &settingError{Name: wrong.Field, Value: wrong.Value, Remedy: "write it as a text"}
	}
	return fmt.Errorf("jsonData is not valid JSON: %w", err)
}

// validate returns what is wrong with the settings, or nil.
func (s settings) validate() error {
	var wrong []error
	refuse := func(name, value, remedy string) {
		wrong = append(wrong, &settingError{Name: name, Value: value, Remedy: remedy})
	}
	switch s.Kind {
	case kindPostgres:
		switch {
		case s.Host == "":
			refuse("host", "", "enter the name or address of the PostgreSQL server")
		case net.ParseIP(s.Host) == nil && strings.ContainsAny(s.Host, " /@:"):
			refuse("host", s.Host, "enter the name alone, without scheme, port or path")
		}
		if s.Port < 1 || s.Port > 65535 {
			refuse("port", strconv.Itoa(int(s.Port)), "enter a number from 1 to 65535")
		}
		if s.User == "" {
			refuse("user", "", "enter the database role to read as")
		}
		if !slices.Contains(sslModes, s.SSLMode) {
			refuse("sslMode", s.SSLMode, "choose one of "+strings.Join(sslModes, ", "))
		}
	case kindDSQL:
		switch {
		case s.Endpoint == "":
			refuse("endpoint", "", "enter the endpoint that the Aurora DSQL console shows for the cluster")
		case strings.ContainsAny(s.Endpoint, " /@:"):
			refuse("endpoint", s.Endpoint, "enter the host name alone, without scheme, port or path")
		}
	default:
		refuse("kind", s.Kind, `choose "postgres" or "dsql"`)
	}
	return oneLine(wrong)
}

// oneLine joins errors as errors.Join does, on one line: Grafana shows it beside
// the button.
func oneLine(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return errors.New(strings.Join(texts, "; "))
}

// config says the same as the settings in the store's words.
func (s settings) config() dsql.Config {
	cfg := dsql.Config{
		ReadOnly: true,
		// A data source that nobody looks at keeps no connection open.
		MinConns:     -1,
		QueryTimeout: storeTimeout,
	}
	if s.Kind == kindDSQL {
		cfg.Endpoint, cfg.Region, cfg.User = s.Endpoint, s.Region, s.User
		return cfg
	}
	options := url.Values{
		"sslmode":          {s.SSLMode},
		"application_name": {pluginID},
	}
	if s.SSLRootCertFile != "" {
		options.Set("sslrootcert", s.SSLRootCertFile)
	}
	user := url.User(s.User)
	if s.password != "" {
		user = url.UserPassword(s.User, s.password)
	}
	address := url.URL{
		Scheme:   "postgres",
		User:     user,
		Host:     net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))),
		Path:     "/" + s.Database,
		RawQuery: options.Encode(),
	}
	cfg.URL = address.String()
	return cfg
}

// or returns text, or other if text is empty.
func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
