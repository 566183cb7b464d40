package contextd

import (
	"context"
	"errors"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Activation says how a session takes a context.
type Activation struct {
	Exclusive bool // It excludes other exclusive ones, and writes with another fence.
	Takeover  bool // With Exclusive: also from another session that has it exclusively.
	Guard     bool // With Exclusive: writes without a fence are refused too.
}

// ActiveContext is a context that a session has active. Its writes carry the session, and the fence
// of the activation where that is exclusive: once the activation is not in force, they fail with
// ErrStaleFence or ErrSessionLost, and nothing of them is stored.
type ActiveContext struct {
	Context
	Fence uint64 // 0: the activation is shared.
	Info  ContextInfo
	// Session has it active.
	Session *Session
}

// Activate takes a context. It fails with ErrContextBusy where another session has it exclusively.
// Within does so for the length of a function.
func (s *Session) Activate(
	ctx context.Context, id string, how Activation, options ...CallOption,
) (*ActiveContext, error) {
	request := &pb.ActivateContextRequest{
		Namespace: s.namespace, SessionId: s.lease.id, ContextId: id,
		Exclusive: how.Exclusive, Takeover: how.Takeover, Guard: how.Guard,
		Write: &pb.WriteOptions{RequestId: requestIDOf(options)},
	}
	reply := &pb.ActivateContextResponse{}
	method := pb.Tracker_ActivateContext_FullMethodName
	if err := s.call(ctx, method, request, reply, request.Write); err != nil {
		return nil, err
	}
	active := &ActiveContext{
		Context: *s.Context(id), Fence: reply.GetActivation().GetFence(),
		Info: infoOf(reply.GetContext()), Session: s,
	}
	active.writer = &writer{s.lease, active.Fence}
	return active, nil
}

// Within activates a context, has work use it, and deactivates it, whatever work gives. Where the
// activation did not last, it fails with what became of it, unless work failed.
func (s *Session) Within(
	ctx context.Context, id string, how Activation, work func(active *ActiveContext) error,
) (err error) {
	active, err := s.Activate(ctx, id, how)
	if err != nil {
		return err
	}
	defer func() {
		// Also where the context of the work has ended.
		if left := active.Deactivate(context.WithoutCancel(ctx)); err == nil {
			err = left
		}
	}()
	return work(active)
}

// Deactivate gives the context back. It fails with ErrStaleFence or ErrNotActive where the
// activation was over before.
func (a *ActiveContext) Deactivate(ctx context.Context, options ...CallOption) error {
	request := &pb.DeactivateContextRequest{
		Namespace: a.namespace, SessionId: a.Session.lease.id, ContextId: a.id,
		Write: &pb.WriteOptions{RequestId: requestIDOf(options), Fence: a.Fence},
	}
	method := pb.Tracker_DeactivateContext_FullMethodName
	return a.Session.call(ctx, method, request, &pb.DeactivateContextResponse{}, request.Write)
}

// Switch makes a context the session's current one, activating it first, shared, where necessary.
func (s *Session) Switch(
	ctx context.Context, id string, options ...CallOption,
) (SessionInfo, error) {
	request := &pb.SwitchContextRequest{
		Namespace: s.namespace, SessionId: s.lease.id, ContextId: id,
		Write: &pb.WriteOptions{RequestId: requestIDOf(options)},
	}
	reply := &pb.SwitchContextResponse{}
	method := pb.Tracker_SwitchContext_FullMethodName
	err := s.call(ctx, method, request, reply, request.Write)
	return sessionInfoOf(reply.GetSession()), err
}

// Resource is one that a session holds, of a context.
type Resource struct {
	Name      string
	Type      string
	SessionID string // Who holds it. Set by the server.
	Metadata  map[string]string
	Time      time.Time // Since when. Set by the server.
}

// Acquire takes a named resource of a context, until Release, the session's end or the context's. It
// fails with ErrResourceHeld where another session holds it. Taking what one holds is no error.
func (s *Session) Acquire(
	ctx context.Context, contextID string, wanted Resource, options ...CallOption,
) (Resource, error) {
	request := &pb.AcquireResourceRequest{
		Namespace: s.namespace, ContextId: contextID, SessionId: s.lease.id,
		Name: wanted.Name, Type: wanted.Type, Metadata: wanted.Metadata,
		Write: &pb.WriteOptions{RequestId: requestIDOf(options)},
	}
	reply := &pb.AcquireResourceResponse{}
	method := pb.Tracker_AcquireResource_FullMethodName
	err := s.call(ctx, method, request, reply, request.Write)
	return resourceOf(reply.GetResource()), err
}

// Release gives a resource back. It fails with ErrResourceNotHeld where the session does not hold it.
func (s *Session) Release(
	ctx context.Context, contextID, name string, options ...CallOption,
) error {
	request := &pb.ReleaseResourceRequest{
		Namespace: s.namespace, ContextId: contextID, SessionId: s.lease.id, Name: name,
		Write: &pb.WriteOptions{RequestId: requestIDOf(options)},
	}
	method := pb.Tracker_ReleaseResource_FullMethodName
	return s.call(ctx, method, request, &pb.ReleaseResourceResponse{}, request.Write)
}

// Holding takes a resource for the length of a function, and gives it back.
func (s *Session) Holding(
	ctx context.Context, contextID string, wanted Resource, work func() error,
) (err error) {
	if _, err := s.Acquire(ctx, contextID, wanted); err != nil {
		return err
	}
	defer func() { // Also where the work panics.
		left := s.Release(context.WithoutCancel(ctx), contextID, wanted.Name)
		err = errors.Join(err, left)
	}()
	return work()
}

func resourceOf(resource *pb.Resource) Resource {
	return Resource{
		resource.GetName(), resource.GetType(), resource.GetSessionId(), resource.GetMetadata(),
		timeOf(resource.GetTime()),
	}
}
