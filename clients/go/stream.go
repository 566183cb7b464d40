package contextd

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// streaming reads something over as many streams as it takes.
type streaming[M any] struct {
	caller   *caller
	method   string
	timeout  time.Duration // For which nobody may answer, and a new stream may be silent.
	patience time.Duration // After which a stream is dead that told something, and then nothing.

	// open begins a stream, where the one before it broke off.
	open func(ctx context.Context) (grpc.ServerStreamingClient[M], error)

	// accept takes a message. more is false when no further one is wanted.
	accept func(message *M) (more bool, err error)

	// endless streams are begun anew when the server ends them.
	endless bool
}

var errSilent = errors.New("nothing came")

// run reads until the stream is over, accept wants no more, or no further stream helps.
func (s *streaming[M]) run(ctx context.Context) error {
	begun := time.Now()
	attempts := 0
	err := s.repeat(ctx, &attempts)
	if s.caller.onCall != nil {
		s.caller.onCall(Call{s.method, time.Since(begun), attempts, err})
	}
	return err
}

func (s *streaming[M]) repeat(ctx context.Context, attempts *int) error {
	since := time.Now() // When somebody answered last, or it began.
	for failed := 0; ; failed++ {
		if s.caller.closed.Load() {
			return closedFailure()
		}
		*attempts++
		progressed, more, err := s.once(ctx, s.timeout-time.Since(since))
		if err == nil && !(more && s.endless) {
			return nil
		}
		failure := s.understand(ctx, err)
		if progressed {
			since, failed = time.Now(), 0
		}
		delay := s.caller.retry.delay(failed, failure, random())
		if progressed && (failure.kind == errStreamStalled || failure.kind == errDeadlineExceeded) {
			delay = 0
		}
		expired := progressed && failure.Code == codes.Unauthenticated // The next has a new token.
		again := repeatable(failure) || failure.kind == errStreamStalled || expired ||
			errors.Is(err, errSilent)
		if !again || ctx.Err() != nil || !beginsBefore(ctx, delay) ||
			time.Since(since)+delay >= s.timeout {
			return s.caller.last(failure, since, *attempts)
		}
		s.caller.log.Info("a stream is begun again",
			"method", s.method, "delay", delay, "error", failure)
		if err := s.caller.sleep(ctx, delay); err != nil {
			return typed(s.caller.understand(ctx, err))
		}
	}
}

// once reads one stream, whose first message is waited for as long as left says. It tells whether
// anything came, and whether more is wanted.
func (s *streaming[M]) once(
	ctx context.Context, left time.Duration,
) (progressed, more bool, err error) {
	streamCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(left, func() { cancel(errSilent) })
	defer watchdog.Stop()
	stream, err := s.open(streamCtx)
	if err != nil && errors.Is(context.Cause(streamCtx), errSilent) {
		return false, true, newFailure(errUnavailable, codes.Unavailable,
			"there was no connection: %s", status.Convert(err).Message())
	}
	if err != nil {
		return false, true, err
	}
	for {
		message, err := stream.Recv()
		watchdog.Stop() // Whoever reads slowly is not the server's fault.
		if errors.Is(err, io.EOF) {
			return progressed, true, nil
		}
		if err != nil {
			if errors.Is(context.Cause(streamCtx), errSilent) {
				err = errSilent
			}
			return progressed, true, err
		}
		progressed = true
		more, err := s.accept(message)
		if !more || err != nil {
			return progressed, false, err
		}
		watchdog.Reset(s.patience)
	}
}

func (s *streaming[M]) understand(ctx context.Context, err error) *Failure {
	if err == nil {
		return newFailure(errUnavailable, codes.Unavailable, "the server ended the stream")
	}
	if known, ok := err.(failed); ok { // What accept said, or that there was no connection.
		return known.failure()
	}
	if errors.Is(err, errSilent) && !s.caller.closed.Load() {
		if s.endless {
			return newFailure(errUnavailable, codes.Unavailable, "the stream was silent")
		}
		return deadlineExceeded("there was no answer in time")
	}
	failure := s.caller.understand(ctx, err)
	if failure.Code == codes.Aborted && failure.Reason == "" {
		// What the server says of a stream that nobody reads may be stuck behind what was not read.
		failure.kind = errStreamStalled
	}
	return failure
}
