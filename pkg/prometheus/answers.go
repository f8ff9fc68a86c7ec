package prometheus

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// Bounds of the answers that are being read, in bytes, so that neither selectors
// that match too much nor servers gone mad can exhaust memory: reading an answer
// takes several times its size.
const (
	// maxAnswers is for the answers to one observer.
	maxAnswers = 64 << 20
	// maxAnswersOfAll is for those to all observers of the process.
	maxAnswersOfAll = 128 << 20
	// fairAnswers is what an observer may read however much others do, so that
	// the servers that go mad do not take the sane ones with them.
	fairAnswers = 4 << 20
)

var (
	errTooLarge = fmt.Errorf("the answers are larger than %d MiB: narrow the selector", maxAnswers>>20)
	errCrowded  = fmt.Errorf("the answers of all clusters that are read now are larger than %d MiB, these more than %d MiB: narrow the selectors, or spread the clusters over several workers",
		maxAnswersOfAll>>20, fairAnswers>>20)
)

// tooLarge returns the bound that an answer was beyond; nil if it was none.
func tooLarge(err error) error {
	for _, bound := range []error{errTooLarge, errCrowded} {
		if errors.Is(err, bound) {
			return bound
		}
	}
	return nil
}

// answersOfAll counts the bytes that are being read in this process, which has
// one memory for all of its observers.
var answersOfAll atomic.Int64

// polite says who asks, for whom, and reads no endless answers.
type polite struct {
	next   http.RoundTripper
	tenant string
	own    atomic.Int64  // bytes of this observer's answers that are being read
	all    *atomic.Int64 // bytes of those of all observers
}

// RoundTrip implements http.RoundTripper.
func (p *polite) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "temporal-sre-copilot")
	if p.tenant != "" {
		r.Header.Set("X-Scope-OrgID", p.tenant)
	}
	resp, err := p.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &limited{ReadCloser: resp.Body, of: p}
	return resp, nil
}

// limited fails a body when those that are being read are too large together.
type limited struct {
	io.ReadCloser
	of *polite

	mu     sync.Mutex // a body may be closed while it is read
	read   int64
	closed bool
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return n, err
	}
	l.read += int64(n)
	own, all := l.of.own.Add(int64(n)), l.of.all.Add(int64(n))
	switch {
	case own > maxAnswers:
		return n, errTooLarge
	case all > maxAnswersOfAll && own > fairAnswers:
		return n, errCrowded
	}
	return n, err
}

// Close implements io.Closer. What was read no longer counts.
func (l *limited) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		l.of.own.Add(-l.read)
		l.of.all.Add(-l.read)
	}
	l.mu.Unlock()
	return l.ReadCloser.Close()
}
