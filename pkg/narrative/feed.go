package narrative

import (
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Feed deals what was read from the logs out to observations, in their order.
type Feed struct {
	// Windows are ordered by time. They are taken out as they are dealt.
	Windows []health.LogWindow
	// Err says why not all windows could be read that were asked for.
	Err error
}

// Until returns the windows that end at an instant or before it and were not
// dealt yet.
func (f *Feed) Until(at instant.Instant) *health.LogReading {
	r := &health.LogReading{}
	n := 0
	for n < len(f.Windows) && !f.Windows[n].To.After(at) {
		n++
	}
	r.Windows, f.Windows = f.Windows[:n:n], f.Windows[n:]
	if f.Err != nil && (n == 0 || r.Windows[n-1].To != at) {
		r.Reason = f.Err.Error()
	}
	return r
}
