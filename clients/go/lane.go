package contextd

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
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
//  4. Nothing of what a caller gave is read once its call has returned: what waits is encoded.
//
// Any goroutine may use it.
type lane struct {
	caller *caller
	wire   wire

	mu      sync.Mutex
	queues  map[laneKey]*laneQueue // Of the contexts that have operations here.
	ready   readyQueues            // Those that wait and have nothing under way.
	spare   []*laneQueue           // To be used again.
	calls   int                    // Under way.
	waiting int                    // Operations that somebody waits for and that are not under way,
	bytes   int                    // and their size.
	closed  bool                   // Nothing waits any more.
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
	answer    proto.Message // Set by the wire, where the operation succeeded.
	requestID string

	// Of one that waits, or waited:
	encoded  []byte // The request.
	begun    time.Time
	deadline time.Time
	done     chan error // Takes one.
	waits    bool       // It is counted among those that wait. Under the lane's lock, as is:
	gone     bool       // The caller gave up.
}

// encode makes the bytes of the request, which are sent once the caller may be gone.
func (op *operation) encode() error {
	encoded, err := proto.Marshal(op.request)
	if err != nil {
		return invalidValue("the request cannot be encoded: %v", err)
	}
	op.encoded = encoded
	return nil
}

// message is the request as a call of its own. Of one that is encoded it has only the bytes, as
// fields that are not known here: those are sent as they are.
func (op *operation) message() proto.Message {
	if op.encoded == nil {
		return op.request
	}
	return ofBytes(op.request.ProtoReflect().New(), op.encoded)
}

// ofBytes makes a message of its encoded form, without decoding it.
func ofBytes(message protoreflect.Message, encoded []byte) proto.Message {
	message.SetUnknown(encoded)
	return message.Interface()
}

// wire is how the operations of a kind are sent.
type wire interface {
	// single sends one operation as the plain call, its repetitions included.
	single(ctx context.Context, op *operation) error

	// together sends several as one call, its repetitions included. It sets the answers, and gives
	// an error for each operation, or one of the call as a whole. errAskAlone: the answer does not
	// tell what became of the operation.
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
	queue := l.room(key)
	if queue == nil {
		l.mu.Unlock()
		if err := op.encode(); err != nil {
			return err
		}
		op.begun = time.Now()
		op.deadline = l.deadline(ctx, timeout, op.begun)
		op.done = make(chan error, 1)
		l.mu.Lock()
		queue = l.room(key) // Others went on meanwhile.
	}
	if queue != nil {
		l.mu.Unlock()
		return l.alone(ctx, timeout, queue, op)
	}
	refused := l.enqueue(key, op)
	l.mu.Unlock()
	if refused != nil {
		return l.caller.named(refused, op.requestID)
	}
	return l.wait(ctx, op)
}

// room gives a queue for an operation that goes out at once. nil: it has to wait.
func (l *lane) room(key laneKey) *laneQueue {
	if l.calls == callsInFlight || !l.ready.empty() || l.queues[key] != nil {
		return nil
	}
	queue := l.newQueue(key)
	queue.busy = true
	l.calls++
	return queue
}

// enqueue lets an operation wait, or refuses it.
func (l *lane) enqueue(key laneKey, op *operation) *Failure {
	if l.closed {
		return closedFailure()
	}
	size := len(op.encoded)
	if l.waiting >= waitingMax || l.bytes+size > waitingBytesMax {
		return newFailure(errOverloaded, codes.ResourceExhausted,
			"%d operations of %d bytes wait in this client: make fewer at once", l.waiting, l.bytes)
	}
	queue := l.queues[key]
	if queue == nil {
		queue = l.newQueue(key)
	}
	if !queue.busy && len(queue.waiting) == 0 {
		l.ready.add(queue)
	}
	queue.waiting = append(queue.waiting, op)
	l.count(op, true)
	return nil
}

