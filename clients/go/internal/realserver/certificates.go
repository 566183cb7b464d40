package realserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates for the length of a test.
type Authority struct {
	t           testing.TB
	File        string // Its certificate, as PEM.
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	signed      int64
}

// Pair names the files of a certificate and of its key, as PEM.
type Pair struct{ Certificate, Key string }

// NewAuthority makes an authority that nobody knows.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	authority := &Authority{t: t}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	authority.certificate = template
	pair := authority.Sign(template)
	text, err := os.ReadFile(pair.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if authority.certificate, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	authority.File = pair.Certificate
	return authority
}

// SignServer makes the certificate of a server on 127.0.0.1.
func (a *Authority) SignServer() Pair {
	a.t.Helper()
	return a.Sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// SignClient makes the certificate of a client.
func (a *Authority) SignClient() Pair {
	a.t.Helper()
	return a.Sign(&x509.Certificate{
		Subject:  pkix.Name{CommonName: "client"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Sign makes a certificate with a key of its own, for an hour.
func (a *Authority) Sign(template *x509.Certificate) Pair {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.key == nil {
		a.key = key // Its own certificate is the first, which it signs itself.
	}
	a.signed++
	template.SerialNumber = big.NewInt(a.signed)
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(time.Hour)
	certificate, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	folder := a.t.TempDir()
	return Pair{
		a.write(folder, "certificate.pem", "CERTIFICATE", certificate),
		a.write(folder, "key.pem", "PRIVATE KEY", encoded),
	}
}

func (a *Authority) write(folder, name, kind string, content []byte) string {
	a.t.Helper()
	path := filepath.Join(folder, name)
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}
