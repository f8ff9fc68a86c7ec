package health

import (
	"slices"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Window is what the rules remember between evaluations: for every scope its
// state, its recent evidence, a sliding window of its progress (requirement
// R1.6) and its slow baseline. The zero value is a cold start. It is bounded,
// it marshals to JSON, and [Evaluate] never changes the one it is given.
type Window struct {
	// Evaluations counts the evaluations so far.
	Evaluations int64 `json:"evaluations"`
	// SeenAt is when the cluster was last seen.
	SeenAt instant.Instant `json:"seen_at,omitzero"`
	// JudgedAt is when all that decides was last seen, and the cluster judged.
	JudgedAt instant.Instant `json:"judged_at,omitzero"`
	// BlindFor counts the evaluations since then.
	BlindFor int `json:"blind_for,omitempty"`
	// Confidence is that of the last assessment that saw something.
	Confidence float64 `json:"confidence,omitempty"`
	// Bottleneck is that of the last assessment that saw something.
	Bottleneck Bottleneck `json:"bottleneck,omitempty"`
	// NextBottleneck is what that assessment would have named, had it not been
	// the first to do so.
	NextBottleneck Bottleneck `json:"next_bottleneck,omitempty"`
	// Tracks are ordered by scope; the cluster's own comes first.
	Tracks []Track `json:"tracks,omitempty"`
	// Issues are the open ones, ordered by id.
	Issues []Issue `json:"issues,omitempty"`
}

// Track follows one scope through time.
type Track struct {
	Scope Scope           `json:"scope,omitzero"`
	State State           `json:"state"`
	Since instant.Instant `json:"since"`
	// JudgedAt is when the scope was last judged.
	JudgedAt instant.Instant `json:"judged_at,omitzero"`
	// Raw is the recent evidence, oldest first.
	Raw []State `json:"raw,omitempty"`
	// Stressed and Critical tell how hard each of these states is to leave.
	Stressed Hold `json:"stressed,omitzero"`
	Critical Hold `json:"critical,omitzero"`
	// Idle counts the evaluations since the scope last had work.
	Idle int `json:"idle,omitempty"`
	// Trend is the sliding window, oldest first.
	Trend []Point `json:"trend,omitempty"`
	// Usual are the slow baselines, ordered by signal.
	Usual []Baseline `json:"usual,omitempty"`
}

// Hold is how hard a state is to leave.
type Hold struct {
	// Calm is how many evaluations without evidence it takes.
	Calm int `json:"calm,omitempty"`
	// Left counts the evaluations since the state was left.
	Left int `json:"left,omitempty"`
}

// Point is one observation of a scope's progress.
type Point struct {
	At        instant.Instant `json:"at"`
	Asked     Quantity        `json:"asked"`
	Started   Quantity        `json:"started"`
	Completed Quantity        `json:"completed"`
	Waiting   Quantity        `json:"waiting"`
	Oldest    Quantity        `json:"oldest"`
	Raw       State           `json:"raw"`
	// Vanished tells that Waiting and Oldest are carried on from before; see
	// flow.keepVanished.
	Vanished bool `json:"vanished,omitempty"`
	// Pressed tells that only pressure argued for Raw, and all work was served.
	Pressed bool `json:"pressed,omitempty"`
	// Cluster is set in the cluster's own points only.
	Cluster *ClusterPoint `json:"cluster,omitempty"`
}

// ClusterPoint is what is followed of the cluster beside its progress. Rates
// are in 1/s, latencies in ms.
type ClusterPoint struct {
	Arrivals    Quantity `json:"arrivals"`
	Transitions Quantity `json:"transitions"`
	Persistence Quantity `json:"persistence"`
	Latency     Quantity `json:"latency"`
	// Errors and Throttled are parts of the requests, from 0 to 1; Pool is the
	// fullest replica's used part.
	Errors    Quantity `json:"errors"`
	Throttled Quantity `json:"throttled"`
	Pool      Quantity `json:"pool"`
}

// Baseline is what is usual for one signal at one scope: a slow mean over
// healthy observations.
type Baseline struct {
	Signal SignalID `json:"signal"`
	Mean   float64  `json:"mean"`
	Count  int      `json:"count"`
}

// usual returns the baseline of a signal, unknown until enough was learnt.
func (t *Track) usual(id SignalID) Quantity {
	for i := range t.Usual {
		if t.Usual[i].Signal == id && t.Usual[i].Count >= baselineKnown {
			return Quantity(t.Usual[i].Mean)
		}
	}
	return unknownQuantity
}

// learn folds the observation that has just become old enough into the
// baselines, provided it and everything since was Happy.
func (t *Track) learn() {
	at := len(t.Trend) - 1 - baselineLag
	if at < 0 {
		return
	}
	memory := baselineMemory
	for i := range t.Trend[at:] {
		p := &t.Trend[at+i]
		if p.Raw != Happy && !p.Pressed {
			return
		}
		if p.Pressed {
			memory = pressedMemory
		}
	}
	p := t.Trend[at]
	usual := slices.Clone(t.Usual)
	fold := func(id SignalID, value Quantity) {
		if !value.Known() {
			return
		}
		i := slices.IndexFunc(usual, func(b Baseline) bool { return b.Signal == id })
		if i < 0 {
			usual = append(usual, Baseline{Signal: id})
			i = len(usual) - 1
		}
		b := &usual[i]
		if b.Count < baselineMemory {
			b.Count++
		}
		weight := b.Count
		if memory > baselineMemory && b.Count >= baselineKnown {
			weight = memory
		}
		b.Mean += (float64(value) - b.Mean) / float64(weight)
	}
	fold(TasksAdded, p.Asked)
	fold(TasksStarted, p.Started)
	fold(ActivityTasksCompleted, p.Completed)
	if c := p.Cluster; c != nil {
		fold(Arrivals, c.Arrivals)
		fold(StateTransitions, c.Transitions)
		fold(PersistenceLatency, c.Persistence)
		fold(RequestLatency, c.Latency)
	}
	t.Usual = usual
}

// remember appends a point to the sliding window. The window of an earlier
// evaluation keeps its array, so the new one takes its place from room, which
// has space for it and is returned with that space taken.
func (t *Track) remember(p Point, room []Point) []Point {
	begin := len(room)
	room = append(append(room, t.Trend[max(0, len(t.Trend)-trendLength+1):]...), p)
	t.Trend = room[begin:len(room):len(room)]
	t.learn()
	return room
}

// step moves the state machine by one evaluation (requirements R12.2, R12.3):
// at most one step, never from Happy to Critical nor back, up on k of n, down
// on calm.
//
// Evidence is confirmed when a part of the scope has already taken the step by
// its own state machine; it need not be confirmed again.
func (t *Track) step(raw State, at instant.Instant, confirmed bool) {
	before := t.State
	keep := t.Raw
	if len(keep) >= calmAtMost {
		keep = keep[len(keep)-calmAtMost+1:]
	}
	t.Raw = append(slices.Clone(keep), raw)
	t.Stressed.Left++
	t.Critical.Left++

	switch t.State {
	case Unknown:
		// The first verdict has no state to come from, and nothing to relapse
		// into; Critical still has to be confirmed from Stressed.
		t.State = min(raw, Stressed)
		t.Stressed = Hold{Calm: calmAtFirst, Left: relapseWithin}
		t.Critical = t.Stressed
	case Happy:
		if confirmed && raw > Happy || t.evidence(Stressed, ofStressed) >= enterStressed {
			t.State = Stressed
			t.Stressed.enter()
		}
	case Stressed:
		switch {
		case t.evidence(Critical, ofCritical) >= enterCritical:
			t.State = Critical
			t.Critical.enter()
		case t.calm(Stressed, t.Stressed.Calm):
			t.State, t.Stressed.Left = Happy, 0
		}
	case Critical:
		if t.calm(Critical, t.Critical.Calm) {
			t.State, t.Critical.Left = Stressed, 0
		}
	}
	if t.State != before {
		t.Since = at
	}
}

// enter begins a stay in the state. One that was left not long ago is taken up
// again: it will need twice as many calm evaluations to leave.
func (h *Hold) enter() {
	if h.Left <= relapseWithin {
		h.Calm = min(2*h.Calm, calmAtMost)
	} else {
		h.Calm = calmAtFirst
	}
}

// evidence counts how many of the last n evaluations argued for level or worse.
func (t *Track) evidence(level State, n int) int {
	count := 0
	for _, raw := range t.Raw[max(0, len(t.Raw)-n):] {
		if raw >= level {
			count++
		}
	}
	return count
}

// calm tells whether each of the last n evaluations argued for less than level.
func (t *Track) calm(level State, n int) bool {
	return len(t.Raw) >= n && t.evidence(level, n) == 0
}

// ageGrows tells whether the oldest waiting task has aged over the sliding
// window, with nothing in between that made it younger. It looks back at least
// two refreshes of the gauge; unknown means too little history.
func (t *Track) ageGrows(now instant.Instant, age Quantity) (grows, known bool) {
	last := age
	for i := len(t.Trend) - 1; i >= 0; i-- {
		p := t.Trend[i]
		if !p.Oldest.Known() || p.Oldest > last {
			break
		}
		last = p.Oldest
		if now.Sub(p.At) >= 2*backlogRefresh {
			return age > p.Oldest, true
		}
	}
	// A shorter history decides only if it already shows growth.
	return age > last, age > last
}

// keptUp tells whether all that arrived was taken for as long as a gauge may
// lag behind, so that what it shows is no remainder of a time before.
func (t *Track) keptUp(now instant.Instant) bool {
	for i := len(t.Trend) - 1; i >= 0; i-- {
		p := &t.Trend[i]
		if p.Started < p.Asked*(1-taken) {
			return false
		}
		if now.Sub(p.At) >= 2*backlogRefresh {
			return true
		}
	}
	return false
}

// track returns the track of a scope, making a cold one when there is none.
func (w *Window) track(scope Scope) *Track {
	i, found := slices.BinarySearchFunc(w.Tracks, scope, func(t Track, want Scope) int { return t.Scope.Compare(want) })
	if !found {
		w.Tracks = slices.Insert(w.Tracks, i, Track{Scope: scope})
	}
	return &w.Tracks[i]
}

// known returns the track of a scope, nil when there is none.
func (w *Window) known(scope Scope) *Track {
	i, found := slices.BinarySearchFunc(w.Tracks, scope, func(t Track, want Scope) int { return t.Scope.Compare(want) })
	if !found {
		return nil
	}
	return &w.Tracks[i]
}

// State returns the remembered state of a scope, Unknown when there is none.
func (w *Window) State(scope Scope) State {
	if t := w.known(scope); t != nil {
		return t.State
	}
	return Unknown
}
