package contextd

import (
	"context"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

const errorDomain = "contextd"

// What grpc-go says of a call that never left because there was no connection.
var waitingForConnection = []string{
	"waiting for connections to become ready", "latest balancer error",
}

// What grpc-go says where one side's certificate was not accepted, or one side speaks no TLS. A
// handshake that broke off, as when a server is killed, is none of these.
var tlsRefusals = []string{
	"tls: failed to verify certificate", "remote error: tls:", "x509:",
	"tls: first record does not look like a TLS handshake",
	"server gave HTTP response to HTTPS client", "tls: no supported versions",
	"cannot check peer: missing selected ALPN", "tls: the server wants TLS",
}

// httpStatus is what grpc-go says of a status of HTTP. Those that a proxy gives while there is no server
// behind it, such as 503, come as UNAVAILABLE.
const httpStatus = "unexpected HTTP status code"

// What grpc-go says where HTTP answers that is no gRPC.
var wrongServers = []string{
	"looked like an HTTP/1.1 header", httpStatus, "missing HTTP content-type",
	"unexpected content-type", "malformed HTTP",
}

// failureOf makes the failure of a gRPC status. Details that are of another kind are left out: code
// and message always get through.
func failureOf(err error) *Failure {
	state, _ := status.FromError(err)
	failure := &Failure{Message: state.Message(), Code: state.Code()}
	for _, detail := range state.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == errorDomain {
				failure.Reason = detail.GetReason()
				failure.Details = detail.GetMetadata()
			}
		case *errdetails.RetryInfo:
			failure.RetryDelay = detail.GetRetryDelay().AsDuration()
		}
	}
	classify(failure)
	return failure
}

// failureOfPart makes the failure of one part of a batch. place is where the part stood in the batch,
// such as requests[3]. with the dot, and known what the caller knows it by instead: what is told of its
// fields is told with that.
func failureOfPart(part *pb.Failure, place, known string) *Failure {
	failure := &Failure{
		Message:    part.GetMessage(),
		Code:       codes.Code(part.GetCode()),
		Reason:     part.GetReason(),
		Details:    part.GetMetadata(),
		RetryDelay: part.GetRetryDelay().AsDuration(),
	}
	if field, found := strings.CutPrefix(failure.Details["field"], place); found && place != known {
		failure.Details["field"] = known + field
		failure.Message = strings.Replace(failure.Message, place, known, 1)
	}
	classify(failure)
	return failure
}

// classify sets the kind: that of the reason, or what code and message alone say, where the failure
// is gRPC's own or a proxy's.
func classify(failure *Failure) {
	if failure.Reason != "" {
		failure.kind = reasons[failure.Reason]
		if failure.kind == nil && failure.Code == codes.Unavailable {
			failure.kind = errUnavailable
		}
		return
	}
	switch failure.Code {
	case codes.DeadlineExceeded:
		failure.kind, failure.cause = errDeadlineExceeded, context.DeadlineExceeded
		if containsAny(failure.Message, waitingForConnection) {
			failure.kind, failure.Code, failure.cause = errUnavailable, codes.Unavailable, nil
		}
	case codes.Canceled:
		failure.kind = errCancelled
	case codes.Unavailable:
		failure.kind = errUnavailable
	case codes.Unimplemented:
		failure.kind = errWrongServer
	}
	if failure.kind == errUnavailable && containsAny(failure.Message, tlsRefusals) {
		failure.kind = errCertificateRejected
	}
	proxy := failure.Code == codes.Unavailable && strings.Contains(failure.Message, httpStatus)
	if !proxy && containsAny(failure.Message, wrongServers) {
		failure.kind = errWrongServer
	}
}

// What grpc-go says of a connection that the server closed before it said anything: that depends on
// which side noticed first.
var closedAtOnce = []string{
	"error reading server preface: EOF", "error reading server preface: read tcp",
	"write: broken pipe", "write: connection reset by peer",
}

// explained puts behind a message what it may mean that a connection was closed at once: a server with
// TLS does not say why it let nobody in.
func explained(message string, withTLS bool) string {
	switch {
	case !containsAny(message, closedAtOnce):
		return message
	case withTLS:
		return message + " (the connection was closed at once: what listens there may want a " +
			"certificate of the client, or another one, or has too many connections)"
	}
	return message + " (the connection was closed at once: what listens there may take TLS only, " +
		"or has too many connections)"
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
