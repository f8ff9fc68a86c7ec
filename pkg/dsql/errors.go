package dsql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrNotFound reports that the store holds no such thing. A cluster that the
// store has never heard of is ErrUnknownCluster instead.
var ErrNotFound = errors.New("not found")

// ErrReadOnly reports a write to a store that was opened with Config.ReadOnly.
var ErrReadOnly = errors.New("the store was opened for reading only")

// ErrUnknownCluster reports that no observation of this cluster was ever
// stored and that nobody registered it.
type ErrUnknownCluster struct {
	Name string
	// Known are the clusters that the store has, at most 20 of them, by name.
	Known []string
}

// Error names the cluster and those that could be meant.
func (e *ErrUnknownCluster) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("cluster %q is not known: the store holds no cluster yet; start \"copilot worker\" to observe one", e.Name)
	}
	return fmt.Sprintf("cluster %q is not known; the store holds: %s", e.Name, strings.Join(e.Known, ", "))
}

// InvalidError reports a question or a configuration that cannot be right.
type InvalidError struct {
	// Message is one line for people, with the remedy.
	Message string
}

func (e *InvalidError) Error() string { return e.Message }

func invalid(format string, args ...any) error {
	return &InvalidError{Message: fmt.Sprintf(format, args...)}
}

// TooLargeError reports something that is still beyond the database's limit of
// one MiB a column after all that may be left out was left out.
type TooLargeError struct {
	// What it is, such as "assessment of prod at 2026-11-24T03:04:30Z".
	What string
	// Bytes is its size as JSON, Limit what there is room for.
	Bytes, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is too large to store: %d bytes of at most %d; observe fewer task queues, or narrow the selector", e.What, e.Bytes, e.Limit)
}

// ConnectError reports that no connection to the database can be had.
type ConnectError struct {
	// Target says where the store is, without a password.
	Target string
	// Reason is why, Remedy what to do about it; both are for people.
	Reason, Remedy string
	// Refused tells that the server is there and turned us away, so that
	// trying again is no use until something was changed.
	Refused bool

	err error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("cannot connect to %s: %s; %s", e.Target, e.Reason, e.Remedy)
}

// Unwrap returns the driver's error.
func (e *ConnectError) Unwrap() error { return e.err }

// Temporary tells whether the call that returned err may succeed later without
// anybody doing anything: the database could not be reached, did not answer in
// time, had no connection free, or other writers were in the way at every try.
// It is false for a context that the caller cancelled.
func Temporary(err error) bool {
	var connect *ConnectError
	if errors.As(err, &connect) {
		return !connect.Refused
	}
	return errors.Is(err, context.DeadlineExceeded) || retryable(err)
}

// tokenError reports that no IAM token could be signed.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return "sign an IAM token: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// SQLSTATEs that are looked at; see appendix A of PostgreSQL's manual.
const (
	codeSerialization    = "40001" // DSQL: also OC000 and OC001, told in the message
	codeDeadlock         = "40P01"
	codeUniqueViolation  = "23505"
	codeUndefinedTable   = "42P01"
	codeUndefinedColumn  = "42703"
	codeDuplicateTable   = "42P07"
	codeDuplicateColumn  = "42701"
	codeDuplicateObject  = "42710"
	codeNoPrivilege      = "42501"
	codeReadOnly         = "25006"
	codeBadPassword      = "28P01"
	codeBadAuthorization = "28000"
	codeNoDatabase       = "3D000"
	codeTooManyConns     = "53300"
	codeTooFastConns     = "53400" // DSQL: connections are made too fast
	codeCannotConnectNow = "57P03"
	codeAdminShutdown    = "57P01"
	codeCrashShutdown    = "57P02"
	classConnection      = "08"
)

// sqlState returns the SQLSTATE of a server's error, or "".
func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

