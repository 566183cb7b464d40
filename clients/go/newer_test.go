package contextd

import (
	"context"
	"errors"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// newer is a server that tells what this version of the client does not know.
type newer struct {
	pb.UnimplementedRecoveryServer
	pb.UnimplementedTrackerServer

	mu      sync.Mutex
	streams [][]any // What each subscription tells: messages, and an error that ends it.
	asked   []*pb.SubscribeRequest
}

func (n *newer) Subscribe(
	request *pb.SubscribeRequest, stream grpc.ServerStreamingServer[pb.SubscribeResponse],
) error {
	n.mu.Lock()
	n.asked = append(n.asked, request)
	told := n.streams[0]
	n.streams = n.streams[1:]
	n.mu.Unlock()
	for _, next := range told {
		if err, ends := next.(error); ends {
			return err
		}
		if err := stream.Send(next.(*pb.SubscribeResponse)); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	return nil
}

func (n *newer) DiffStates(
	_ *pb.DiffStatesRequest, stream grpc.ServerStreamingServer[pb.DiffStatesResponse],
) error {
	return stream.Send(&pb.DiffStatesResponse{Entries: []*pb.EntryDiff{{Key: "moved"}}})
}

func (n *newer) SyncContext(
	_ *pb.SyncContextRequest, stream grpc.ServerStreamingServer[pb.SyncContextResponse],
) error {
	return stream.Send(&pb.SyncContextResponse{Entries: []*pb.EntryDiff{{Key: "moved"}}})
}

func (n *newer) MergeContext(
	context.Context, *pb.MergeContextRequest,
) (*pb.MergeContextResponse, error) {
	return &pb.MergeContextResponse{}, nil
}

func (n *newer) client(t *testing.T) *Client {
	return serveAll(t, func(server *grpc.Server) {
		pb.RegisterRecoveryServer(server, n)
		pb.RegisterTrackerServer(server, n)
	})
}

func events(told ...*pb.Event) *pb.SubscribeResponse {
	return &pb.SubscribeResponse{Kind: &pb.SubscribeResponse_Events{
		Events: &pb.EventBatch{Events: told},
	}}
}

func caughtUp(cursor string) *pb.SubscribeResponse {
	return &pb.SubscribeResponse{Kind: &pb.SubscribeResponse_CaughtUp{
		CaughtUp: &pb.CaughtUp{Cursor: cursor},
	}}
}

func snapshotOf(id, cursor string) *pb.Event {
	return &pb.Event{
		Type: pb.EventType_EVENT_TYPE_SNAPSHOT, Cursor: cursor,
		Context: &pb.Context{Namespace: "default", Id: id, Version: 1},
	}
}

var fromTheFuture = &pb.Event{Type: 1000, Cursor: "7", Context: &pb.Context{Id: "chat"}}

func TestAnEventOfAnUnknownTypeIsToldWithItsPosition(t *testing.T) {
	server := &newer{streams: [][]any{{events(fromTheFuture)}}}
	subscription, err := server.client(t).Subscribe(context.Background(), SubscriptionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	defer subscription.Close()
	for event, err := range subscription.Events() {
		if err != nil || event.Type != EventUnknown || event.Cursor != "7" ||
			event.ContextID() != "chat" || event.Type.String() != "UNKNOWN" {
			t.Errorf("it told %+v, %v", event, err)
		}
		break
	}
}

func TestAViewEndsWithAnEventOfAnUnknownType(t *testing.T) {
	server := &newer{streams: [][]any{{caughtUp("1"), events(fromTheFuture)}}}
	view, err := server.client(t).View(context.Background(), ViewQuery{})
	if err != nil {
		t.Fatal(err)
	}
	<-view.Done()
	if err := view.Err(); !errors.Is(err, ErrNewerServer) {
		t.Errorf("it ended with %v", err)
	}
}

func TestAViewBeginsAnewWhereEventsWereLostAndSaysSo(t *testing.T) {
	lost := refusal(codes.OutOfRange, "CURSOR_COMPACTED", map[string]string{"oldest_cursor": "5"}, nil)
	server := &newer{streams: [][]any{
		{events(snapshotOf("old", "1")), caughtUp("1"), refusal(codes.Unavailable, "STOPPING", nil, nil)},
		{lost},
		{events(snapshotOf("new", "6")), caughtUp("6")},
	}}
	told := make(chan error, 1)
	view, err := server.client(t).View(context.Background(), ViewQuery{
		OnRestart: func(cause error) { told <- cause },
		OnEvent: func(event Event) {
			if event.ContextID() == "new" {
				close(told)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	var compacted *CursorCompactedError
	if cause := <-told; !errors.As(cause, &compacted) || compacted.OldestCursor != "5" {
		t.Errorf("it began anew for %v", cause)
	}
	<-told
	_, old := view.Context("old")
	_, known := view.Context("new")
	if old || !known || view.Err() != nil {
		t.Errorf("the old is there: %v, the new: %v; %v", old, known, view.Err())
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.asked) != 3 || server.asked[1].GetCursor() != "1" || !server.asked[2].GetWithSnapshot() {
		t.Errorf("asked was %v", server.asked)
	}
}

func TestADifferenceOfAnUnknownKindIsNotLeftOut(t *testing.T) {
	chat := (&newer{}).client(t).Context("chat")
	ctx := context.Background()
	for _, err := range chat.At(AtVersion(1)).Diff(ctx, chat.At(AtVersion(2)), DiffQuery{}) {
		if !errors.Is(err, ErrNewerServer) {
			t.Errorf("a diff gives %v", err)
		}
	}
	if _, err := chat.Sync(ctx, 1); !errors.Is(err, ErrNewerServer) {
		t.Errorf("a sync gives %v", err)
	}
}

func TestAMergeThatWasNotMadeForAnUnknownReasonFails(t *testing.T) {
	chat := (&newer{}).client(t).Context("chat")
	_, err := chat.Merge(context.Background(), &chat.State, Merge{})
	if !errors.Is(err, ErrNewerServer) {
		t.Errorf("it gives %v", err)
	}
}
