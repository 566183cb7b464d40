package contextd

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// keeper is a server in memory that begins and renews sessions.
type keeper struct {
	pb.UnimplementedTrackerServer
	refusals chan error // What a start is refused with, as long as there are any.
	replayed bool       // The session was begun by an earlier request.
	gone     error      // What a renewal is refused with. nil: it is not.
	renewals atomic.Int32
}

func (k *keeper) StartSession(
	context.Context, *pb.StartSessionRequest,
) (*pb.StartSessionResponse, error) {
	select {
	case refused := <-k.refusals:
		return nil, refused
	default:
		return &pb.StartSessionResponse{
			Session: &pb.Session{Id: "mine"}, Write: &pb.WriteResult{Replayed: k.replayed},
		}, nil
	}
}

func (k *keeper) RenewSession(
	context.Context, *pb.RenewSessionRequest,
) (*pb.RenewSessionResponse, error) {
	k.renewals.Add(1)
	return &pb.RenewSessionResponse{}, k.gone
}

func (k *keeper) client(t *testing.T) *Client {
	return serveAll(t, func(server *grpc.Server) { pb.RegisterTrackerServer(server, k) })
}

func TestASessionWhoseStartTookLongIsRenewedAtOnce(t *testing.T) {
	t.Parallel()
	server := &keeper{refusals: make(chan error, 1)}
	busy := durationpb.New(400 * time.Millisecond) // Over a third of the term.
	server.refusals <- refusal(codes.ResourceExhausted, "OVERLOADED", nil, busy)
	_, err := server.client(t).StartSession(context.Background(), NewSession{TTL: time.Second})
	if err != nil || server.renewals.Load() == 0 {
		t.Errorf("it was renewed %d times, %v", server.renewals.Load(), err)
	}
}

func TestASessionThatAnEarlierRequestBeganIsRenewedAtOnce(t *testing.T) {
	server := &keeper{replayed: true}
	_, err := server.client(t).StartSession(context.Background(), NewSession{TTL: time.Hour})
	if err != nil || server.renewals.Load() != 1 {
		t.Errorf("it was renewed %d times, %v", server.renewals.Load(), err)
	}
}

func TestASessionThatEndedBeforeItsStartWasAnsweredIsNotGiven(t *testing.T) {
	gone := refusal(codes.NotFound, "SESSION_NOT_FOUND", map[string]string{"session_id": "mine"}, nil)
	server := &keeper{replayed: true, gone: gone}
	_, err := server.client(t).StartSession(
		context.Background(), NewSession{TTL: time.Hour}, RequestID("once"))
	var failure *Failure
	if !errors.Is(err, ErrSessionNotFound) || !errors.As(err, &failure) || failure.RequestID != "once" {
		t.Errorf("it gives %v", err)
	}
}