// explain turns an error of the driver into one line for people, which says
// what was tried, why it failed and what to do. Errors of this package pass.
func (s *Store) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	var (
		unknown *ErrUnknownCluster
		bad     *InvalidError
		large   *TooLargeError
		connect *ConnectError
		schema  *SchemaError
		pgErr   *pgconn.PgError
		trouble *pgconn.ConnectError
		token   *tokenError
	)
	switch {
	case errors.As(err, &unknown), errors.As(err, &bad), errors.As(err, &large),
		errors.As(err, &connect), errors.As(err, &schema):
		return err
	case errors.Is(err, ErrNotFound):
		return err
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, context.Canceled)
	case errors.As(err, &token):
		return &ConnectError{
			Target: s.target.String(), Refused: true, err: err,
			Reason: "no IAM token could be signed (" + oneLine(token.err) + ")",
			Remedy: "give the process AWS credentials (a role, a profile, or AWS_ACCESS_KEY_ID)",
		}
	case errors.As(err, &trouble):
		return s.explainConnect(err)
	case errors.Is(err, context.DeadlineExceeded):
		if stat := s.pool.Stat(); stat.AcquiredConns() >= stat.MaxConns() {
			return fmt.Errorf("%s: all %d connections to %s were in use; ask less at once, or allow more connections (pool_max_conns in a database URL): %w",
				what, stat.MaxConns(), s.target, context.DeadlineExceeded)
		}
		return fmt.Errorf("%s: %s did not answer in time: %w", what, s.target, context.DeadlineExceeded)
	}
	if !errors.As(err, &pgErr) {
		if isNetwork(err) {
			return s.explainConnect(err)
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	switch pgErr.Code {
	case codeUndefinedTable:
		s.schemaSeen.Store(false)
		return &SchemaError{Kind: ErrNoSchema, Target: s.target.String(), err: err}
	case codeUndefinedColumn:
		s.schemaSeen.Store(false)
		return &SchemaError{Kind: ErrOldSchema, Target: s.target.String(), err: err}
	case codeReadOnly:
		return fmt.Errorf("%s: %w (%s)", what, ErrReadOnly, pgErr.Message)
	case codeNoPrivilege:
		return fmt.Errorf("%s: the role %s may not (%s); an administrator grants it: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %s: %w",
			what, s.target.User, pgErr.Message, s.target.User, err)
	case codeSerialization, codeDeadlock:
		return fmt.Errorf("%s: other writers were in the way at every try; try again: %w", what, err)
	}
	if isConnectCode(pgErr.Code) {
		return s.explainConnect(err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// explainConnect says why there is no connection.
func (s *Store) explainConnect(err error) error {
	explained := &ConnectError{Target: s.target.String(), err: err}
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		pgErr       *pgconn.PgError
	)
	switch {
	case errors.As(err, &pgErr):
		explained.Reason = pgErr.Message
		s.explainRefusal(explained, pgErr.Code)
	case errors.As(err, &dns):
		explained.Reason = fmt.Sprintf("the host name %s is not known", dns.Name)
		explained.Remedy = "check the name"
	case errors.Is(err, syscall.ECONNREFUSED):
		explained.Reason = "nothing listens there"
		explained.Remedy = "check host and port, and that the database runs"
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &hostname):
		explained.Reason = "its TLS certificate is not trusted (" + oneLine(innermost(err)) + ")"
		explained.Remedy = "check the host name, or name the certificate authority in PGSSLROOTCERT"
		explained.Refused = true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), pgconn.Timeout(err):
		explained.Reason = "no answer in time"
		explained.Remedy = "check the network, security groups and firewalls on the way"
	default:
		explained.Reason = oneLine(innermost(err))
		explained.Remedy = "check that it is a PostgreSQL server and that it runs"
	}
	return explained
}

// explainRefusal fills in why the server turned us away.
func (s *Store) explainRefusal(explained *ConnectError, code string) {
	switch code {
	case codeBadPassword, codeBadAuthorization:
		explained.Refused = true
		explained.Remedy = "check user and password in the database URL"
		if s.target.DSQL {
			explained.Remedy = "check that the IAM identity may dsql:DbConnect and is granted the role (AWS IAM GRANT " + s.target.User + " TO '<role ARN>')"
		}
	case codeNoDatabase:
		explained.Refused = true
		explained.Remedy = "create the database, or correct its name in the database URL"
	case codeTooManyConns, codeTooFastConns:
		explained.Remedy = "wait, or let fewer programs connect"
	case codeCannotConnectNow, codeAdminShutdown, codeCrashShutdown:
		explained.Remedy = "wait until the database has started"
	default:
		explained.Refused = true
		explained.Remedy = "see the database's log (SQLSTATE " + code + ")"
	}
}

// isConnectCode tells whether a SQLSTATE is about the connection, not about
// what was asked over it.
func isConnectCode(code string) bool {
	switch code {
	case codeBadPassword, codeBadAuthorization, codeNoDatabase, codeTooManyConns, codeTooFastConns,
		codeCannotConnectNow, codeAdminShutdown, codeCrashShutdown:
		return true
	}
	return strings.HasPrefix(code, classConnection)
}

// isNetwork tells whether err is a broken or impossible connection.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, pgconn.ErrConnClosed)
}

// innermost returns the error at the end of a chain: the operating system's or
// the library's own words, without those of everyone on the way.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// oneLine writes an error on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
