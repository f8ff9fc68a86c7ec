package main

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// packets collects what a stream sends.
type packets chan *data.Frame

func (p packets) Send(packet *backend.StreamPacket) error {
	frame := &data.Frame{}
	if err := json.Unmarshal(packet.Data, frame); err != nil {
		return err
	}
	p <- frame
	return nil
}

// stream runs a stream for prod until the test ends it.
func stream(t *testing.T, s *source) (sent packets, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	sent = make(packets, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- s.RunStream(ctx, &backend.RunStreamRequest{Path: "status/prod"}, backend.NewStreamSender(sent))
	}()
	return sent, func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Second):
			t.Fatal("the stream does not end with its last viewer")
			return nil
		}
	}
}

// next waits for what a stream sends.
func next(t *testing.T, sent packets) *data.Frame {
	t.Helper()
	select {
	case frame := <-sent:
		return frame
	case <-time.After(10 * time.Second):
		t.Fatal("the stream sent nothing")
		return nil
	}
}

// lockedStore lets a test change what a fakeStore holds while a stream reads it.
type lockedStore struct{ *fakeStore }

func (l lockedStore) set(a health.Assessment, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest = map[string]health.Assessment{"prod": a}
	l.err = err
}

func (l lockedStore) Newest(context.Context, string) (dsql.Newest, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return dsql.Newest{At: l.latest["prod"].At}, l.err
}

func (l lockedStore) Assessment(context.Context, string, instant.Instant) (health.Assessment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest["prod"], l.err
}

func TestAStreamTellsOfEachNewAssessment(t *testing.T) {
	st := lockedStore{goodStore()}
	clock := instant.NewManual(noon)
	s := newSource(nil, clock, func(context.Context) (store, error) { return st, nil })
	sent, end := stream(t, s)
	if got := text(t, next(t, sent), "state", 0); got != "stressed" {
		t.Errorf("the first status is %q", got)
	}

	worse := incident(noon)
	worse.State = health.Critical
	watch := instant.StartStopwatch()
	st.set(worse, nil)
	if got := text(t, next(t, sent), "state", 0); got != "critical" {
		t.Errorf("the second status is %q", got)
	}
	t.Logf("a new assessment was told of after %s", watch.Elapsed())

	st.set(worse, errStoreAway)
	if degraded, _ := next(t, sent).FieldByName("degraded"); degraded.At(0) != true {
		t.Error("the stream does not tell that the store is away")
	}
	st.set(worse, nil)
	next(t, sent)
	clock.Advance(10 * time.Minute)
	if stale, _ := next(t, sent).FieldByName("stale"); stale.At(0) != true {
		t.Error("the stream does not tell that the assessment is stale")
	}
	if err := end(); !errors.Is(err, context.Canceled) {
		t.Errorf("the stream ended with %v", err)
	}
	if len(sent) != 0 {
		t.Errorf("%d more frames were sent", len(sent))
	}
}

func TestAStreamEndsWithItsDataSource(t *testing.T) {
	s := sourceOf(goodStore())
	ended := make(chan error, 1)
	sent := make(packets, 1)
	go func() {
		ended <- s.RunStream(t.Context(), &backend.RunStreamRequest{Path: "status/prod"}, backend.NewStreamSender(sent))
	}()
	next(t, sent)
	s.Dispose()
	if err := <-ended; !errors.Is(err, errDisposed) {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestWhoMaySubscribe(t *testing.T) {
	away := goodStore()
	away.err = errStoreAway
	for _, test := range []struct {
		path string
		st   *fakeStore
		want backend.SubscribeStreamStatus
	}{
		{"status/prod", goodStore(), backend.SubscribeStreamStatusOK},
		{"status/prod", away, backend.SubscribeStreamStatusOK},
		{"status/nowhere", goodStore(), backend.SubscribeStreamStatusNotFound},
		{"status/", goodStore(), backend.SubscribeStreamStatusNotFound},
		{"prod", goodStore(), backend.SubscribeStreamStatusNotFound},
	} {
		got, err := sourceOf(test.st).SubscribeStream(t.Context(), &backend.SubscribeStreamRequest{Path: test.path})
		if err != nil || got.Status != test.want {
			t.Errorf("%s: %v, %v", test.path, got, err)
		}
	}
	if got, err := sourceOf(goodStore()).PublishStream(t.Context(), &backend.PublishStreamRequest{Path: "status/prod"}); err != nil || got.Status != backend.PublishStreamStatusPermissionDenied {
		t.Errorf("publishing: %v, %v", got, err)
	}
}

func TestAQueryNamesItsChannelWhenAsked(t *testing.T) {
	channel := func(live bool, cluster string) string {
		st := goodStore()
		st.clusters = append(st.clusters, dsql.Cluster{ID: "prod eu"})
		st.latest["prod eu"] = incident(noon)
		req := &backend.QueryDataRequest{
			PluginContext: backend.PluginContext{DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{UID: "copilot"}},
			Queries:       []backend.DataQuery{query(t, "status", map[string]any{"live": live, "cluster": cluster})},
		}
		response, err := sourceOf(st).QueryData(t.Context(), req)
		if err != nil || response.Responses["A"].Error != nil {
			t.Fatal(err, response.Responses["A"].Error)
		}
		return response.Responses["A"].Frames[0].Meta.Channel
	}
	if got := channel(true, "prod"); got != "ds/copilot/status/prod" {
		t.Errorf("the channel is %q", got)
	}
	if got := channel(false, "prod") + channel(true, "prod eu"); got != "" {
		t.Errorf("a channel %q that nobody asked for, or that Grafana cannot have", got)
	}
}