// count notes that an operation waits, or that it does not any more.
func (l *lane) count(op *operation, waits bool) {
	if op.waits == waits {
		return
	}
	op.waits = waits
	if waits {
		l.waiting++
		l.bytes += len(op.encoded)
	} else {
		l.waiting--
		l.bytes -= len(op.encoded)
	}
}

// close ends all that waits. What is under way ends with its call.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.ready = readyQueues{}
	for key, queue := range l.queues {
		for _, op := range queue.waiting {
			l.count(op, false)
			op.done <- l.caller.named(closedFailure(), op.requestID)
		}
		queue.waiting = nil
		if !queue.busy {
			delete(l.queues, key)
		}
	}
}

func (l *lane) deadline(
	ctx context.Context, timeout time.Duration, begun time.Time,
) time.Time {
	if timeout == 0 {
		timeout = l.caller.timeout
	}
	latest := begun.Add(timeout)
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
	}
	l.giveUp(op)
	if errors.Is(ctx.Err(), context.Canceled) {
		return l.caller.named(cancelled(context.Cause(ctx)), op.requestID)
	}
	return l.tooLate(op)
}

// tooLate is what an operation ends with whose time is over: that nobody answers, where that is so.
func (l *lane) tooLate(op *operation) error {
	if trouble := l.caller.trouble.Load(); trouble != nil {
		failure := trouble.failure
		failure.RequestID = op.requestID
		return l.caller.last(&failure, op.begun, trouble.attempts)
	}
	return l.caller.named(deadlineExceeded("there was no answer in time"), op.requestID)
}

// giveUp has an operation not sent any more, where it is not under way.
func (l *lane) giveUp(op *operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	op.gone = true
	if op.waits {
		l.count(op, false)
		op.encoded = nil
	}
}

// batch is what one call carries.
type batch struct {
	ops    []*operation
	size   int // Bytes of their requests.
	queues []*laneQueue
}

// send carries out a batch, and then what waits, until nothing does.
func (l *lane) send(next *batch) {
	for next != nil {
		l.carryOut(next.ops)
		runtime.Gosched() // Those who have their results may want to go with the next call.

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
			l.ready.add(queue)
		} else {
			l.freeQueue(queue)
		}
	}
	taken := l.take()
	if len(taken.ops) == 0 {
		return nil
	}
	l.calls++
	l.fill()
	return taken
}

// fill sends what is too much for one call, where there is room for another.
func (l *lane) fill() {
	for l.calls < callsInFlight {
		more := l.take()
		if len(more.ops) == 0 {
			return
		}
		l.calls++
		go l.send(more)
	}
}

// take fills a call with what waits of a namespace, in order, up to its bounds.
func (l *lane) take() *batch {
	taken := &batch{}
	for len(taken.ops) == 0 {
		namespace := l.ready.turn()
		if namespace == nil {
			break
		}
		for len(namespace.queues) > 0 {
			queue := namespace.queues[0]
			full := l.takeOf(queue, taken)
			if full && !queue.busy {
				break // It stays the first.
			}
			namespace.queues[0] = nil
			namespace.queues = namespace.queues[1:]
			if !queue.busy {
				l.freeQueue(queue) // All gave up.
			}
			if full {
				break
			}
		}
		l.ready.again(namespace)
	}
	return taken
}

// takeOf adds the operations of a context to a call, and tells whether the call is full before all
// are in it.
func (l *lane) takeOf(queue *laneQueue, taken *batch) (full bool) {
	for len(queue.waiting) > 0 {
		op := queue.waiting[0]
		size := len(op.encoded)
		if !op.gone && len(taken.ops) > 0 &&
			(len(taken.ops) == callOperationsMax || taken.size+size > callBytesMax) {
			return true
		}
		queue.waiting[0] = nil
		queue.waiting = queue.waiting[1:]
		l.count(op, false)
		if op.gone {
			continue
		}
		taken.ops = append(taken.ops, op)
		taken.size += size
		if !queue.busy {
			queue.busy = true
			taken.queues = append(taken.queues, queue)
		}
	}
	return false
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
