package verdicts

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/temporal-sre/copilot/lab/recording"
	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/api"
)

// atOnce is how many recordings are judged at a time: each keeps a Prometheus
// busy.
const atOnce = 2

// Result is how one recording was judged.
type Result struct {
	// Recording is the name of its directory.
	Recording string
	Truth     *score.Truth
	// Verdicts and Scores have one place for each judge.
	Verdicts [][]api.Verdict
	Scores   []score.Score
}

// Of has the recording in a directory judged by each of the judges in turn.
func Of(ctx context.Context, dir string, judges ...Judge) (result *Result, err error) {
	server, err := recording.ServeMetrics(ctx, dir, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	result = &Result{Recording: filepath.Base(dir), Truth: server.Truth}
	for _, judge := range judges {
		verdicts, err := judge.Verdicts(ctx, server.URL, server.Truth)
		if err != nil {
			return nil, fmt.Errorf("%s judges the recording in %s: %w", judge.Name, dir, err)
		}
		result.Verdicts = append(result.Verdicts, verdicts)
		result.Scores = append(result.Scores, score.Of(server.Truth, verdicts))
	}
	return result, nil
}

// All has every recording below a directory judged, and tells of each when it
// is done. The results are in the order of the names.
func All(ctx context.Context, root string, done func(*Result), judges ...Judge) ([]*Result, error) {
	truths, err := filepath.Glob(filepath.Join(root, "*", recording.TruthFile))
	if err != nil {
		return nil, err
	}
	if len(truths) == 0 {
		return nil, fmt.Errorf("no recordings in %s: each is a directory with a %s", root, recording.TruthFile)
	}
	results := make([]*Result, len(truths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, path := range truths {
		group.Go(func() error {
			result, err := Of(ctx, filepath.Dir(path), judges...)
			if err != nil {
				return err
			}
			results[i] = result
			done(result)
			return nil
		})
	}
	return results, group.Wait()
}
