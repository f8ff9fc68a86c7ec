package workload

import (
	"context"

	"go.temporal.io/sdk/workflow"
)

const (
	// touchSignal tells a session that its user did something.
	touchSignal = "touch"
	// saveEvery is after how many signals a session saves itself.
	saveEvery = 10
	// sessionHistoryLimit is the history length, in events, at which a session
	// continues as new. Real ones wait for the server's suggestion at 4,096;
	// here it should be seen within minutes.
	sessionHistoryLimit = 200
)

// Session is the workflow on queue sessions: it lives for as long as the
// generator signals it. Seen is how many signals came before this run.
func Session(ctx workflow.Context, seen int) error {
	ctx = workflow.WithActivityOptions(ctx, activityOptions)
	touches := workflow.GetSignalChannel(ctx, touchSignal)
	for workflow.GetInfo(ctx).GetCurrentHistoryLength() < sessionHistoryLimit {
		touches.Receive(ctx, nil)
		seen++
		if seen%saveEvery == 0 {
			if err := workflow.ExecuteActivity(ctx, SaveSession).Get(ctx, nil); err != nil {
				return err
			}
		}
	}
	// What has arrived must not be lost with this run.
	for touches.ReceiveAsync(nil) {
		seen++
	}
	return workflow.NewContinueAsNewError(ctx, Session, seen)
}

// SaveSession is the activity of Session.
func SaveSession(ctx context.Context) error { return perform(ctx) }
