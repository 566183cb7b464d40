package contextd

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// fake is a server in memory: what it answers is what a test says.
type fake struct {
	pb.UnimplementedContextManagerServer
	mu      sync.Mutex
	plain   []*pb.UpdateContextRequest // As they came.
	batches [][]*pb.UpdateContextRequest
	answer  func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error)

	// whole is what a batch fails with as a whole. nil: it does not.
	whole func(batch int) error

	// seen is told of each call. nil: it is not.
	seen func(ctx context.Context)

	// entered is told of each call that came, and gate holds it. nil: neither. A call whose time is
	// over while it is held fails: the server's clock may see that before the client's does.
	entered chan int
	gate    chan struct{}
}

func (f *fake) hold(ctx context.Context, operations int) error {
	if f.seen != nil {
		f.seen(ctx)
	}
	if f.entered == nil {
		return nil
	}
	f.entered <- operations
	select {
	case <-f.gate:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

func (f *fake) UpdateContext(
	ctx context.Context, request *pb.UpdateContextRequest,
) (*pb.UpdateContextResponse, error) {
	f.mu.Lock()
	f.plain = append(f.plain, request)
	f.mu.Unlock()
	if err := f.hold(ctx, 1); err != nil {
		return nil, err
	}
	return f.answer(request)
}

func (f *fake) BatchUpdateContexts(
	ctx context.Context, request *pb.BatchUpdateContextsRequest,
) (*pb.BatchUpdateContextsResponse, error) {
	f.mu.Lock()
	f.batches = append(f.batches, request.Requests)
	number := len(f.batches)
	f.mu.Unlock()
	if err := f.hold(ctx, len(request.Requests)); err != nil {
		return nil, err
	}
	if f.whole != nil {
		if err := f.whole(number); err != nil {
			return nil, err
		}
	}
	response := &pb.BatchUpdateContextsResponse{}
	for _, part := range request.Requests {
		answer, err := f.answer(part)
		result := &pb.UpdateResult{Outcome: &pb.UpdateResult_Response{Response: answer}}
		if err != nil {
			failure := failureOf(err)
			result.Outcome = &pb.UpdateResult_Failure{Failure: &pb.Failure{
				Code: int32(failure.Code), Reason: failure.Reason, Message: failure.Message,
				Metadata: failure.Details, RetryDelay: durationpb.New(failure.RetryDelay),
			}}
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

// taken answers that the write was made.
func taken(*pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
	return &pb.UpdateContextResponse{Version: 1, Write: &pb.WriteResult{Revision: 1}}, nil
}

// refusal is an error with a reason, as the server makes it.
func refusal(
	code codes.Code, reason string, details map[string]string, retry *durationpb.Duration,
) error {
	state := status.New(code, "refused")
	with, err := state.WithDetails(
		&errdetails.ErrorInfo{Domain: errorDomain, Reason: reason, Metadata: details})
	if err == nil && retry != nil {
		with, err = with.WithDetails(&errdetails.RetryInfo{RetryDelay: retry})
	}
	if err != nil {
		panic(err)
	}
	return with.Err()
}

// patience is a timeout that only a hang reaches.
const patience = 2 * time.Minute

// serve serves the fake in memory, and makes a client of it, with patience.
func serve(t *testing.T, fake *fake, options ...Option) *Client {
	t.Helper()
	return serveAll(t, func(server *grpc.Server) {
		pb.RegisterContextManagerServer(server, fake)
	}, options...)
}

// serveAll serves in memory what is registered, and makes a client of it.
func serveAll(t *testing.T, register func(*grpc.Server), options ...Option) *Client {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	register(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return listener.DialContext(ctx)
	}
	options = append(append([]Option{WithTimeout(patience)}, options...), WithDialOptions(grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials())))
	client, err := New("passthrough:///localhost", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// connected returns when the client has its connection: what takes too long is then the call.
func connected(client *Client) {
	channel := client.channel
	channel.Connect()
	for state := channel.GetState(); state != connectivity.Ready; state = channel.GetState() {
		channel.WaitForStateChange(context.Background(), state)
	}
}
