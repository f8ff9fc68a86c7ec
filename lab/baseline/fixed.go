package baseline

import (
	"context"
	"math"
	"slices"

	"github.com/prometheus/common/model"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/api"
	"github.com/temporal-sre/copilot/pkg/health"
)

// FixedLimits judges as the project's predecessor did: the cluster as a whole,
// by fixed limits on rates, latencies and ages. Where a recording does not hold
// the metric of a limit, the limit is not applied.
func FixedLimits(ctx context.Context, url string, truth *score.Truth) ([]api.Verdict, error) {
	s, err := open(url, truth)
	if err != nil {
		return nil, err
	}
	naming, err := s.naming(ctx)
	if err != nil {
		return nil, err
	}
	readings := map[model.Time]*reading{}
	for _, at := range steps(truth) {
		readings[model.Time(at.UnixMilli())] = &reading{}
	}
	for _, in := range inputs(naming) {
		matrix, err := s.rangeOf(ctx, in.query)
		if err != nil {
			return nil, err
		}
		for _, series := range matrix {
			for _, pair := range series.Values {
				if r := readings[pair.Timestamp]; r != nil && !math.IsNaN(float64(pair.Value)) {
					*in.into(r) = float64(pair.Value)
				}
			}
		}
	}
	m := machine{state: health.Happy}
	if m.seesHistoryTasks, err = s.recorded(ctx, historyTasksMetric+naming.Counter); err != nil {
		return nil, err
	}
	var verdicts []api.Verdict
	for _, at := range steps(truth) {
		r := readings[model.Time(at.UnixMilli())]
		m.evaluate(r)
		verdicts = append(verdicts, api.Verdict{Time: at, HealthState: m.state, Bottleneck: m.bottleneck(r)})
	}
	return verdicts, nil
}

// machine is what the predecessor keeps from one evaluation to the next.
type machine struct {
	state health.State
	band  int
	// placed tells that a band was chosen before.
	placed bool
	// criticals is how many evaluations in a row were Critical.
	criticals int
	// seesHistoryTasks tells whether their number is known at all.
	seesHistoryTasks bool
}

// evaluate takes one reading.
func (m *machine) evaluate(r *reading) {
	m.band = m.place(r.transitions)
	m.placed = true
	limits := &bands[m.band]
	if m.idle(r) {
		m.state, m.criticals = health.Happy, 0
		return
	}
	if m.critical(r, limits) {
		m.criticals++
		if m.criticals >= criticalInARow && m.state != health.Happy {
			m.state = health.Critical
		} else {
			m.state = health.Stressed
		}
		return
	}
	m.criticals = 0
	switch {
	case m.state == health.Critical && m.nearCritical(r, limits), stressed(r, limits), !healthy(r, limits):
		m.state = health.Stressed
	default:
		m.state = health.Happy
	}
}

// place chooses the band for a throughput. Later on a boundary has to be passed
// by a tenth, and the band changes by one at a time.
func (m *machine) place(transitions float64) int {
	if !m.placed {
		return slices.IndexFunc(bands, func(b band) bool { return transitions < b.upTo })
	}
	switch {
	case transitions >= bands[m.band].upTo*(1+bandHysteresis):
		return m.band + 1
	case m.band > 0 && transitions < bands[m.band-1].upTo*(1-bandHysteresis):
		return m.band - 1
	}
	return m.band
}

func (m *machine) idle(r *reading) bool {
	return r.transitions < idleRate && (!m.seesHistoryTasks || r.historyTasks < idleRate) &&
		r.frontendErrors < idleErrors && r.persistenceErrors < idleErrors && r.failed < idleErrors &&
		r.historyBacklog < idleBacklog &&
		r.deletions < idleDeletions && r.cleanups < idleCleanups
}

func (m *machine) critical(r *reading, limits *band) bool {
	busyWithItself := r.transitions < idleRate && (r.deletions >= busyDeletions || r.cleanups >= busyCleanups)
	ended := r.completed + r.failed
	if !busyWithItself &&
		(r.transitions < limits.minTransitions ||
			ended >= limits.completedFrom && r.completed < minCompleted*ended ||
			m.seesHistoryTasks && r.historyTasks < limits.minHistoryTasks) {
		return true
	}
	return r.historyBacklog > limits.maxBacklog || r.persistenceErrors > maxPersistenceErrors
}

// nearCritical tells that values are not yet far enough from Critical to leave
// it.
func (m *machine) nearCritical(r *reading, limits *band) bool {
	return r.transitions < clearRate*limits.minTransitions ||
		r.historyBacklog > clearBacklog*limits.maxBacklog ||
		m.seesHistoryTasks && r.historyTasks < clearRate*limits.minHistoryTasks
}

func stressed(r *reading, limits *band) bool {
	return r.historyBacklog > limits.stressBacklog ||
		r.persistenceP99 > limits.maxPersistence ||
		r.shardChurn > maxShardChurn ||
		r.transitions >= demand && (r.frontendP99 > limits.maxFrontend || r.pollTimeouts > limits.maxPollTimeouts)
}

func healthy(r *reading, limits *band) bool {
	ended := r.completed + r.failed
	return r.transitions >= limits.minHealthy &&
		r.historyBacklog <= limits.stressBacklog &&
		(ended < healthyCompletedFrom || r.completed >= healthyCompleted*ended)
}

// bottleneck says which layer the predecessor blames: whatever the state.
func (m *machine) bottleneck(r *reading) health.Bottleneck {
	limits := &bands[m.band]
	server := r.historyBacklog > limits.stressBacklog || r.persistenceP95 > limits.maxPersistence
	workers := r.workflowSlots == 0 || r.activitySlots == 0 || r.workflowTaskStart > maxWorkflowTaskStart
	switch {
	case server && workers:
		return health.BottleneckMixed
	case server:
		return health.BottleneckServer
	case workers:
		return health.BottleneckWorker
	}
	return health.BottleneckHealthy
}
