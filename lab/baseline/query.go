package baseline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/signals"
)

// queryTimeout bounds one query.
const queryTimeout = 30 * time.Second

// source is a recording that is being served.
type source struct {
	api   v1.API
	truth *score.Truth
}

func open(url string, truth *score.Truth) (*source, error) {
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		return nil, fmt.Errorf("ask the Prometheus at %s: %w", url, err)
	}
	return &source{api: v1.NewAPI(client), truth: truth}, nil
}

// rangeOf evaluates a query at every step. Nothing before the truth's begin is
// looked at: the cluster was just coming up, and that is no fault of anyone's.
func (s *source) rangeOf(ctx context.Context, query string) (model.Matrix, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	value, _, _, err := s.api.QueryRange(ctx, query, v1.Range{Start: s.truth.From.Time(), End: s.truth.To.Time(), Step: s.truth.Step()})
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("query %s: a %s came where a matrix was expected", query, value.Type())
	}
	return matrix, nil
}

// recorded tells whether a recording holds any sample that a selector matches.
func (s *source) recorded(ctx context.Context, selector string) (bool, error) {
	whole := model.Duration(s.truth.To.Sub(s.truth.From))
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	query := fmt.Sprintf("count(count_over_time(%s[%s]))", selector, whole)
	value, _, _, err := s.api.Query(ctx, query, s.truth.To.Time())
	if err != nil {
		return false, fmt.Errorf("query %s: %w", query, err)
	}
	vector, ok := value.(model.Vector)
	return ok && len(vector) > 0, nil
}

// errNoTemporal reports a recording that cannot be compared.
var errNoTemporal = errors.New("the recording holds no metric service_requests, under the name of neither dialect: it was not made of a Temporal server")

// naming finds out how the recorded server names its metrics.
func (s *source) naming(ctx context.Context) (signals.Naming, error) {
	for _, naming := range []signals.Naming{signals.TallyServer, signals.OTelServer} {
		there, err := s.recorded(ctx, "service_requests"+naming.Counter)
		if err != nil {
			return signals.Naming{}, err
		}
		if there {
			return naming, nil
		}
	}
	return signals.Naming{}, errNoTemporal
}
