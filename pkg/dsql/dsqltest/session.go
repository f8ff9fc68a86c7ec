package dsqltest

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"
)

// session is one client's connection. Its statements and portals live in
// PostgreSQL under names of the session's own, so that what it does beside them
// does not disturb the client's unnamed ones.
type session struct {
	server  *Server
	backend *pgproto3.Backend
	conn    net.Conn
	up      *upstream

	statements map[string]*prepared
	portals    map[string]*portal
	names      int // given out so far

	// tx is the transaction under way, nil outside of one.
	tx *transaction
	// skipping is set after an error until the client's Sync.
	skipping bool
	// schema is the version of the schema that this session has seen.
	schema int64

	// out holds what the client has yet to be sent.
	out []byte
}

// prepared is a statement of the extended protocol.
type prepared struct {
	statement
	name string // in PostgreSQL
	oids []uint32
}

// portal is a prepared statement with its parameters.
type portal struct {
	*prepared
	name string // in PostgreSQL
	bind pgproto3.Bind
}

// errEnd ends a session without further words.
var errEnd = errors.New("the session ends")

// send prepares a message for the client.
func (s *session) send(message pgproto3.BackendMessage) {
	encoded, err := message.Encode(s.out)
	if err != nil {
		// Only messages that are larger than the protocol allows.
		panic(fmt.Sprintf("dsqltest: encode %T: %v", message, err))
	}
	s.out = encoded
}

// flush sends what was prepared.
func (s *session) flush() error {
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

// ready says that the next message may come, and in what state the session is.
func (s *session) ready() error {
	status := byte('I')
	if s.tx != nil {
		status = 'T'
		if s.tx.failed {
			status = 'E'
		}
	}
	s.send(&pgproto3.ReadyForQuery{TxStatus: status})
	return s.flush()
}

// fail tells the client of an error, which ends what its transaction can do.
func (s *session) fail(response *pgproto3.ErrorResponse) {
	s.send(response)
	if s.tx != nil {
		s.tx.failed = true
	}
}

// run answers the client's messages until it goes.
func (s *session) run() error {
	if err := s.ready(); err != nil {
		return err
	}
	for {
		message, err := s.backend.Receive()
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *pgproto3.Terminate:
			return nil
		case *pgproto3.Query:
			if err = s.query(m.String); err == nil {
				err = s.ready()
			}
		case *pgproto3.Sync:
			s.skipping = false
			if err = s.endImplicit(); err == nil {
				err = s.ready()
			}
		case *pgproto3.Flush:
			err = s.flush()
		default:
			if !s.skipping {
				err = s.step(message)
			}
		}
		if err != nil {
			return err
		}
	}
}

