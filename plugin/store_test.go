package main

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestThePoolOpensOnceAndWhenAsked(t *testing.T) {
	opened := 0
	st := goodStore()
	p := &pool{open: func(context.Context) (store, error) { opened++; return st, nil }}
	if opened != 0 {
		t.Fatal("opened before anybody asked")
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := p.get(t.Context()); err != nil || got.store != store(st) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if opened != 1 {
		t.Errorf("opened %d times", opened)
	}
}

func TestThePoolTriesAgain(t *testing.T) {
	failing := true
	p := &pool{open: func(context.Context) (store, error) {
		if failing {
			return nil, errStoreAway
		}
		return goodStore(), nil
	}}
	if _, err := p.get(t.Context()); !errors.Is(err, errStoreAway) {
		t.Fatalf("got %v", err)
	}
	failing = false
	if _, err := p.get(t.Context()); err != nil {
		t.Fatalf("got %v", err)
	}
}

func TestTheStoreOutlivesTheRequestThatOpensIt(t *testing.T) {
	var given context.Context
	p := &pool{open: func(ctx context.Context) (store, error) { given = ctx; return goodStore(), nil }}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := p.get(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if given.Err() != nil {
		t.Error("the store's context ended with the request")
	}
}

func TestDisposeClosesForGood(t *testing.T) {
	st := goodStore()
	s := sourceOf(st)
	if _, err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Dispose()
	s.Dispose()
	if st.closed != 1 {
		t.Errorf("closed %d times", st.closed)
	}
	if _, err := s.open(t.Context()); !errors.Is(err, errDisposed) {
		t.Errorf("got %v", err)
	}
	// A store that was never opened is not opened to be closed.
	newSource(nil, nil, func(context.Context) (store, error) { t.Error("opened"); return nil, nil }).Dispose()
}
