package contextd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// gated is a fake whose calls wait until they are let through.
func gated() *fake {
	return &fake{answer: taken, entered: make(chan int, 100), gate: make(chan struct{})}
}

// puts has callers write one after the other, each begun when the one before waits, and gives their
// results.
type puts struct {
	client *Client
	value  []byte
	group  sync.WaitGroup
	count  int
	errors [putsMax]error
	ended  sync.Map
}

const putsMax = 2 * callOperationsMax

// begin has a caller put, and returns when its operation waits in the lane, or is under way.
func (p *puts) begin(id string) { p.run(p.client.Context(id), context.Background()) }

func (p *puts) beginWith(id, requestID string) {
	p.run(p.client.Context(id), context.Background(), RequestID(requestID))
}

func (p *puts) run(named *Context, ctx context.Context, options ...WriteOption) {
	at := p.count
	p.count++
	before := p.client.updates.load()
	p.group.Add(1)
	go func() {
		defer p.group.Done()
		_, err := named.Put(ctx, "k", p.value, options...)
		p.errors[at] = err
		p.ended.Store(at, true)
	}()
	for p.client.updates.load() == before {
		pause()
	}
}

// waitFor returns when a caller, counted from 0, has its result.
func (p *puts) waitFor(at int) {
	for {
		if _, ended := p.ended.Load(at); ended {
			return
		}
		pause()
	}
}

// pause lets other goroutines run, whenever that may be.
func pause() { time.Sleep(time.Millisecond) }

// load is how many operations and calls there are.
func (l *lane) load() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting + l.calls
}

func ids(requests []*pb.UpdateContextRequest) string {
	var found []string
	for _, request := range requests {
		found = append(found, request.ContextId)
	}
	return strings.Join(found, " ")
}

func TestTwoCallsGoOutAtOnceAndTheRestTogether(t *testing.T) {
	fake := gated()
	puts := &puts{client: serve(t, fake)}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		puts.begin(id)
	}
	<-fake.entered
	<-fake.entered
	if len(fake.entered) != 0 {
		t.Error("there are more than two calls")
	}
	fake.gate <- struct{}{}
	if together := <-fake.entered; together != 3 {
		t.Errorf("%d went together", together)
	}
	close(fake.gate)
	puts.group.Wait()
	if len(fake.plain) != 2 || ids(fake.batches[0]) != "c d e" || errors.Join(puts.errors[:]...) != nil {
		t.Errorf("plain %s, batches %v, errors %v", ids(fake.plain), fake.batches, puts.errors)
	}
}

func TestAnOperationWaitsForTheOneOfItsContext(t *testing.T) {
	fake := gated()
	puts := &puts{client: serve(t, fake)}
	puts.begin("a")
	<-fake.entered
	puts.begin("a") // There is room, and it waits.
	if len(fake.entered) != 0 {
		t.Error("both are under way")
	}
	fake.gate <- struct{}{}
	<-fake.entered
	close(fake.gate)
	puts.group.Wait()
	if ids(fake.plain) != "a a" || len(fake.batches) != 0 {
		t.Errorf("plain %s, batches %v", ids(fake.plain), fake.batches)
	}
}

func TestOneFailureDoesNotTouchTheOthers(t *testing.T) {
	fake := gated()
	fake.answer = func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
		if request.ContextId == "d" {
			details := map[string]string{"current_version": "7"}
			return nil, refusal(codes.Aborted, "VERSION_CONFLICT", details, nil)
		}
		return taken(request)
	}
	puts := &puts{client: serve(t, fake)}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		puts.begin(id)
	}
	close(fake.gate)
	puts.group.Wait()
	var conflict *VersionConflictError
	if !errors.As(puts.errors[3], &conflict) || conflict.CurrentVersion != 7 ||
		conflict.RequestID == "" {
		t.Errorf("the failure is %v", puts.errors[3])
	}
	puts.errors[3] = nil
	if err := errors.Join(puts.errors[:]...); err != nil {
		t.Error(err)
	}
}

func TestWhatTheServerWasTooBusyForIsSentAgainFirst(t *testing.T) {
	fake := gated()
	busy := map[string]bool{"d": true, "e": true}
	fake.answer = func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
		fake.mu.Lock()
		defer fake.mu.Unlock()
		if busy[request.ContextId] {
			delete(busy, request.ContextId)
			delay := durationpb.New(time.Millisecond)
			return nil, refusal(codes.ResourceExhausted, "OVERLOADED", nil, delay)
		}
		return taken(request)
	}
	puts := &puts{client: serve(t, fake)}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		puts.begin(id)
	}
	<-fake.entered
	<-fake.entered
	fake.gate <- struct{}{} // One of the first two ends, the other one stays.
	<-fake.entered
	puts.begin("e") // It waits behind what is sent again.
	close(fake.gate)
	puts.group.Wait()
	if err := errors.Join(puts.errors[:]...); err != nil {
		t.Fatal(err)
	}
	if ids(fake.batches[0]) != "c d e" || ids(fake.batches[1]) != "d e" {
		t.Errorf("the batches are %v", fake.batches)
	}
	again := fake.batches[1]
	if again[0].Write.RequestId != fake.batches[0][1].Write.RequestId {
		t.Error("it was sent again with another request id")
	}
}

