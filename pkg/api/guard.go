package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// admit says whether a request may be answered.
func (h *Handler) admit(r *http.Request) *Error {
	if h.options.LoopbackOnly && !namesLoopback(r.Host) {
		return &Error{
			Status: http.StatusForbidden, Code: CodeForbiddenHost, Field: "Host", Value: echo(r.Host),
			Message: "without a token this server answers only under a name of the loopback interface",
			Remedy:  "address it as localhost, or start it with a token",
		}
	}
	if h.options.Token == "" || r.URL.Path == pathHealthz || r.URL.Path == pathReadyz {
		return nil
	}
	missing := &Error{
		Status: http.StatusUnauthorized, Code: CodeUnauthorized, Field: "Authorization",
		Message: "a token is needed", Remedy: "send the header Authorization: Bearer <token>",
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return missing
	}
	// Digests have one length, so that the comparison tells nothing about it.
	want, got := sha256.Sum256([]byte(h.options.Token)), sha256.Sum256([]byte(strings.TrimSpace(token)))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		missing.Message, missing.Remedy = "the token is not the right one", "send the token that the server was started with"
		return missing
	}
	return nil
}

// namesLoopback tells whether a Host header names the loopback interface.
func namesLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// cors lets the pages of the allowed origins read answers. It tells whether the
// request was a preflight and has been answered with that.
func (h *Handler) cors(w http.ResponseWriter, r *http.Request) bool {
	if len(h.options.AllowOrigins) == 0 {
		return false
	}
	header := w.Header()
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
		return false
	case slices.Contains(h.options.AllowOrigins, origin):
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Allow-Credentials", "true")
	case slices.Contains(h.options.AllowOrigins, "*"):
		// Never with credentials: any page could then read as the user.
		header.Set("Access-Control-Allow-Origin", "*")
	default:
		return false
	}
	header.Set("Access-Control-Expose-Headers", "ETag, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match")
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// CheckOrigin says whether a text can be an entry of Options.AllowOrigins:
// scheme, host and, if need be, port, as browsers send them, or "*".
func CheckOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	parsed, err := url.Parse(origin)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" ||
		parsed.Scheme+"://"+strings.ToLower(parsed.Host) != origin {
		return fmt.Errorf("%q is no origin: write scheme and host alone, in lower case, like https://grafana.example.com", origin)
	}
	return nil
}
