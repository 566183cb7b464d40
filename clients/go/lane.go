package contextd

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// The bounds of a lane.
const (
	callsInFlight     = 2       // Calls under way.
	callOperationsMax = 1000    // Operations in a call.
	callBytesMax      = 1 << 20 // Requests in a call.
	waitingMax        = 10000   // Operations that wait,
	waitingBytesMax   = 64 << 20
)

// lane sends the concurrent operations of one kind together.
//
// What always holds:
//
//  1. At most callsInFlight calls are under way. An operation that finds room goes out at once and
//     alone, in the goroutine of its caller; what waits goes out as soon as there is room.
//  2. Operations of one context are carried out in the order in which they were given: one does
//     not go out while another of its context is under way in another call.
//  3. Each operation has its own result, error, deadline and request id.
//
// Any goroutine may use it.
type lane struct {
	caller *caller
	wire   wire

	mu      sync.Mutex
	queues  map[laneKey]*laneQueue // Of the contexts that have operations here.
	ready   []*laneQueue           // Those that wait and have nothing under way, in order.
	spare   []*laneQueue           // To be used again.
	calls   int                    // Under way.
	waiting int                    // Operations,
	bytes   int                    // and their size.
}

// laneKey names a context.
type laneKey struct{ namespace, id string }

// laneQueue holds the operations of one context that wait, in order.
type laneQueue struct {
	key     laneKey
	waiting []*operation
	busy    bool // Operations of it are under way.
}

// operation is one request of a lane, and what becomes of it.
type operation struct {
	request   proto.Message
	reply     proto.Message
	requestID string
	size      int
	deadline  time.Time
	done      chan error // Takes one.
	gone      bool       // The caller gave up while it waited. Under the lane's lock.
}

// wire is how the operations of a kind are sent.
type wire interface {
	// single sends one operation as the plain call, its repetitions included.
	single(ctx context.Context, op *operation) error

	// together sends several as one call, its repetitions included. It fills in the replies, and
	// gives an error for each operation, or one of the call as a whole.
	together(ctx context.Context, ops []*operation) ([]error, error)
}

func newLane(caller *caller, wire wire) *lane {
	return &lane{caller: caller, wire: wire, queues: make(map[laneKey]*laneQueue)}
}

// do carries out one operation, alone or with others.
func (l *lane) do(
	ctx context.Context, timeout time.Duration, key laneKey, op *operation,
) error {
	if !l.caller.coalescing {
		ctx, cancel := l.caller.bounded(ctx, timeout)
		defer cancel()
		return l.wire.single(ctx, op)
	}
	l.mu.Lock()
	queue := l.queues[key]
	if queue == nil && l.calls < callsInFlight && len(l.ready) == 0 {
		queue = l.newQueue(key)
		queue.busy = true
		l.calls++
		l.mu.Unlock()
		return l.alone(ctx, timeout, queue, op)
	}
	op.size = proto.Size(op.request)
	if l.waiting >= waitingMax || l.bytes+op.size > waitingBytesMax {
		l.mu.Unlock()
		return l.caller.named(newFailure(errOverloaded, codes.ResourceExhausted,
			"too many operations wait in this client: make fewer at once"), op.requestID)
	}
	op.done = make(chan error, 1)
	op.deadline = l.deadline(ctx, timeout)
	if queue == nil {
		queue = l.newQueue(key)
	}
	if !queue.busy && len(queue.waiting) == 0 {
		l.ready = append(l.ready, queue)
	}
	queue.waiting = append(queue.waiting, op)
	l.waiting++
	l.bytes += op.size
	l.mu.Unlock()
	return l.wait(ctx, op)
}

func (l *lane) deadline(ctx context.Context, timeout time.Duration) time.Time {
	if timeout == 0 {
		timeout = l.caller.timeout
	}
	latest := time.Now().Add(timeout)
	if own, ok := ctx.Deadline(); ok && own.Before(latest) {
		return own
	}
	return latest
}

