package fault

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/temporal-sre/copilot/lab"
)

const (
	// deletionsAtOnce bounds the deletions that wait for the server.
	deletionsAtOnce = 64
	// listAgainAfter is how long to wait when nothing closed is left.
	listAgainAfter = time.Second
)

// deleteClosed deletes closed workflows at a rate, as a clean-up job does that
// somebody started by day.
func deleteClosed(l *lab.Lab, perSecond float64) (Undo, error) {
	state := l.State().Temporal
	connection, err := client.Dial(client.Options{
		HostPort: state.Address, Namespace: state.Namespace,
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	storm := &storm{client: connection, namespace: state.Namespace, every: time.Duration(float64(time.Second) / perSecond)}
	var done sync.WaitGroup
	done.Go(func() { storm.blow(ctx) })
	return func(context.Context) error {
		cancel()
		done.Wait()
		connection.Close()
		return nil
	}, nil
}

type storm struct {
	client    client.Client
	namespace string
	every     time.Duration
}

// blow lists and deletes until the context ends. What fails is tried again
// with the next list, as the deletion of a workflow that is being deleted is.
func (s *storm) blow(ctx context.Context) {
	slots := make(chan struct{}, deletionsAtOnce)
	var pending sync.WaitGroup
	defer pending.Wait()
	ticks := time.NewTicker(s.every)
	defer ticks.Stop()
	for ctx.Err() == nil {
		list, err := s.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			PageSize: 500, Query: `ExecutionStatus != "Running"`,
		})
		if err != nil || len(list.GetExecutions()) == 0 {
			_ = wait(ctx, time.After(listAgainAfter))
			continue
		}
		for _, one := range list.GetExecutions() {
			if wait(ctx, ticks.C) != nil {
				return
			}
			slots <- struct{}{}
			pending.Go(func() {
				defer func() { <-slots }()
				_, _ = s.client.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
					Namespace: s.namespace, WorkflowExecution: one.GetExecution(),
				})
			})
		}
	}
}

// errEnded reports that the storm is over.
var errEnded = errors.New("the storm is over")

func wait(ctx context.Context, moment <-chan time.Time) error {
	select {
	case <-ctx.Done():
		return errEnded
	case <-moment:
		return nil
	}
}
