package narrative

import (
	"github.com/temporal-sre/copilot/pkg/health"
)

// Pattern is an entry of the catalogue: a thing that logs say.
type Pattern struct {
	// ID names the pattern, as in "persistence.unavailable".
	ID string
	// Title says in a few words what lines of it say.
	Title string
	// Meaning is what that means for an operator, in one or two sentences.
	Meaning  string
	Severity health.LogSeverity
	// Services are those that write it; empty: any.
	Services []string
	// Match holds what lines look like: any of them.
	Match []Match
	// Gates are the ids of the rules whose firing it can explain.
	Gates []string
	// Follows are the ids of patterns that bring this one about: while one of them
	// is news, this one is a consequence and is told after it.
	Follows []string
	// Source says where the messages come from.
	Source string
}

// Match is what a template looks like. An empty field matches everything.
type Match struct {
	// Levels are those that the line may have.
	Levels []string
	// Message and Error are texts one of which has to be in that field, without
	// regard to case.
	Message, Error []string
	// Component and Lifecycle are texts that the field has to begin with.
	Component, Lifecycle string
}
