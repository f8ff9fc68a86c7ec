package health

import (
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// defaultInterval is taken for the time between evaluations until two have
// been seen.
const defaultInterval = 30 * time.Second

// Evaluate judges one observation in the light of what is remembered, and
// returns the assessment with what is to be remembered next. It is pure: the
// same window and observation give the same result, in whatever order the
// observation's series come. The given window is not changed.
//
// Observations are to be given in the order of their instants.
func Evaluate(w Window, o Observation) (Assessment, Window) {
	o = canonical(o)
	every := defaultInterval
	if d := o.At.Sub(w.SeenAt); !w.SeenAt.IsZero() && d > 0 && d <= blindAfter {
		every = d
	}
	w.Tracks = slices.Clone(w.Tracks)
	w.Issues = slices.Clone(w.Issues)
	w.Evaluations++

	s, blind := look(&o)
	if blind != "" {
		return assessBlind(w, o, blind, every)
	}
	return assess(w, s, every)
}

// canonical returns the observation in canonical order, copying it only when
// it is not.
func canonical(o Observation) Observation {
	sorted := slices.IsSortedFunc(o.Measurements, func(a, b Measurement) int { return compareIDs(a.Signal, b.Signal) })
	for i := range o.Measurements {
		sorted = sorted && slices.IsSortedFunc(o.Measurements[i].Samples, func(a, b Sample) int { return a.Scope.Compare(b.Scope) })
	}
	if sorted {
		return o
	}
	o.Measurements = slices.Clone(o.Measurements)
	for i := range o.Measurements {
		o.Measurements[i].Samples = slices.Clone(o.Measurements[i].Samples)
	}
	o.Normalize()
	return o
}

// look decides what can be believed of an observation. It returns the reason
// when nothing can be judged by it.
func look(o *Observation) (s sight, blind string) {
	s = sight{o: o}
	workers := o.Signal(WorkerTasksCompleted)
	slots := o.Signal(SlotsUsed)
	s.worker = (workers.Usable() || slots.Usable()) && fresh(o.Signal(WorkerTelemetryAge))

	up, age := o.Signal(ServerUp), o.Signal(ServerTelemetryAge)
	if (up == nil || up.Status == Failed) && !age.Usable() {
		return s, reasonOr(up, "Prometheus did not answer")
	}
	if g := targetsDown(s, ""); g.Outcome == Fire {
		return s, "" // the targets being down is what is seen
	}
	// Metrics that are pushed come without the up metric; their age will do.
	if !up.Usable() && !age.Usable() {
		return s, reasonOr(up, "no metrics of a Temporal server are found")
	}
	if !fresh(age) {
		return s, "the newest sample of the server is " + seconds(Quantity(*age.Value)) + " old"
	}
	s.server = true
	return s, ""
}

// decisive are the signals without which a cluster cannot be acquitted.
var decisive = []SignalID{StateTransitions, TasksAdded, TasksStarted}

// unseen names the decisive signals that are missing, with the reason for the
// first, or nothing.
func (s sight) unseen() string {
	var names []string
	reason := ""
	for _, id := range decisive {
		if m := s.o.Signal(id); !m.Usable() {
			names = append(names, string(id))
			if reason == "" {
				reason = reasonOr(m, "not asked for")
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, ", ") + " cannot be seen: " + reason
}

// fresh tells whether an age is one to judge by. An age that is not measured
// does not speak against the data.
func fresh(age *Measurement) bool {
	return !age.Usable() || age.Value == nil || *age.Value <= freshFor.Seconds()
}

func reasonOr(m *Measurement, otherwise string) string {
	if m != nil && m.Reason != "" {
		return m.Reason
	}
	return otherwise
}

// assessBlind holds the state: what cannot be seen changes nothing but the
// confidence (property H10).
func assessBlind(w Window, o Observation, reason string, every time.Duration) (Assessment, Window) {
	w.BlindFor++
	cluster := w.track(ClusterScope())
	a := Assessment{
		Cluster: o.Cluster, At: o.At,
		State: cluster.State, Raw: Unknown, Since: cluster.Since,
		Bottleneck:  BottleneckUnknown,
		Coverage:    coverage(&o),
		Blind:       true,
		BlindReason: reason,
		SeenAt:      w.SeenAt,
		IntervalSec: every.Seconds(),
		Confidence:  rounded(fading(w.Confidence, w.BlindFor)),
		Gates:       []Gate{},
		Actions:     []Action{},
		Issues:      shown(w.Issues),
		Scopes:      []ScopeVerdict{},
	}
	if w.Bottleneck != "" {
		a.Bottleneck = w.Bottleneck
	}
	a.Scopes = held(&w, a.Scopes, o.At)
	sortScopes(a.Scopes)
	return a, w
}

// held adds the remembered verdicts on scopes that were not judged now.
func held(w *Window, scopes []ScopeVerdict, now instant.Instant) []ScopeVerdict {
	for i := range w.Tracks {
		t := &w.Tracks[i]
		if !t.Scope.IsCluster() && t.State != Unknown && t.JudgedAt != now {
			scopes = append(scopes, ScopeVerdict{Scope: t.Scope, State: t.State, Since: t.Since})
		}
	}
	return scopes
}

// place is a scope under judgement.
type place struct {
	scope    Scope
	gates    []Gate
	raw      State
	progress Progress
	point    Point
	// demand is the weight of the scope in tasks a second; impaired is the
	// part of it that is not served.
	demand, impaired float64
	// confirmed tells that a part of the scope is unwell by its own state.
	confirmed bool
	// unseen tells that decisive signals are missing, held that the scope kept
	// its state for that reason.
	unseen, held bool
	// state is the scope's state after this evaluation, before the one it had.
	state, before State
	since         instant.Instant
	trend         []Point
	// usual is the demand that the scope usually has.
	usual      float64
	bottleneck Bottleneck
}

// assess judges an observation in which something can be seen: the kinds of
// task first, then what they are part of, up to the cluster.
func assess(w Window, s sight, every time.Duration) (Assessment, Window) {
	now := s.o.At
	if !w.SeenAt.IsZero() && now.Sub(w.SeenAt) > blindAfter {
		forgetEvidence(&w)
	}
	// Tracks move while new ones are inserted, so the cluster's is copied.
	cluster := *w.track(ClusterScope())

	var flows []flow
	if s.server {
		flows = s.flows()
		s.unanswered(&w, flows)
	}
	parts := judgeFlows(&w, flows, now, every)
	queues := gather(parts, Scope.Queue, wholeQueue)
	for i := range queues {
		queues[i].gates = append(queues[i].gates, businessFailures(s, queues[i].scope, every))
	}
	w.stepAll(parts, now)
	w.stepAll(queues, now)
	namespaces := gather(queues, func(q Scope) Scope { return NamespaceScope(q.Namespace) }, shareOfDemand)
	w.stepAll(namespaces, now)
	services := judgeServices(&w, s, &cluster, flows, now, every)
	w.stepAll(services, now)
	root := []place{judgeCluster(s, &cluster, queues, services)}
	w.stepAll(root, now)

	groups := [][]place{root, services, namespaces, queues, parts}
	a := Assessment{
		Cluster: s.o.Cluster, At: now, SeenAt: now, IntervalSec: every.Seconds(),
		State: root[0].state, Raw: root[0].raw, Since: root[0].since,
		Coverage: coverage(s.o),
		Scopes:   make([]ScopeVerdict, 0, len(services)+len(namespaces)+len(queues)+len(parts)),
	}
	for _, places := range groups {
		for i := range places {
			p := &places[i]
			if root[0].demand > 0 {
				p.progress.Share = rounded(p.demand / root[0].demand)
			}
			p.progress.Trend = trendOf(p.trend)
			if !p.scope.IsCluster() {
				a.Scopes = append(a.Scopes, ScopeVerdict{
					Scope: p.scope, State: p.state, Since: p.since,
					Bottleneck: p.bottleneck, Progress: p.progress, Gates: firedIDs(p.gates),
				})
			}
		}
	}
	a.Progress = root[0].progress
	a.Gates = sortedGates(groups)
	a.Scopes = held(&w, a.Scopes, now)
	sortScopes(a.Scopes)
	if before := root[0].before; a.State != before && before != Unknown {
		a.Transition = &Transition{From: before, To: a.State, At: now, Gates: a.GatesFired()}
	}
	a.Bottleneck = w.steady(clusterBottleneck(parts, a.Gates), a.Transition != nil)
	a.Confidence = rounded(confidence(s, w.track(ClusterScope()), a.Gates))
	a.Issues = followIssues(&w, a.Gates, now)
	a.Actions = suggested(&a)
	w.Bottleneck = a.Bottleneck
	if root[0].held {
		w.BlindFor++
		a.Blind, a.BlindReason = true, s.unseen()
		a.Confidence = rounded(fading(w.Confidence, w.BlindFor))
		if !w.JudgedAt.IsZero() {
			a.SeenAt = w.JudgedAt
		}
	} else {
		w.BlindFor, w.Confidence, w.JudgedAt = 0, a.Confidence, now
	}
	w.SeenAt = now
	w.Tracks = slices.DeleteFunc(w.Tracks, func(t Track) bool { return t.forgotten(now) })
	return a, w
}

// stepAll moves the state machines of places by one evaluation and remembers
// what was seen. A place of which decisive signals are missing may be accused
// and is never acquitted: it keeps its state and learns nothing.
func (w *Window) stepAll(places []place, now instant.Instant) {
	var room []Point
	if len(places) > 0 && places[0].scope.Kind != KindService {
		room = make([]Point, 0, len(places)*trendLength)
	}
	for i := range places {
		p := &places[i]
		t := w.track(p.scope)
		p.before = t.State
		p.held = p.unseen && (p.raw == Happy || p.raw < t.State)
		if !p.held {
			t.step(p.raw, now, p.confirmed)
			if p.scope.Kind != KindService { // work is not followed by service
				p.point.At, p.point.Raw = now, max(p.raw, p.point.Raw)
				room = t.remember(p.point, room)
			}
		}
		t.JudgedAt = now
		t.Idle++
		if p.demand > 0 || p.raw > Happy {
			t.Idle = 0
		}
		p.state, p.since, p.trend = t.State, t.Since, t.Trend
	}
}

// forgetEvidence drops what was seen before a gap: it says nothing about what
// comes after.
func forgetEvidence(w *Window) {
	for i := range w.Tracks {
		w.Tracks[i].Raw = nil
	}
}

// forgotten tells whether a scope has been without work for so long, or
// unseen, that it is no longer followed.
func (t *Track) forgotten(now instant.Instant) bool {
	if t.Scope.IsCluster() || t.Scope.Kind == KindService {
		return false
	}
	idle := t.State == Happy && t.Idle > forgetAfter
	return idle || t.JudgedAt.Before(now.Add(-2*blindAfter))
}

// judgeFlows judges every kind of task of every task queue that has work or
// is still remembered as unwell.
func judgeFlows(w *Window, flows []flow, now instant.Instant, every time.Duration) []place {
	places := make([]place, 0, len(flows))
	for i := range flows {
		f := &flows[i]
		known := w.State(f.scope)
		if !f.active() && known == Unknown {
			continue
		}
		t := w.track(f.scope)
		vanished := f.keepVanished(t, now)
		p := place{
			scope: f.scope, raw: Happy,
			point: Point{Asked: f.asked, Started: f.started, Completed: f.completed, Waiting: f.waiting, Oldest: f.oldest, Vanished: vanished},
			progress: Progress{
				Asked: f.asked.ptr(), Served: f.served().ptr(), Waiting: f.waiting.ptr(),
				OldestSec: f.oldest.ptr(), Pollers: f.pollers.ptr(),
			},
		}
		p.usual, p.unseen = t.usual(TasksAdded).Or(0), f.unseen()
		if f.active() {
			p.gates = judgeFlow(f, t, now, every)
			p.raw = worst(p.gates)
			p.demand = demand(f)
		}
		ages, _ := t.ageGrows(now, f.oldest)
		p.bottleneck = queueBottleneck(f, p.raw, ages && t.keptUp(now))
		places = append(places, p)
	}
	return places
}

// demand is the weight of a flow: what arrives. What only waits there weighs
// next to nothing beside it, or a queue that was abandoned long ago would
// outweigh all that is served; where nothing arrives anywhere it is all there
// is. A queue whose arrivals have just ended keeps its usual weight (see
// wholeQueue).
func demand(f *flow) float64 {
	if f.asked > 0 {
		return float64(f.asked)
	}
	return leftoverWeight * f.waiting.Or(0)
}

// gather rolls places up to the scopes above them. The places are ordered so
// that those of one scope above follow one another.
func gather(parts []place, above func(Scope) Scope, judge func(*place, []place)) []place {
	var wholes []place
	for start := 0; start < len(parts); {
		scope := above(parts[start].scope)
		end := start
		for end < len(parts) && above(parts[end].scope) == scope {
			end++
		}
		group := parts[start:end]
		whole := place{scope: scope, raw: Happy, bottleneck: BottleneckHealthy}
		for i := range group {
			whole.demand += group[i].demand
			whole.impaired += group[i].impaired
			whole.unseen = whole.unseen || group[i].unseen
			whole.bottleneck = joined(whole.bottleneck, group[i].bottleneck)
			add(&whole, &group[i])
		}
		judge(&whole, group)
		wholes = append(wholes, whole)
		start = end
	}
	return wholes
}

// wholeQueue is the judgement of a task queue by its two kinds of task: one
// dead kind makes the queue dead, since workflows need both. An unwell queue
// asks for less than it used to, because what waits schedules nothing further,
// so its usual demand is taken, and nothing is learnt from either kind.
func wholeQueue(queue *place, parts []place) {
	for i := range parts {
		queue.raw = max(queue.raw, parts[i].raw)
	}
	if queue.raw == Happy {
		return
	}
	queue.demand = 0
	for i := range parts {
		parts[i].point.Raw = queue.raw
		parts[i].demand = max(parts[i].demand, parts[i].usual)
		queue.demand += parts[i].demand
	}
	if queue.raw == Critical {
		queue.impaired = queue.demand
	}
}

// shareOfDemand is the judgement of a namespace by its task queues.
func shareOfDemand(namespace *place, queues []place) {
	namespace.raw, namespace.confirmed = unwell(queues, namespace.demand)
	if namespace.demand > 0 && namespace.impaired >= impairedShare*namespace.demand {
		namespace.raw = Critical
	}
}

// unwell tells whether task queues argue for Stressed: one that is unwell by
// its own state does, and so do those that look unwell just now if half of the
// demand is theirs. Among many queues one always blinks.
func unwell(queues []place, demand float64) (raw State, confirmed bool) {
	now := 0.0
	for i := range queues {
		if queues[i].state > Happy {
			return Stressed, true
		}
		if queues[i].raw > Happy {
			now += queues[i].demand
		}
	}
	if now > 0 && now >= impairedShare*demand {
		return Stressed, false
	}
	return Happy, false
}

// add sums the progress of a part into the whole, the oldest wait excepted,
// which is the oldest of all.
func add(whole, part *place) {
	sum := func(a, b Quantity) Quantity {
		switch {
		case !a.Known():
			return b
		case !b.Known():
			return a
		}
		return a + b
	}
	w, p := &whole.point, &part.point
	if whole.progress.Asked == nil && whole.progress.Served == nil && whole.progress.Waiting == nil {
		*w = Point{Asked: unknownQuantity, Started: unknownQuantity, Completed: unknownQuantity, Waiting: unknownQuantity, Oldest: unknownQuantity}
	}
	w.Asked, w.Started = sum(w.Asked, p.Asked), sum(w.Started, p.Started)
	w.Completed, w.Waiting = sum(w.Completed, p.Completed), sum(w.Waiting, p.Waiting)
	if p.Oldest.Known() {
		w.Oldest = max(Quantity(w.Oldest.Or(0)), p.Oldest)
	}
	served := w.Completed
	if !served.Known() {
		served = w.Started
	}
	whole.progress = Progress{Asked: w.Asked.ptr(), Served: served.ptr(), Waiting: w.Waiting.ptr(), OldestSec: w.Oldest.ptr()}
}

// judgeServices judges each service of the server by its own gates.
func judgeServices(w *Window, s sight, cluster *Track, flows []flow, now instant.Instant, every time.Duration) []place {
	names := serviceNames(w, s)
	places := make([]place, 0, len(names))
	for _, name := range names {
		p := place{scope: ServiceScope(name), raw: Happy, gates: []Gate{targetsDown(s, name)}}
		if p.gates[0].Outcome == Fire && taskRate(s, flows) <= taken*cluster.usual(TasksStarted) {
			p.gates[0] = p.gates[0].at(Critical) // nothing is served without it
		}
		if s.server {
			p.gates = append(p.gates, refused(s, cluster, name, every))
			if name == "history" {
				p.gates = append(p.gates, accepting(s, cluster, now, every), dispatch(s, cluster, flows, now, every))
			}
		}
		p.raw = worst(p.gates)
		places = append(places, p)
	}
	return places
}

// taskRate is how many tasks are handed to workers a second, on all queues.
func taskRate(s sight, flows []flow) Quantity {
	if !s.o.Signal(TasksStarted).Usable() {
		return unknownQuantity
	}
	sum := Quantity(0)
	for i := range flows {
		sum += flows[i].started
	}
	return sum
}

// serviceNames lists the services that telemetry names now or named before.
func serviceNames(w *Window, s sight) []string {
	var names []string
	if s.server {
		// Clients ask the frontend and history does the work, however little
		// the telemetry tells of who is who.
		names = append(names, "frontend", "history")
	}
	for _, id := range []SignalID{ServerUp, Requests} {
		m := s.o.Signal(id)
		if !m.Usable() {
			continue
		}
		for i := range m.Samples {
			at := m.Samples[i].Scope
			if name := at.Service; name != "" {
				names = append(names, name)
			}
			if at.Kind == KindService && at.Name != "" {
				names = append(names, at.Name)
			}
		}
	}
	for i := range w.Tracks {
		if w.Tracks[i].Scope.Kind == KindService {
			names = append(names, w.Tracks[i].Scope.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// judgeCluster judges the whole by the share of demand that is impaired, by
// its own gates, and by the worst that its services argue for.
func judgeCluster(s sight, t *Track, queues, services []place) place {
	root := place{scope: ClusterScope(), gates: []Gate{targetsDown(s, "")}}
	root.point = Point{Asked: unknownQuantity, Started: unknownQuantity, Completed: unknownQuantity, Waiting: unknownQuantity, Oldest: unknownQuantity}
	if s.server {
		var names []string
		for i := range queues {
			q := &queues[i]
			root.demand += q.demand
			root.impaired += q.impaired
			add(&root, q)
			if q.raw == Critical && (q.state == Critical || q.before > Happy) {
				names = append(names, q.scope.Name)
			}
		}
		c := clusterPoint(s)
		root.point.Cluster = &c
		share := 0.0
		if root.demand > 0 {
			share = root.impaired / root.demand
		}
		pressure := pressureGates(s, t, c)
		pressed := worst(pressure) > Happy
		for i := range queues {
			pressed = pressed || queues[i].raw > Happy
		}
		root.gates = append(root.gates, demandImpaired(s.o.Signal(TasksAdded).Usable(), share, names), collapsed(s, t, pressed))
		root.gates = append(root.gates, pressure...)
	}
	parts, confirmed := unwell(queues, root.demand)
	root.raw, root.confirmed = max(worst(root.gates), parts), confirmed
	for i := range services {
		parts = max(parts, services[i].raw)
	}
	root.raw = max(root.raw, parts)
	root.point.Pressed = root.raw == Stressed && parts == Happy && onlyPressure(root.gates)
	root.unseen = s.server && s.unseen() != ""
	return root
}

// onlyPressure tells whether no gate but those of pressure argues for anything.
func onlyPressure(gates []Gate) bool {
	for i := range gates {
		if g := &gates[i]; g.Outcome == Fire && g.Level > Happy && !strings.HasPrefix(g.ID, "pressure.") {
			return false
		}
	}
	return true
}

// trendOf extracts the served rate from a trend, for people to look at.
func trendOf(trend []Point) []float64 {
	if len(trend) == 0 {
		return nil
	}
	values := make([]float64, 0, len(trend))
	for i := range trend {
		v := trend[i].Completed
		if !v.Known() {
			v = trend[i].Started
		}
		values = append(values, rounded(v.Or(0)))
	}
	return values
}

// firedIDs returns the ids of the gates that fired.
func firedIDs(gates []Gate) []string {
	var ids []string
	for i := range gates {
		if gates[i].Outcome == Fire {
			ids = append(ids, gates[i].ID)
		}
	}
	return ids
}
