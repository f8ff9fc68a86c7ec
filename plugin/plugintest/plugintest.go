// Package plugintest runs the built backend of the data source as Grafana does:
// a process of its own, started and spoken to over hashicorp/go-plugin's gRPC.
// It is for tests and for the lab.
package plugintest

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
)

// ID is the plugin's id.
const ID = "temporalsre-copilot-datasource"

// grafanaVersion is what the plugin is told about its host.
const grafanaVersion = "12.4.2"

// Build compiles the backend from the copilot's module in dir, with the flags of
// a release (see the Magefile), to output.
func Build(ctx context.Context, dir, output string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "arrow_json_stdlib", "-ldflags", "-s -w", "-o", output, "./plugin")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the plugin: %w\n%s", err, said)
	}
	return nil
}

// Plugin is a running backend.
type Plugin struct {
	client      *goplugin.Client
	diagnostics grpcplugin.DiagnosticsClient
	data        grpcplugin.DataClient
	resource    grpcplugin.ResourceClient
}

// Start starts the backend at path. What it logs goes to log, as lines of JSON;
// nil throws it away. The caller must call Stop.
func Start(path string, log io.Writer) (*Plugin, error) {
	cmd := exec.Command(path)
	// Grafana does not pass its own environment on.
	cmd.Env = []string{"GF_VERSION=" + grafanaVersion, "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		Cmd:         cmd,
		SkipHostEnv: true,
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  grpcplugin.ProtocolVersion,
			MagicCookieKey:   grpcplugin.MagicCookieKey,
			MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{
			grpcplugin.ProtocolVersion: {
				"diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{},
				"resource":    &grpcplugin.ResourceGRPCPlugin{},
				"data":        &grpcplugin.DataGRPCPlugin{},
				"stream":      &grpcplugin.StreamGRPCPlugin{},
			},
		},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		Stderr:           log,
	})
	p := &Plugin{client: client}
	if err := p.connect(); err != nil {
		client.Kill()
		return nil, fmt.Errorf("start the plugin %s: %w", path, err)
	}
	return p, nil
}

// connect starts the process and finds what it serves.
func (p *Plugin) connect() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	diagnostics, err := protocol.Dispense("diagnostics")
	if err != nil {
		return err
	}
	data, err := protocol.Dispense("data")
	if err != nil {
		return err
	}
	resource, err := protocol.Dispense("resource")
	if err != nil {
		return err
	}
	p.diagnostics = diagnostics.(grpcplugin.DiagnosticsClient)
	p.data = data.(grpcplugin.DataClient)
	p.resource = resource.(grpcplugin.ResourceClient)
	return nil
}

// Stop ends the process.
func (p *Plugin) Stop() { p.client.Kill() }

// Source is a configured data source.
type Source struct {
	settings backend.DataSourceInstanceSettings
}

// NewSource configures a data source as the config editor does: jsonData is
// anything that json.Marshal takes.
func NewSource(jsonData any, password string) (Source, error) {
	text, err := json.Marshal(jsonData)
	if err != nil {
		return Source{}, err
	}
	// Grafana tells data sources apart by their id, and so does the SDK.
	id := fnv.New32a()
	_, _ = id.Write(text)
	_, _ = id.Write([]byte(password))
	settings := backend.DataSourceInstanceSettings{
		ID: int64(id.Sum32()), UID: fmt.Sprintf("copilot-%08x", id.Sum32()), Type: ID, Name: "Copilot",
		JSONData: text, DecryptedSecureJSONData: map[string]string{},
	}
	if password != "" {
		settings.DecryptedSecureJSONData["password"] = password
	}
	return Source{settings: settings}, nil
}

// PostgresSource configures a data source for the store at a database URL.
func PostgresSource(databaseURL string) (Source, error) {
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		return Source{}, err
	}
	password, _ := parsed.User.Password()
	return NewSource(map[string]any{
		"kind": "postgres", "host": parsed.Hostname(), "port": parsed.Port(),
		"database": strings.TrimPrefix(parsed.Path, "/"), "user": parsed.User.Username(),
		"sslMode": parsed.Query().Get("sslmode"),
	}, password)
}

// context is what Grafana says of a data source with every request.
func (s Source) context() backend.PluginContext {
	return backend.PluginContext{Namespace: "default", PluginID: ID, DataSourceInstanceSettings: &s.settings}
}

// CheckHealth is "Save & test".
func (p *Plugin) CheckHealth(ctx context.Context, source Source) (*backend.CheckHealthResult, error) {
	where := source.context()
	answer, err := p.diagnostics.CheckHealth(ctx, &pluginv2.CheckHealthRequest{PluginContext: backend.ToProto().PluginContext(where)})
	if err != nil {
		return nil, err
	}
	return &backend.CheckHealthResult{
		Status:      backend.HealthStatus(answer.Status),
		Message:     answer.Message,
		JSONDetails: answer.JsonDetails,
	}, nil
}

// Query asks the queries of one panel. Headers may be nil.
func (p *Plugin) Query(ctx context.Context, source Source, headers map[string]string, queries ...backend.DataQuery) (backend.Responses, error) {
	request := &backend.QueryDataRequest{PluginContext: source.context(), Headers: headers, Queries: queries}
	answer, err := p.data.QueryData(ctx, backend.ToProto().QueryDataRequest(request))
	if err != nil {
		return nil, err
	}
	response, err := backend.FromProto().QueryDataResponse(answer)
	if err != nil {
		return nil, err
	}
	return response.Responses, nil
}

// Resource gets a resource, as the query editor does, and returns its HTTP
// status and body.
func (p *Plugin) Resource(ctx context.Context, source Source, path string) (status int, body []byte, err error) {
	request := &backend.CallResourceRequest{PluginContext: source.context(), Method: "GET", Path: path, URL: path}
	stream, err := p.resource.CallResource(ctx, backend.ToProto().CallResourceRequest(request))
	if err != nil {
		return 0, nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return 0, nil, err
	}
	return int(answer.Code), answer.Body, nil
}
