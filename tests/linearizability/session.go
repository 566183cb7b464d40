package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/contextd/contextd/tests/linearizability/contextdpb"
	"github.com/contextd/contextd/tests/linearizability/model"
)

// sessions knows the ids of the clients' sessions, which live as long as a round: none
// ends, and a restart gives each a full term.
//
// Threads: started by one; then it does not change.
type sessions struct {
	ids   map[string]string // By the owner's name.
	names map[string]string // By id.
}

const term = 24 * time.Hour

func sessionName(client int) string { return fmt.Sprintf("s%d", client) }

// startSessions starts one for each client, before anything is done to the server.
func startSessions(connection *grpc.ClientConn, count int) (*sessions, error) {
	started := &sessions{map[string]string{}, map[string]string{}}
	tracker := pb.NewTrackerClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	for client := 1; client <= count; client++ {
		name := sessionName(client)
		response, err := tracker.StartSession(ctx, &pb.StartSessionRequest{
			Namespace:         namespace,
			Owner:             name,
			Ttl:               durationpb.New(term),
			MaxActiveContexts: 100,
		}, grpc.WaitForReady(true))
		if err != nil {
			return nil, fmt.Errorf("a session does not start: %w", err)
		}
		id := response.GetSession().GetId()
		started.ids[name], started.names[id] = id, name
	}
	return started, nil
}

// call sends a request that concerns activations.
func (s *sessions) call(ctx context.Context, tracker pb.TrackerClient, contextID string,
	request *model.Request) (*model.Answer, uint64, error) {
	write := &pb.WriteOptions{RequestId: request.ID}
	switch request.Kind {
	case model.Activate:
		response, err := tracker.ActivateContext(ctx, &pb.ActivateContextRequest{
			Namespace: namespace,
			SessionId: s.ids[request.Session],
			ContextId: contextID,
			Exclusive: true,
			Takeover:  request.Takeover,
			Guard:     request.Guard,
			Write:     write,
		})
		return &model.Answer{
			Fence:    response.GetActivation().GetFence(),
			Replayed: response.GetWrite().GetReplayed(),
		}, response.GetWrite().GetRevision(), err
	case model.Deactivate:
		response, err := tracker.DeactivateContext(ctx, &pb.DeactivateContextRequest{
			Namespace: namespace,
			SessionId: s.ids[request.Session],
			ContextId: contextID,
			Write:     write,
		})
		replayed := response.GetWrite().GetReplayed()
		return &model.Answer{Replayed: replayed}, response.GetWrite().GetRevision(), err
	default:
		response, err := tracker.GetContextStatus(ctx, &pb.GetContextStatusRequest{
			Namespace: namespace,
			ContextId: contextID,
		})
		return s.status(response), 0, err
	}
}

// status makes an answer of what is told of a context. Of one that is gone the fence and
// the version are not.
func (s *sessions) status(response *pb.GetContextStatusResponse) *model.Answer {
	holder := response.GetExclusiveSessionId()
	answer := &model.Answer{
		Version: response.GetVersion(),
		Fence:   response.GetFence(),
		Guarded: response.GetGuarded(),
	}
	if holder != "" {
		answer.Holder = "nobody's " + holder
		if name, known := s.names[holder]; known {
			answer.Holder = name
		}
	}
	return answer
}
