package contextd

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Restore says how a context is set back.
type Restore struct {
	To          At   // Which state. The zero value: the newest point; when deleted, the last state.
	SafetyPoint bool // Keep the state before as a recovery point.
	Undelete    bool // Bring back a deleted context.
}

// Restored is what became of a Restore.
type Restored struct {
	Info              ContextInfo // Of a repeat whose context is gone: empty.
	ChangedEntryCount uint64      // 0 of a repeat.
	SafetyPointID     string
	Written           Written
}

// Restore sets the context back to an earlier state, as a new version: nothing between is lost.
func (c *Context) Restore(
	ctx context.Context, how Restore, options ...WriteOption,
) (Restored, error) {
	wanted := writeOptionsOf(options)
	request := &pb.RestoreContextRequest{
		Namespace: c.namespace, ContextId: c.id, SafetyPoint: how.SafetyPoint,
		Undelete: how.Undelete, Preconditions: wanted.preconditions,
		Write: c.writer.options(wanted.requestID),
	}
	switch {
	case how.To.point != "":
		request.Target = &pb.RestoreContextRequest_RecoveryPointId{RecoveryPointId: how.To.point}
	case how.To.version != 0:
		request.Target = &pb.RestoreContextRequest_Version{Version: how.To.version}
	case !how.To.time.IsZero():
		request.Target = &pb.RestoreContextRequest_Time{Time: timestamp(how.To.time)}
	}
	reply := &pb.RestoreContextResponse{}
	method := pb.Recovery_RestoreContext_FullMethodName
	err := c.write(ctx, method, request, reply, request.Write)
	return Restored{
		Info: infoOf(reply.GetContext()), ChangedEntryCount: reply.GetChangedEntryCount(),
		SafetyPointID: reply.GetSafetyPointId(),
		Written:       writtenOf(reply.GetContext().GetVersion(), reply.GetWrite(), wanted.requestID),
	}, err
}

// Undelete brings the context back as it was when it was deleted, with its history and points.
func (c *Context) Undelete(ctx context.Context, options ...WriteOption) (Restored, error) {
	return c.Restore(ctx, Restore{Undelete: true}, options...)
}

// Fork says how a context is made from a state of another one.
type Fork struct {
	ID          string // Of the new context. Empty: the server makes one up.
	WithHistory bool   // Take along history, files and usage as they stood then.
	WithPoints  bool   // Take along the recovery points up to that state.

	// Properties is how it begins; its labels come to those of the state. nil: with the type,
	// parent and policy of the source, and without expiry.
	Properties *NewContext
}

// Fork makes a new context from this state, and shares all of it: the cost does not depend on the
// size.
func (s *State) Fork(ctx context.Context, how Fork, options ...CallOption) (*Context, error) {
	nobodys := &Context{State: *s}
	return nobodys.Fork(ctx, how, options...)
}

// Fork makes a new context from the newest state, as State.Fork does. A session that writes to this one
// makes it, and writes to it, without a fence.
func (c *Context) Fork(ctx context.Context, how Fork, options ...CallOption) (*Context, error) {
	requestID := requestIDOf(options)
	request := &pb.ForkContextRequest{
		Source: c.ref(), ContextId: how.ID, WithHistory: how.WithHistory,
		WithRecoveryPoints: how.WithPoints, Properties: how.Properties.message(),
		Write: c.writer.options(requestID),
	}
	request.Write.Fence = 0 // What is made has none.
	reply := &pb.ForkContextResponse{}
	method := pb.Recovery_ForkContext_FullMethodName
	if err := c.write(ctx, method, request, reply, request.Write); err != nil {
		return nil, err
	}
	if reply.GetContext() == nil { // The request was made before.
		return nil, c.client.named(newFailure(errContextNotFound, codes.NotFound,
			"the context %q was forked, and the fork is gone again", c.id), requestID)
	}
	fork := c.client.Context(
		reply.GetContext().GetId(), InNamespace(c.namespace), CallTimeout(c.timeout))
	if c.writer != nil {
		fork.writer = &writer{lease: c.writer.lease}
	}
	return fork, nil
}

// branchTTL bounds a branch whose program was killed, or lost the server.
const branchTTL = 24 * time.Hour

// Branch makes a fork of the newest state for the length of a function, to try something: attempt
// can merge it back with Merge. At the end the fork is deleted, merged or not; it lives for a day at
// most.
func (c *Context) Branch(
	ctx context.Context, attempt func(branch *Context) error,
) (err error) {
	branch, err := c.Fork(ctx, Fork{
		Properties: &NewContext{Expiry: &Expiry{TTL: branchTTL}},
	})
	if err != nil {
		return err
	}
	defer func() {
		deletion := Deletion{Purge: true, AllowMissing: true}
		nobodys := &Context{State: branch.State} // Also where the session is lost.
		if _, left := nobodys.Delete(context.WithoutCancel(ctx), deletion); err == nil {
			err = left
		}
	}()
	return attempt(branch)
}
