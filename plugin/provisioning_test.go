package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"
)

// provisioned reads provisioning/datasources/copilot.yaml as Grafana does with
// an environment: a variable that is not set is an empty text.
func provisioned(t *testing.T, environment map[string]string) (jsonData map[string]any, password, kind string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "provisioning", "datasources", "copilot.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Datasources []struct {
			Type           string
			JSONData       map[string]any    `yaml:"jsonData"`
			SecureJSONData map[string]string `yaml:"secureJsonData"`
		}
	}
	if err := yaml.Unmarshal(content, &file); err != nil || len(file.Datasources) != 1 {
		t.Fatalf("%d data sources, %v", len(file.Datasources), err)
	}
	lookup := func(name string) string { return environment[name] }
	source := file.Datasources[0]
	for name, v := range source.JSONData {
		if text, ok := v.(string); ok {
			source.JSONData[name] = os.Expand(text, lookup)
		}
	}
	return source.JSONData, os.Expand(source.SecureJSONData["password"], lookup), source.Type
}

func TestTheProvisionedDataSourceWorks(t *testing.T) {
	for name, test := range map[string]struct {
		environment map[string]string
		want        settings
	}{
		"PostgreSQL, as little as possible": {
			map[string]string{"COPILOT_DB_HOST": "db", "COPILOT_DB_USER": "reader"},
			settings{Kind: kindPostgres, Host: "db", Port: 5432, Database: "copilot", SSLMode: "verify-full", User: "reader"},
		},
		"PostgreSQL, everything": {
			map[string]string{
				"COPILOT_STORE": "postgres", "COPILOT_DB_HOST": "db", "COPILOT_DB_PORT": "6432", "COPILOT_DB_NAME": "sre",
				"COPILOT_DB_USER": "reader", "COPILOT_DB_PASSWORD": "hunter2", "COPILOT_DB_SSLMODE": "verify-ca", "COPILOT_DB_SSLROOT": "/ca.pem",
			},
			settings{Kind: kindPostgres, Host: "db", Port: 6432, Database: "sre", SSLMode: "verify-ca", SSLRootCertFile: "/ca.pem", User: "reader", password: "hunter2"},
		},
		"Aurora DSQL": {
			map[string]string{"COPILOT_STORE": "dsql", "COPILOT_DSQL_ENDPOINT": "abc.dsql.eu-west-1.on.aws", "COPILOT_DSQL_REGION": "eu-west-1"},
			settings{Kind: kindDSQL, Endpoint: "abc.dsql.eu-west-1.on.aws", Region: "eu-west-1", Port: 5432, Database: "copilot", SSLMode: "verify-full"},
		},
	} {
		jsonData, password, kind := provisioned(t, test.environment)
		if kind != pluginID {
			t.Errorf("the data source is of type %q", kind)
		}
		text, err := json.Marshal(jsonData)
		if err != nil {
			t.Fatal(err)
		}
		got, err := load(string(text), password)
		if err != nil || got != test.want {
			t.Errorf("%s:\ngot  %+v %v\nwant %+v", name, got, err, test.want)
		}
	}
}

func TestTheProvisioningFileHasEverySettingAndExplainsItsVariables(t *testing.T) {
	jsonData, _, _ := provisioned(t, nil)
	fields := reflect.TypeFor[settings]()
	for i := range fields.NumField() {
		name := fields.Field(i).Tag.Get("json")
		if _, there := jsonData[name]; !there && name != "" {
			t.Errorf("setting %q is not in the file", name)
		}
		delete(jsonData, name)
	}
	for name := range jsonData {
		t.Errorf("the file has a setting %q that nobody reads", name)
	}

	content, err := os.ReadFile(filepath.Join("..", "provisioning", "datasources", "copilot.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, used := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(content), -1) {
		if !regexp.MustCompile(`(?m)^#   ` + used[1] + ` `).Match(content) {
			t.Errorf("%s is not explained", used[1])
		}
	}
}
