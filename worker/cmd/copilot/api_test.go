package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/temporal-sre/copilot/pkg/api"
)

// served is a running "copilot api".
type served struct {
	url    string
	stop   context.CancelFunc
	code   chan int
	stderr *lockedBuffer
}

// lockedBuffer is a buffer for a log that is written while it is read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve runs "copilot api" until the test ends.
func serve(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &served{stop: stop, code: make(chan int, 1), stderr: &lockedBuffer{}}
	reader, writer := io.Pipe()
	go func() {
		s.code <- run(ctx, append([]string{"api"}, args...), writer, s.stderr)
		writer.Close()
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("it did not say where it listens: %v; stderr:\n%s", err, s.stderr)
	}
	_, rest, _ := strings.Cut(line, "listens at ")
	s.url, _, _ = strings.Cut(rest, " ")
	if !strings.HasPrefix(s.url, "http") || strings.HasSuffix(s.url, ":0") {
		t.Fatalf("it says: %q", line)
	}
	t.Cleanup(func() {
		stop()
		if code := <-s.code; code != 0 {
			t.Errorf("exit %d; stderr:\n%s", code, s.stderr)
		}
	})
	return s
}

// get asks for a path and returns status and body.
func (s *served) get(t *testing.T, client *http.Client, path, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestAPI(t *testing.T) {
	database := incidentDatabase(t, 5*time.Minute, time.Second, "prod")
	s := serve(t, "--listen", "127.0.0.1:0", "--database-url", database, "--log-format", "json")
	code, body := s.get(t, http.DefaultClient, "/status", "")
	var status api.StatusAnswer
	if err := json.Unmarshal([]byte(body), &status); err != nil || code != 200 || status.Cluster != "prod" || status.Degraded {
		t.Errorf("%d %v %.300s", code, err, body)
	}
	if code, body = s.get(t, http.DefaultClient, "/readyz", ""); code != 200 {
		t.Errorf("/readyz: %d %s", code, body)
	}
	code, body = s.get(t, http.DefaultClient, "/metrics", "")
	for _, part := range []string{`copilot_api_requests_total{method="GET",route="/status",status="200"} 1`, `copilot_api_request_duration_seconds_bucket{route="/status"`, "copilot_api_degraded_answers_total 0", "go_goroutines"} {
		if code != 200 || !strings.Contains(body, part) {
			t.Errorf("/metrics: %d, no %s", code, part)
		}
	}
	if !strings.Contains(s.stderr.String(), `"path":"/status","status":200`) {
		t.Errorf("the log: %s", s.stderr)
	}
}

// forgetful passes connections on to a PostgreSQL, but drops the settings that
// they ask for, as some connection poolers do. It returns a URL to connect to.
func forgetful(t *testing.T, database string) string {
	t.Helper()
	at, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	upstream := at.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	pass := func(client net.Conn) {
		defer client.Close()
		message, err := pgproto3.NewBackend(client, client).ReceiveStartupMessage()
		startup, ok := message.(*pgproto3.StartupMessage)
		if err != nil || !ok {
			return // a request to cancel
		}
		server, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		defer server.Close()
		maps.DeleteFunc(startup.Parameters, func(name, _ string) bool { return name != "user" && name != "database" })
		first, err := startup.Encode(nil)
		if err != nil {
			return
		}
		if _, err := server.Write(first); err != nil {
			return
		}
		go func() { _, _ = io.Copy(server, client); server.Close() }()
		_, _ = io.Copy(client, server)
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(client)
		}
	}()
	at.Host = listener.Addr().String()
	parameters := at.Query()
	parameters.Set("sslmode", "disable")
	at.RawQuery = parameters.Encode()
	return at.String()
}

// A database that would let the server write is refused.
func TestAPIIsHeldToReading(t *testing.T) {
	database := incidentDatabase(t, 5*time.Minute, time.Second, "prod")
	r := copilot(t, "api", "--listen", "127.0.0.1:0", "--database-url", forgetful(t, database))
	if r.code != exitFailure || !strings.Contains(r.stderr, "does not hold this server to reading") || !strings.Contains(r.stderr, "ALTER ROLE") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}

// A request that is under way when the server is told to stop is answered.
func TestAPIStops(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s := serve(t, "--listen", "127.0.0.1:0", "--database-url", "postgres://copilot@"+silent.Addr().String()+"/copilot?sslmode=disable")
	sent := make(chan struct{})
	traced := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }})
	request, err := http.NewRequestWithContext(traced, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-sent
		time.Sleep(1500 * time.Millisecond) // it waits for the store now, for two seconds
		s.stop()
	}()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the request under way got %d", response.StatusCode)
	}
}

