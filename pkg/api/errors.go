package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/temporal-sre/copilot/pkg/dsql"
)

// Codes of errors. They stay as they are from version to version; programs look
// at them, people at the message.
const (
	CodeInvalidParameter = "invalid_parameter"  // 400: a parameter cannot be right
	CodeClusterRequired  = "cluster_required"   // 400: there are several clusters, and none was chosen
	CodeUnauthorized     = "unauthorized"       // 401: no token, or a wrong one
	CodeForbiddenHost    = "forbidden_host"     // 403: a server without a token was addressed by a foreign name
	CodeUnknownCluster   = "unknown_cluster"    // 404: the store has never heard of the cluster
	CodeNotFound         = "not_found"          // 404: there is no such thing, or not yet
	CodeMethodNotAllowed = "method_not_allowed" // 405: see the header Allow
	CodeTooLarge         = "too_large"          // 413: the request's body is beyond what is read
	CodeInternal         = "internal"           // 500: a defect of the copilot; its log has more
	CodeNotImplemented   = "not_implemented"    // 501: promised for later
	CodeStoreUnavailable = "store_unavailable"  // 503: the store is away, and nothing is remembered
	CodeSchemaUnusable   = "schema_unusable"    // 503: the store has another schema than this program's
)

const (
	statusBadRequest = http.StatusBadRequest
	statusNotFound   = http.StatusNotFound
)

// maxEcho bounds what an error repeats of what was sent, in bytes.
const maxEcho = 64

// Error is what went wrong, for programs and for people.
type Error struct {
	// Status is the status of the HTTP answer.
	Status int `json:"-"`
	// Code says what kind of error it is.
	Code string `json:"code"`
	// Message says what is wrong, in one line.
	Message string `json:"message"`
	// Field is the parameter or header that is wrong, if one is, and Value what
	// it was, cut to 64 bytes.
	Field string `json:"field,omitempty"`
	Value string `json:"value,omitempty"`
	// Remedy says what to do about it.
	Remedy string `json:"remedy,omitempty"`
}

// Error is one line with field, value and remedy.
func (e *Error) Error() string {
	text := e.Message
	if e.Field != "" && e.Value != "" {
		text = e.Field + " " + quoted(e.Value) + ": " + text
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// ErrorAnswer is the body of every answer that is an error.
type ErrorAnswer struct {
	Error Error `json:"error"`
	// Message is the error in one line, where Grafana's front end looks for it.
	// Only the plugin sends it.
	Message string `json:"message,omitempty"`
}

// invalidParameter says that a parameter cannot be right.
func invalidParameter(field, value, message, remedy string) *Error {
	return &Error{
		Status: statusBadRequest, Code: CodeInvalidParameter,
		Field: field, Value: echo(value), Message: message, Remedy: remedy,
	}
}

// echo cuts what was sent to what an error repeats of it.
func echo(value string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	if len(value) <= maxEcho {
		return value
	}
	return strings.ToValidUTF8(value[:maxEcho], "") + "…"
}

// quoted puts a value between quotes as it is.
func quoted(value string) string { return `"` + value + `"` }

// listed joins names, at most 20 of them.
func listed(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// errorOf words an error of the store, or of ourselves, for a caller.
func errorOf(err error) *Error {
	var (
		own     *Error
		unknown *dsql.ErrUnknownCluster
		wrong   *dsql.InvalidError
		schema  *dsql.SchemaError
		connect *dsql.ConnectError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &unknown):
		e := &Error{Status: statusNotFound, Code: CodeUnknownCluster, Field: "cluster", Value: echo(unknown.Name)}
		e.Message, e.Remedy = "this cluster is not known", "use one of: "+listed(unknown.Known)
		if len(unknown.Known) == 0 {
			e.Message, e.Remedy = "the store holds no cluster yet", `start "copilot worker" to observe one`
		}
		return e
	case errors.Is(err, dsql.ErrNotFound):
		return &Error{Status: statusNotFound, Code: CodeNotFound, Message: err.Error()}
	case errors.As(err, &wrong):
		return &Error{Status: statusBadRequest, Code: CodeInvalidParameter, Message: wrong.Message}
	case errors.As(err, &schema):
		return &Error{Status: http.StatusServiceUnavailable, Code: CodeSchemaUnusable, Message: err.Error()}
	case errors.As(err, &connect):
		return &Error{
			Status: http.StatusServiceUnavailable, Code: CodeStoreUnavailable,
			Message: "cannot connect to " + connect.Target + ": " + connect.Reason, Remedy: connect.Remedy,
		}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{
			Status: http.StatusServiceUnavailable, Code: CodeStoreUnavailable,
			Message: "the store did not answer in time", Remedy: "try again; if that does not help, check the store and the way to it",
		}
	}
	return &Error{Status: http.StatusServiceUnavailable, Code: CodeStoreUnavailable, Message: err.Error(), Remedy: "see the copilot's log"}
}

// isAnswer tells whether an error is the store's answer, and not the lack of one.
func isAnswer(err error) bool { return errorOf(err).Status < http.StatusInternalServerError }
