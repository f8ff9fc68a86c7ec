package main

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// storeTimeout bounds one question to the store.
	storeTimeout = 10 * time.Second
	// requestTimeout bounds one query, which may ask the store two or three
	// things. Grafana's own default is 30 s.
	requestTimeout = 20 * time.Second
	// awayAfter is how long after its last assessment a cluster counts as not
	// observed any more, where the time between assessments is not known. The
	// timeline says "not observed" from the same age.
	awayAfter = dsql.HoldsFor
)

// source is one data source as somebody configured it. Grafana makes a new one
// when the settings change.
type source struct {
	// settingsError is what is wrong with the settings; nothing else works then.
	settingsError error
	pool          *pool
	clock         instant.Clock

	backend.QueryDataHandler
	backend.CallResourceHandler
}

var (
	_ backend.CheckHealthHandler    = (*source)(nil)
	_ backend.StreamHandler         = (*source)(nil)
	_ instancemgmt.InstanceDisposer = (*source)(nil)
)

// newInstance is called by the SDK for each data source. Wrong settings are no
// error here, because Grafana would show it as a defect of the plugin; every
// request of the data source answers with them instead.
func newInstance(_ context.Context, instance backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	s, err := loadSettings(instance)
	return newSource(err, instant.System, func(ctx context.Context) (store, error) {
		return dsql.Open(ctx, s.config())
	}), nil
}

// newSource wires a data source.
func newSource(settingsError error, clock instant.Clock, open func(context.Context) (store, error)) *source {
	s := &source{settingsError: settingsError, clock: clock, pool: &pool{open: open, clock: clock}}
	s.QueryDataHandler = s.queries()
	s.CallResourceHandler = s.resources()
	return s
}

// open returns the store, or what stands between us and it.
func (s *source) open(ctx context.Context) (*shared, error) {
	if s.settingsError != nil {
		return nil, &settingsInvalid{s.settingsError}
	}
	return s.pool.get(ctx)
}

// Dispose closes the store. The SDK calls it when the data source was changed,
// deleted, or the plugin ends.
func (s *source) Dispose() { s.pool.close() }
