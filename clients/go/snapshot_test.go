package contextd

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// replacing is a server whose recovery point is replaced while it is read.
type replacing struct {
	pb.UnimplementedContextManagerServer
}

func (replacing) GetContext(
	context.Context, *pb.GetContextRequest,
) (*pb.GetContextResponse, error) {
	return &pb.GetContextResponse{Context: &pb.Context{Version: 3}}, nil
}

func (replacing) ReadEntries(
	_ *pb.ReadEntriesRequest, stream grpc.ServerStreamingServer[pb.ReadEntriesResponse],
) error {
	return stream.Send(&pb.ReadEntriesResponse{
		Version: 5, Entries: []*pb.Entry{{Key: "k", Version: 5}},
	})
}

func TestASnapshotOfAPointThatIsReplacedIsNotHalfOfEach(t *testing.T) {
	client := serveAll(t, func(server *grpc.Server) {
		pb.RegisterContextManagerServer(server, replacing{})
	})
	snapshot, err := client.Context("chat").At(AtPoint("p")).Snapshot(context.Background())
	if !errors.Is(err, ErrStateNotRetained) {
		t.Errorf("it gives %+v, %v", snapshot, err)
	}
}
