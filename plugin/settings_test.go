package main

import (
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

func load(jsonData, password string) (settings, error) {
	return loadSettings(backend.DataSourceInstanceSettings{
		JSONData:                []byte(jsonData),
		DecryptedSecureJSONData: map[string]string{"password": password},
	})
}

func TestSettingsBecomeAConfiguration(t *testing.T) {
	for _, test := range []struct {
		name, jsonData, password string
		url, endpoint, region    string
	}{
		{
			name:     "PostgreSQL with defaults",
			jsonData: `{"host":"db.example.com","user":"reader"}`,
			url:      "postgres://reader@db.example.com:5432/copilot?application_name=temporalsre-copilot-datasource&sslmode=verify-full",
		},
		{
			name:     "PostgreSQL with everything, and characters that a URL would misread",
			jsonData: `{"kind":"postgres","host":" ::1 ","port":6432,"database":"sre/1","user":"re@der","sslMode":"verify-ca","sslRootCertFile":"/etc/ca.pem","tlsSkipVerify":true}`,
			password: "p/w?#@:",
			url:      "postgres://re%40der:p%2Fw%3F%23%40%3A@[::1]:6432/sre%2F1?application_name=temporalsre-copilot-datasource&sslmode=verify-ca&sslrootcert=%2Fetc%2Fca.pem",
		},
		{
			name:     "a port as the environment gives it",
			jsonData: `{"host":"db","port":"6432","user":"reader","sslMode":""}`,
			url:      "postgres://reader@db:6432/copilot?application_name=temporalsre-copilot-datasource&sslmode=verify-full",
		},
		{
			name:     "a port that the environment does not give",
			jsonData: `{"host":"db","port":"","user":"reader","sslMode":"disable"}`,
			url:      "postgres://reader@db:5432/copilot?application_name=temporalsre-copilot-datasource&sslmode=disable",
		},
		{
			name:     "Aurora DSQL",
			jsonData: `{"kind":"dsql","endpoint":"abc.dsql.eu-west-1.on.aws","region":"eu-west-1","user":"reader","host":"left over"}`,
			endpoint: "abc.dsql.eu-west-1.on.aws",
			region:   "eu-west-1",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := load(test.jsonData, test.password)
			if err != nil {
				t.Fatal(err)
			}
			cfg := s.config()
			got := strings.ReplaceAll(cfg.URL, "/sre/1?", "/sre%2F1?")
			if got != test.url || cfg.Endpoint != test.endpoint || cfg.Region != test.region {
				t.Errorf("got  %q %q %q\nwant %q %q %q", cfg.URL, cfg.Endpoint, cfg.Region, test.url, test.endpoint, test.region)
			}
			if !cfg.ReadOnly {
				t.Error("the plugin may write")
			}
		})
	}
}

func TestWrongSettingsNameFieldValueAndRemedy(t *testing.T) {
	for _, test := range []struct{ jsonData, words string }{
		{``, `setting "host" is empty: enter the name or address of the PostgreSQL server; setting "user" is empty: enter the database role to read as`},
		{`{"host":"https://db","user":"r"}`, `setting "host" is "https://db": enter the name alone, without scheme, port or path`},
		{`{"host":"db:5432","user":"r"}`, `setting "host" is "db:5432": enter the name alone, without scheme, port or path`},
		{`{"host":"db","user":"r","port":99999}`, `setting "port" is "99999": enter a number from 1 to 65535`},
		{`{"host":"db","user":"r","port":"default"}`, `setting "port" is "default": enter a number from 1 to 65535`},
		{`{"host":"db","user":"r","sslMode":"prefer"}`, `setting "sslMode" is "prefer": choose one of disable, require, verify-ca, verify-full`},
		{`{"host":7,"user":"r"}`, `setting "host" is "number": write it as a text`},
		{`{"kind":"mysql"}`, `setting "kind" is "mysql": choose "postgres" or "dsql"`},
		{`{"kind":"dsql"}`, `setting "endpoint" is empty: enter the endpoint that the Aurora DSQL console shows for the cluster`},
		{`{"kind":"dsql","endpoint":"https://abc"}`, `setting "endpoint" is "https://abc": enter the host name alone, without scheme, port or path`},
	} {
		_, err := load(test.jsonData, "")
		if err == nil || err.Error() != test.words {
			t.Errorf("%s\ngot  %v\nwant %s", test.jsonData, err, test.words)
		}
	}
	if _, err := load(`{`, ""); err == nil || !strings.Contains(err.Error(), "not valid JSON") {
		t.Errorf("half a JSON object: %v", err)
	}
}

func TestThePasswordIsInNoError(t *testing.T) {
	s, err := load(`{"host":"a b","user":"","port":-1}`, "hunter2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	if s.password != "hunter2" {
		t.Error("the password was not read")
	}
}
