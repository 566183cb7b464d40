package contextd

import (
	"context"
	"errors"
	"fmt"
	"testing"
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