// query answers a message of the simple protocol. A statement outside of a
// transaction is one of its own, whose commit comes before its answer.
func (s *session) query(sql string) error {
	parsed, refused := parse(sql)
	if refused != nil {
		s.fail(refused)
		return nil
	}
	if parsed.kind == empty {
		s.send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	p := &portal{prepared: &prepared{statement: parsed}}
	if parsed.control() {
		response, err := s.control(p.statement)
		if response != nil {
			s.fail(response)
		}
		return err
	}
	if err := s.ensure(); err != nil {
		return err
	}
	answer, response, err := s.execute(p, s.up.simple)
	if err != nil {
		return err
	}
	if response == nil && s.tx.implicit {
		response, err = s.commit()
	} else if s.tx.implicit {
		err = s.rollback()
	}
	if err != nil {
		return err
	}
	if response != nil {
		s.fail(response)
		return nil
	}
	if parsed.async {
		s.send(jobColumn)
	}
	s.out = append(append(s.out, answer.body...), answer.complete...)
	return nil
}

// step answers a message of the extended protocol.
func (s *session) step(message pgproto3.FrontendMessage) error {
	var (
		response *pgproto3.ErrorResponse
		err      error
	)
	switch m := message.(type) {
	case *pgproto3.Parse:
		response, err = s.parse(m)
	case *pgproto3.Bind:
		response, err = s.bind(m)
	case *pgproto3.Describe:
		response, err = s.describe(m)
	case *pgproto3.Execute:
		response, err = s.executePortal(m)
	case *pgproto3.Close:
		err = s.closeObject(m)
	default:
		response = failure(codeProtocol, "the stand-in does not take the message %T", message)
	}
	if response != nil {
		s.fail(response)
		s.skipping = true
	}
	return err
}

// name gives out a name for something in PostgreSQL.
func (s *session) name() string {
	s.names++
	return "dsqltest_" + strconv.Itoa(s.names)
}

// own tells whether a statement is carried out here and not in PostgreSQL.
func (s *statement) own() bool { return s.control() || s.async || s.kind == empty }

// control tells whether a statement begins or ends a transaction.
func (s *statement) control() bool { return s.kind == begin || s.kind == commit || s.kind == rollback }

func (s *session) parse(m *pgproto3.Parse) (*pgproto3.ErrorResponse, error) {
	parsed, refused := parse(m.Query)
	if refused != nil {
		return refused, nil
	}
	if s.tx != nil && s.tx.failed && parsed.kind != commit && parsed.kind != rollback {
		return aborted(), nil
	}
	p := &prepared{statement: parsed, name: s.name(), oids: slices.Clone(m.ParameterOIDs)}
	if !parsed.own() {
		if err := s.ensure(); err != nil {
			return nil, err
		}
		answer, err := s.up.extended(&pgproto3.Parse{Name: p.name, Query: p.sql, ParameterOIDs: p.oids})
		if err != nil || answer.err != nil {
			return errorOf(answer), err
		}
	}
	s.statements[m.Name] = p
	s.send(&pgproto3.ParseComplete{})
	return nil, nil
}

func (s *session) bind(m *pgproto3.Bind) (*pgproto3.ErrorResponse, error) {
	p, found := s.statements[m.PreparedStatement]
	if !found {
		return failure(codeNoStatement, "prepared statement %q does not exist", m.PreparedStatement), nil
	}
	bound := &portal{prepared: p, name: s.name(), bind: *m}
	// The message's own memory is used again for the next one.
	bound.bind.Parameters = make([][]byte, len(m.Parameters))
	for i, parameter := range m.Parameters {
		bound.bind.Parameters[i] = slices.Clone(parameter)
	}
	if !p.own() {
		if s.tx != nil && s.tx.failed {
			return aborted(), nil
		}
		if err := s.ensure(); err != nil {
			return nil, err
		}
		answer, err := s.up.extended(bound.message(p.name))
		if err != nil || answer.err != nil {
			return errorOf(answer), err
		}
	}
	s.portals[m.DestinationPortal] = bound
	s.send(&pgproto3.BindComplete{})
	return nil, nil
}

// message makes the portal's Bind for a statement in PostgreSQL.
func (p *portal) message(statement string) *pgproto3.Bind {
	bind := p.bind
	bind.DestinationPortal, bind.PreparedStatement = p.name, statement
	return &bind
}

func (s *session) describe(m *pgproto3.Describe) (*pgproto3.ErrorResponse, error) {
	var name string
	var described *prepared
	if m.ObjectType == 'S' {
		p, found := s.statements[m.Name]
		if !found {
			return failure(codeNoStatement, "prepared statement %q does not exist", m.Name), nil
		}
		described, name = p, p.name
	} else {
		p, found := s.portals[m.Name]
		if !found {
			return failure(codeNoPortal, "portal %q does not exist", m.Name), nil
		}
		described, name = p.prepared, p.name
	}
	if described.own() {
		if m.ObjectType == 'S' {
			s.send(&pgproto3.ParameterDescription{})
		}
		if described.async {
			s.send(jobColumn)
		} else {
			s.send(&pgproto3.NoData{})
		}
		return nil, nil
	}
	answer, err := s.up.extended(&pgproto3.Describe{ObjectType: m.ObjectType, Name: name})
	if err != nil || answer.err != nil {
		return errorOf(answer), err
	}
	s.out = append(s.out, answer.body...)
	return nil, nil
}

func (s *session) executePortal(m *pgproto3.Execute) (*pgproto3.ErrorResponse, error) {
	p, found := s.portals[m.Portal]
	if !found {
		return failure(codeNoPortal, "portal %q does not exist", m.Portal), nil
	}
	switch {
	case p.kind == empty:
		s.send(&pgproto3.EmptyQueryResponse{})
		return nil, nil
	case p.control():
		return s.control(p.statement)
	}
	if err := s.ensure(); err != nil {
		return nil, err
	}
	bound := p.name
	answer, response, err := s.execute(p, func(sql string) (*reply, error) {
		if bound != "" && sql == p.sql {
			name := bound
			bound = "" // a portal can be run once
			return s.up.extended(&pgproto3.Execute{Portal: name, MaxRows: m.MaxRows})
		}
		again := &portal{prepared: p.prepared, name: s.name(), bind: p.bind}
		statement := s.name()
		return s.up.extended(
			&pgproto3.Parse{Name: statement, Query: sql, ParameterOIDs: p.oids},
			again.message(statement),
			&pgproto3.Execute{Portal: again.name, MaxRows: m.MaxRows},
		)
	})
	if err != nil || response != nil {
		return response, err
	}
	s.out = append(append(s.out, answer.body...), answer.complete...)
	return nil, nil
}

func (s *session) closeObject(m *pgproto3.Close) error {
	name := ""
	if m.ObjectType == 'S' {
		if p, found := s.statements[m.Name]; found && !p.own() {
			name = p.name
		}
		delete(s.statements, m.Name)
	} else {
		if p, found := s.portals[m.Name]; found && !p.own() {
			name = p.name
		}
		delete(s.portals, m.Name)
	}
	if name != "" && (s.tx == nil || !s.tx.failed) {
		if _, err := s.up.extended(&pgproto3.Close{ObjectType: m.ObjectType, Name: name}); err != nil {
			return err
		}
	}
	s.send(&pgproto3.CloseComplete{})
	return nil
}

// errorOf returns the error in an answer, which may be none.
func errorOf(answer *reply) *pgproto3.ErrorResponse {
	if answer == nil {
		return nil
	}
	return answer.err
}

func aborted() *pgproto3.ErrorResponse {
	return failure(codeAborted, "current transaction is aborted, commands ignored until end of transaction block")
}
