// Package plugintest runs the built backend of the data source as Grafana does:
// a process of its own, started and spoken to over hashicorp/go-plugin's gRPC.
// It is for tests and for the lab.
//
// It speaks the protocol itself and does not import the SDK's package backend,
// which wants an OpenTelemetry that the lab's Temporal server cannot have.
package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/temporal-sre/copilot/pkg/instant"
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
	stream      grpcplugin.StreamClient
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
	stream, err := protocol.Dispense("stream")
	if err != nil {
		return err
	}
	p.stream = stream.(grpcplugin.StreamClient)
	p.diagnostics = diagnostics.(grpcplugin.DiagnosticsClient)
	p.data = data.(grpcplugin.DataClient)
	p.resource = resource.(grpcplugin.ResourceClient)
	return nil
}

// Stop ends the process.
func (p *Plugin) Stop() { p.client.Kill() }

// Source is a configured data source.
type Source struct {
	settings *pluginv2.DataSourceInstanceSettings
}

// NewSource configures a data source as the config editor does: jsonData is
// anything that json.Marshal takes.
func NewSource(jsonData any, password string) (Source, error) {
	text, err := json.Marshal(jsonData)
	if err != nil {
		return Source{}, err
	}
	id := fnv.New32a()
	_, _ = id.Write(text)
	_, _ = id.Write([]byte(password))
	settings := &pluginv2.DataSourceInstanceSettings{
		Id:  int64(id.Sum32()), //nolint:staticcheck // deprecated, and yet what the SDK tells data sources apart by
		Uid: fmt.Sprintf("copilot-%08x", id.Sum32()), Name: "Copilot",
		JsonData: text, DecryptedSecureJsonData: map[string]string{},
	}
	if password != "" {
		settings.DecryptedSecureJsonData["password"] = password
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

// UID is the data source's uid, which is part of its channels.
func (s Source) UID() string { return s.settings.Uid }

// context is what Grafana says of a data source with every request.
func (s Source) context() *pluginv2.PluginContext {
	return &pluginv2.PluginContext{Namespace: "default", PluginId: ID, DataSourceInstanceSettings: s.settings}
}

// Health is what "Save & test" says.
type Health struct {
	OK      bool
	Message string
	// Details is a JSON object for programs.
	Details []byte
}

// CheckHealth is "Save & test".
func (p *Plugin) CheckHealth(ctx context.Context, source Source) (Health, error) {
	answer, err := p.diagnostics.CheckHealth(ctx, &pluginv2.CheckHealthRequest{PluginContext: source.context()})
	if err != nil {
		return Health{}, err
	}
	return Health{
		OK:      answer.Status == pluginv2.CheckHealthResponse_OK,
		Message: answer.Message,
		Details: answer.JsonDetails,
	}, nil
}

// Query is the query of a panel.
type Query struct {
	// Type is the query type, such as "status".
	Type string
	// Fields are those of the query's JSON beside Grafana's own.
	Fields map[string]any
	// From and To are the dashboard's time range.
	From, To instant.Instant
	// MaxDataPoints is the width of the panel in pixels. 0: 1,000.
	MaxDataPoints int64
	// FromAlert tells that an alert rule asks.
	FromAlert bool
}

// Answer is what a panel gets.
type Answer struct {
	Frames data.Frames
	// Error is empty if the query was answered. Otherwise ErrorSource says
	// whose it is, "plugin" or "downstream".
	Error, ErrorSource string
	// Status is in HTTP's numbers.
	Status int
}

// Query asks the query of one panel.
func (p *Plugin) Query(ctx context.Context, source Source, query Query) (Answer, error) {
	const refID = "A"
	if query.MaxDataPoints == 0 {
		query.MaxDataPoints = 1000
	}
	fields := map[string]any{
		"refId": refID, "queryType": query.Type, "maxDataPoints": query.MaxDataPoints, "intervalMs": 1000,
		"datasource": map[string]string{"type": ID, "uid": source.settings.Uid},
	}
	maps.Copy(fields, query.Fields)
	// A panel's own name for its query would be another one.
	fields["refId"] = refID
	text, err := json.Marshal(fields)
	if err != nil {
		return Answer{}, err
	}
	headers := map[string]string{}
	if query.FromAlert {
		headers["FromAlert"] = "true"
	}
	answers, err := p.queries(ctx, source, query.From, query.To, []json.RawMessage{text}, headers)
	if err != nil {
		return Answer{}, err
	}
	answer, found := answers[refID]
	if !found {
		return Answer{}, errors.New("the plugin did not answer the query")
	}
	return answer, nil
}

// Queries asks all queries of one panel in one request, as Grafana does. Each
// is the JSON that the panel sends; the answers are by refId.
func (p *Plugin) Queries(ctx context.Context, source Source, from, to instant.Instant, queries []json.RawMessage) (map[string]Answer, error) {
	return p.queries(ctx, source, from, to, queries, map[string]string{})
}

func (p *Plugin) queries(ctx context.Context, source Source, from, to instant.Instant, queries []json.RawMessage, headers map[string]string) (map[string]Answer, error) {
	request := &pluginv2.QueryDataRequest{PluginContext: source.context(), Headers: headers}
	for _, text := range queries {
		var grafanas struct {
			RefID         string  `json:"refId"`
			QueryType     string  `json:"queryType"`
			MaxDataPoints int64   `json:"maxDataPoints"`
			IntervalMS    float64 `json:"intervalMs"`
		}
		if err := json.Unmarshal(text, &grafanas); err != nil {
			return nil, fmt.Errorf("the query %s: %w", text, err)
		}
		request.Queries = append(request.Queries, &pluginv2.DataQuery{
			RefId: grafanas.RefID, QueryType: grafanas.QueryType, MaxDataPoints: grafanas.MaxDataPoints, IntervalMS: int64(grafanas.IntervalMS), Json: text,
			TimeRange: &pluginv2.TimeRange{FromEpochMS: from.UnixMilli(), ToEpochMS: to.UnixMilli()},
		})
	}
	response, err := p.data.QueryData(ctx, request)
	if err != nil {
		return nil, err
	}
	answers := map[string]Answer{}
	for refID, one := range response.Responses {
		frames, err := data.UnmarshalArrowFrames(one.Frames)
		if err != nil {
			return nil, err
		}
		answers[refID] = Answer{Frames: frames, Error: one.Error, ErrorSource: one.ErrorSource, Status: int(one.Status)}
	}
	return answers, nil
}

// Resource gets a resource, as the query editor does, and returns its HTTP
// status and body.
func (p *Plugin) Resource(ctx context.Context, source Source, path string) (status int, body []byte, err error) {
	stream, err := p.resource.CallResource(ctx, &pluginv2.CallResourceRequest{
		PluginContext: source.context(), Method: "GET", Path: path, Url: path,
	})
	if err != nil {
		return 0, nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return 0, nil, err
	}
	return int(answer.Code), answer.Body, nil
}

// Subscribe joins a channel, as a panel of Grafana Live does, and calls tell with
// each frame that is sent until the context ends. The channel is the end of a
// frame's Meta.Channel, as in "status/prod".
func (p *Plugin) Subscribe(ctx context.Context, source Source, channel string, tell func(*data.Frame) error) error {
	answer, err := p.stream.SubscribeStream(ctx, &pluginv2.SubscribeStreamRequest{PluginContext: source.context(), Path: channel})
	if err != nil {
		return err
	}
	if answer.Status != pluginv2.SubscribeStreamResponse_OK {
		return fmt.Errorf("subscribe to %q: %s", channel, answer.Status)
	}
	packets, err := p.stream.RunStream(ctx, &pluginv2.RunStreamRequest{PluginContext: source.context(), Path: channel})
	if err != nil {
		return err
	}
	for {
		packet, err := packets.Recv()
		if err != nil {
			return err
		}
		frame := &data.Frame{}
		if err := json.Unmarshal(packet.Data, frame); err != nil {
			return err
		}
		if err := tell(frame); err != nil {
			return err
		}
	}
}
