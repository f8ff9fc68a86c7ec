package main

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
)

const (
	// streamEvery is how often a stream looks whether there is a new
	// assessment, which is a look at one key.
	streamEvery = 500 * time.Millisecond
	// streamPrefix begins the path of every channel; the cluster's name follows.
	streamPrefix = "status/"
)

// channelName matches the cluster names that Grafana Live can have in a path.
var channelName = regexp.MustCompile(`^[A-Za-z0-9_.=-]+$`)

// channelOf is where Grafana Live tells of new assessments of a cluster; empty
// if its name cannot be part of a channel.
func channelOf(plugin backend.PluginContext, cluster string) string {
	if plugin.DataSourceInstanceSettings == nil || !channelName.MatchString(cluster) {
		return ""
	}
	return "ds/" + plugin.DataSourceInstanceSettings.UID + "/" + streamPrefix + cluster
}

// SubscribeStream lets a viewer in on the channel of a cluster that the store
// knows. The viewer's own query has told of the newest assessment already.
func (s *source) SubscribeStream(ctx context.Context, req *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	cluster, found := strings.CutPrefix(req.Path, streamPrefix)
	if !found || cluster == "" {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	}
	st, err := s.open(ctx)
	if err == nil {
		_, err = st.verdict(ctx, cluster)
	}
	var unknown *dsql.ErrUnknownCluster
	if errors.As(err, &unknown) {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	}
	// A store that is away comes back, and a cluster gets its first assessment.
	return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusOK}, nil
}

// PublishStream lets nobody write: only assessments are told of.
func (s *source) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

// RunStream sends the status of a cluster whenever there is a new assessment,
// and when the last one goes stale or the store stops to answer. Grafana runs
// one for each channel and ends it after the last viewer has gone.
func (s *source) RunStream(ctx context.Context, req *backend.RunStreamRequest, sender *backend.StreamSender) error {
	cluster := strings.TrimPrefix(req.Path, streamPrefix)
	ticker := time.NewTicker(streamEvery)
	defer ticker.Stop()
	var told sight
	for {
		v, err := s.watch(ctx, cluster)
		switch {
		case errors.Is(err, errDisposed):
			// The data source was changed: Grafana starts the stream of the new one.
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			// Nothing to tell yet; queries tell the viewers why.
			log.DefaultLogger.Debug("The stream has no status to send", "cluster", cluster, "error", err)
		default:
			now := s.clock.Now()
			seen := sight{v.Newest, v.isStale(now), v.degraded != ""}
			if seen == told {
				break
			}
			if err := sender.SendFrame(statusRow(v, now), data.IncludeAll); err != nil {
				return err
			}
			told = seen
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// sight is what a stream tells of again when it changes.
type sight struct {
	newest          dsql.Newest
	stale, degraded bool
}

// watch returns the newest assessment without the second that a query may be
// behind.
func (s *source) watch(ctx context.Context, cluster string) (*latest, error) {
	st, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	return together(ctx, st, "verdict "+cluster, func(ctx context.Context) (*latest, error) {
		return st.look(ctx, cluster)
	})
}
