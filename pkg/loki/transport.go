package loki

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/config"
)

// maxAnswer bounds one answer, so that neither a selector that matches too much
// nor a server gone mad can exhaust memory.
const maxAnswer = 16 << 20

// connect builds the HTTP client with authentication, metrics and limits, and
// returns it with the base URL without credentials.
func connect(c Config) (*http.Client, *url.URL, error) {
	var h config.HTTPClientConfig
	h.TLSConfig.CAFile = c.CAFile
	h.TLSConfig.InsecureSkipVerify = c.InsecureSkipVerify
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, nil, err
	}
	if password, set := u.User.Password(); set || u.User.Username() != "" {
		c.Username, c.Password = u.User.Username(), password
		u.User = nil
	}
	if c.Username != "" {
		h.BasicAuth = &config.BasicAuth{Username: c.Username, Password: config.Secret(c.Password)}
	}
	if c.BearerToken != "" || c.BearerTokenFile != "" {
		h.Authorization = &config.Authorization{Type: "Bearer", Credentials: config.Secret(c.BearerToken), CredentialsFile: c.BearerTokenFile}
	}
	rt, err := config.NewRoundTripperFromConfig(h, "temporal-sre-copilot")
	if err != nil {
		return nil, nil, fmt.Errorf("loki connection: %w", err)
	}
	rt = &polite{next: rt, tenant: c.Tenant}
	if c.Registerer != nil {
		rt = instrumented(rt, c.Registerer)
	}
	// A query that is sent elsewhere loses its form on the way.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: rt, CheckRedirect: stay}, u, nil
}

// instrumented counts and times the requests.
func instrumented(rt http.RoundTripper, reg prometheus.Registerer) http.RoundTripper {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "copilot_loki_request_duration_seconds",
		Help:    "Time of requests to the Loki that holds the cluster's logs.",
		Buckets: prometheus.ExponentialBuckets(0.005, 2, 13),
	}, []string{"code", "method"})
	if err := reg.Register(seconds); err != nil {
		var already prometheus.AlreadyRegisteredError
		if errors.As(err, &already) {
			if known, ok := already.ExistingCollector.(*prometheus.HistogramVec); ok {
				seconds = known
			}
		}
	}
	return promhttp.InstrumentRoundTripperDuration(seconds, rt)
}

// polite says who asks and for whom, takes answers compressed, and reads no
// endless ones.
type polite struct {
	next   http.RoundTripper
	tenant string
}

// RoundTrip implements http.RoundTripper.
func (p *polite) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "temporal-sre-copilot")
	// Loki writes the tags to its own log of queries.
	r.Header.Set("X-Query-Tags", "source=temporal-sre-copilot")
	// A window is read again for lines that came late: a remembered answer would
	// not have them.
	r.Header.Set("Cache-Control", "no-cache")
	r.Header.Set("Accept-Encoding", "gzip")
	if p.tenant != "" {
		r.Header.Set("X-Scope-OrgID", p.tenant)
	}
	resp, err := p.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		body = &unzipped{body: body}
	}
	resp.Body = &limited{ReadCloser: body, left: maxAnswer}
	return resp, nil
}

// unzipped reads a compressed body.
type unzipped struct {
	body io.ReadCloser
	zip  *gzip.Reader
}

// Read implements io.Reader.
func (u *unzipped) Read(p []byte) (int, error) {
	if u.zip == nil {
		zip, err := gzip.NewReader(u.body)
		if err != nil {
			return 0, err
		}
		u.zip = zip
	}
	return u.zip.Read(p)
}

// Close implements io.Closer.
func (u *unzipped) Close() error { return u.body.Close() }

// errTooLarge names the remedy for answers beyond maxAnswer.
var errTooLarge = fmt.Errorf("the answer is larger than %d MiB: narrow the selector", maxAnswer>>20)

// limited fails a body that is too large.
type limited struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, errTooLarge
	}
	return n, err
}
