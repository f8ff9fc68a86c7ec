package proxy

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// conflict is what Aurora DSQL answers to a commit that conflicts with another
// one. It checks for conflicts only then (optimistic concurrency control).
var conflict = pgproto3.ErrorResponse{
	Severity:            "ERROR",
	SeverityUnlocalized: "ERROR",
	Code:                "40001", // serialization_failure
	Message:             "change conflicts with another transaction, please retry: (OC000)",
}

// Codes of the messages that a client begins a connection with; they have no
// type byte. https://www.postgresql.org/docs/16/protocol-message-formats.html
const (
	codeTLS           = 80877103
	codeGSSEncryption = 80877104
)

const (
	headerSize = 5 // of a message: its type, and its length without the type
	// longestCommit bounds, in bytes, the messages that are read as a whole.
	longestCommit = 32
)

// conversation follows one connection in PostgreSQL's protocol and makes some
// of its commits fail: the server gets a rollback instead, and the client the
// error of a conflict. Everything else passes unchanged. Statements outside of
// transactions, which commit by themselves, are left alone.
type conversation struct {
	// fails tells whether the next commit fails.
	fails func() bool

	mu             sync.Mutex
	client, server reader
	// opaque tells that both sides have agreed on encryption.
	opaque bool
	// started tells that the client's messages have types from now on.
	started bool
	// bytes is how many single bytes without a message the server will send:
	// its answers to requests for encryption.
	bytes int
	// awaited has an element for each ReadyForQuery that the server will send:
	// whether it ends the answer to a commit that fails.
	awaited []bool
}

func newConversation(fails func() bool) *conversation {
	return &conversation{fails: fails}
}

// fromClient takes what the client has sent and returns what the server gets.
func (c *conversation) fromClient(data []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []byte
	for len(data) > 0 {
		switch {
		case c.opaque:
			return append(out, data...)
		case !c.started:
			if message := c.client.first(&data); message != nil {
				out = append(out, message...)
				c.begin(message)
			}
		default:
			out = c.client.next(&data, out, c.isShortQuery, c.asked)
		}
	}
	return out
}

// fromServer takes what the server has sent and returns what the client gets.
func (c *conversation) fromServer(data []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []byte
	for len(data) > 0 {
		switch {
		case c.opaque:
			return append(out, data...)
		case c.bytes > 0:
			c.bytes--
			c.opaque = data[0] != 'N'
			out = append(out, data[0])
			data = data[1:]
		default:
			out = c.server.next(&data, out, c.isDoomedAnswer, c.answered)
		}
	}
	return out
}

// begin looks at one of the client's first messages.
func (c *conversation) begin(message []byte) {
	switch binary.BigEndian.Uint32(message[4:]) {
	case codeTLS, codeGSSEncryption:
		c.bytes++
	default:
		c.started = true
		c.awaited = append(c.awaited, false) // the server says when it is ready
	}
}

// isShortQuery tells which of the client's messages may be a commit.
func (c *conversation) isShortQuery(kind byte, size int) bool {
	return kind == 'Q' && size <= longestCommit
}

// asked looks at a message of the client; of one that is not a short query it
// only gets the header.
func (c *conversation) asked(message []byte) []byte {
	switch message[0] {
	case 'Q':
		fail := isCommit(message[headerSize:]) && c.fails()
		c.awaited = append(c.awaited, fail)
		if fail {
			return encoded(&pgproto3.Query{String: "rollback"})
		}
	case 'S', 'F': // Sync and FunctionCall end with a ReadyForQuery, too
		c.awaited = append(c.awaited, false)
	}
	return message
}

// isCommit tells whether the text of a query, with the zero at its end, is a
// commit and nothing else.
func isCommit(text []byte) bool {
	return strings.EqualFold(strings.TrimRight(string(text), "; \x00"), "commit")
}

// isDoomedAnswer tells which of the server's messages are read as a whole: the
// success of what was made of a failing commit.
func (c *conversation) isDoomedAnswer(kind byte, _ int) bool {
	return kind == 'C' && len(c.awaited) > 0 && c.awaited[0]
}

// answered looks at a message of the server.
func (c *conversation) answered(message []byte) []byte {
	if c.isDoomedAnswer(message[0], 0) {
		return encoded(&conflict)
	}
	if message[0] == 'Z' && len(c.awaited) > 0 {
		c.awaited = slices.Delete(c.awaited, 0, 1)
	}
	return message
}

// encoded is a message as it is sent. Those that are sent here can be encoded.
func encoded(message pgproto3.Message) []byte {
	data, _ := message.Encode(nil)
	return data
}

// reader cuts the stream of one side into messages.
type reader struct {
	held []byte // of a message that is read as a whole, or of a header
	rest int    // bytes of a message whose header has passed
}

// next moves one step on in data: it passes on bytes of a message that has
// begun, or completes a header, or a message that is wanted as a whole, and
// passes on what change makes of it.
func (r *reader) next(data *[]byte, out []byte, wanted func(kind byte, size int) bool, change func([]byte) []byte) []byte {
	if r.rest > 0 {
		n := min(r.rest, len(*data))
		out = append(out, (*data)[:n]...)
		r.rest -= n
		*data = (*data)[n:]
		return out
	}
	if !r.fill(data, headerSize) {
		return out
	}
	size := 1 + int(binary.BigEndian.Uint32(r.held[1:]))
	if !wanted(r.held[0], size) {
		r.rest = max(0, size-headerSize)
		return append(out, change(r.take())...)
	}
	if !r.fill(data, size) {
		return out
	}
	return append(out, change(r.take())...)
}

// first returns the next message without a type once it has come in: at least
// its length and a code.
func (r *reader) first(data *[]byte) []byte {
	if !r.fill(data, 4) || !r.fill(data, max(8, int(binary.BigEndian.Uint32(r.held)))) {
		return nil
	}
	return r.take()
}

// fill holds bytes of data until there are enough.
func (r *reader) fill(data *[]byte, size int) bool {
	n := min(max(0, size-len(r.held)), len(*data))
	r.held = append(r.held, (*data)[:n]...)
	*data = (*data)[n:]
	return len(r.held) >= size
}

func (r *reader) take() []byte {
	message := r.held
	r.held = nil
	return message
}
