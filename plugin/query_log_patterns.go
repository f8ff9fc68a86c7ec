package main

import (
	"context"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// answerLogPatterns tells which patterns were found in the logs (requirement
// R7.6). The store holds no findings from logs, since no worker reads any; the
// answer says so, and a panel stays empty instead of broken.
func answerLogPatterns(ctx context.Context, q *question) (data.Frames, error) {
	if _, err := q.verdict(ctx); err != nil {
		return nil, err
	}
	q.inform("No log source is configured.")
	return data.Frames{table("log_patterns",
		withUnit(field("count", "Occurrences", "How often it was found.", []int64{}), "short"),
		field("pattern", "Pattern", "What was found.", []string{}),
		field("service", "Service", "The Temporal service that wrote it.", []string{}),
	)}, nil
}
