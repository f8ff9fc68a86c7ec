package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/dsql"
)

// settingsInvalid says that the data source's settings cannot be right.
type settingsInvalid struct{ err error }

// Error says where to mend it.
func (e *settingsInvalid) Error() string {
	return "the data source's settings are wrong: " + e.err.Error()
}

// Unwrap returns what is wrong.
func (e *settingsInvalid) Unwrap() error { return e.err }

// queryError says that a query cannot be answered as it is written.
type queryError struct{ message string }

// Error says what is wrong with the query, and what to write instead.
func (e *queryError) Error() string { return e.message }

// badQuery makes a queryError.
func badQuery(format string, args ...any) error {
	return &queryError{message: fmt.Sprintf(format, args...)}
}

// notYetError says that nothing was stored so far that could be the answer.
type notYetError struct{ message string }

// Error says what is missing, and who would write it.
func (e *notYetError) Error() string { return e.message }

// notYet makes a notYetError.
func notYet(format string, args ...any) error {
	return &notYetError{message: fmt.Sprintf(format, args...)}
}

// failure makes an error the answer to a query. Grafana's operators watch the
// errors of plugins, so it is said whose the error is: a wrong query or setting,
// an unknown cluster and a store that is away are not the plugin's.
func failure(err error) backend.DataResponse {
	return backend.DataResponse{
		Status:      statusOf(err),
		Error:       err,
		ErrorSource: backend.ErrorSourceDownstream,
	}
}

// statusOf says in HTTP's words what kind of failure err is.
func statusOf(err error) backend.Status {
	var (
		query    *queryError
		settings *settingsInvalid
		invalid  *dsql.InvalidError
		unknown  *dsql.ErrUnknownCluster
		early    *notYetError
	)
	switch {
	case errors.As(err, &query), errors.As(err, &settings), errors.As(err, &invalid):
		return backend.StatusBadRequest
	case errors.As(err, &unknown), errors.As(err, &early), errors.Is(err, dsql.ErrNotFound):
		return backend.StatusNotFound
	case errors.Is(err, context.DeadlineExceeded):
		return backend.StatusTimeout
	}
	return backend.StatusBadGateway
}

// isAnswer tells whether an error is what the store knows, and not that it could
// not be asked.
func isAnswer(err error) bool {
	var (
		unknown *dsql.ErrUnknownCluster
		schema  *dsql.SchemaError
	)
	return errors.As(err, &unknown) || errors.As(err, &schema) || errors.Is(err, dsql.ErrNotFound)
}

// upper makes the first letter a capital, for messages that stand alone.
func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
