package health

import (
	"cmp"
	"math"
	"slices"
)

func compareIDs(a, b SignalID) int { return cmp.Compare(a, b) }

// sortedGates gathers the gates of all places for readers: what fired first,
// the gravest first, then by id and scope. Gates are large, so their addresses
// are sorted.
func sortedGates(groups [][]place) []Gate {
	count := 0
	for _, places := range groups {
		for i := range places {
			count += len(places[i].gates)
		}
	}
	order := make([]*Gate, 0, count)
	for _, places := range groups {
		for i := range places {
			for j := range places[i].gates {
				order = append(order, &places[i].gates[j])
			}
		}
	}
	slices.SortFunc(order, func(a, b *Gate) int {
		if a.Outcome != b.Outcome {
			return cmp.Compare(a.Outcome.rank(), b.Outcome.rank())
		}
		if a.Level != b.Level {
			return cmp.Compare(b.Level, a.Level)
		}
		if a.ID != b.ID {
			return cmp.Compare(a.ID, b.ID)
		}
		return a.Scope.Compare(b.Scope)
	})
	gates := make([]Gate, count)
	for i, g := range order {
		gates[i] = *g
	}
	return gates
}

// rank puts what fired before what is not known, and that before the rest.
func (o Outcome) rank() int {
	switch o {
	case Fire:
		return 0
	case Undecided:
		return 1
	}
	return 2
}

// sortScopes orders verdicts worst first, then by share of demand, then by
// scope.
func sortScopes(scopes []ScopeVerdict) {
	slices.SortFunc(scopes, func(a, b ScopeVerdict) int {
		if a.State != b.State {
			return cmp.Compare(b.State, a.State)
		}
		if a.Progress.Share != b.Progress.Share {
			return cmp.Compare(b.Progress.Share, a.Progress.Share)
		}
		return a.Compare(b.Scope)
	})
}

// rounded keeps four decimals: beyond them an assessment would differ by the
// order of floating point additions and by nothing that matters.
func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }
