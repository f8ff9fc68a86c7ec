package main

import (
	"context"
	"errors"
	"sync"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// store is what a data source asks of the copilot's store. It can only read.
type store interface {
	Ping(ctx context.Context) error
	Schema(ctx context.Context) (dsql.SchemaStatus, error)
	Target() string
	Clusters(ctx context.Context) ([]dsql.Cluster, error)
	Latest(ctx context.Context, cluster string) (health.Assessment, error)
	Timeline(ctx context.Context, cluster string, from, to instant.Instant) ([]dsql.Interval, error)
	Signals(ctx context.Context, query dsql.SignalQuery) ([]dsql.Series, error)
	Close()
}

var _ store = (*dsql.Store)(nil)

// errDisposed is the answer to a request that comes after its data source was
// changed or deleted.
var errDisposed = errors.New("the data source was changed or deleted; ask again")

// pool holds the store of one data source: it is opened when it is first asked
// for, shared by all requests, and closed with the data source.
type pool struct {
	open func(ctx context.Context) (store, error)

	mu       sync.Mutex
	store    store
	disposed bool
}

// get returns the store. An attempt to open it that failed is made again the
// next time.
func (p *pool) get(ctx context.Context) (store, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.disposed:
		return nil, errDisposed
	case p.store != nil:
		return p.store, nil
	}
	// The store outlives the request that opens it.
	opened, err := p.open(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	p.store = opened
	return opened, nil
}

// close closes the store for good.
func (p *pool) close() {
	p.mu.Lock()
	opened := p.store
	p.store, p.disposed = nil, true
	p.mu.Unlock()
	if opened != nil {
		// It waits for the requests that use it, so not under the lock.
		opened.Close()
	}
}
