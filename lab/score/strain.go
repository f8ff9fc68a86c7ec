package score

import (
	"fmt"
	"time"
)

const (
	// fullShare is the share of the time, without anything left of the
	// processors, that is too much.
	fullShare = 0.50
	// tooLate is how late a wake-up may come at most.
	tooLate = 500 * time.Millisecond
)

// Strain is how hard a machine was pressed.
type Strain struct {
	// Busy is the share, 0 to 1, of the processors' time that was used, by
	// whomever, but for what runs at low priority and gives way; 0 where the
	// system does not tell.
	Busy float64 `json:"busy"`
	// Full is the share, 0 to 1, of the spans of 15 s in which hardly any of
	// that time was left.
	Full float64 `json:"full"`
	// LatestMillis is how many milliseconds too late the latest of the
	// wake-ups came that were asked for ten times a second.
	LatestMillis int64 `json:"latest_ms"`
}

// TooMuch says why the machine could not keep up, or nothing.
func (s Strain) TooMuch() string {
	switch {
	case s.Full > fullShare:
		return fmt.Sprintf("its processors had nothing left for %.0f %% of the time", 100*s.Full)
	case s.latest() > tooLate:
		return fmt.Sprintf("it was up to %s late", s.latest())
	}
	return ""
}

// String says in a line how hard the machine was pressed.
func (s Strain) String() string {
	return fmt.Sprintf("processors %.0f %% busy, full for %.0f %% of the time; at most %s late", 100*s.Busy, 100*s.Full, s.latest())
}

func (s Strain) latest() time.Duration { return time.Duration(s.LatestMillis) * time.Millisecond }
