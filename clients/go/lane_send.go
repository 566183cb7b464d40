package contextd

import (
	"context"
	"errors"
	"time"
)

// carryOut sends operations until each has its result. Those that the server was too busy for are
// sent again, in order, before anything behind them: their contexts stay busy.
func (l *lane) carryOut(ops []*operation) {
	for repetition := 0; len(ops) > 0; repetition++ {
		var delay time.Duration
		if len(ops) == 1 {
			l.carryOutOne(ops[0])
			return
		}
		ops, delay = l.carryOutOnce(ops, repetition)
		if len(ops) > 0 && sleep(l.caller.done, delay) != nil {
			l.failed(ops, closedFailure())
			return
		}
		ops = l.wanted(ops)
	}
}

// errAskAlone says that the answer of a call had no room to tell what became of an operation.
var errAskAlone = errors.New("the answer had no room")

// carryOutOne sends one operation as the plain call, unless its caller gave up.
func (l *lane) carryOutOne(op *operation) {
	if l.gaveUp(op) {
		return
	}
	ctx, cancel := context.WithDeadline(l.caller.done, op.deadline)
	defer cancel()
	op.done <- l.wire.single(ctx, op)
}

// carryOutOnce sends operations as one call. It gives those that are to be sent again, and when.
func (l *lane) carryOutOnce(ops []*operation, repetition int) ([]*operation, time.Duration) {
	latest := ops[0].deadline
	for _, op := range ops[1:] {
		if op.deadline.After(latest) {
			latest = op.deadline
		}
	}
	ctx, cancel := context.WithDeadline(l.caller.done, latest)
	defer cancel()
	results, err := l.wire.together(ctx, ops)
	if err != nil {
		l.failed(ops, err)
		return nil, 0
	}
	var again, alone []*operation
	var delay time.Duration
	for i, op := range ops {
		switch err := results[i]; err {
		case nil:
		case errAskAlone:
			alone = append(alone, op)
			continue
		default:
			failure := err.(failed).failure()
			failure.RequestID = op.requestID
			wanted := l.caller.retry.delay(repetition, failure, random())
			if failure.kind == errOverloaded && time.Now().Add(wanted).Before(op.deadline) {
				again = append(again, op)
				delay = max(delay, wanted)
				continue
			}
		}
		op.done <- results[i]
	}
	for _, op := range alone { // When all others have their results.
		l.carryOutOne(op)
	}
	return again, delay
}

// failed ends operations whose call failed as a whole: each fails so where no answer came, else
// each is sent by itself, so that one's fault is not another's.
func (l *lane) failed(ops []*operation, err error) {
	why := err.(failed).failure()
	ofAll := repeatable(why) || why.kind == errDeadlineExceeded || why.kind == errClientClosed ||
		why.kind == errCertificateRejected || why.kind == errWrongServer
	for _, op := range ops {
		if ofAll {
			its := *why
			its.RequestID = op.requestID
			op.done <- typed(&its)
		} else {
			l.carryOutOne(op)
		}
	}
}

// wanted leaves out the operations whose callers gave up.
func (l *lane) wanted(ops []*operation) []*operation {
	kept := ops[:0]
	for _, op := range ops {
		if !l.gaveUp(op) {
			kept = append(kept, op)
		}
	}
	return kept
}

func (l *lane) gaveUp(op *operation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return op.gone
}
