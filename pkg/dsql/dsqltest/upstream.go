package dsqltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// lockWait is how long a write waits for another transaction's lock before it
// counts as a conflict.
const lockWait = 20 * time.Millisecond

// upstream is a session of the PostgreSQL behind the stand-in.
type upstream struct {
	conn     net.Conn
	frontend *pgproto3.Frontend
	pid      uint32
	status   map[string]string
}

// connect opens a session as a role. It comes in as the superuser, because the
// role has no password there.
func (s *Server) connect(role string) (*upstream, error) {
	cfg := s.backing.Copy()
	cfg.RuntimeParams["default_transaction_isolation"] = "repeatable read"
	cfg.RuntimeParams["lock_timeout"] = fmt.Sprint(lockWait.Milliseconds())
	// The session outlives every context: the client's going ends it.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "SET SESSION AUTHORIZATION "+quoted(role)).ReadAll(); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	hijacked, err := conn.Hijack()
	if err != nil {
		return nil, err
	}
	return &upstream{
		conn: hijacked.Conn, frontend: hijacked.Frontend, pid: hijacked.PID, status: hijacked.ParameterStatuses,
	}, nil
}

// reply is what PostgreSQL answered, as the client will be told it.
type reply struct {
	// body holds the messages before the last one, complete the last one.
	body, complete []byte
	tag            string
	rows           int
	// skipped is set when a DDL statement found its work done.
	skipped bool
	err     *pgproto3.ErrorResponse
}

// take adds a message of PostgreSQL to the reply.
func (r *reply) take(message pgproto3.BackendMessage) (err error) {
	switch m := message.(type) {
	case *pgproto3.ErrorResponse:
		failed := *m
		r.err = &failed
		return nil
	case *pgproto3.CommandComplete:
		r.tag = string(m.CommandTag)
		r.complete, err = m.Encode(nil)
		return err
	case *pgproto3.ParseComplete, *pgproto3.BindComplete, *pgproto3.CloseComplete:
		return nil // the session says it for itself
	case *pgproto3.NoticeResponse:
		r.skipped = r.skipped || m.Code == codeDuplicate || m.Code == "42701"
	case *pgproto3.DataRow:
		r.rows++
	}
	r.body, err = message.Encode(r.body)
	return err
}

// simple runs a text by the simple protocol.
func (u *upstream) simple(sql string) (*reply, error) {
	u.frontend.Send(&pgproto3.Query{String: sql})
	return u.collect(nil)
}

// do runs a text of the stand-in's own, which must not fail.
func (u *upstream) do(sql string) error {
	r, err := u.simple(sql)
	if err == nil && r.err != nil {
		err = fmt.Errorf("%s: %s (%s)", sql, r.err.Message, r.err.Code)
	}
	return err
}

// extended sends messages of the extended protocol and reads until the last of
// them is answered.
func (u *upstream) extended(messages ...pgproto3.FrontendMessage) (*reply, error) {
	for _, message := range messages {
		u.frontend.Send(message)
	}
	u.frontend.Send(&pgproto3.Flush{})
	return u.collect(messages)
}

// collect sends what was prepared and reads the answers to messages of the
// extended protocol or, if there are none, to a simple query.
func (u *upstream) collect(messages []pgproto3.FrontendMessage) (*reply, error) {
	if err := u.frontend.Flush(); err != nil {
		return nil, err
	}
	r := &reply{}
	for {
		message, err := u.frontend.Receive()
		if err != nil {
			return nil, err
		}
		if _, done := message.(*pgproto3.ReadyForQuery); done {
			return r, nil
		}
		if err := r.take(message); err != nil {
			return nil, err
		}
		if len(messages) == 0 {
			continue
		}
		if r.err != nil {
			// PostgreSQL now waits for a Sync, and then says that it is ready.
			u.frontend.Send(&pgproto3.Sync{})
			if err := u.frontend.Flush(); err != nil {
				return nil, err
			}
			continue
		}
		if !answers(message, messages[0]) {
			continue
		}
		if messages = messages[1:]; len(messages) == 0 {
			return r, nil
		}
	}
}

// answers tells whether a message of the server is the last one of the answer
// to a client's.
func answers(message pgproto3.BackendMessage, question pgproto3.FrontendMessage) bool {
	switch message.(type) {
	case *pgproto3.ParseComplete:
		_, ok := question.(*pgproto3.Parse)
		return ok
	case *pgproto3.BindComplete:
		_, ok := question.(*pgproto3.Bind)
		return ok
	case *pgproto3.RowDescription, *pgproto3.NoData:
		_, ok := question.(*pgproto3.Describe)
		return ok
	case *pgproto3.CommandComplete, *pgproto3.EmptyQueryResponse, *pgproto3.PortalSuspended:
		_, ok := question.(*pgproto3.Execute)
		return ok
	case *pgproto3.CloseComplete:
		_, ok := question.(*pgproto3.Close)
		return ok
	}
	return false
}
