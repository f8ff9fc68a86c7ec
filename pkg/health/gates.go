package health

import (
	"math"
	"time"
)

// newGate starts a gate from its rule. Value and limit are filled by decide.
func newGate(r *Rule, scope Scope) Gate {
	return Gate{Rule: r, Scope: scope, Outcome: Pass, Level: r.level}
}

// decide records what was compared and the answer. An unknown value leaves
// the gate undecided, whatever fired says.
func (g Gate) decide(value, limit Quantity, fired bool) Gate {
	g.Value, g.Limit = value.ptr(), limit.ptr()
	switch {
	case !value.Known() || !limit.Known():
		g.Outcome = Undecided
	case fired:
		g.Outcome = Fire
	}
	return g
}

// because adds the sentence that says what was found. It is written only for
// a gate that fired: most do not, at each of many scopes.
func (g Gate) because(finding func() string) Gate {
	if g.Outcome == Fire {
		g.Finding = finding()
	}
	return g
}

// at lowers or raises the level that the gate argues for.
func (g Gate) at(level State) Gate {
	g.Level = level
	return g
}

// over sets the time that the rule looked back over.
func (g Gate) over(d time.Duration) Gate {
	g.Window = d
	return g
}

// margin tells how far beyond its limit a fired gate's value lies, from 0 at
// the limit to 1 at twice or half the limit and beyond.
func (g *Gate) margin() float64 {
	if g.Value == nil || g.Limit == nil {
		return 0
	}
	v, l := math.Abs(*g.Value), math.Abs(*g.Limit)
	if v == 0 || l == 0 {
		return 1
	}
	return min(1, math.Abs(math.Log2(v/l)))
}

// worst returns the worst level that fired gates argue for. With no gate
// fired it is Happy: undecided gates are no evidence.
func worst(gates []Gate) State {
	level := Happy
	for i := range gates {
		if gates[i].Outcome == Fire {
			level = max(level, gates[i].Level)
		}
	}
	return level
}

// sustainedAbove tells whether a value is above its limit now and was so in k
// of the last n evaluations, the present one included.
func sustainedAbove(trend []Point, now Quantity, limit Quantity, read func(*ClusterPoint) Quantity) bool {
	if !(now > limit) {
		return false
	}
	count := 1
	for _, p := range trend[max(0, len(trend)-(ofSustain-1)):] {
		if p.Cluster != nil && read(p.Cluster) > limit {
			count++
		}
	}
	return count >= sustained
}
