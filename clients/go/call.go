package contextd

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// caller makes calls: with a deadline, again where that may help, and with errors of this package.
// Any goroutine may use it.
type caller struct {
	settings
	connection grpc.ClientConnInterface
	closed     atomic.Bool
	done       context.Context // Ends when the client is closed.
	trouble    atomic.Pointer[trouble]
}

// trouble is what calls fail with while nobody answers: the newest failure.
type trouble struct {
	failure  Failure
	attempts int // Of the call that failed.
}

// heard notes how an attempt ended, for the operations that wait behind it.
func (c *caller) heard(failure *Failure, attempts int) {
	switch {
	case failure != nil && is(failure, errUnavailable):
		c.trouble.Store(&trouble{*failure, attempts})
	case failure != nil && (failure.kind == errDeadlineExceeded || failure.kind == errCancelled):
	case c.trouble.Load() != nil: // Somebody answered.
		c.trouble.Store(nil)
	}
}

var staticMethod = grpc.StaticMethod()

// bounded gives the call's context: with the client's timeout, unless its deadline is sooner.
func (c *caller) bounded(ctx context.Context, timeout time.Duration) (
	context.Context, context.CancelFunc,
) {
	if timeout == 0 {
		timeout = c.timeout
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= timeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// invoke makes a call and fills in the reply. timeout 0: the client's. requestID is that of a write.
func (c *caller) invoke(
	ctx context.Context, timeout time.Duration, method string, request, reply proto.Message,
	requestID string,
) error {
	if err := checkRequest(request, requestID); err != nil {
		return err
	}
	ctx, cancel := c.bounded(ctx, timeout)
	defer cancel()
	return c.repeat(ctx, method, requestID, func() error {
		return c.connection.Invoke(ctx, method, request, reply, staticMethod)
	})
}

// repeat sends until it succeeds, no repetition helps, or the context's deadline forbids one.
func (c *caller) repeat(
	ctx context.Context, method, requestID string, send func() error,
) error {
	begun := time.Now()
	attempts := 0
	err := func() error {
		for {
			if c.closed.Load() {
				return c.named(closedFailure(), requestID)
			}
			attempts++
			sent := send()
			if sent == nil {
				c.heard(nil, attempts)
				return nil
			}
			failure := c.understand(ctx, sent)
			c.heard(failure, attempts)
			failure.RequestID = requestID
			delay := c.retry.delay(attempts-1, failure, random())
			if !repeatable(failure) || !beginsBefore(ctx, delay) {
				return c.last(failure, begun, attempts)
			}
			c.log.Debug("a call is repeated",
				"method", method, "attempt", attempts, "delay", delay, "error", failure)
			if err := c.sleep(ctx, delay); err != nil {
				return c.named(c.understand(ctx, err), requestID)
			}
		}
	}()
	if c.onCall != nil {
		c.onCall(Call{Method: method, Duration: time.Since(begun), Attempts: attempts, Err: err})
	}
	return err
}

// understand makes the failure of an error that gRPC or a context gave.
func (c *caller) understand(ctx context.Context, err error) *Failure {
	if c.closed.Load() {
		return closedFailure()
	}
	if errors.Is(err, context.Canceled) {
		return cancelled(context.Cause(ctx))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return deadlineExceeded("there was no answer in time")
	}
	failure := failureOf(err)
	if failure.kind == errCancelled && ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return deadlineExceeded("there was no answer in time")
		}
		return cancelled(context.Cause(ctx))
	}
	return failure
}

// last is the failure that a call ends with.
func (c *caller) last(failure *Failure, begun time.Time, attempts int) error {
	if failure.kind == errUnavailable && failure.Reason == "" {
		failure.Message = fmt.Sprintf("nobody answered at %s for %.1f s, tried %d times: %s",
			c.address, time.Since(begun).Seconds(), attempts, explained(failure.Message, c.tls != nil))
	}
	if failure.kind == errCertificateRejected || failure.kind == errWrongServer {
		failure.Message = fmt.Sprintf("at %s: %s", c.address, failure.Message)
	}
	if failure.kind == errWrongServer && failure.Code == codes.Unimplemented {
		failure.Message += " (is this a contextd?)"
	}
	return typed(failure)
}

func (c *caller) named(failure *Failure, requestID string) error {
	failure.RequestID = requestID
	return typed(failure)
}
