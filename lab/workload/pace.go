package workload

import "time"

// pacer turns a rate into numbers of pieces of work.
type pacer struct {
	perSecond float64
	owed      float64 // pieces of work, with a fraction
}

// due returns how many pieces of work to ask for now that elapsed has passed
// since the last call. What it owes after a pause is limited to one second's
// worth: a stopped generator that goes on again must not become a surge.
func (p *pacer) due(elapsed time.Duration) int {
	p.owed += p.perSecond * elapsed.Seconds()
	p.owed = min(p.owed, max(p.perSecond, 1))
	whole := int(p.owed)
	p.owed -= float64(whole)
	return whole
}

// share is a queue's part of the work.
type share struct {
	queue  string
	weight int
}

// rotation deals out work to queues by their weights, as evenly as can be: the
// smooth weighted round robin of load balancers.
type rotation struct {
	shares []share
	credit []int
}

func newRotation(shares []share) *rotation {
	return &rotation{shares: shares, credit: make([]int, len(shares))}
}

// next returns the queue of the next piece of work.
func (r *rotation) next() string {
	total, best := 0, 0
	for i, share := range r.shares {
		r.credit[i] += share.weight
		total += share.weight
		if r.credit[i] > r.credit[best] {
			best = i
		}
	}
	r.credit[best] -= total
	return r.shares[best].queue
}
