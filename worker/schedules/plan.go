package schedules

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/temporal-sre/copilot/worker/workflows"
)

// Overlap is what becomes of a scheduled assessment while the one before it
// still runs.
type Overlap string

// The overlap policies.
const (
	// Skip leaves it out.
	Skip Overlap = "skip"
	// BufferOne does it afterwards; at most one waits.
	BufferOne Overlap = "buffer_one"
)

// Assess is when a cluster is assessed.
type Assess struct {
	// Every is the time between two assessments, from 1 min to 24 h; 0: none by
	// schedule.
	Every time.Duration
	// Jitter spreads them, so that several clusters are not assessed at the same
	// moment; up to half of Every.
	Jitter  time.Duration
	Overlap Overlap
}

// Retain is how long a cluster's history is kept.
type Retain struct {
	// Keep is from 7 days to 10 years; 0: for ever.
	Keep time.Duration
	// Every is the time between two looks for what is older, from 1 h to 7 days.
	Every time.Duration
}

// Plan is what is to be done for a cluster by schedule.
type Plan struct {
	Cluster string
	Assess  Assess
	Retain  Retain
}

// DefaultAssess is every five minutes (requirement R9.1).
func DefaultAssess() Assess {
	return Assess{Every: 5 * time.Minute, Jitter: 10 * time.Second, Overlap: Skip}
}

// DefaultRetain keeps history for 30 days.
func DefaultRetain() Retain {
	return Retain{Keep: 30 * 24 * time.Hour, Every: 6 * time.Hour}
}

// Validate returns all that is wrong, one error each, joined. Each begins with
// the name of the field.
func (a Assess) Validate() error {
	var problems []error
	if a.Every != 0 && (a.Every < time.Minute || a.Every > 24*time.Hour) {
		problems = append(problems, fmt.Errorf("every is %s; it has to be between 1m0s and 24h0m0s, or 0s for none", a.Every))
	}
	if a.Jitter < 0 || a.Every > 0 && a.Jitter > a.Every/2 {
		problems = append(problems, fmt.Errorf("jitter is %s; it has to be between 0s and half of every", a.Jitter))
	}
	if a.Overlap != Skip && a.Overlap != BufferOne {
		problems = append(problems, fmt.Errorf("overlap is %q; it has to be %s or %s", string(a.Overlap), Skip, BufferOne))
	}
	return errors.Join(problems...)
}

// Validate returns all that is wrong, one error each, joined. Each begins with
// the name of the field.
func (r Retain) Validate() error {
	var problems []error
	if r.Keep != 0 && (r.Keep < workflows.KeepLeast || r.Keep > workflows.KeepMost) {
		problems = append(problems, fmt.Errorf("keep is %s; it has to be between %s (7 days) and %s (10 years), or 0s for ever",
			r.Keep, workflows.KeepLeast, workflows.KeepMost))
	}
	if r.Every < time.Hour || r.Every > 7*24*time.Hour {
		problems = append(problems, fmt.Errorf("every is %s; it has to be between 1h0m0s and 168h0m0s", r.Every))
	}
	return errors.Join(problems...)
}

// policy is the overlap as Temporal names it.
func (o Overlap) policy() enumspb.ScheduleOverlapPolicy {
	if o == BufferOne {
		return enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE
	}
	return enumspb.SCHEDULE_OVERLAP_POLICY_SKIP
}
