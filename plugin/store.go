package main

import (
	"context"
	"errors"
	"sync"

	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// store is what a data source asks of the copilot's store, for itself and for
// the JSON API. It can only read.
type store interface {
	api.Store
	Target() string
	IsReadOnly(ctx context.Context) (bool, error)
	Newest(ctx context.Context, cluster string) (dsql.Newest, error)
	Assessment(ctx context.Context, cluster string, at instant.Instant) (health.Assessment, error)
	StateChanges(ctx context.Context, query dsql.RangeQuery) (dsql.StateChangePage, error)
	Signals(ctx context.Context, query dsql.SignalQuery) ([]dsql.Series, error)
	LogPatterns(ctx context.Context, query dsql.RangeQuery) ([]dsql.LogPatternSum, error)
	Close()
}

var _ store = (*dsql.Store)(nil)

// errDisposed is the answer to a request that comes after its data source was
// changed or deleted.
var errDisposed = errors.New("the data source was changed or deleted; ask again")

// pool holds the store of one data source: it is opened when it is first asked
// for, shared by all requests, and closed with the data source.
type pool struct {
	open  func(ctx context.Context) (store, error)
	clock instant.Clock

	mu       sync.Mutex
	store    *shared
	disposed bool
}

// get returns the store. An attempt to open it that failed is made again the
// next time.
func (p *pool) get(ctx context.Context) (*shared, error) {
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
	p.store = newShared(opened, p.clock)
	return p.store, nil
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
