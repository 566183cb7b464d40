package contextd

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// failing is a client of a server that refuses so, as often as it is asked.
func failing(t *testing.T, err error, options ...Option) *Client {
	return serve(t, &fake{
		answer: func(*pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) { return nil, err },
	}, options...)
}

func putOnce(client *Client) error {
	_, err := client.Context("c").Put(context.Background(), "k", nil, RequestID("mine"))
	return err
}

func TestAReasonThatIsUnknownIsAFailureWithAllOfIt(t *testing.T) {
	refused := refusal(codes.Aborted, "FROM_THE_FUTURE", map[string]string{"a": "b"}, nil)
	err := putOnce(failing(t, refused))
	failure, ok := err.(*Failure)
	if !ok || failure.Reason != "FROM_THE_FUTURE" || failure.Details["a"] != "b" ||
		failure.Code != codes.Aborted || failure.RequestID != "mine" {
		t.Errorf("the error is %#v", err)
	}
	if status.Code(err) != codes.Aborted {
		t.Errorf("gRPC's code is %v", status.Code(err))
	}
}

func TestAFullDiskIsAnErrorOfItsOwn(t *testing.T) {
	err := putOnce(failing(t, refusal(codes.ResourceExhausted, "STORAGE_FULL", nil, nil)))
	if !errors.Is(err, ErrStorageFull) || errors.Is(err, ErrOverloaded) {
		t.Errorf("the error is %v", err)
	}
}

func TestTheDetailsOfAReasonAreFields(t *testing.T) {
	details := map[string]string{"limit": "labels_max", "value": "64"}
	err := putOnce(failing(t, refusal(codes.ResourceExhausted, "LIMIT_REACHED", details, nil)))
	var limit *LimitReachedError
	if !errors.As(err, &limit) || limit.Limit != "labels_max" || limit.Value != 64 {
		t.Errorf("the error is %#v", err)
	}
}

func TestEveryReasonHasASentinel(t *testing.T) {
	for reason, sentinel := range reasons {
		err := typed(failureOf(refusal(codes.Aborted, reason, nil, nil)))
		if !errors.Is(err, sentinel) {
			t.Errorf("%s is %v", reason, err)
		}
	}
}

func TestWhatStoppedIsAskedAgain(t *testing.T) {
	answers := []error{
		status.Error(codes.Unavailable, "gone"),
		status.Error(codes.Canceled, "the server stops"),
		refusal(codes.ResourceExhausted, "OVERLOADED", nil, durationpb.New(time.Millisecond)),
	}
	seen := make(map[string]bool)
	client := serve(t, &fake{
		answer: func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
			seen[request.Write.RequestId] = true
			if len(answers) == 0 {
				return taken(request)
			}
			next := answers[0]
			answers = answers[1:]
			return nil, next
		},
	})
	if err := putOnce(client); err != nil || len(seen) != 1 || len(answers) != 0 {
		t.Errorf("%v, ids %v", err, seen)
	}
}

func TestARefusalIsNotAskedAgain(t *testing.T) {
	attempts := 0
	client := failing(t, refusal(codes.FailedPrecondition, "STALE_FENCE", nil, nil),
		WithOnCall(func(call Call) { attempts = call.Attempts }))
	if err := putOnce(client); !errors.Is(err, ErrStaleFence) || attempts != 1 {
		t.Errorf("%v after %d attempts", err, attempts)
	}
}

func TestACallTellsWhoDidNotAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // Nobody listens there now.
	client, err := New(address, WithTimeout(300*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	err = putOnce(client)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), address) {
		t.Errorf("the error is %v", err)
	}
}

func TestACallThatTakesTooLongSaysSo(t *testing.T) {
	fake := gated()
	client := serve(t, fake, WithTimeout(50*time.Millisecond))
	connected(client)
	err := putOnce(client)
	var failure *Failure
	if !errors.Is(err, ErrDeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) ||
		!errors.As(err, &failure) || failure.RequestID != "mine" {
		t.Errorf("the error is %v", err)
	}
	close(fake.gate)
}

func TestWhatIsNotContextdIsTheWrongServer(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	client, err := New(strings.TrimPrefix(web.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := putOnce(client); !errors.Is(err, ErrWrongServer) {
		t.Errorf("a web server gives %v", err)
	}
	other := serve(t, &fake{answer: taken})
	if _, err := other.ServerInfo(context.Background()); !errors.Is(err, ErrWrongServer) {
		t.Errorf("a service without the method gives %v", err)
	}
}

func TestACertificateOfNobodyIsRejected(t *testing.T) {
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.EnableHTTP2 = true
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	defer web.Close()
	for _, option := range []Option{WithTLSFiles("", "", ""), WithTLS(nil)} {
		client, err := New(web.Listener.Addr().String(), option)
		if err != nil {
			t.Fatal(err)
		}
		err = putOnce(client)
		if !errors.Is(err, ErrCertificateRejected) || !errors.Is(err, ErrUnavailable) {
			t.Errorf("the error is %v", err)
		}
		_ = client.Close()
	}
}

func TestAServerThatWantsTLSIsSaidToWantIt(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46}) // An alert.
		}
	}()
	client, err := New(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := putOnce(client); !errors.Is(err, ErrCertificateRejected) {
		t.Errorf("the error is %v", err)
	}
}

func TestDelaysGrowWithinTheirBounds(t *testing.T) {
	policy := RetryPolicy{}.withDefaults()
	for attempt, longest := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000} {
		longest *= time.Millisecond
		if got := policy.delay(attempt, &Failure{}, 0); got != longest {
			t.Errorf("delay %d is at most %v, not %v", attempt, got, longest)
		}
		if got := policy.delay(attempt, &Failure{}, 1); got != longest/2 {
			t.Errorf("delay %d is at least %v", attempt, got)
		}
	}
	named := &Failure{RetryDelay: 3 * time.Second}
	if got := policy.delay(0, named, 1); got != 4500*time.Millisecond {
		t.Errorf("a delay that the server named is %v", got)
	}
}

func TestATokenGoesWithEachAttempt(t *testing.T) {
	asked, attempts := 0, 0
	client := serve(t, &fake{
		answer: func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
			if attempts++; attempts == 1 {
				return nil, refusal(codes.Unavailable, "STOPPING", nil, nil)
			}
			return taken(request)
		},
	}, WithToken(func(context.Context) (string, error) {
		asked++
		return "secret", nil
	}))
	if err := putOnce(client); err != nil || asked != 2 {
		t.Errorf("%v, and the token was asked %d times", err, asked)
	}
}
