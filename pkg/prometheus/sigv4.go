package prometheus

import (
	"context"
	"fmt"
	"net/http"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/prometheus/sigv4"
)

// signing signs requests for Amazon Managed Prometheus. The first request
// fetches the credentials, not who configures the connection: while their source
// is away requests fail, one observation after the other, and nothing else does.
type signing struct {
	cfg  sigv4.SigV4Config
	next http.RoundTripper

	turn   chan struct{}     // full while somebody looks at signer
	signer http.RoundTripper // nil until there were credentials
}

// newSigning checks what can be told without asking anybody: that the
// environment can be read, and names a region if c does not.
func newSigning(c Config, next http.RoundTripper) (*signing, error) {
	known, err := awsconfig.LoadDefaultConfig(context.Background(),
		awsconfig.WithRegion(c.Region), awsconfig.WithSharedConfigProfile(c.Profile))
	switch {
	case err != nil:
		return nil, &ConfigError{Field: "SigV4 profile", Value: c.Profile, Remedy: fmt.Sprintf("the AWS settings of the environment do not work: %v", err)}
	case known.Region == "":
		return nil, &ConfigError{Field: "region", Value: "", Remedy: "name the region of the Amazon Managed Prometheus, such as eu-west-1, or set AWS_REGION"}
	}
	return &signing{
		cfg: sigv4.SigV4Config{Region: c.Region, Profile: c.Profile, RoleARN: c.Role}, next: next, turn: make(chan struct{}, 1),
	}, nil
}

// RoundTrip implements http.RoundTripper.
func (s *signing) RoundTrip(r *http.Request) (*http.Response, error) {
	signer, err := s.ready(r.Context())
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	return signer.RoundTrip(r)
}

// ready returns what signs. One request at a time fetches the credentials, and
// the next one tries again when that failed.
func (s *signing) ready(ctx context.Context) (http.RoundTripper, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.signer != nil {
		return s.signer, nil
	}
	signer, err := sigv4.NewSigV4RoundTripper(&s.cfg, s.next, sigv4.WithContext(ctx))
	if err != nil {
		return nil, &credentialsError{err}
	}
	s.signer = signer
	return signer, nil
}

// credentialsError is that there are no credentials to sign with now.
type credentialsError struct{ error }

// Unwrap returns what the source of the credentials said.
func (e *credentialsError) Unwrap() error { return e.error }