func TestACallWithoutAnAnswerIsRepeatedAsItWas(t *testing.T) {
	fake := gated()
	fake.whole = func(batch int) error {
		if batch == 1 {
			return status.Error(codes.Unavailable, "gone")
		}
		return nil
	}
	puts := &puts{client: serve(t, fake)}
	for _, id := range []string{"a", "b", "c", "d"} {
		puts.begin(id)
	}
	close(fake.gate)
	puts.group.Wait()
	if err := errors.Join(puts.errors[:]...); err != nil {
		t.Fatal(err)
	}
	if ids(fake.batches[1]) != "c d" ||
		fake.batches[1][0].Write.RequestId != fake.batches[0][0].Write.RequestId {
		t.Errorf("the batches are %v", fake.batches)
	}
}

func TestWhatFailsAsAWholeIsSentOneByOne(t *testing.T) {
	fake := gated()
	fake.whole = func(int) error {
		return refusal(codes.Unimplemented, "NOT_SUPPORTED", nil, nil)
	}
	fake.answer = func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
		if request.ContextId == "c" {
			return nil, refusal(codes.Unimplemented, "NOT_SUPPORTED", nil, nil)
		}
		return taken(request)
	}
	puts := &puts{client: serve(t, fake)}
	for _, id := range []string{"a", "b", "c", "d"} {
		puts.begin(id)
	}
	close(fake.gate)
	puts.group.Wait()
	if !errors.Is(puts.errors[2], ErrNotSupported) || puts.errors[3] != nil {
		t.Errorf("the errors are %v", puts.errors)
	}
}

func TestAnOperationThatWasGivenUpIsNotSent(t *testing.T) {
	fake := gated()
	client := serve(t, fake)
	puts := &puts{client: client}
	puts.begin("a")
	puts.begin("b")
	ctx, cancel := context.WithCancel(context.Background())
	gaveUp := make(chan error)
	go func() {
		_, err := client.Context("c").Put(ctx, "k", nil)
		gaveUp <- err
	}()
	for client.updates.load() != 3 {
		pause()
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Errorf("it gave up with %v", err)
	}
	close(fake.gate)
	puts.group.Wait()
	if slices.ContainsFunc(fake.plain, func(request *pb.UpdateContextRequest) bool {
		return request.ContextId == "c"
	}) || len(fake.batches) != 0 {
		t.Errorf("it was sent: %s", ids(fake.plain))
	}
}

func TestALargeOperationGoesAlone(t *testing.T) {
	fake := gated()
	client := serve(t, fake)
	puts := &puts{client: client}
	puts.begin("a")
	puts.begin("b")
	large := make(chan error)
	before := client.updates.load()
	go func() {
		_, err := client.Context("c").Put(context.Background(), "k", make([]byte, callBytesMax+1))
		large <- err
	}()
	for client.updates.load() == before {
		pause()
	}
	puts.begin("d")
	close(fake.gate)
	puts.group.Wait()
	if err := <-large; err != nil || len(fake.batches) != 0 {
		t.Errorf("%v, batches %v", err, fake.batches)
	}
}

func TestTooManyThatWaitAreRefused(t *testing.T) {
	fake := gated()
	client := serve(t, fake)
	puts := &puts{client: client}
	puts.begin("a")
	puts.begin("b")
	client.updates.mu.Lock()
	client.updates.waiting = waitingMax
	client.updates.mu.Unlock()
	_, err := client.Context("c").Put(context.Background(), "k", nil)
	if !errors.Is(err, ErrOverloaded) {
		t.Errorf("it is refused with %v", err)
	}
	close(fake.gate)
	puts.group.Wait()
}

func TestAClosedClientEndsWhatWaits(t *testing.T) {
	fake := gated()
	client := serve(t, fake)
	puts := &puts{client: client}
	for _, id := range []string{"a", "b", "c", "d"} {
		puts.begin(id)
	}
	_ = client.Close()
	puts.group.Wait()
	for i, err := range puts.errors[:puts.count] {
		if !errors.Is(err, ErrClientClosed) {
			t.Errorf("%d ended with %v", i, err)
		}
	}
}

func TestManyCallersLeaveNothingBehind(t *testing.T) {
	fake := &fake{answer: taken}
	client := serve(t, fake)
	var group sync.WaitGroup
	for caller := range 64 {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range 50 {
				id := fmt.Sprint((caller * n) % 17)
				if _, err := client.Context(id).Put(context.Background(), "k", nil); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	for client.updates.load() != 0 {
		pause() // The last sender has still to leave.
	}
	client.updates.mu.Lock()
	defer client.updates.mu.Unlock()
	if len(client.updates.queues) != 0 || !client.updates.ready.empty() || client.updates.bytes != 0 {
		t.Errorf("the lane holds %+v", client.updates)
	}
}
