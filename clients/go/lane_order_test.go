package contextd

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

func TestAContextIsInOneCallAtATime(t *testing.T) {
	fake := &fake{}
	var underWay [5]atomic.Int32
	fake.answer = func(request *pb.UpdateContextRequest) (*pb.UpdateContextResponse, error) {
		calls := &underWay[request.ContextId[0]-'0']
		if calls.Add(1) > 1 {
			t.Errorf("%s is in two calls", request.ContextId)
		}
		runtime.Gosched()
		calls.Add(-1)
		return taken(request)
	}
	client := serve(t, fake)
	var group sync.WaitGroup
	for caller := range 32 {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range 50 {
				id := fmt.Sprint((caller + n) % len(underWay))
				if _, err := client.Context(id).Put(context.Background(), "k", nil); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
}

func TestOperationsOfAContextGoInTheirOrder(t *testing.T) {
	fake := gated()
	client := serve(t, fake)
	puts := &puts{client: client}
	puts.begin("a")
	puts.begin("b")
	for n := range 10 {
		puts.beginWith("a", contextRequestID("a", n))
		puts.beginWith("c", contextRequestID("c", n))
	}
	close(fake.gate)
	puts.group.Wait()
	found := map[string][]string{}
	for _, request := range slices.Concat(append(fake.batches, fake.plain[2:])...) {
		found[request.ContextId] = append(found[request.ContextId], request.Write.RequestId)
	}
	for _, id := range []string{"a", "c"} {
		for n := range 10 {
			if len(found[id]) != 10 || found[id][n] != contextRequestID(id, n) {
				t.Fatalf("%s was written as %v", id, found[id])
			}
		}
	}
}

func contextRequestID(id string, n int) string { return fmt.Sprintf("%s-%d", id, n) }

func TestACallIsOfOneNamespace(t *testing.T) {
	fake := gated()
	client := serve(t, fake)
	puts := &puts{client: client}
	puts.begin("a")
	puts.begin("b")
	for _, id := range []string{"c", "d"} {
		for _, namespace := range []string{"one", "two"} {
			puts.run(client.Context(id, InNamespace(namespace)), context.Background())
		}
	}
	close(fake.gate)
	puts.group.Wait()
	if err := errors.Join(puts.errors[:]...); err != nil {
		t.Fatal(err)
	}
	for _, batch := range fake.batches {
		if ids(batch) != "c d" || batch[0].Namespace != batch[1].Namespace {
			t.Errorf("a batch is %v", batch)
		}
	}
	if len(fake.batches) != 2 {
		t.Errorf("there are %d batches", len(fake.batches))
	}
}
