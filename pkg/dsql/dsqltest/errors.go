package dsqltest

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
)

// SQLSTATEs that the stand-in gives or looks at.
const (
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeLockTimeout   = "55P03"
	codeUnique        = "23505"
	codeDuplicate     = "42P07"
	codeSyntax        = "42601"
	codeNoStatement   = "26000"
	codeNoPortal      = "34000"
	codeAborted       = "25P02"
	codeUnsupported   = "0A000"
	codeLimit         = "54000"
	codeTooMany       = "53300"
	codeTooFast       = "53400"
	codeAccess        = "28000"
	codeProtocol      = "08P01"
	codeInternal      = "XX000"
)

// failure makes an error message as the server sends it.
func failure(code, format string, args ...any) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: fmt.Sprintf(format, args...),
	}
}

// fatal makes an error message after which the connection ends.
func fatal(code, format string, args ...any) *pgproto3.ErrorResponse {
	response := failure(code, format, args...)
	response.Severity, response.SeverityUnlocalized = "FATAL", "FATAL"
	return response
}

// dataConflict is the answer to a transaction that lost a row to another one.
func dataConflict() *pgproto3.ErrorResponse {
	return failure(codeSerialization, "mutation conflicts with another transaction, retry as needed (OC000)")
}

// schemaConflict is the answer to a session that works with an old schema.
func schemaConflict() *pgproto3.ErrorResponse {
	return failure(codeSerialization, "schema has been updated by another transaction, please retry: (OC001)")
}

// conflicting tells whether PostgreSQL's error means that another transaction
// was in the way.
func conflicting(err *pgproto3.ErrorResponse) bool {
	switch err.Code {
	case codeSerialization, codeDeadlock, codeLockTimeout:
		return true
	}
	return false
}

// alteredMeanwhile tells whether PostgreSQL's error on a DDL statement means
// that another session was just changing the same thing.
func alteredMeanwhile(err *pgproto3.ErrorResponse) bool {
	return conflicting(err) || err.Code == codeUnique || err.Code == codeInternal
}
