package scenario

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/temporal-sre/copilot/lab/score"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// LogInterval is what is to be found in the logs of a time, and what not.
// Intervals may lie over another.
type LogInterval struct {
	From Duration `yaml:"from"`
	To   Duration `yaml:"to"`
	// Found are patterns that have to be found.
	Found []string `yaml:"found"`
	// Tied are patterns that have to be tied to a gate.
	Tied []Tie `yaml:"tied"`
	// NotFound are patterns that must not be found.
	NotFound []string `yaml:"not_found"`
	// Nothing tells that no pattern of errors may be news. Others may be found.
	Nothing bool `yaml:"nothing"`
}

// Tie is a pattern and a gate that it belongs to.
type Tie struct {
	Pattern string `yaml:"pattern"`
	Gate    string `yaml:"gate"`
}

var (
	validPattern = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`)
	// Gates are the copilot's to name; here they only have to look like one.
	validGate = validPattern
)

func (c *checker) checkLogs() {
	if len(c.Logs) > 0 && c.Topology.Logs == NoLogs {
		c.bad("logs", "given", "set topology.logs to json or console, or nobody keeps the logs")
	}
	for i, interval := range c.Logs {
		at := fmt.Sprintf("logs[%d]", i)
		if interval.To <= interval.From || interval.To > c.Duration {
			c.bad(at+".to", interval.To, fmt.Sprintf("it has to lie after %s and not after %s", interval.From, c.Duration))
		}
		if len(interval.Found)+len(interval.Tied)+len(interval.NotFound) == 0 && !interval.Nothing {
			c.bad(at, "", "say what is found, tied or not_found, or nothing: true")
		}
		c.checkPatterns(at+".found", interval.Found)
		c.checkPatterns(at+".not_found", interval.NotFound)
		for j, tie := range interval.Tied {
			at := fmt.Sprintf("%s.tied[%d]", at, j)
			c.checkPatterns(at+".pattern", []string{tie.Pattern})
			if !validGate.MatchString(tie.Gate) {
				c.bad(at+".gate", tie.Gate, "use a gate's id, like pressure.persistence_errors")
			}
		}
		for _, pattern := range interval.NotFound {
			found := slices.ContainsFunc(interval.Tied, func(t Tie) bool { return t.Pattern == pattern })
			if found || slices.Contains(interval.Found, pattern) {
				c.bad(at+".not_found", pattern, "it cannot also be found")
			}
		}
	}
}

func (c *checker) checkPatterns(field string, patterns []string) {
	for _, pattern := range patterns {
		if !validPattern.MatchString(pattern) {
			c.bad(field, pattern, "use a pattern's id, like persistence.unavailable")
		}
	}
}

func (i LogInterval) at(at func(Duration) instant.Instant) score.LogInterval {
	placed := score.LogInterval{
		From: at(i.From), To: at(i.To), Found: i.Found, NotFound: i.NotFound, Nothing: i.Nothing,
	}
	for _, tie := range i.Tied {
		placed.Tied = append(placed.Tied, score.Tie{Pattern: tie.Pattern, Gate: tie.Gate})
	}
	return placed
}
