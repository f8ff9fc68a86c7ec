package dsqltest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgproto3"
)

// startupSettings are those that a client may bring along.
var startupSettings = []string{"user", "database", "application_name", "client_encoding"}

// serve talks with one client until it goes.
func (s *Server) serve(conn net.Conn) error {
	client, startup, err := s.letIn(conn)
	if err != nil {
		s.count(func(stats *Stats) { stats.Refused++ })
		return err
	}
	up, err := s.connect(startup.Parameters["user"])
	if err != nil {
		return errors.Join(err, tell(client, fatal(codeInternal, "the PostgreSQL behind the stand-in: %s", err)))
	}
	defer up.conn.Close()
	s.count(func(stats *Stats) { stats.Connections++ })

	session := &session{
		server: s, backend: client.backend, conn: client.conn, up: up,
		statements: map[string]*prepared{}, portals: map[string]*portal{}, schema: s.schema.Load(),
	}
	session.send(&pgproto3.AuthenticationOk{})
	for _, name := range slices.Sorted(maps.Keys(up.status)) {
		session.send(&pgproto3.ParameterStatus{Name: name, Value: up.status[name]})
	}
	session.send(&pgproto3.BackendKeyData{ProcessID: up.pid, SecretKey: make([]byte, 4)})
	return session.run()
}

// guest is a client at the door.
type guest struct {
	conn    net.Conn
	backend *pgproto3.Backend
}

func tell(g *guest, response *pgproto3.ErrorResponse) error {
	g.backend.Send(response)
	return g.backend.Flush()
}

// letIn asks for TLS and for a token.
func (s *Server) letIn(conn net.Conn) (*guest, *pgproto3.StartupMessage, error) {
	g := &guest{conn: conn, backend: pgproto3.NewBackend(conn, conn)}
	first, err := g.backend.ReceiveStartupMessage()
	if err != nil {
		return nil, nil, err
	}
	if _, ok := first.(*pgproto3.SSLRequest); !ok {
		return nil, nil, refuse(g, codeAccess, "unable to accept connection, TLS is required")
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return nil, nil, err
	}
	encrypted := tls.Server(conn, s.secure)
	g.conn, g.backend = encrypted, pgproto3.NewBackend(encrypted, encrypted)
	second, err := g.backend.ReceiveStartupMessage()
	if err != nil {
		return nil, nil, err
	}
	startup, ok := second.(*pgproto3.StartupMessage)
	if !ok {
		return nil, nil, refuse(g, codeProtocol, "expected a startup message, got %T", second)
	}
	if code, reason := s.full(); code != "" {
		return nil, nil, refuse(g, code, "%s", reason)
	}
	for name := range startup.Parameters {
		if !slices.Contains(startupSettings, name) {
			return nil, nil, refuse(g, codeUnsupported, "setting configuration parameter %q not supported", name)
		}
	}
	if database := startup.Parameters["database"]; database != "postgres" {
		return nil, nil, refuse(g, "3D000", "database %q does not exist", database)
	}
	g.backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := errors.Join(g.backend.Flush(), g.backend.SetAuthType(pgproto3.AuthTypeCleartextPassword)); err != nil {
		return nil, nil, err
	}
	answer, err := g.backend.Receive()
	if err != nil {
		return nil, nil, err
	}
	password, ok := answer.(*pgproto3.PasswordMessage)
	if !ok {
		return nil, nil, refuse(g, codeProtocol, "expected a password, got %T", answer)
	}
	role := startup.Parameters["user"]
	if err := s.keys.verify(password.Password, hostName, Region, actionFor(role), s.opts.Clock.Now()); err != nil {
		return nil, nil, refuse(g, codeAccess, "unable to accept connection, access denied: %s", err)
	}
	return g, startup, nil
}

// refuse turns a client away.
func refuse(g *guest, code, format string, args ...any) error {
	response := fatal(code, format, args...)
	return errors.Join(fmt.Errorf("refused: %s", response.Message), tell(g, response))
}
