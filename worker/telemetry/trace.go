package telemetry

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// SDK returns the handler that Temporal's SDK reports its own metrics to. They
// are registered with a "copilot_" before their names.
func SDK(registry prometheus.Registerer) (client.MetricsHandler, error) {
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry),
		otelprometheus.WithNamespace("copilot"),
		otelprometheus.WithoutScopeInfo(),
		otelprometheus.WithoutTargetInfo(),
	)
	if err != nil {
		return nil, fmt.Errorf("metrics of Temporal's SDK: %w", err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	return opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{Meter: provider.Meter("temporal-sdk")}), nil
}

// Trace returns the interceptor that traces workflows and activities, and what
// to call at the end of the process so that no trace is lost. Where to is said
// by OpenTelemetry's own environment variables: OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, and their kin. Without one of these two,
// or with OTEL_SDK_DISABLED=true or OTEL_TRACES_EXPORTER=none, nothing is
// traced and the interceptor is nil.
func Trace(ctx context.Context, version string) (interceptor.Interceptor, func(context.Context) error, error) {
	nothing := func(context.Context) error { return nil }
	endpoint := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") + os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if endpoint == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nothing, nil
	}
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return nil, nothing, nil
	case "", "otlp":
	default:
		return nil, nothing, fmt.Errorf("OTEL_TRACES_EXPORTER=%s: use otlp or none", exporter)
	}
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	var exporter trace.SpanExporter
	var err error
	switch protocol {
	case "", "http/protobuf":
		exporter, err = otlptracehttp.New(ctx)
	case "grpc":
		exporter, err = otlptracegrpc.New(ctx)
	default:
		return nil, nothing, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: use http/protobuf or grpc", protocol)
	}
	if err != nil {
		return nil, nothing, fmt.Errorf("traces: %w; check OTEL_EXPORTER_OTLP_ENDPOINT", err)
	}
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over these.
	about, err := resource.New(ctx, resource.WithAttributes(serviceAttributes(version)...), resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, nothing, fmt.Errorf("traces: %w; check OTEL_RESOURCE_ATTRIBUTES", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
	tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
		Tracer:            provider.Tracer("temporal-sre-copilot"),
		TextMapPropagator: propagation.TraceContext{},
	})
	if err != nil {
		return nil, nothing, fmt.Errorf("traces: %w", err)
	}
	return tracing, provider.Shutdown, nil
}

// serviceAttributes say whose traces these are.
func serviceAttributes(version string) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.ServiceName("temporal-sre-copilot"), semconv.ServiceVersion(version)}
}
