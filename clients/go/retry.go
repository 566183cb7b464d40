package contextd

import (
	"context"
	"math/rand/v2"
	"time"
)

// RetryPolicy is how calls are repeated: reads, and writes, which carry a request id. The zero value
// of each field stands for its default.
type RetryPolicy struct {
	// InitialDelay is the longest before the first repetition; each further one is twice as long.
	// Up to a half is taken away at random. Default: 50 ms.
	InitialDelay time.Duration

	// MaxDelay is what no delay exceeds unless the server asks for more. Default: 1 s.
	MaxDelay time.Duration

	// ConflictAttempts is how often Edit and Transact try to win against others. Default: 16.
	ConflictAttempts int

	// ConflictDelay is the longest before their first repetition. Default: 5 ms.
	ConflictDelay time.Duration
}

const exponentMax = 30

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.InitialDelay == 0 {
		p.InitialDelay = 50 * time.Millisecond
	}
	if p.MaxDelay == 0 {
		p.MaxDelay = time.Second
	}
	if p.ConflictAttempts == 0 {
		p.ConflictAttempts = 16
	}
	if p.ConflictDelay == 0 {
		p.ConflictDelay = 5 * time.Millisecond
	}
	return p
}

func (p RetryPolicy) check() error {
	if p.InitialDelay < 0 || p.ConflictDelay < 0 || p.ConflictAttempts < 0 {
		return invalidValue("nothing in a retry policy may be negative")
	}
	if p.MaxDelay < p.InitialDelay || p.MaxDelay < p.ConflictDelay {
		return invalidValue("MaxDelay %v must not be below the other delays", p.MaxDelay)
	}
	return nil
}

// grown is min(initial * 2^attempt, MaxDelay), for attempts from 0.
func (p RetryPolicy) grown(initial time.Duration, attempt int) time.Duration {
	if attempt > exponentMax || initial > p.MaxDelay>>attempt {
		return p.MaxDelay
	}
	return initial << attempt
}

// delay is the time before the repetition number attempt, from 0, after a failure. A delay that the
// server named is never cut short, only spread over up to a half more.
func (p RetryPolicy) delay(attempt int, failure *Failure, random float64) time.Duration {
	if failure.RetryDelay > 0 {
		return failure.RetryDelay + time.Duration(random*float64(failure.RetryDelay)/2)
	}
	return time.Duration((1 - random/2) * float64(p.grown(p.InitialDelay, attempt)))
}

// conflictDelay is the time before the next try of Edit or Transact.
func (p RetryPolicy) conflictDelay(attempt int, random float64) time.Duration {
	return time.Duration(random * float64(p.grown(p.ConflictDelay, attempt)))
}

// repeatable tells whether a repetition may mend a failure. What the program cancelled itself does
// not come here.
func repeatable(failure *Failure) bool {
	if failure.kind == errCertificateRejected {
		return false
	}
	return is(failure, errUnavailable) || failure.kind == errOverloaded ||
		failure.kind == errCancelled
}

// sleep waits, unless the call's context ends or the client is closed before.
func (c *caller) sleep(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.done.Done():
		return c.done.Err()
	}
}

// sleep waits, unless the context ends before.
func sleep(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// beginsBefore tells whether an attempt after the delay would begin before the context's deadline.
func beginsBefore(ctx context.Context, delay time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || time.Until(deadline) > delay
}

func random() float64 { return rand.Float64() }
