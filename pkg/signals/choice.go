package signals

import (
	"fmt"
	"strings"
)

// Words of a dialect's text.
const (
	autoDialect    = "auto"
	noWorkers      = "none"
	namesRaw       = "raw"
	namesSanitized = "sanitized"
)

// Choice is what a user prescribes of a dialect. What is left open is to be
// detected; the zero value leaves everything open.
type Choice struct {
	// Server is nil when it is to be detected.
	Server *Naming
	// Workers are the workers' namings when WorkersChosen; none are an answer
	// too.
	Workers       []Naming
	WorkersChosen bool
	// Sanitized is nil when it is to be detected.
	Sanitized *bool
}

// ChoiceHelp tells what ParseChoice understands, for messages and help.
const ChoiceHelp = `use auto, tally, opentelemetry or cloud for the server's naming, or what "copilot check" shows, such as ` +
	`"server=opentelemetry workers=prometheus"; workers=none when none export metrics, several joined by "+"; names=raw or ` +
	`names=sanitized; a mixture of suffixes is spelled counters:_total,timers:_seconds,histograms:none, with ` +
	`timers:none/s or timers:none/ms where timers have no suffix`

// ParseChoice reads the text form of a dialect: "auto", the name of a server's
// naming, or the parts that Dialect.String prints, each of which may be left
// out.
func ParseChoice(text string) (Choice, error) {
	var c Choice
	text = strings.TrimSpace(text)
	if text == "" || text == autoDialect {
		return c, nil
	}
	if !strings.Contains(text, "=") {
		naming, err := parseNaming(text)
		c.Server = &naming
		return c, err
	}
	for _, part := range strings.Fields(text) {
		if err := c.add(part); err != nil {
			return Choice{}, err
		}
	}
	return c, nil
}

// add reads one part, such as "server=tally".
func (c *Choice) add(part string) error {
	key, value, found := strings.Cut(part, "=")
	switch {
	case key == "server" && found && c.Server == nil:
		naming, err := parseNaming(value)
		c.Server = &naming
		return err
	case key == "workers" && found && !c.WorkersChosen:
		namings, err := parseWorkers(value)
		c.Workers, c.WorkersChosen = namings, true
		return err
	case key == "names" && found && c.Sanitized == nil:
		if value != namesRaw && value != namesSanitized {
			return fmt.Errorf("names=%s is neither names=raw nor names=sanitized", value)
		}
		sanitized := value == namesSanitized
		c.Sanitized = &sanitized
		return nil
	}
	return fmt.Errorf("%q is not one of server=…, workers=… and names=…, each once", part)
}

// parseWorkers reads the namings of a fleet.
func parseWorkers(text string) ([]Naming, error) {
	if text == noWorkers {
		return nil, nil
	}
	var namings []Naming
	for _, name := range strings.Split(text, "+") {
		naming, err := parseNaming(name)
		if err != nil {
			return nil, err
		}
		if naming.Cloud {
			return nil, fmt.Errorf("workers=%s: workers export metrics of their own, also those of Temporal Cloud", text)
		}
		namings = append(namings, naming)
	}
	return namings, nil
}

// parseNaming reads the name of a naming, or its suffixes.
func parseNaming(text string) (Naming, error) {
	for _, known := range named {
		if text == known.name {
			return known.naming, nil
		}
	}
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return Naming{}, fmt.Errorf("%q is no naming", text)
	}
	counter, err := parseSuffix(parts[0], "counters", "_total")
	if err != nil {
		return Naming{}, err
	}
	histogram, err := parseSuffix(parts[2], "histograms", "_ratio")
	if err != nil {
		return Naming{}, err
	}
	n := Naming{Counter: counter, Histogram: histogram}
	switch parts[1] {
	case "timers:none/s":
		n.Millis = 1000
	case "timers:none/ms":
		n.Millis = 1
	case "timers:_seconds":
		n.Timer, n.Millis = "_seconds", 1000
	case "timers:_milliseconds":
		n.Timer, n.Millis = "_milliseconds", 1
	default:
		return Naming{}, fmt.Errorf("%q is none of timers:none/s, timers:none/ms, timers:_seconds and timers:_milliseconds", parts[1])
	}
	return n, nil
}

// parseSuffix reads "kind:none" or "kind:" with the one suffix there is.
func parseSuffix(text, kind, suffix string) (string, error) {
	switch text {
	case kind + ":none":
		return "", nil
	case kind + ":" + suffix:
		return suffix, nil
	}
	return "", fmt.Errorf("%q is neither %s:none nor %s:%s", text, kind, kind, suffix)
}
