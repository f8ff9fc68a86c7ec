package workload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

const (
	// executionTimeout bounds what a dead queue can pile up.
	executionTimeout = time.Hour
	// callTimeout bounds one request to the server.
	callTimeout = 10 * time.Second
	// maxCalls bounds the requests that wait for the server at one time. Past
	// it work is dropped and counted: memory must not grow with an outage.
	maxCalls = 512
	// sessionCount is how many sessions share the signals.
	sessionCount = 5
	// tick is how often the generator looks whether work is due.
	tick = 10 * time.Millisecond
	// reportEvery is how often it writes its counts to the log.
	reportEvery = 10 * time.Second
)

// GeneratorConfig describes the load that a generator offers.
type GeneratorConfig struct {
	TemporalAddress string `json:"temporal_address"`
	Namespace       string `json:"namespace"`
	Rate            Rate   `json:"rate"`
}

// Rate is what the generator can be told to change while it runs.
type Rate struct {
	// PerSecond is how many pieces of work to ask for, over all queues. 0 is
	// silence.
	PerSecond float64 `json:"per_second"`
	// FailureRatio is the part of jobs, 0 to 1, that the business refuses.
	FailureRatio float64 `json:"failure_ratio"`
}

// Validate reports a rate that makes no sense.
func (r Rate) Validate() error {
	if r.PerSecond < 0 || r.PerSecond > 10_000 {
		return fmt.Errorf("rate of %v a second: give a number from 0 to 10000", r.PerSecond)
	}
	if r.FailureRatio < 0 || r.FailureRatio > 1 {
		return fmt.Errorf("failure ratio %v: give a number from 0 to 1", r.FailureRatio)
	}
	return nil
}

// Generator asks for work at a given rate, whatever becomes of it: it is an
// open loop, like clients that do not know of one another. It never waits for
// a workflow's result; thousands of waiting clients would be a load of their
// own kind.
type Generator struct {
	client client.Client
	log    *slog.Logger
	run    string // makes workflow ids unique among generators
	calls  chan struct{}
	counts counts
}

type counts struct{ started, failed, dropped atomic.Int64 }

// Generate offers load until the context ends. Each value from rates replaces
// the rate.
func Generate(ctx context.Context, cfg GeneratorConfig, rates <-chan Rate, log *slog.Logger) error {
	connection, err := Dial(ctx, client.Options{
		HostPort:  cfg.TemporalAddress,
		Namespace: cfg.Namespace,
		Logger:    sdklog.NewStructuredLogger(log),
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	generator := &Generator{
		client: connection,
		log:    log,
		run:    strconv.FormatInt(time.Now().UnixMilli(), 36),
		calls:  make(chan struct{}, maxCalls),
	}
	generator.loop(ctx, cfg.Rate, rates)
	return nil
}

func (g *Generator) loop(ctx context.Context, rate Rate, rates <-chan Rate) {
	var pending sync.WaitGroup
	defer pending.Wait()
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	reports := time.NewTicker(reportEvery)
	defer reports.Stop()

	queues := newRotation(shares)
	pace := pacer{perSecond: rate.PerSecond}
	last := time.Now()
	for number := 0; ; {
		select {
		case <-ctx.Done():
			g.report(rate)
			return
		case rate = <-rates:
			pace.perSecond = rate.PerSecond
			g.log.Info("rate changed", "per_second", rate.PerSecond, "failure_ratio", rate.FailureRatio)
		case <-reports.C:
			g.report(rate)
		case now := <-ticks.C:
			for range pace.due(now.Sub(last)) {
				number++
				g.ask(ctx, &pending, queues.next(), number, rand.Float64() < rate.FailureRatio)
			}
			last = now
		}
	}
}

// ask makes one request for work, without waiting for its answer.
func (g *Generator) ask(ctx context.Context, pending *sync.WaitGroup, queue string, number int, fail bool) {
	select {
	case g.calls <- struct{}{}:
	default:
		g.counts.dropped.Add(1)
		return
	}
	pending.Go(func() {
		defer func() { <-g.calls }()
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if err := g.request(ctx, queue, number, fail); err != nil && !errors.Is(context.Cause(ctx), context.Canceled) {
			g.counts.failed.Add(1)
			g.log.Warn("request failed", "queue", queue, "error", err)
			return
		}
		g.counts.started.Add(1)
	})
}

func (g *Generator) request(ctx context.Context, queue string, number int, fail bool) error {
	options := client.StartWorkflowOptions{
		ID:                       fmt.Sprintf("%s-%s-%d", queue, g.run, number),
		TaskQueue:                queue,
		WorkflowExecutionTimeout: executionTimeout,
	}
	job := Job{Fail: fail, Wait: time.Second + rand.N(2*time.Second)}
	var err error
	switch queue {
	case Orders:
		_, err = g.client.ExecuteWorkflow(ctx, options, PlaceOrder, job)
	case Billing:
		_, err = g.client.ExecuteWorkflow(ctx, options, BillCustomer, job)
	case Shipping:
		_, err = g.client.ExecuteWorkflow(ctx, options, ShipParcel, job)
	case Sessions:
		options.ID = fmt.Sprintf("session-%d", rand.N(sessionCount))
		_, err = g.client.SignalWithStartWorkflow(ctx, options.ID, touchSignal, nil, options, Session, 0)
	default:
		err = fmt.Errorf("unknown task queue %q", queue)
	}
	return err
}

func (g *Generator) report(rate Rate) {
	g.log.Info("load",
		"per_second", rate.PerSecond,
		"started", g.counts.started.Load(),
		"failed", g.counts.failed.Load(),
		"dropped", g.counts.dropped.Load(),
		"waiting", len(g.calls))
}
