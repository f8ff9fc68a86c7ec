package health

import (
	"slices"
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
		return assessBlind(w, o, blind)
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

	up, age, transitions := o.Signal(ServerUp), o.Signal(ServerTelemetryAge), o.Signal(StateTransitions)
	if up == nil || up.Status == Failed {
		return s, reasonOr(up, "Prometheus did not answer")
	}
	if g := targetsDown(s, ""); g.Outcome == Fire {
		return s, "" // the targets being down is what is seen
	}
	// Metrics that are pushed come without the up metric; their age will do.
	if !up.Usable() && !age.Usable() {
		return s, reasonOr(up, "no metrics of a Temporal server are found")
	}
	if age.Usable() && !fresh(age) {
		return s, "the newest sample of the server is " + seconds(Quantity(*age.Value)) + " old"
	}
	if !transitions.Usable() {
		return s, "the server is scraped, and its state transitions are not found: " + reasonOr(transitions, "not asked for")
	}
	s.server = true
	return s, ""
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
func assessBlind(w Window, o Observation, reason string) (Assessment, Window) {
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
		judged := len(t.Trend) > 0 && t.Trend[len(t.Trend)-1].At == now
		if !t.Scope.IsCluster() && t.State != Unknown && !judged {
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
	// usual is the demand that the scope usually has.
	usual      float64
	bottleneck Bottleneck
}

// assess judges an observation in which something can be seen.
func assess(w Window, s sight, every time.Duration) (Assessment, Window) {
	now := s.o.At
	// Tracks move while new ones are inserted, so the cluster's is copied.
	cluster := *w.track(ClusterScope())

	var flows []flow
	if s.server {
		flows = s.flows()
	}
	parts := judgeFlows(&w, flows, now, every)
	queues := gather(parts, Scope.Queue, wholeQueue)
	for i := range queues {
		queues[i].gates = append(queues[i].gates, businessFailures(s, queues[i].scope, every))
	}
	namespaces := gather(queues, func(q Scope) Scope { return NamespaceScope(q.Namespace) }, shareOfDemand)
	services := judgeServices(&w, s, &cluster, flows, now, every)
	root := judgeCluster(s, &cluster, queues, services)

	places := slices.Concat([]place{root}, services, namespaces, queues, parts)
	a := Assessment{
		Cluster: s.o.Cluster, At: now, Raw: root.raw, SeenAt: now,
		Coverage: coverage(s.o),
		Scopes:   make([]ScopeVerdict, 0, len(places)),
	}
	for i := range places {
		p := &places[i]
		t := w.track(p.scope)
		before := t.step(p.raw, now)
		p.point.At, p.point.Raw = now, max(p.raw, p.point.Raw)
		t.remember(p.point)
		t.Idle++
		if p.demand > 0 || p.raw > Happy {
			t.Idle = 0
		}
		if root.demand > 0 {
			p.progress.Share = rounded(p.demand / root.demand)
		}
		p.progress.Trend = trendOf(t.Trend)
		if p.scope.IsCluster() {
			a.State, a.Since, a.Progress = t.State, t.Since, p.progress
			if t.State != before && before != Unknown {
				a.Transition = &Transition{From: before, To: t.State, At: now}
			}
			cluster = *t
			continue
		}
		a.Scopes = append(a.Scopes, ScopeVerdict{
			Scope: p.scope, State: t.State, Since: t.Since,
			Bottleneck: p.bottleneck, Progress: p.progress, Gates: firedIDs(p.gates),
		})
	}
	a.Gates = sortedGates(places)
	a.Scopes = held(&w, a.Scopes, now)
	sortScopes(a.Scopes)
	if a.Transition != nil {
		a.Transition.Gates = a.GatesFired()
	}
	a.Bottleneck = clusterBottleneck(parts, a.Gates)
	a.Confidence = rounded(confidence(s, &cluster, a.Gates))
	a.Issues = followIssues(&w, a.Gates, now)
	a.Actions = suggested(a.Issues)

	w.SeenAt, w.BlindFor = now, 0
	w.Confidence, w.Bottleneck = a.Confidence, a.Bottleneck
	w.Tracks = slices.DeleteFunc(w.Tracks, func(t Track) bool { return t.forgotten(now) })
	return a, w
}

// forgotten tells whether a scope has been without work for so long, or
// unseen, that it is no longer followed.
func (t *Track) forgotten(now instant.Instant) bool {
	if t.Scope.IsCluster() || t.Scope.Kind == KindService || len(t.Trend) == 0 {
		return false
	}
	idle := t.State == Happy && t.Idle > forgetAfter
	return idle || t.Trend[len(t.Trend)-1].At.Before(now.Add(-2*blindAfter))
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
		p := place{
			scope: f.scope, raw: Happy,
			point: Point{Asked: f.asked, Started: f.started, Completed: f.completed, Waiting: f.waiting, Oldest: f.oldest},
			progress: Progress{
				Asked: f.asked.ptr(), Served: f.served().ptr(), Waiting: f.waiting.ptr(),
				OldestSec: f.oldest.ptr(), Pollers: f.pollers.ptr(),
			},
		}
		p.usual = t.usual(TasksAdded).Or(0)
		if f.active() {
			p.gates = judgeFlow(f, t, now, every)
			p.raw = worst(p.gates)
			p.demand = demand(f)
		}
		p.bottleneck = queueBottleneck(f, p.raw)
		places = append(places, p)
	}
	return places
}

// demand is the weight of a flow. Where only waiting tasks tell of demand,
// they count as if they had arrived over longSilence.
func demand(f *flow) float64 {
	if f.asked > 0 {
		return float64(f.asked)
	}
	return f.waiting.Or(0) / longSilence.Seconds()
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
	for i := range queues {
		if queues[i].raw > Happy {
			namespace.raw = Stressed
		}
	}
	if namespace.demand > 0 && namespace.impaired >= impairedShare*namespace.demand {
		namespace.raw = Critical
	}
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
	names := serviceNames(w, s.o)
	places := make([]place, 0, len(names))
	for _, name := range names {
		p := place{scope: ServiceScope(name), raw: Happy, gates: []Gate{targetsDown(s, name)}}
		if s.server {
			p.gates = append(p.gates, refused(s, name, every))
			if name == "history" {
				p.gates = append(p.gates, accepting(s, cluster, now, every), dispatch(s, cluster, flows, every))
			}
		}
		p.raw = worst(p.gates)
		places = append(places, p)
	}
	return places
}

// serviceNames lists the services that telemetry names now or named before.
func serviceNames(w *Window, o *Observation) []string {
	var names []string
	if m := o.Signal(ServerUp); m.Usable() {
		for i := range m.Samples {
			if name := m.Samples[i].Scope.Service; name != "" {
				names = append(names, name)
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
			if q.raw == Critical {
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
	root.raw = worst(root.gates)
	for i := range services {
		root.raw = max(root.raw, services[i].raw)
	}
	for i := range queues {
		if queues[i].raw > Happy {
			root.raw = max(root.raw, Stressed)
		}
	}
	return root
}

// trendOf extracts the served rate from a trend, for people to look at.
func trendOf(trend []Point) []float64 {
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
