package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// minCompressed is the size in bytes from which a body is compressed.
const minCompressed = 1 << 10

// retryAfter is what a caller is told to wait when the store is away, in
// seconds.
const retryAfter = "5"

// body is an answer as it is sent. It may be sent by many goroutines.
type body struct {
	plain []byte
	// tag is the entity tag of a GET; empty: the answer is not to be kept.
	tag string

	once   sync.Once
	zipped []byte
}

// encode writes a value as JSON.
func encode(value any) (*body, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return &body{plain: buffer.Bytes()}, nil
}

// compressed returns the body compressed; nil if that does not make it smaller.
func (b *body) compressed() []byte {
	b.once.Do(func() {
		if len(b.plain) < minCompressed {
			return
		}
		var buffer bytes.Buffer
		writer, err := gzip.NewWriterLevel(&buffer, gzip.BestSpeed)
		if err != nil {
			return
		}
		// Writing to memory does not fail.
		_, _ = writer.Write(b.plain)
		_ = writer.Close()
		if buffer.Len() < len(b.plain) {
			b.zipped = buffer.Bytes()
		}
	})
	return b.zipped
}

// tagOf makes an entity tag from what an answer says. It is a weak one: the same
// answer may be sent compressed, and its age goes on.
func tagOf(parts ...[]byte) string {
	digest := sha256.Sum256(bytes.Join(parts, []byte{0}))
	return hex.EncodeToString(digest[:8])
}

// answer sends a value with an entity tag that follows from its content.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, value any) {
	b, err := encode(value)
	if err != nil {
		h.fail(w, r, defect(err))
		return
	}
	b.tag = tagOf(b.plain)
	h.send(w, r, http.StatusOK, b)
}

// send sends a body, or 304 if the caller has it already.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, status int, b *body) {
	header := w.Header()
	if header.Get("Cache-Control") == "" {
		// A cache may keep what was answered, and has to ask whether it holds.
		header.Set("Cache-Control", "private, no-cache")
	}
	if b.tag != "" {
		header.Set("ETag", `W/"`+b.tag+`"`)
		if holds(r.Header.Get("If-None-Match"), b.tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	} else {
		header.Set("Cache-Control", "no-store")
	}
	data := b.plain
	if !h.options.Plugin {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			if zipped := b.compressed(); zipped != nil {
				header.Set("Content-Encoding", "gzip")
				data = zipped
			}
		}
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		// The caller is gone if this fails.
		_, _ = w.Write(data)
	}
}

// fail sends an error.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	e := errorOf(err)
	if errors.As(err, &tooLarge) {
		e = &Error{Status: http.StatusRequestEntityTooLarge, Code: CodeTooLarge, Message: "the request's body is too large", Remedy: "send at most " + strconv.Itoa(maxBody) + " bytes"}
	}
	recorderOf(r).failure = e
	answer := ErrorAnswer{Error: *e}
	if h.options.Plugin {
		answer.Message = e.Error()
	}
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	b, err := encode(answer)
	if err != nil {
		// An Error holds nothing but text.
		panic(err)
	}
	h.send(w, r, e.Status, b)
}

// defect hides the words of an error that is the copilot's own.
func defect(err error) error {
	return &Error{Status: http.StatusInternalServerError, Code: CodeInternal, Message: "the answer could not be written: " + err.Error(), Remedy: "please report it"}
}

// holds tells whether a tag is among those of an If-None-Match header.
func holds(header, tag string) bool {
	for _, known := range strings.Split(header, ",") {
		known = strings.TrimPrefix(strings.TrimSpace(known), "W/")
		if known == "*" || known == `"`+tag+`"` {
			return true
		}
	}
	return false
}

// acceptsGzip reads an Accept-Encoding header.
func acceptsGzip(header string) bool {
	for _, coding := range strings.Split(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
			continue
		}
		text, found := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		if !found {
			return true
		}
		q, err := strconv.ParseFloat(text, 64)
		return err == nil && q > 0
	}
	return false
}
