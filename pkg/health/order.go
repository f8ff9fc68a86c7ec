package health

import (
	"cmp"
	"math"
	"slices"
)

func compareIDs(a, b SignalID) int { return cmp.Compare(a, b) }

// compareGates orders gates for readers: what fired first, the gravest first,
// then by id and scope.
func compareGates(a, b Gate) int {
	rank := func(g *Gate) int {
		switch g.Outcome {
		case Fire:
			return 0
		case Undecided:
			return 1
		}
		return 2
	}
	return cmp.Or(
		cmp.Compare(rank(&a), rank(&b)),
		cmp.Compare(b.Level, a.Level),
		cmp.Compare(a.ID, b.ID),
		a.Scope.Compare(b.Scope),
	)
}

// sortScopes orders verdicts worst first, then by share of demand, then by
// scope.
func sortScopes(scopes []ScopeVerdict) {
	slices.SortFunc(scopes, func(a, b ScopeVerdict) int {
		return cmp.Or(
			cmp.Compare(b.State, a.State),
			cmp.Compare(b.Progress.Share, a.Progress.Share),
			a.Compare(b.Scope),
		)
	})
}

// rounded keeps four decimals: beyond them an assessment would differ by the
// order of floating point additions and by nothing that matters.
func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }
