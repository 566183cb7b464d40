package contextd

import (
	"context"
	"errors"
	"iter"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// hour is an interval within which no test ends: what waits for it hangs.
var hour = SubscriptionQuery{ProgressInterval: time.Hour}

func (n *newer) hungClient(t *testing.T, timeout time.Duration) *Client {
	return serveAll(t, func(server *grpc.Server) {
		pb.RegisterTrackerServer(server, n)
	}, WithTimeout(timeout))
}

func isUnanswered(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "nobody answered at") {
		t.Errorf("%s gives %v", what, err)
	}
}

func TestASubscriptionOfAHungServerGivesUpAfterTheClientsTimeout(t *testing.T) {
	server := &newer{streams: [][]any{{}}}
	_, err := server.hungClient(t, 100*time.Millisecond).Subscribe(context.Background(), hour)
	isUnanswered(t, "a subscription", err)
}

func TestASubscriptionThatFindsAHungServerGivesUpAfterTheClientsTimeout(t *testing.T) {
	t.Parallel() // It begins well within the timeout, however busy the machine is.
	server := &newer{streams: [][]any{
		{caughtUp("1"), refusal(codes.Unavailable, "STOPPING", nil, nil)}, {}, {}, {},
	}}
	subscription, err := server.hungClient(t, 5*time.Second).Subscribe(context.Background(), hour)
	if err != nil {
		t.Fatal(err)
	}
	defer subscription.Close()
	for _, err := range subscription.Events() {
		isUnanswered(t, "the subscription", err)
	}
}

func TestAStreamWithoutAConnectionGivesUpAfterTheClientsTimeout(t *testing.T) {
	client, err := New("passthrough:///localhost", WithTimeout(100*time.Millisecond),
		WithDialOptions(grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	ctx := context.Background()
	_, err = client.Subscribe(ctx, hour)
	isUnanswered(t, "a subscription", err)
	isUnanswered(t, "a read", errorOf(client.Context("chat").Entries(ctx, EntryQuery{})))
	_, err = client.Context("chat").Version(ctx)
	isUnanswered(t, "a call", err)
}

// errorOf is the error with which entries begin.
func errorOf(entries iter.Seq2[Entry, error]) error {
	for _, err := range entries {
		return err
	}
	return nil
}