// The store is opened when it is there: the server starts without it and says so.
func TestAPIWithoutItsStore(t *testing.T) {
	s := serve(t, "--listen", "127.0.0.1:0", "--database-url", "postgres://copilot:hunter2@127.0.0.1:1/copilot")
	code, body := s.get(t, http.DefaultClient, "/status", "")
	if code != 503 || !strings.Contains(body, api.CodeStoreUnavailable) || !strings.Contains(body, "nothing listens there") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ = s.get(t, http.DefaultClient, "/readyz", ""); code != 503 {
		t.Errorf("/readyz: %d", code)
	}
	if code, _ = s.get(t, http.DefaultClient, "/healthz", ""); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
	if text := body + s.stderr.String(); strings.Contains(text, "hunter2") {
		t.Errorf("a password: %s", text)
	}
}

func TestAPIWithTokenAndTLS(t *testing.T) {
	cert, key := selfSigned(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--listen", ":0", "--database-url", "postgres://copilot@127.0.0.1:1/copilot", "--token-file", token, "--tls-cert", cert, "--tls-key", key)
	s.url = strings.Replace(s.url, "[::]", "127.0.0.1", 1)
	roots := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	for given, want := range map[string]int{"": 401, "wrong": 401, "hunter2": 503} {
		if code, body := s.get(t, client, "/clusters", given); code != want {
			t.Errorf("token %q: %d %s", given, code, body)
		}
	}
	if code, _ := s.get(t, client, "/metrics", ""); code != 401 {
		t.Errorf("/metrics without a token: %d", code)
	}
	if code, _ := s.get(t, client, "/healthz", ""); code != 200 {
		t.Errorf("/healthz without a token: %d", code)
	}
	if strings.Contains(s.stderr.String(), "hunter2") {
		t.Errorf("a secret in the log: %s", s.stderr)
	}
}

func TestAPIUsage(t *testing.T) {
	cert, key := selfSigned(t)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		args []string
		says []string
	}{
		"open to the world":   {[]string{"--listen", ":8080"}, []string{`--listen ":8080"`, "--token-file"}},
		"open to a network":   {[]string{"--listen", "10.0.0.1:8080"}, []string{"--token-file", "127.0.0.1"}},
		"no port":             {[]string{"--listen", "localhost"}, []string{`--listen "localhost"`, "host:port"}},
		"port out of range":   {[]string{"--listen", "localhost:99999"}, []string{"host:port"}},
		"no token file":       {[]string{"--token-file", empty + "x"}, []string{"--token-file", "no such file"}},
		"empty token file":    {[]string{"--token-file", empty, "--listen", ":0"}, []string{"--token-file", "is empty", "openssl rand"}},
		"certificate alone":   {[]string{"--tls-cert", cert}, []string{"--tls-key"}},
		"key alone":           {[]string{"--tls-key", key}, []string{"--tls-cert"}},
		"certificate is none": {[]string{"--tls-cert", key, "--tls-key", key}, []string{"--tls-cert", "PEM"}},
		"origin with a path":  {[]string{"--allow-origin", "https://grafana.example.com/"}, []string{"--allow-origin", "https://grafana.example.com"}},
		"log format":          {[]string{"--log-format", "xml"}, []string{`--log-format "xml"`}},
		"no store":            {nil, []string{"--database-url"}},
	} {
		copilot(t, append([]string{"api"}, test.args...)...).fails(t, what, exitUsage, test.says...)
	}
	t.Setenv("COPILOT_API_TOKEN", "hunter2")
	copilot(t, "api", "--token-file", empty).fails(t, "two tokens", exitUsage, "two tokens")
	copilot(t, "api", "--listen", ":8080").fails(t, "token from the environment", exitUsage, "--database-url")
	t.Setenv("COPILOT_API_LISTEN", "nonsense")
	if got := copilot(t, "api", "--log-format", "xml"); got.code != exitUsage || !strings.Contains(got.stderr, "these settings do not work:") || !strings.Contains(got.stderr, `"nonsense"`) {
		t.Errorf("two mistakes at once: %+v", got)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	copilot(t, "api", "--listen", busy.Addr().String(), "--database-url", "postgres://copilot@127.0.0.1:1/copilot").
		fails(t, "a port in use", exitFailure, busy.Addr().String(), "choose another port")
}

// selfSigned writes a certificate for 127.0.0.1 and its key.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "copilot"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