// alone sends an operation that found room as the plain call.
func (l *lane) alone(
	ctx context.Context, timeout time.Duration, queue *laneQueue, op *operation,
) error {
	defer func() {
		if next := l.next([]*laneQueue{queue}); next != nil {
			go l.send(next)
		}
	}()
	ctx, cancel := l.caller.bounded(ctx, timeout)
	defer cancel()
	return l.wire.single(ctx, op)
}

// wait gives the result of an operation that goes out with others, or gives it up.
func (l *lane) wait(ctx context.Context, op *operation) error {
	timer := newTimer(time.Until(op.deadline))
	defer freeTimer(timer)
	select {
	case err := <-op.done:
		return err
	case <-ctx.Done():
	case <-timer.C:
	case <-l.caller.done.Done():
	}
	l.mu.Lock()
	op.gone = true
	l.mu.Unlock()
	switch {
	case l.caller.closed.Load():
		return l.caller.named(closedFailure(), op.requestID)
	case errors.Is(ctx.Err(), context.Canceled):
		return l.caller.named(cancelled(context.Cause(ctx)), op.requestID)
	}
	return l.caller.named(deadlineExceeded("there was no answer in time"), op.requestID)
}

// batch is what one call carries.
type batch struct {
	ops    []*operation
	queues []*laneQueue
}

// send carries out a batch, and then what waits, until nothing does.
func (l *lane) send(next *batch) {
	for next != nil {
		l.carryOut(next.ops)
		next = l.next(next.queues)
	}
}

// next ends a call whose queues were busy, and takes what waits for another. nil: there is nothing.
func (l *lane) next(ended []*laneQueue) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls--
	for _, queue := range ended {
		queue.busy = false
		if len(queue.waiting) > 0 {
			l.ready = append(l.ready, queue)
		} else {
			l.freeQueue(queue)
		}
	}
	taken := l.take()
	if len(taken.ops) == 0 {
		return nil
	}
	l.calls++
	return taken
}

// take fills a call with what waits, in order, up to its bounds.
func (l *lane) take() *batch {
	taken := &batch{}
	size := 0
	for len(l.ready) > 0 {
		queue := l.ready[0]
		full := false
		for len(queue.waiting) > 0 && !full {
			op := queue.waiting[0]
			if !op.gone && len(taken.ops) > 0 &&
				(len(taken.ops) == callOperationsMax || size+op.size > callBytesMax) {
				full = true
				break
			}
			queue.waiting[0] = nil
			queue.waiting = queue.waiting[1:]
			l.waiting--
			l.bytes -= op.size
			if op.gone {
				continue
			}
			size += op.size
			taken.ops = append(taken.ops, op)
			if !queue.busy {
				queue.busy = true
				taken.queues = append(taken.queues, queue)
			}
		}
		if full && !queue.busy {
			return taken // It stays the first.
		}
		l.ready[0] = nil
		l.ready = l.ready[1:]
		if !queue.busy {
			l.freeQueue(queue)
		}
		if full {
			return taken
		}
	}
	l.ready = nil
	return taken
}

func (l *lane) newQueue(key laneKey) *laneQueue {
	var queue *laneQueue
	if last := len(l.spare) - 1; last >= 0 {
		queue, l.spare = l.spare[last], l.spare[:last]
	} else {
		queue = &laneQueue{}
	}
	queue.key = key
	l.queues[key] = queue
	return queue
}

const spareMax = 64

func (l *lane) freeQueue(queue *laneQueue) {
	delete(l.queues, queue.key)
	if len(l.spare) < spareMax {
		*queue = laneQueue{}
		l.spare = append(l.spare, queue)
	}
}

var timers = sync.Pool{New: func() any { return time.NewTimer(time.Hour) }}

func newTimer(after time.Duration) *time.Timer {
	timer := timers.Get().(*time.Timer)
	timer.Reset(after)
	return timer
}

func freeTimer(timer *time.Timer) {
	if !timer.Stop() {
		select { // With Go before 1.23 in go.mod, what fired stays in the channel.
		case <-timer.C:
		default:
		}
	}
	timers.Put(timer)
}
