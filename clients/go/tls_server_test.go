package contextd_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// startTLS starts a server with a certificate of an authority.
func startTLS(t *testing.T, authority *realserver.Authority, flags ...string) *realserver.Server {
	t.Helper()
	own := authority.SignServer()
	return realserver.Start(t,
		append([]string{"--tls-cert", own.Certificate, "--tls-key", own.Key}, flags...)...)
}

// ask is what a call to a server gives.
func ask(t *testing.T, server *realserver.Server, options ...contextd.Option) error {
	t.Helper()
	_, err := clientOf(t, server.Address(), options...).RefreshServerInfo(context.Background())
	return err
}

// isRejected tells that a call failed for its certificates.
func isRejected(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, contextd.ErrCertificateRejected) || !errors.Is(err, contextd.ErrUnavailable) {
		t.Errorf("%s gives %v", what, err)
	}
}

// soon is for calls that are repeated until their time is over.
var soon = contextd.WithTimeout(2 * time.Second)

// isShutOut tells that a server closed connections without a word, and the error what that may mean.
func isShutOut(t *testing.T, what, hint string, err error) {
	t.Helper()
	if !errors.Is(err, contextd.ErrUnavailable) || !strings.Contains(err.Error(), hint) {
		t.Errorf("%s gives %v", what, err)
	}
}

func TestAServerWhoseAuthorityIsKnownIsTrusted(t *testing.T) {
	authority := realserver.NewAuthority(t)
	server := startTLS(t, authority)
	trusting := contextd.WithTLSFiles(authority.File, "", "")
	client := clientOf(t, server.Address(), trusting)
	ctx := context.Background()
	chat := must[*contextd.Context](t)(client.Create(ctx, "chat", contextd.NewContext{}, nil))
	subscription := subscribe(t, client, contextd.SubscriptionQuery{})
	must[contextd.Written](t)(chat.PutText(ctx, "a", "1"))
	for event, err := range subscription.Events() {
		if err != nil || event.Type != contextd.EventUpdated {
			t.Errorf("it told %v, %v", event.Type, err)
		}
		break
	}
	token := contextd.WithToken(func(context.Context) (string, error) { return "secret", nil })
	if err := ask(t, server, trusting, token); err != nil {
		t.Errorf("with a token: %v", err)
	}
}

func TestAServerThatIsNotTheOneIsRejected(t *testing.T) {
	authority := realserver.NewAuthority(t)
	server := startTLS(t, authority)
	other := realserver.NewAuthority(t)
	isRejected(t, "another authority",
		ask(t, server, contextd.WithTLSFiles(other.File, "", "")))

	text, err := os.ReadFile(authority.File)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(text)
	isRejected(t, "another name", ask(t, server, contextd.WithTLS(&tls.Config{
		RootCAs: known, ServerName: "contextd.example", MinVersion: tls.VersionTLS12,
	})))
}

func TestOneSideWithoutTLSIsToldSo(t *testing.T) {
	authority := realserver.NewAuthority(t)
	isShutOut(t, "plain text to a server with TLS", "TLS only", ask(t, startTLS(t, authority), soon))
	isRejected(t, "TLS to a server without",
		ask(t, realserver.Start(t), contextd.WithTLSFiles(authority.File, "", "")))
}

func TestOnlyAClientWhoseCertificateIsKnownGetsIn(t *testing.T) {
	authority := realserver.NewAuthority(t)
	server := startTLS(t, authority, "--tls-client-ca", authority.File)
	known := authority.SignClient()
	if err := ask(t, server,
		contextd.WithTLSFiles(authority.File, known.Certificate, known.Key)); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	unknown := realserver.NewAuthority(t).SignClient()
	isShutOut(t, "a certificate of another authority", "certificate of the client", ask(t, server,
		contextd.WithTLSFiles(authority.File, unknown.Certificate, unknown.Key), soon))
	isShutOut(t, "none", "certificate of the client",
		ask(t, server, contextd.WithTLSFiles(authority.File, "", ""), soon))
}

func TestAClientWithTLSOutlivesARestart(t *testing.T) {
	authority := realserver.NewAuthority(t)
	server := startTLS(t, authority)
	client := clientOf(t, server.Address(), contextd.WithTLSFiles(authority.File, "", ""),
		contextd.WithTimeout(time.Minute))
	chat := client.Context("chat", contextd.CreateIfMissing(contextd.NewContext{}))
	must[contextd.Written](t)(chat.PutText(context.Background(), "a", "1"))
	server.Kill()
	server.Restart()
	must[contextd.Written](t)(chat.PutText(context.Background(), "a", "2"))
}
