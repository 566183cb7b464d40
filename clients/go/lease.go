package contextd

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// lease is whether a program can still rely on its session.
//
// What always holds:
//
//  1. It is lost at the latest when the term has passed since the last renewal that was answered
//     was sent. The server counts from when it came, which is later.
//  2. What is lost stays lost, and what was ended is never lost.
type lease struct {
	id   string
	term time.Duration
	lost chan struct{} // Closed when it is lost.

	mu       sync.Mutex
	deadline time.Time
	why      error // Why it is lost. nil: it is not.
	ended    error // What is said once the program ended it, or closed the client.
}

func newLease(id string, term time.Duration, since time.Time) *lease {
	return &lease{id: id, term: term, lost: make(chan struct{}), deadline: since.Add(term)}
}

// renewed notes the answer to a renewal that was sent at a time.
func (l *lease) renewed(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := since.Add(l.term); until.After(l.deadline) {
		l.deadline = until
	}
}

// remaining is the time until it is lost unless it is renewed; not below 0.
func (l *lease) remaining() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.deadline))
}

// attemptUntil is how long one attempt to renew may take that begins now.
func (l *lease) attemptUntil(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := now.Add(l.term / 3); until.Before(l.deadline) {
		return until
	}
	return l.deadline
}

// lose notes that it is lost, and why. It gives what the program is told.
func (l *lease) lose(why string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended == nil && l.why == nil {
		l.why = typed(&Failure{
			Message: "the session " + l.id + " is lost: " + why,
			Code:    codes.NotFound,
			Reason:  errSessionNotFound.name,
			Details: map[string]string{"session_id": l.id},
			kind:    errSessionLost,
		})
		close(l.lost)
	}
	return l.state()
}

// end notes that the program ended it, and tells whether it did before, or lost it.
func (l *lease) end(said error) (before bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil || l.why != nil {
		return true
	}
	l.ended = said
	return false
}

func (l *lease) state() error {
	if l.why != nil {
		return l.why
	}
	return l.ended
}

// check gives the error with which a use of it fails, or nil.
func (l *lease) check() error {
	l.mu.Lock()
	known, remaining := l.state(), time.Until(l.deadline)
	l.mu.Unlock()
	if known == nil && remaining <= 0 {
		return l.lose("it was not renewed in time")
	}
	return known
}

// learn gives the error that a call ended with; where the server does not know the session, it is
// lost.
func (l *lease) learn(err error) error {
	if err == nil || kindOf(err) != errSessionNotFound {
		return err
	}
	lost := l.lose("the server does not know it: it was not renewed in time, or was ended")
	if lost == nil {
		return err
	}
	if known, ok := lost.(failed); ok {
		its := *known.failure()
		its.RequestID = err.(failed).failure().RequestID
		return typed(&its)
	}
	return lost
}

// writer is who writes: a session, with the fence of an exclusive activation, or 0. nil: nobody's.
type writer struct {
	lease *lease
	fence uint64
}

func (w *writer) options(requestID string) *pb.WriteOptions {
	if w == nil {
		return &pb.WriteOptions{RequestId: requestID}
	}
	return &pb.WriteOptions{RequestId: requestID, SessionId: w.lease.id, Fence: w.fence}
}

func (w *writer) check() error {
	if w == nil {
		return nil
	}
	return w.lease.check()
}

func (w *writer) learn(err error) error {
	if w == nil || err == nil {
		return err
	}
	return w.lease.learn(err)
}

// write makes a call that carries a request id, and the writer where there is one.
func (c *Context) write(
	ctx context.Context, method string, request, reply proto.Message, write *pb.WriteOptions,
) error {
	if err := c.writer.check(); err != nil {
		return err
	}
	err := c.client.write(ctx, c.timeout, method, request, reply, write)
	return c.writer.learn(err)
}
