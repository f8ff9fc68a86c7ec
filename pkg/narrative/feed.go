package narrative

import (
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// maxCounts bounds the counts that one observation carries, so that it stays
	// far below what a workflow's history and the store take, however much there
	// is to catch up with. leastWindows are carried whatever they hold.
	maxCounts    = 600
	leastWindows = 4
)

// Feed deals what was read from the logs out to observations, in their order.
type Feed struct {
	// Windows are ordered by time. They are taken out as they are dealt.
	Windows []health.LogWindow
	// Err says why not all windows could be read that were asked for.
	Err error
}

// Until returns the windows that end at an instant or before it and were not
// dealt yet. When those are too many for one observation, the rest is for the
// next; if there is none, it is read again from where the memory then stands.
func (f *Feed) Until(at instant.Instant) *health.LogReading {
	r := &health.LogReading{}
	n, counts := 0, 0
	for n < len(f.Windows) && !f.Windows[n].To.After(at) {
		if counts += len(f.Windows[n].Counts); counts > maxCounts && n >= leastWindows {
			break
		}
		n++
	}
	r.Windows, f.Windows = f.Windows[:n:n], f.Windows[n:]
	switch {
	case n > 0 && r.Windows[n-1].To == at:
	case len(f.Windows) > 0 && !f.Windows[0].To.After(at):
		r.Reason = "they are being caught up with, from " + f.Windows[0].From.String() + " on"
	case f.Err != nil:
		r.Reason = f.Err.Error()
	}
	return r
}
