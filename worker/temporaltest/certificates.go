package temporaltest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Authority signs certificates for a test, and has its own in a file.
type Authority struct {
	// CAFile is its certificate, in PEM.
	CAFile string

	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority that nobody trusts yet.
func NewAuthority(t *testing.T) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir()}
	a.CAFile = filepath.Join(a.dir, "ca.crt")
	a.certificate = &x509.Certificate{
		Subject: pkix.Name{CommonName: "temporaltest"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	a.key = a.sign(t, a.certificate, a.CAFile)
	return a
}

// Sign makes a certificate, and its key, for a host or for a client; both are
// files in PEM. A host is a name or an IP address.
func (a *Authority) Sign(t *testing.T, host string) (certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(a.dir, host+".crt"), filepath.Join(a.dir, host+".key")
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: host}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.MarshalPKCS8PrivateKey(a.sign(t, template, certFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

// sign writes a certificate, which the authority's own is the first of, and
// returns its key.
func (a *Authority) sign(t *testing.T, template *x509.Certificate, file string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := instant.System.Now().Time()
	template.SerialNumber = big.NewInt(now.UnixNano())
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(24*time.Hour)
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), signer)
	if err == nil {
		err = os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewMutual is New for a server that encrypts, with a certificate for 127.0.0.1
// that the first authority signed, and lets clients in that have one from the
// second.
func NewMutual(t *testing.T, server, clients *Authority) *Server {
	t.Helper()
	certFile, keyFile := server.Sign(t, "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(clients.Sign(t, "temporaltest"))
	trusted, more := os.ReadFile(server.CAFile)
	if err := errors.Join(err, more); err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, RootCAs: x509.NewCertPool()}
	client.RootCAs.AppendCertsFromPEM(trusted)
	return start(t, client, map[string]string{
		"cert_file": certFile, "key_file": keyFile, "ca_file": server.CAFile, "client_ca_file": clients.CAFile,
	})
}
