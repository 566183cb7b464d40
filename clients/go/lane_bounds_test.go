package contextd

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

func TestACallHoldsAThousandOperations(t *testing.T) {
	fake := gated()
	puts := &puts{client: serve(t, fake)}
	puts.begin("a")
	puts.begin("b")
	for n := range callOperationsMax + 2 {
		puts.begin(fmt.Sprint(n))
	}
	close(fake.gate)
	puts.group.Wait()
	if err := errors.Join(puts.errors[:]...); err != nil {
		t.Fatal(err)
	}
	if len(fake.batches) != 2 || len(fake.batches[0])+len(fake.batches[1]) != callOperationsMax+2 ||
		max(len(fake.batches[0]), len(fake.batches[1])) != callOperationsMax {
		t.Errorf("there are %d batches", len(fake.batches))
	}
}

func TestACallHoldsAMebibyte(t *testing.T) {
	fake := gated()
	puts := &puts{client: serve(t, fake)}
	puts.begin("a")
	puts.begin("b")
	puts.value = make([]byte, callBytesMax/3)
	for _, id := range []string{"c", "d", "e", "f"} {
		puts.begin(id)
	}
	close(fake.gate)
	puts.group.Wait()
	if err := errors.Join(puts.errors[:]...); err != nil {
		t.Fatal(err)
	}
	for _, batch := range fake.batches {
		if ids(batch) != "c d" && ids(batch) != "e f" {
			t.Errorf("a batch is %s", ids(batch))
		}
	}
}

func TestTooManyBytesThatWaitAreRefused(t *testing.T) {
	fake := gated()
	puts := &puts{client: serve(t, fake)}
	puts.begin("a")
	puts.begin("b")
	puts.value = make([]byte, waitingBytesMax/2)
	puts.begin("c")
	_, err := puts.client.Context("d").Put(context.Background(), "k", puts.value)
	if !errors.Is(err, ErrOverloaded) {
		t.Errorf("it is refused with %v", err)
	}
	_ = puts.client.Close()
	puts.group.Wait()
}

func TestWhoGaveUpMakesRoom(t *testing.T) {
	fake := gated()
	puts := &puts{client: serve(t, fake)}
	puts.begin("a")
	puts.begin("b")
	ctx, cancel := context.WithCancel(context.Background())
	puts.run(puts.client.Context("c"), ctx)
	cancel()
	for puts.client.updates.load() != callsInFlight {
		pause()
	}
	close(fake.gate)
	puts.group.Wait()
	if puts.client.updates.bytes != 0 || !errors.Is(puts.errors[2], ErrCancelled) {
		t.Errorf("%d bytes wait, and it gave up with %v", puts.client.updates.bytes, puts.errors[2])
	}
}

func TestWhatIsTooMuchForOneCallGoesInTwoWhereThereIsRoom(t *testing.T) {
	entered := make(chan string, 10)
	gates := make(map[string]chan struct{})
	for _, id := range []string{"a", "b", "c", "d", "more c", "more d"} {
		gates[id] = make(chan struct{})
	}
	fake := &fake{answer: func(
		request *pb.UpdateContextRequest,
	) (*pb.UpdateContextResponse, error) {
		id := request.GetWrite().GetRequestId()
		entered <- id
		<-gates[id]
		return taken(request)
	}}
	puts := &puts{client: serve(t, fake)}
	for _, id := range []string{"a", "b", "c", "d"} {
		puts.beginWith(id, id)
	}
	_, _ = <-entered, <-entered
	close(gates["a"])
	<-entered // c, and d goes with it.
	puts.value = make([]byte, callBytesMax/3*2)
	puts.beginWith("c", "more c")
	puts.beginWith("d", "more d")
	close(gates["b"])
	puts.waitFor(1) // Nothing can go in its place.
	close(gates["c"])
	close(gates["d"])
	<-entered // d.
	for range 2 {
		select {
		case <-entered:
		case <-time.After(hangs):
			t.Error("one waits for the other, though there is room for both")
		}
	}
	close(gates["more c"])
	close(gates["more d"])
	puts.group.Wait()
}
