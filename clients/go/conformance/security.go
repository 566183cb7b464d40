package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"testing"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// security is a server's certificate, and those of its clients.
type security struct {
	mutual           bool // The server asks for a certificate of the client.
	authority, other *realserver.Authority
	server           realserver.Pair
	known, stranger  realserver.Pair // Clients' certificates, of the authority and of the other one.
}

// newSecurity makes the certificates of a server whose case says what kind of TLS it has.
func newSecurity(t *testing.T, kind string) *security {
	authority, other := realserver.NewAuthority(t), realserver.NewAuthority(t)
	return &security{
		mutual: kind == "mutual", authority: authority, other: other, server: authority.SignServer(),
		known: authority.SignClient(), stranger: other.SignClient(),
	}
}

func (s *security) flags() []string {
	flags := []string{"--tls-cert", s.server.Certificate, "--tls-key", s.server.Key}
	if s.mutual {
		flags = append(flags, "--tls-client-ca", s.authority.File)
	}
	return flags
}

// options secures a client, as the word of the case says.
func (s *security) options(how string) ([]contextd.Option, error) {
	if s == nil && how != "" {
		return nil, fmt.Errorf("the server of the case has no TLS for %q", how)
	}
	if s == nil || how == "none" {
		return nil, nil
	}
	own, authority := realserver.Pair{}, s.authority
	switch {
	case how == "another_authority":
		authority = s.other
	case how == "another_name":
		return s.anotherName()
	case how == "stranger":
		own = s.stranger
	case how == "anonymous":
	case how == "" && s.mutual, how == "trusting" && s.mutual:
		own = s.known
	case how != "" && how != "trusting":
		return nil, fmt.Errorf("the runner does not know the word %q", how)
	}
	return []contextd.Option{
		contextd.WithTLSFiles(authority.File, own.Certificate, own.Key),
	}, nil
}

func (s *security) anotherName() ([]contextd.Option, error) {
	text, err := os.ReadFile(s.authority.File)
	if err != nil {
		return nil, err
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(text)
	return []contextd.Option{contextd.WithTLS(&tls.Config{
		RootCAs: known, ServerName: "another.test", MinVersion: tls.VersionTLS12,
	})}, nil
}
