package narrative

import (
	"slices"
	"strings"

	"github.com/temporal-sre/copilot/pkg/health"
)

// The services that patterns are bound to.
var (
	historyService = []string{"history"}
	serverServices = []string{"frontend", "internal-frontend", "history", "matching", "worker"}
)

// knownServices are the names of writers that are certain. Any other name comes
// from the log's labels, and may stand for a whole server or for somebody else.
var knownServices = append(slices.Clone(serverServices), "workers")

// catalogued is the catalogue with its texts in lower case.
var catalogued = lowered(Catalogue())

// serverMessages are the messages, in lower case, that only the server writes.
var serverMessages = messagesOf(catalogued)

// Classify returns the first pattern of the catalogue that a template matches.
// It is shared and not to be changed.
func Classify(t health.LogTemplate) (*Pattern, bool) {
	low := health.LogTemplate{
		Service: t.Service, Level: strings.ToLower(t.Level),
		Message: strings.ToLower(t.Message), Error: strings.ToLower(t.Error),
		Component: strings.ToLower(t.Component), Lifecycle: strings.ToLower(t.Lifecycle),
	}
	for i := range catalogued {
		if catalogued[i].matches(&low) {
			return &catalogued[i].Pattern, true
		}
	}
	return nil, false
}

// PatternByID returns the pattern of the catalogue with an id. It is shared and
// not to be changed.
func PatternByID(id string) (*Pattern, bool) {
	for i := range catalogued {
		if catalogued[i].ID == id {
			return &catalogued[i].Pattern, true
		}
	}
	return nil, false
}

// EventMessages returns the texts by which lines at info level can be told that
// the catalogue knows: a line has to hold one of them. They are in the order of
// the catalogue, each once. A healthy server that nobody touches writes hardly
// any line with one of them.
func EventMessages() []string {
	var texts []string
	add := func(text string) {
		if text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	for i := range catalogued {
		for _, m := range catalogued[i].Match {
			if !slices.Contains(m.Levels, "info") {
				continue
			}
			for _, text := range m.Message {
				add(text)
			}
			add(m.Component)
		}
	}
	return texts
}

// lowerPattern is a pattern with what it compares in lower case.
type lowerPattern struct {
	Pattern
	low []Match
}

// lowered prepares the catalogue for comparing.
func lowered(patterns []Pattern) []lowerPattern {
	all := func(texts []string) []string {
		low := make([]string, len(texts))
		for i, text := range texts {
			low[i] = strings.ToLower(text)
		}
		return low
	}
	prepared := make([]lowerPattern, len(patterns))
	for i, p := range patterns {
		prepared[i].Pattern = p
		for _, m := range p.Match {
			prepared[i].low = append(prepared[i].low, Match{
				Levels: m.Levels, Message: all(m.Message), Error: all(m.Error),
				Component: strings.ToLower(m.Component), Lifecycle: strings.ToLower(m.Lifecycle),
			})
		}
	}
	return prepared
}

// messagesOf gathers the messages of patterns that are bound to services.
func messagesOf(patterns []lowerPattern) []string {
	var messages []string
	for i := range patterns {
		if len(patterns[i].Services) == 0 {
			continue
		}
		for _, m := range patterns[i].low {
			messages = append(messages, m.Message...)
		}
	}
	return messages
}

// matches compares a template in lower case. What is bound to services and told
// by an error, a level or a common word for a component needs a writer that is
// the server: an application writes of refused connections too.
func (p *lowerPattern) matches(t *health.LogTemplate) bool {
	bound := len(p.Services) > 0
	certain := slices.Contains(knownServices, t.Service)
	if bound && certain && !slices.Contains(p.Services, t.Service) {
		return false
	}
	return slices.ContainsFunc(p.low, func(m Match) bool {
		return m.matches(t) && (!bound || certain || strings.Contains(m.Component, "-") || len(m.Message) > 0 || byServer(t))
	})
}

// byServer tells whether a line whose writer is not certain is the server's: by
// its writer's name, which may be missing, or by its message. Its clients of gRPC
// call themselves "client".
func byServer(t *health.LogTemplate) bool {
	return t.Service == "" || t.Service == "client" || strings.Contains(strings.ToLower(t.Service), "temporal") || holds(t.Message, serverMessages)
}

// matches compares a template in lower case with a match in lower case. A
// template without level may have any, unless the level is all there is to tell.
func (m *Match) matches(t *health.LogTemplate) bool {
	levelOnly := len(m.Message) == 0 && len(m.Error) == 0 && m.Component == "" && m.Lifecycle == ""
	return (len(m.Levels) == 0 || (t.Level == "" && !levelOnly) || slices.Contains(m.Levels, t.Level)) &&
		strings.HasPrefix(t.Component, m.Component) && strings.HasPrefix(t.Lifecycle, m.Lifecycle) &&
		holds(t.Message, m.Message) && holds(t.Error, m.Error)
}

// holds tells whether a text holds one of some; with none to hold, any does.
func holds(text string, texts []string) bool {
	return len(texts) == 0 || slices.ContainsFunc(texts, func(part string) bool { return strings.Contains(text, part) })
}
