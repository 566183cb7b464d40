package contextd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	messageSizeMax    = 64 << 20 // What is taken; what may be sent is the server's message_size_max.
	pingAfter         = 30 * time.Second
	pingTimeout       = 10 * time.Second
	connectDelayMin   = 50 * time.Millisecond
	connectDelayMax   = time.Second
	connectAttemptMax = 5 * time.Second
)

// connect makes the channel; it calls nobody.
func connect(settings *settings) (*grpc.ClientConn, error) {
	var transport credentials.TransportCredentials = sniffing{insecure.NewCredentials()}
	if settings.tls != nil {
		transport = credentials.NewTLS(settings.tls)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent("contextd-go/" + Version),
		grpc.WithNoProxy(), // A server on loopback is not behind the proxy of the environment.
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(messageSizeMax), grpc.MaxCallSendMsgSize(messageSizeMax)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: pingAfter, Timeout: pingTimeout,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: connectDelayMin, Multiplier: 2, Jitter: 0.2, MaxDelay: connectDelayMax,
			},
			MinConnectTimeout: connectAttemptMax,
		}),
		grpc.WithDisableRetry(), // This package repeats, by its own rules.
		grpc.WithDisableServiceConfig(),
	}
	if settings.token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer(settings.token)))
	}
	connection, err := grpc.NewClient(settings.address, append(options, settings.dial...)...)
	if err != nil {
		return nil, invalidValue("the address %q: %v", settings.address, err)
	}
	return connection, nil
}

// bearer puts a token beside each attempt.
type bearer func(context.Context) (string, error)

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return false }

func loadTLS(authorities, certificate, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if authorities != "" {
		text, err := os.ReadFile(authorities)
		if err != nil {
			return nil, invalidValue("the certificates of the authorities: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, invalidValue("%s holds no certificate in PEM form", authorities)
		}
	}
	if certificate != "" || key != "" {
		own, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, invalidValue("the client's certificate and key: %v", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}
