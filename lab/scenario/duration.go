package scenario

import (
	"fmt"
	"time"

	"gopkg.in/yaml.v3"
)

// Duration is a time.Duration that YAML spells 90s, 5m or 1m30s.
type Duration time.Duration

// Value is the duration as the standard library knows it.
func (d Duration) Value() time.Duration { return time.Duration(d) }

func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalYAML reads a duration.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	value, err := time.ParseDuration(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil || value < 0 {
		// This kind of error lets the decoder go on and find the others.
		return &yaml.TypeError{Errors: []string{
			fmt.Sprintf("line %d: %q is no duration: write it like 90s, 5m or 1m30s", node.Line, node.Value),
		}}
	}
	*d = Duration(value)
	return nil
}
