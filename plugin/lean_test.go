package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/plugin/plugintest"
)

// maxBinary is what the backend may weigh. Grafana starts one process of it,
// and downloads it for every platform.
const maxBinary = 40_000_000

// heavy lists what the plugin must not contain, with all that it pulls in: it
// serves what the worker stored, so it needs neither what observes nor what
// explains. The plugin SDK brings client_golang for its own metrics; the
// package in it that asks a Prometheus server is not among them.
var heavy = []string{
	"go.temporal.io/",
	"github.com/prometheus/prometheus/",
	"github.com/prometheus/alertmanager/",
	"github.com/prometheus/client_golang/api",
	"github.com/grafana/loki/",
	"github.com/aws/aws-sdk-go-v2/service/bedrock",
	"github.com/temporal-sre/copilot/lab",
	"github.com/temporal-sre/copilot/worker",
	"github.com/temporal-sre/copilot/pkg/prometheus",
	"github.com/temporal-sre/copilot/pkg/loki",
	"github.com/temporal-sre/copilot/pkg/redact",
	"github.com/temporal-sre/copilot/pkg/bedrock",
}

func TestThePluginIsLean(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(output))
	if len(packages) < 100 {
		t.Fatalf("only %d packages; the list is not what it should be", len(packages))
	}
	for _, pkg := range packages {
		for _, prefix := range heavy {
			if strings.HasPrefix(pkg, prefix) {
				t.Errorf("the plugin contains %s", pkg)
			}
		}
	}
}

func TestThePluginIsSmall(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "plugin")
	if err := plugintest.Build(t.Context(), "..", binary); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the plugin's binary has %.1f MB", float64(info.Size())/1e6)
	if info.Size() > maxBinary {
		t.Errorf("the plugin's binary has %d bytes, more than %d", info.Size(), maxBinary)
	}
}
