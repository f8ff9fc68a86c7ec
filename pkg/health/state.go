package health

import "fmt"

// State is the canonical health of a scope (requirement R4.1). The order of
// the constants is the order of severity, with Unknown below all.
type State uint8

const (
	// Unknown means that nothing usable has been seen yet. It is no verdict:
	// once a scope has one, missing telemetry holds it (see Assessment.Blind).
	Unknown State = iota
	// Happy means that forward progress is healthy.
	Happy
	// Stressed means that progress continues while something presses on it,
	// or that a part of the cluster does not progress.
	Stressed
	// Critical means that forward progress is impaired or stopped.
	Critical
)

var stateNames = [...]string{"unknown", "happy", "stressed", "critical"}

// States lists every state, mildest first, as users may name them.
func States() []State { return []State{Unknown, Happy, Stressed, Critical} }

// String returns the lower-case name used in JSON, SQL and flags.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// ParseState reads the name of a state as String writes it.
func ParseState(name string) (State, error) {
	for i, known := range stateNames {
		if name == known {
			return State(i), nil
		}
	}
	return Unknown, fmt.Errorf("health state %q is not known: use unknown, happy, stressed or critical", name)
}

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) {
	if int(s) >= len(stateNames) {
		return nil, fmt.Errorf("health state %d is not known", uint8(s))
	}
	return []byte(stateNames[s]), nil
}

// UnmarshalText reads a state's name.
func (s *State) UnmarshalText(text []byte) error {
	parsed, err := ParseState(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// Bottleneck names the layer that makes work wait (requirement R14.2).
type Bottleneck string

// The four classes of requirement R14.2, and the honest fifth.
const (
	BottleneckHealthy Bottleneck = "healthy"
	BottleneckServer  Bottleneck = "server_limited"
	BottleneckWorker  Bottleneck = "worker_limited"
	BottleneckMixed   Bottleneck = "mixed"
	// BottleneckUnknown means that work waits and the evidence that would
	// name the layer is missing.
	BottleneckUnknown Bottleneck = "unknown"
)
