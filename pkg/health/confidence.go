package health

import "math"

// coverage is the part of the signals asked for that could be used, from 0 to
// 1. Telemetry's own signals do not count.
func coverage(o *Observation) float64 {
	usable, asked := 0, 0
	for i := range o.Measurements {
		if o.Measurements[i].Class == Telemetry {
			continue
		}
		asked++
		if o.Measurements[i].Usable() {
			usable++
		}
	}
	if asked == 0 {
		return 0
	}
	return rounded(float64(usable) / float64(asked))
}

// confidence is computed, not felt: how much of what the verdict rests on can
// be seen, how fresh it is, how steadily the evidence speaks and how far
// beyond its limits it lies. docs/health-model.md states the formula.
func confidence(s sight, t *Track, gates []Gate) float64 {
	primaries, usable := 0, 0
	for i := range s.o.Measurements {
		m := &s.o.Measurements[i]
		if m.Class == Primary {
			primaries++
			if m.Usable() {
				usable++
			}
		}
	}
	seen := 1.0
	if s.server && primaries > 0 {
		seen = float64(usable) / float64(primaries)
	}
	freshness := 1.0
	if age := s.cluster(ServerTelemetryAge); age > Quantity(freshFor.Seconds()/2) {
		freshness = max(0, 1-float64(age)/blindAfter.Seconds())
	}
	agreeing, recent := 0, t.Raw[max(0, len(t.Raw)-ofCritical):]
	for _, raw := range recent {
		if raw == t.State {
			agreeing++
		}
	}
	agreement := float64(agreeing) / float64(ofCritical)
	return seen * freshness * (0.6 + 0.25*agreement + 0.15*conviction(t.State, gates))
}

// conviction tells how far the evidence lies beyond its limits: the largest
// margin of the gates that argue for the state; for Happy, whether none fired.
func conviction(state State, gates []Gate) float64 {
	largest := 0.0
	for i := range gates {
		g := &gates[i]
		if g.Outcome != Fire || g.Level <= Happy {
			continue
		}
		if state == Happy {
			return 0
		}
		if g.Level >= state {
			largest = max(largest, g.margin())
		}
	}
	if state == Happy {
		return 1
	}
	return largest
}

// fading halves the last confidence with every blind evaluation.
func fading(last float64, blindFor int) float64 {
	return last * math.Pow(0.5, float64(blindFor))
}
