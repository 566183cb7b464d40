package contextd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// underWay has c and d under way in one call, and gives how c is cancelled.
func underWay(t *testing.T, fake *fake, value []byte) (*puts, context.CancelFunc) {
	puts := &puts{client: serve(t, fake), value: value}
	puts.begin("a")
	puts.begin("b")
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	puts.run(puts.client.Context("c"), ctx)
	puts.begin("d")
	<-fake.entered
	<-fake.entered
	fake.gate <- struct{}{}
	if together := <-fake.entered; together != 2 {
		t.Fatalf("%d went together", together)
	}
	return puts, cancel
}

func TestWhoGivesUpUnderWayDoesNotTouchTheOthers(t *testing.T) {
	fake := gated()
	puts, cancel := underWay(t, fake, nil)
	cancel()
	puts.waitFor(2)
	close(fake.gate)
	puts.group.Wait()
	if !errors.Is(puts.errors[2], ErrCancelled) || puts.errors[3] != nil || len(fake.batches) != 1 {
		t.Errorf("the errors are %v", puts.errors[:puts.count])
	}
}

func TestAnEarlyDeadlineDoesNotTouchTheOthers(t *testing.T) {
	fake := gated()
	puts := &puts{client: serve(t, fake, WithTimeout(time.Minute))}
	puts.begin("a")
	puts.begin("b")
	puts.run(puts.client.Context("c", CallTimeout(20*time.Millisecond)), context.Background())
	puts.begin("d")
	puts.waitFor(2) // It is over while both wait, or while both are under way.
	close(fake.gate)
	puts.group.Wait()
	if !errors.Is(puts.errors[2], ErrDeadlineExceeded) || puts.errors[3] != nil {
		t.Errorf("the errors are %v", puts.errors[:puts.count])
	}
}

func TestACallHasTheLatestDeadline(t *testing.T) {
	fake := gated()
	deadlines := make(chan time.Time, 10)
	fake.seen = func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		deadlines <- deadline
	}
	puts := &puts{client: serve(t, fake, WithTimeout(time.Minute))}
	puts.begin("a")
	puts.begin("b")
	<-deadlines
	<-deadlines
	hour := time.Now().Add(time.Hour)
	for _, timeout := range []time.Duration{time.Minute, 2 * time.Hour, time.Minute} {
		puts.run(puts.client.Context(fmt.Sprint("x", puts.count),
			CallTimeout(timeout)), context.Background())
	}
	close(fake.gate)
	puts.group.Wait()
	if latest := <-deadlines; !latest.After(hour) {
		t.Errorf("the call's deadline is %v", latest)
	}
}

func TestWhatIsSentAgainIsWhatWasGiven(t *testing.T) {
	fake := gated()
	fake.whole = func(batch int) error {
		if batch == 1 {
			return status.Error(codes.Unavailable, "gone")
		}
		return nil
	}
	value := []byte("given")
	puts, cancel := underWay(t, fake, value)
	cancel()
	puts.waitFor(2)
	copy(value, "other") // Whoever gave up may do what he likes with it. (d has it too.)
	close(fake.gate)
	puts.group.Wait()
	for _, batch := range fake.batches {
		if put := batch[0].Mutations[0].GetPutEntry(); string(put.Value) != "given" {
			t.Errorf("%q was sent", put.Value)
		}
	}
	if len(fake.batches) != 2 {
		t.Errorf("there are %d batches", len(fake.batches))
	}
}

func TestAClosedClientEndsWhatIsUnderWayTogether(t *testing.T) {
	fake := gated()
	puts, _ := underWay(t, fake, nil)
	_ = puts.client.Close()
	puts.group.Wait()
	for i, err := range puts.errors[1:puts.count] {
		if i > 0 && !errors.Is(err, ErrClientClosed) {
			t.Errorf("%d ended with %v", i+1, err)
		}
	}
	if _, err := puts.client.Context("e").Put(context.Background(), "k", nil); !errors.Is(
		err, ErrClientClosed) {
		t.Errorf("a closed client answers %v", err)
	}
}

func TestAClosedClientEndsWhatIsToBeSentAgain(t *testing.T) {
	fake := gated()
	fake.answer = func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
		if id := request.ContextId; id == "c" || id == "d" {
			hour := durationpb.New(time.Hour)
			return nil, refusal(codes.ResourceExhausted, "OVERLOADED", nil, hour)
		}
		return taken(request)
	}
	puts := &puts{client: serve(t, fake, WithTimeout(24*time.Hour))}
	for _, id := range []string{"a", "b", "c", "d"} {
		puts.begin(id)
	}
	close(fake.gate)
	puts.waitFor(0)
	puts.waitFor(1)
	_ = puts.client.Close()
	puts.group.Wait()
	for _, at := range []int{2, 3} {
		if !errors.Is(puts.errors[at], ErrClientClosed) {
			t.Errorf("%d ended with %v", at, puts.errors[at])
		}
	}
}

func TestAFailureTellsTheFieldWithoutItsPlaceInTheCall(t *testing.T) {
	fake := gated()
	fake.answer = func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
		if request.ContextId == "d" {
			details := map[string]string{"field": "requests[1].context_id", "rule": "is odd"}
			return nil, refusal(codes.InvalidArgument, "INVALID_FIELD", details, nil)
		}
		return taken(request)
	}
	puts, _ := underWay(t, fake, nil)
	close(fake.gate)
	puts.group.Wait()
	var invalid *InvalidFieldError
	if !errors.As(puts.errors[3], &invalid) || invalid.Field != "context_id" {
		t.Errorf("the error is %#v", puts.errors[3])
	}
}

func TestWhoWaitedIsToldThatNobodyAnswers(t *testing.T) {
	t.Parallel() // It waits, for so long that a busy machine has tried to connect by then.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // Nobody listens there now.
	client, err := New(address, WithTimeout(3*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	puts := &puts{client: client}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		puts.begin(id)
	}
	puts.group.Wait()
	for _, err := range puts.errors[:puts.count] {
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), address) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestWhoGaveUpIsNotSentAlone(t *testing.T) {
	fake := gated()
	fake.whole = func(int) error {
		return refusal(codes.Unimplemented, "NOT_SUPPORTED", nil, nil)
	}
	puts, cancel := underWay(t, fake, nil)
	cancel()
	puts.waitFor(2)
	close(fake.gate)
	puts.group.Wait()
	for _, request := range fake.plain {
		if request.ContextId == "c" {
			t.Error("it was sent")
		}
	}
	if puts.errors[3] != nil {
		t.Errorf("the other one ended with %v", puts.errors[3])
	}
}
