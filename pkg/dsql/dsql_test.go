package dsql

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5/pgproto3"
)

// doorman is the door of a DSQL cluster: TLS, then a token as password. Behind
// it there is nothing but an answer to Ping.
type doorman struct {
	address     string
	certificate string // PEM file

	mu     sync.Mutex
	guests []guest
}

// guest is a client that was let in.
type guest struct {
	settings map[string]string
	token    string
}

func newDoorman(t *testing.T) *doorman {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "doorman"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	d := &doorman{certificate: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(d.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.address = listener.Addr().String()
	secure := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	var guests sync.WaitGroup
	t.Cleanup(func() { listener.Close(); guests.Wait() })
	guests.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			guests.Go(func() {
				defer conn.Close()
				// Whoever turns round at the door is the client's affair.
				_ = d.serve(conn, secure)
			})
		}
	})
	return d
}

func (d *doorman) serve(conn net.Conn, secure *tls.Config) error {
	plain := pgproto3.NewBackend(conn, conn)
	if first, err := plain.ReceiveStartupMessage(); err != nil {
		return err
	} else if _, ok := first.(*pgproto3.SSLRequest); !ok {
		return fmt.Errorf("the client wants to talk without TLS: %T", first)
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return err
	}
	encrypted := tls.Server(conn, secure)
	backend := pgproto3.NewBackend(encrypted, encrypted)
	startup, err := backend.ReceiveStartupMessage()
	if err != nil {
		return err
	}
	backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := errors.Join(backend.Flush(), backend.SetAuthType(pgproto3.AuthTypeCleartextPassword)); err != nil {
		return err
	}
	password, err := backend.Receive()
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.guests = append(d.guests, guest{
		settings: startup.(*pgproto3.StartupMessage).Parameters,
		token:    password.(*pgproto3.PasswordMessage).Password,
	})
	d.mu.Unlock()
	backend.Send(&pgproto3.AuthenticationOk{})
	for {
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := backend.Flush(); err != nil {
			return err
		}
		message, err := backend.Receive()
		if err != nil {
			return err
		}
		if _, ok := message.(*pgproto3.Query); !ok {
			return nil
		}
		backend.Send(&pgproto3.EmptyQueryResponse{})
	}
}

// numberedKeys gives other credentials each time, as a role does whose session
// is renewed.
func numberedKeys() aws.CredentialsProvider {
	var mu sync.Mutex
	n := 0
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return aws.Credentials{AccessKeyID: fmt.Sprintf("AKIDEXAMPLE%d", n), SecretAccessKey: "secret"}, nil
	})
}

func TestEveryDSQLConnectionHasItsOwnToken(t *testing.T) {
	door := newDoorman(t)
	t.Setenv("PGSSLROOTCERT", door.certificate)
	t.Setenv("PGTZ", "Europe/Berlin")
	store := openAt(t, Config{Endpoint: door.address, Region: "eu-west-1", Credentials: numberedKeys()})
	for range 3 {
		if err := store.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		store.pool.Reset()
	}
	door.mu.Lock()
	defer door.mu.Unlock()
	if len(door.guests) != 3 {
		t.Fatalf("%d connections were made, want 3", len(door.guests))
	}
	tokens := map[string]bool{}
	for _, guest := range door.guests {
		tokens[guest.token] = true
		want := map[string]string{"user": "copilot", "database": "postgres", "application_name": "copilot"}
		if fmt.Sprint(guest.settings) != fmt.Sprint(want) {
			t.Errorf("asks for %v, want %v", guest.settings, want)
		}
	}
	if len(tokens) != 3 {
		t.Errorf("3 connections with %d tokens", len(tokens))
	}
}

func TestADSQLEndpointThatIsNotTrusted(t *testing.T) {
	door := newDoorman(t)
	store := openAt(t, Config{Endpoint: door.address, Region: "eu-west-1", Credentials: numberedKeys()})
	err := store.Ping(t.Context())
	isClear(t, "ping", err, "Aurora DSQL at "+door.address, "certificate is not trusted", "PGSSLROOTCERT")
	door.mu.Lock()
	defer door.mu.Unlock()
	if len(door.guests) != 0 {
		t.Error("the token was shown to a server that cannot say who it is")
	}
}

func TestADSQLEndpointWithoutTLS(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("N")) // "no TLS here", as PostgreSQL says it
		}
	}()
	store := openAt(t, Config{Endpoint: listener.Addr().String(), Region: "eu-west-1", Credentials: numberedKeys()})
	isClear(t, "ping", store.Ping(t.Context()), listener.Addr().String(), "TLS")
}
