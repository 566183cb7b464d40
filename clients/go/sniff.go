package contextd

import (
	"bytes"
	"context"
	"errors"
	"net"

	"google.golang.org/grpc/credentials"
)

// What the first bytes of a connection without TLS say where no gRPC answers.
var (
	errSpeaksTLS  = errors.New("tls: the server wants TLS, and this client has none: use WithTLS")
	errSpeaksHTTP = errors.New("what answers looked like an HTTP/1.1 header: it speaks no gRPC")

	tlsAlert     = []byte{0x15, 0x03}
	httpResponse = []byte("HTTP/1")
)

// sniffing are credentials without TLS that tell what else answers than gRPC.
type sniffing struct {
	credentials.TransportCredentials
}

func (s sniffing) ClientHandshake(
	ctx context.Context, authority string, raw net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	connection, info, err := s.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	return &sniffed{Conn: connection}, info, nil
}

func (s sniffing) Clone() credentials.TransportCredentials {
	return sniffing{s.TransportCredentials.Clone()}
}

// sniffed is a connection whose first bytes are looked at. One goroutine reads.
type sniffed struct {
	net.Conn
	known bool
}

func (s *sniffed) Read(into []byte) (int, error) {
	size, err := s.Conn.Read(into)
	if !s.known && size > 0 {
		s.known = true
		switch {
		case bytes.HasPrefix(into[:size], tlsAlert):
			return 0, errSpeaksTLS
		case bytes.HasPrefix(into[:size], httpResponse):
			return 0, errSpeaksHTTP
		}
	}
	return size, err
}
