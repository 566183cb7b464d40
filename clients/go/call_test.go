package contextd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// hangs is after how long a test gives up that would else never end.
const hangs = time.Minute

// heardLogs is told of each line of the log.
type heardLogs struct {
	silence
	told chan string
}

func (heardLogs) Enabled(context.Context, slog.Level) bool { return true }

func (h heardLogs) Handle(_ context.Context, line slog.Record) error {
	h.told <- line.Message
	return nil
}

func TestAClosedClientEndsACallThatIsToBeRepeated(t *testing.T) {
	repeated := heardLogs{told: make(chan string, 10)}
	hour := durationpb.New(time.Hour)
	client := failing(t, refusal(codes.ResourceExhausted, "OVERLOADED", nil, hour),
		WithTimeout(24*time.Hour), WithCoalescing(false), WithLogger(slog.New(repeated)))
	ended := make(chan error)
	go func() { ended <- putOnce(client) }()
	<-repeated.told
	_ = client.Close()
	select {
	case err := <-ended:
		var failure *Failure
		if !errors.Is(err, ErrClientClosed) || !errors.As(err, &failure) ||
			failure.RequestID != "mine" {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(hangs):
		t.Error("it waits for its repetition")
	}
}

func TestACancelledCallSaysWhy(t *testing.T) {
	for _, coalescing := range []bool{true, false} {
		fake := gated()
		client := serve(t, fake, WithCoalescing(coalescing))
		why := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(context.Background())
		ended := make(chan error)
		go func() {
			_, err := client.Context("c").Put(ctx, "k", nil)
			ended <- err
		}()
		<-fake.entered
		cancel(why)
		err := <-ended
		if !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) ||
			!errors.Is(err, why) {
			t.Errorf("it ended with %v", err)
		}
		close(fake.gate)
	}
}

func TestTheSoonestDeadlineCounts(t *testing.T) {
	day := 24 * time.Hour
	for _, of := range []struct{ client, call, ctx, want time.Duration }{
		{client: time.Hour, want: time.Hour},
		{client: time.Hour, call: 2 * time.Hour, want: 2 * time.Hour},
		{client: 2 * time.Hour, call: time.Hour, want: time.Hour},
		{client: 2 * time.Hour, ctx: time.Hour, want: time.Hour},
		{client: time.Hour, ctx: day, want: time.Hour},
	} {
		fake := &fake{answer: taken}
		var left time.Duration
		fake.seen = func(ctx context.Context) {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
		}
		client := serve(t, fake, WithTimeout(of.client))
		ctx := context.Background()
		if of.ctx != 0 {
			bounded, cancel := context.WithTimeout(ctx, of.ctx)
			defer cancel()
			ctx = bounded
		}
		_, err := client.Context("c", CallTimeout(of.call)).Put(ctx, "k", nil)
		if err != nil || left.Round(time.Hour) != of.want {
			t.Errorf("%+v: %v are left, %v", of, left, err)
		}
	}
}

func TestAProxyWithoutAServerIsAskedAgain(t *testing.T) {
	server := grpc.NewServer()
	pb.RegisterContextManagerServer(server, &fake{answer: taken})
	var asked atomic.Int32
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(
		func(writer http.ResponseWriter, request *http.Request) {
			if asked.Add(1) <= 2 {
				http.Error(writer, "no upstream", http.StatusServiceUnavailable)
				return
			}
			server.ServeHTTP(writer, request)
		}))
	proxy.EnableHTTP2 = true
	proxy.StartTLS()
	defer proxy.Close()
	authorities := x509.NewCertPool()
	authorities.AddCert(proxy.Certificate())
	client, err := New(proxy.Listener.Addr().String(), WithTLS(&tls.Config{RootCAs: authorities}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := putOnce(client); err != nil || asked.Load() != 3 {
		t.Errorf("%v after %d attempts", err, asked.Load())
	}
}

func TestAnUnknownReasonOfUnavailableIsAskedAgain(t *testing.T) {
	attempts := 0
	client := serve(t, &fake{
		answer: func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
			if attempts++; attempts == 1 {
				return nil, refusal(codes.Unavailable, "FROM_THE_FUTURE", nil, nil)
			}
			return taken(request)
		},
	})
	if err := putOnce(client); err != nil || attempts != 2 {
		t.Errorf("%v after %d attempts", err, attempts)
	}
}
