package schedules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/worker/workflows"
)

// The kinds of schedule, which their ids begin with.
const (
	assessKind = "assess/"
	retainKind = "retain/"
)

// memoTaskQueue is the key of the memo that tells whose a schedule is.
const memoTaskQueue = "copilot_task_queue"

// catchUp is how late an action may still be taken after an outage of Temporal.
// An assessment is of the newest verdict whenever it runs, and old history is
// as old later: nothing is gained by making up for several.
const catchUp = time.Minute

// Ensure makes the schedules of a cluster what the plan says: it creates,
// changes or deletes them. Doing it twice is as good as once. Whether somebody
// has paused a schedule is left as it is. The error names the schedule.
func Ensure(ctx context.Context, c client.ScheduleClient, taskQueue string, p Plan) error {
	assess := client.ScheduleOptions{
		ID:      assessKind + p.Cluster,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: p.Assess.Every}}, Jitter: p.Assess.Jitter},
		Overlap: p.Assess.Overlap.policy(),
		Action: &client.ScheduleWorkflowAction{
			ID:                 assessKind + p.Cluster + "/scheduled",
			Workflow:           workflows.AssessHealthWorkflow,
			Args:               []any{workflows.AssessInput{Cluster: p.Cluster, Trigger: workflows.BySchedule}},
			TaskQueue:          taskQueue,
			WorkflowRunTimeout: workflows.AssessTimeout,
			StaticSummary:      "assesses the newest verdict on cluster " + p.Cluster,
		},
	}
	retain := client.ScheduleOptions{
		ID: retainKind + p.Cluster,
		// A tenth of the time between two runs, so that the clusters of a
		// deployment do not all delete at the same moment.
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: p.Retain.Every}}, Jitter: p.Retain.Every / 10},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action: &client.ScheduleWorkflowAction{
			ID:            retainKind + p.Cluster + "/scheduled",
			Workflow:      workflows.RetainHistoryWorkflow,
			Args:          []any{workflows.RetainInput{Cluster: p.Cluster, Keep: p.Retain.Keep}},
			TaskQueue:     taskQueue,
			StaticSummary: "deletes old history of cluster " + p.Cluster,
		},
	}
	return errors.Join(
		ensure(ctx, c, taskQueue, assess, p.Assess.Every > 0),
		ensure(ctx, c, taskQueue, retain, p.Retain.Keep > 0),
	)
}

// ensure makes one schedule what is wanted, or sees to it that there is none.
func ensure(ctx context.Context, c client.ScheduleClient, taskQueue string, o client.ScheduleOptions, wanted bool) error {
	if !wanted {
		return remove(ctx, c, o.ID)
	}
	o.CatchupWindow = catchUp
	o.Memo = map[string]any{memoTaskQueue: taskQueue}
	_, err := c.Create(ctx, o)
	if err == nil {
		return nil
	}
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("create schedule %s: %w", o.ID, err)
	}
	err = c.GetHandle(ctx, o.ID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(is client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := is.Description.Schedule
			if queue := taskQueueOf(is.Description.Memo); queue != taskQueue {
				return nil, fmt.Errorf("it is of task queue %q: use --task-queue %s, or delete the schedule first", queue, queue)
			}
			schedule.Spec, schedule.Action = &o.Spec, o.Action
			schedule.Policy = &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: o.CatchupWindow}
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
	if err != nil {
		return fmt.Errorf("change schedule %s: %w", o.ID, err)
	}
	return nil
}

// remove deletes a schedule that may not be there.
func remove(ctx context.Context, c client.ScheduleClient, id string) error {
	err := c.GetHandle(ctx, id).Delete(ctx)
	var none *serviceerror.NotFound
	if err != nil && !errors.As(err, &none) {
		return fmt.Errorf("delete schedule %s: %w", id, err)
	}
	return nil
}

// RemoveOthers deletes the schedules of a task queue that are of other clusters
// than those named, and returns the clusters that they were of. A schedule that
// was created a moment ago may be overlooked.
func RemoveOthers(ctx context.Context, c client.ScheduleClient, taskQueue string, clusters []string) (gone []string, err error) {
	list, err := c.List(ctx, client.ScheduleListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the schedules: %w", err)
	}
	for list.HasNext() {
		entry, err := list.Next()
		if err != nil {
			return gone, fmt.Errorf("list the schedules: %w", err)
		}
		cluster, ours := clusterOf(entry.ID)
		if !ours || taskQueueOf(entry.Memo) != taskQueue || slices.Contains(clusters, cluster) {
			continue
		}
		if err := remove(ctx, c, entry.ID); err != nil {
			return gone, err
		}
		if !slices.Contains(gone, cluster) {
			gone = append(gone, cluster)
		}
	}
	return gone, nil
}

// clusterOf reads the cluster out of the id of a schedule.
func clusterOf(id string) (cluster string, ours bool) {
	for _, kind := range []string{assessKind, retainKind} {
		if cluster, ours := strings.CutPrefix(id, kind); ours {
			return cluster, true
		}
	}
	return "", false
}

// taskQueueOf tells which deployment a schedule is of; empty if it is of none.
func taskQueueOf(memo *commonpb.Memo) string {
	var queue string
	payload := memo.GetFields()[memoTaskQueue]
	if payload == nil || converter.GetDefaultDataConverter().FromPayload(payload, &queue) != nil {
		return ""
	}
	return queue
}
