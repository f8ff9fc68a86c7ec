package health

// queueBottleneck names the layer that makes one flow wait (property H14).
// Refused polls are looked at first, since they make workers look idle. Then
// pollers that wait with free slots while tasks age accuse the server; tasks
// that age with no poller or no free slot accuse the workers. A queue that is
// catching up accuses nobody, nor does one whose gauge only remembers an old
// task: stuck tells whether the oldest task ages though all else is taken.
func queueBottleneck(f *flow, raw State, stuck bool) Bottleneck {
	if raw <= Happy {
		return BottleneckHealthy
	}
	switch {
	case f.completed < taken*f.started && f.slots.Known():
		return BottleneckWorker // it reports, takes tasks and answers none
	case raw == Stressed && f.catchingUp():
		return BottleneckHealthy
	case f.pollsRefused():
		return BottleneckServer
	case f.pollers == 0 || f.full():
		return BottleneckWorker
	case f.pollers > 0 && f.slots.Known():
		if raw == Stressed && !stuck && !f.takesLess() {
			return BottleneckHealthy
		}
		return BottleneckServer
	}
	return BottleneckUnknown
}

// joined combines what two parts of a whole say.
func joined(a, b Bottleneck) Bottleneck {
	switch {
	case a == b || b == BottleneckHealthy:
		return a
	case a == BottleneckHealthy:
		return b
	case a == BottleneckUnknown:
		return b
	case b == BottleneckUnknown:
		return a
	}
	return BottleneckMixed
}

// serverGates are those whose firing says that the server itself makes work
// wait. They are looked at before the workers (requirement R14.3).
var serverGates = map[string]bool{
	ruleTargetsDown.ID: true, ruleAccepting.ID: true, ruleDispatch.ID: true,
	ruleRefused.ID: true, rulePersistenceLatency.ID: true, rulePersistenceErrors.ID: true,
	ruleThrottled.ID: true, rulePollsThrottled.ID: true, rulePool.ID: true, ruleRequestLatency.ID: true,
}

// clusterBottleneck joins what the server's gates say with what the queues
// say. While the server is Critical, advice on workers is irrelevant (R14.3).
func clusterBottleneck(parts []place, gates []Gate) Bottleneck {
	server, level := BottleneckHealthy, Happy
	for i := range gates {
		g := &gates[i]
		if g.Outcome == Fire && g.Level > Happy && serverGates[g.ID] {
			server, level = BottleneckServer, max(level, g.Level)
		}
	}
	if level == Critical {
		return BottleneckServer
	}
	// The gravest queues speak first; the others would only blur the name.
	gravest := Happy
	for i := range parts {
		gravest = max(gravest, parts[i].raw)
	}
	queues := BottleneckHealthy
	for i := range parts {
		if parts[i].raw == gravest {
			queues = joined(queues, parts[i].bottleneck)
		}
	}
	return joined(server, queues)
}

// steady keeps the cluster's bottleneck until two evaluations in a row name
// another: while a backlog drains, gauges that are refreshed once a minute
// contradict one another. A new state takes its own name at once.
func (w *Window) steady(now Bottleneck, moved bool) Bottleneck {
	if now == w.Bottleneck || w.Bottleneck == "" || moved || now == w.NextBottleneck {
		w.NextBottleneck = ""
		return now
	}
	w.NextBottleneck = now
	return w.Bottleneck
}
