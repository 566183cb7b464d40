package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"

	contextd "github.com/contextd/contextd/clients/go"
	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

const (
	callers       = 64
	eventCount    = 20000
	eventsAtOnce  = 500
	valueSize     = 100
	eventContexts = "events"
)

// bench is the clients, the bare stubs over the channel of one of them, and where they write.
type bench struct {
	together, alone *contextd.Client
	contexts        pb.ContextManagerClient
	tracker         pb.TrackerClient
	namespace       string
	value           []byte
}

func newBench(address string) (*bench, error) {
	made := &bench{namespace: "bench-" + uuid.NewString()[:8], value: make([]byte, valueSize)}
	var err error
	named := contextd.WithNamespace(made.namespace)
	if made.together, err = contextd.New(address, named); err != nil {
		return nil, err
	}
	if made.alone, err = contextd.New(address, named, contextd.WithCoalescing(false)); err != nil {
		return nil, err
	}
	made.contexts = pb.NewContextManagerClient(made.together.Channel())
	made.tracker = pb.NewTrackerClient(made.together.Channel())
	return made, made.fill()
}

func (b *bench) close() {
	_ = b.together.Close()
	_ = b.alone.Close()
}

// fill makes the contexts, and the events that are read.
func (b *bench) fill() error {
	ctx := context.Background()
	for caller := range callers {
		id := fmt.Sprint(caller)
		if _, err := b.alone.Create(ctx, id, contextd.NewContext{}, []contextd.Step{
			contextd.PutEntry{Key: "k", Value: b.value},
		}); err != nil {
			return err
		}
	}
	for written := 0; written < eventCount; written += eventsAtOnce {
		request := &pb.BatchUpdateContextsRequest{}
		for n := range eventsAtOnce {
			request.Requests = append(request.Requests, &pb.UpdateContextRequest{
				Namespace: b.namespace, ContextId: fmt.Sprint(eventContexts, n%50),
				Mutations:       []*pb.Mutation{b.putMutation()},
				CreateIfMissing: &pb.NewContext{Type: eventContexts},
			})
		}
		if _, err := b.contexts.BatchUpdateContexts(ctx, request); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) putMutation() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_PutEntry{
		PutEntry: &pb.PutEntry{Key: "k", Value: b.value},
	}}
}

// until does something until the context ends.
func until(ctx context.Context, do func(context.Context) error) (int, error) {
	for done := 0; ; done++ {
		if ctx.Err() != nil {
			return done, nil
		}
		// The end of the slice breaks nothing off: what was begun counts.
		if err := do(context.WithoutCancel(ctx)); err != nil {
			return done, err
		}
	}
}

func (b *bench) bareGet(ctx context.Context) (int, error) {
	return until(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, contextd.DefaultTimeout)
		defer cancel()
		_, err := b.contexts.GetContext(ctx, &pb.GetContextRequest{
			State: &pb.StateRef{Namespace: b.namespace, ContextId: "0"},
			View:  pb.ContextView_CONTEXT_VIEW_FULL, Keys: []string{"k"},
		})
		return err
	})
}

func (b *bench) clientGet(ctx context.Context) (int, error) {
	named := b.together.Context("0")
	return until(ctx, func(ctx context.Context) error {
		_, err := named.Get(ctx, "k")
		return err
	})
}

func (b *bench) barePut(ctx context.Context) (int, error) {
	return until(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, contextd.DefaultTimeout)
		defer cancel()
		_, err := b.contexts.UpdateContext(ctx, &pb.UpdateContextRequest{
			Namespace: b.namespace, ContextId: "0", Mutations: []*pb.Mutation{b.putMutation()},
			Write: &pb.WriteOptions{RequestId: uuid.NewString()},
		})
		return err
	})
}

func (b *bench) clientPut(ctx context.Context) (int, error) {
	named := b.together.Context("0")
	return until(ctx, func(ctx context.Context) error {
		_, err := named.Put(ctx, "k", b.value)
		return err
	})
}

func (b *bench) manyAlone(ctx context.Context) (int, error)    { return b.many(ctx, b.alone) }
func (b *bench) manyTogether(ctx context.Context) (int, error) { return b.many(ctx, b.together) }

// many has each caller put into a context of its own.
func (b *bench) many(ctx context.Context, client *contextd.Client) (int, error) {
	var group sync.WaitGroup
	var total atomic.Int64
	failures := make(chan error, callers)
	for caller := range callers {
		named := client.Context(fmt.Sprint(caller))
		group.Add(1)
		go func() {
			defer group.Done()
			done, err := until(ctx, func(ctx context.Context) error {
				_, err := named.Put(ctx, "k", b.value)
				return err
			})
			total.Add(int64(done))
			if err != nil {
				failures <- err
			}
		}()
	}
	group.Wait()
	close(failures)
	return int(total.Load()), <-failures
}

// bareEvents reads the events again and again.
func (b *bench) bareEvents(ctx context.Context) (int, error) {
	read := 0
	_, err := until(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := b.tracker.Subscribe(ctx, &pb.SubscribeRequest{
			Namespace: b.namespace, Type: eventContexts,
			Start: &pb.SubscribeRequest_FromOldest{FromOldest: true},
		})
		for err == nil {
			var message *pb.SubscribeResponse
			message, err = stream.Recv()
			read += len(message.GetEvents().GetEvents())
			if message.GetCaughtUp() != nil {
				return nil
			}
		}
		return err
	})
	return read, err
}

func (b *bench) clientEvents(ctx context.Context) (int, error) {
	read := 0
	_, err := until(ctx, func(ctx context.Context) error {
		subscription, err := b.together.Subscribe(ctx, contextd.SubscriptionQuery{
			Type: eventContexts, FromOldest: true, Progress: true,
		})
		if err != nil {
			return err
		}
		defer subscription.Close()
		for event, err := range subscription.Events() {
			if err != nil {
				return err
			}
			if event.Type == contextd.EventCaughtUp {
				return nil
			}
			read++
		}
		return nil
	})
	return read, err
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
