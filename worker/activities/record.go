package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// RecordRequest is one observation with the verdict on it.
type RecordRequest struct {
	Observation health.Observation `json:"observation"`
	Assessment  health.Assessment  `json:"assessment"`
}

// Record stores an observation and its assessment. Doing it twice is as good
// as once, so a lost answer does no harm. Errors are ErrStoreUnavailable, which
// may go away, and ErrRecordRejected, which will not.
func (a *Activities) Record(ctx context.Context, req RecordRequest) error {
	store, done := withMargin(ctx)
	defer done()
	err := a.Store.Save(store, req.Observation, req.Assessment)
	if err == nil {
		return nil
	}
	if rejected(err) {
		return temporal.NewNonRetryableApplicationError(err.Error(), ErrRecordRejected, nil)
	}
	return temporal.NewApplicationError(err.Error(), ErrStoreUnavailable)
}

// rejected tells whether the error is about the record, not about the store's
// condition.
func rejected(err error) bool {
	var large *dsql.TooLargeError
	var invalid *dsql.InvalidError
	return errors.As(err, &large) || errors.As(err, &invalid)
}
