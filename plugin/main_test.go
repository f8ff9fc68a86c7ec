package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/plugin/plugintest"
)

func TestMain(m *testing.M) {
	// The SDK tells of every query, which buries what a failing test says.
	log.DefaultLogger = log.NewNullLogger()
	postgrestest.Main(m)
}

func TestTheIDIsThatOfPluginJSON(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "plugin.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.ID != pluginID || manifest.ID != plugintest.ID {
		t.Errorf("plugin.json says %q, main %q, plugintest %q", manifest.ID, pluginID, plugintest.ID)
	}
}
