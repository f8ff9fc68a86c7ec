package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// reason is how far "Save & test" got, for programs that ask Grafana for it.
type reason string

// The reasons, in the order in which they are looked at.
const (
	reasonSettings reason = "settings"
	reasonStore    reason = "store"
	reasonSchema   reason = "schema"
	reasonWritable reason = "writable"
	reasonEmpty    reason = "empty"
	reasonStale    reason = "stale"
	reasonOK       reason = "ok"
)

// verdict is the result of a check.
type verdict struct {
	Reason reason `json:"reason"`
	// Schema and Wanted are the versions of the schema, once they are known.
	Schema int `json:"schema_version,omitempty"`
	Wanted int `json:"schema_version_wanted,omitempty"`

	message string
}

// CheckHealth is "Save & test". It goes from the settings to the newest
// assessment and stops at the first thing that is wrong, saying what to do. A
// store in which nothing is written, or no longer, is an error too: everything
// is connected and yet no panel can show how a cluster is.
func (s *source) CheckHealth(ctx context.Context, _ *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	v := s.check(ctx)
	details, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	result := &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: upper(v.message) + ".", JSONDetails: details}
	if v.Reason == reasonOK {
		result.Status = backend.HealthStatusOk
	}
	return result, nil
}

// check looks at one thing after the other.
func (s *source) check(ctx context.Context) verdict {
	var settings *settingsInvalid
	st, err := s.open(ctx)
	switch {
	case errors.As(err, &settings):
		return verdict{Reason: reasonSettings, message: err.Error()}
	case err != nil:
		return verdict{Reason: reasonStore, message: err.Error()}
	}
	if err := st.Ping(ctx); err != nil {
		return verdict{Reason: reasonStore, message: err.Error()}
	}

	status, err := st.Schema(ctx)
	if err != nil {
		return verdict{Reason: reasonStore, message: err.Error()}
	}
	v := verdict{Reason: reasonSchema, Schema: status.Current, Wanted: status.Wanted}
	switch err := status.Err(); {
	case errors.Is(err, dsql.ErrNoSchema):
		v.message = fmt.Sprintf("%s answers, but holds no copilot schema: check the database's name, or run: copilot db setup-schema", st.Target())
		return v
	case errors.Is(err, dsql.ErrNewSchema):
		v.message = fmt.Sprintf("%s has a newer schema than this plugin knows (version %d): update the plugin", st.Target(), status.Wanted)
		return v
	case err != nil:
		v.message = fmt.Sprintf("%s has an incomplete schema, version %d of %d: run: copilot db setup-schema", st.Target(), status.Current, status.Wanted)
		return v
	}

	readOnly, err := st.IsReadOnly(ctx)
	switch {
	case err != nil:
		v.Reason, v.message = reasonStore, err.Error()
		return v
	case !readOnly:
		v.Reason, v.message = reasonWritable, fmt.Sprintf("%s does not hold this data source to reading; perhaps a connection pooler drops the setting, then run: ALTER ROLE … SET default_transaction_read_only = on", st.Target())
		return v
	}

	clusters, err := st.Clusters(ctx)
	if err != nil {
		v.Reason, v.message = reasonStore, err.Error()
		return v
	}
	v.Reason, v.message = s.judge(st.Target(), clusters)
	return v
}

// judge says whether somebody observes the clusters now.
func (s *source) judge(target string, clusters []dsql.Cluster) (reason, string) {
	now := s.clock.Now()
	var newest *dsql.Cluster
	var words []string
	fresh := 0
	for i := range clusters {
		c := &clusters[i]
		if c.LastSeen.IsZero() {
			words = append(words, c.ID+" not assessed yet")
			continue
		}
		if newest == nil || c.LastSeen.After(newest.LastSeen) {
			newest = c
		}
		since := max(now.Sub(c.LastSeen), 0)
		if since > awayAfter {
			words = append(words, fmt.Sprintf("%s not assessed for %s", c.ID, age(since)))
			continue
		}
		fresh++
		words = append(words, fmt.Sprintf("%s %s, assessed %s ago", c.ID, stateWords(c), age(since)))
	}
	const most = 5
	if len(words) > most {
		words = append(words[:most], fmt.Sprintf("and %d more", len(words)-most))
	}
	switch list := strings.Join(words, "; "); {
	case newest == nil:
		return reasonEmpty, fmt.Sprintf("%s is ready, but no cluster has been observed yet: start \"copilot worker\" with this store", target)
	case fresh == 0:
		return reasonStale, fmt.Sprintf("%s is ready, but nobody observes any more (%s): check that \"copilot worker\" runs", target, list)
	default:
		return reasonOK, fmt.Sprintf("Connected to %s; %s", target, list)
	}
}

// stateWords says how a cluster is.
func stateWords(c *dsql.Cluster) string {
	words := c.State.String()
	if c.State == health.Unknown {
		words = "not known"
	}
	if c.Blind {
		words += " (blind)"
	}
	return "is " + words
}
