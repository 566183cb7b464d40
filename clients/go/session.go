package contextd

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// DefaultTTL is how long a session lives without a renewal, unless it is started with another TTL.
const DefaultTTL = 60 * time.Second

// NewSession is how a session begins.
type NewSession struct {
	Namespace           string        // Empty: the client's.
	Owner               string        // Who it stands for, such as an agent's name.
	TTL                 time.Duration // 1 s to 24 h. 0: DefaultTTL.
	Metadata            map[string]string
	DefaultContextID    string      // Activated at once, shared. Empty: none.
	CreateIfMissing     *NewContext // Contexts that are missing when they are activated begin so.
	MaxActiveContexts   uint32      // 1 to 1,000. 0: 5.
	RecoveryPointOnLoss bool        // Of each context it holds exclusively.
}

// Session is the presence of one program, or one of its agents. It renews itself in the background
// every third of its time. When it is over although the program did not end it, it is lost: Lost
// tells so at once, and whatever is done with it fails with ErrSessionLost. Any goroutine may use it.
type Session struct {
	client    *Client
	namespace string
	lease     *lease
	stop      context.CancelFunc
}

// StartSession begins a session. End ends it; a client that is closed leaves it to end by itself.
func (c *Client) StartSession(
	ctx context.Context, begins NewSession, options ...CallOption,
) (*Session, error) {
	if begins.TTL == 0 {
		begins.TTL = DefaultTTL
	}
	request := &pb.StartSessionRequest{
		Namespace:           c.orNamespace(begins.Namespace),
		Owner:               begins.Owner,
		Metadata:            begins.Metadata,
		Ttl:                 length(begins.TTL),
		DefaultContextId:    begins.DefaultContextID,
		CreateIfMissing:     begins.CreateIfMissing.message(),
		MaxActiveContexts:   begins.MaxActiveContexts,
		RecoveryPointOnLoss: begins.RecoveryPointOnLoss,
		Write:               &pb.WriteOptions{RequestId: requestIDOf(options)},
	}
	since := time.Now()
	reply := &pb.StartSessionResponse{}
	err := c.write(ctx, 0, pb.Tracker_StartSession_FullMethodName, request, reply, request.Write)
	if err != nil {
		return nil, err
	}
	if reply.GetSession() == nil { // The request was made before, and its session has ended.
		return nil, typed(newFailure(errSessionNotFound, codes.NotFound,
			"the session that this request id began has ended: use a new one"))
	}
	id := reply.GetSession().GetId()
	if reply.GetWrite().GetReplayed() || time.Since(since) > begins.TTL/3 {
		// An earlier attempt may have begun it: its term is partly over.
		since = time.Now()
		renewal := &pb.RenewSessionRequest{Namespace: request.Namespace, SessionId: id}
		err := c.invoke(ctx, 0, pb.Tracker_RenewSession_FullMethodName,
			renewal, &pb.RenewSessionResponse{}, request.Write.GetRequestId())
		if err != nil {
			return nil, err
		}
	}
	session := &Session{
		client: c, namespace: request.Namespace, lease: newLease(id, begins.TTL, since),
	}
	renewing, stop := context.WithCancel(c.done)
	session.stop = stop
	go session.renew(renewing)
	return session, nil
}

// ID is the session's id, which the server made.
func (s *Session) ID() string { return s.lease.id }

// Lost is closed when the session is lost.
func (s *Session) Lost() <-chan struct{} { return s.lease.lost }

// Err gives the error with which a use of the session fails: nil while it is alive, ErrSessionLost
// when it is lost, ErrClientClosed when the program ended it.
func (s *Session) Err() error { return s.lease.check() }

// End ends the session: its contexts are deactivated and its resources given back. It does nothing
// where the session was ended before, or is lost.
func (s *Session) End(ctx context.Context) error {
	said := newFailure(errClientClosed, codes.Canceled, "the session %s was ended", s.lease.id)
	s.stop()
	if s.lease.end(said) {
		return nil
	}
	return s.client.EndSession(ctx, s.lease.id, s.namespace)
}

// EndSession ends anybody's session; to them it is lost. No error where it has ended. An empty
// namespace is the client's.
func (c *Client) EndSession(
	ctx context.Context, id, namespace string, options ...CallOption,
) error {
	request := &pb.EndSessionRequest{
		Namespace: c.orNamespace(namespace), SessionId: id,
		Write: &pb.WriteOptions{RequestId: requestIDOf(options)},
	}
	method := pb.Tracker_EndSession_FullMethodName
	return c.write(ctx, 0, method, request, &pb.EndSessionResponse{}, request.Write)
}

// renew renews the session until it is lost or ended.
func (s *Session) renew(ctx context.Context) {
	defer s.stop()
	request := &pb.RenewSessionRequest{Namespace: s.namespace, SessionId: s.lease.id}
	for wait := s.lease.term / 3; sleep(ctx, wait) == nil; wait = s.lease.term / 3 {
		if !s.renewOnce(ctx, request) {
			break
		}
	}
	if s.client.closed.Load() {
		s.lease.end(closedFailure())
	}
}

// renewOnce tries until the server has answered, or the session is lost. It tells whether the session
// goes on.
func (s *Session) renewOnce(ctx context.Context, request *pb.RenewSessionRequest) bool {
	for attempt := 0; ; attempt++ {
		if s.lease.check() != nil || ctx.Err() != nil {
			return false
		}
		since := time.Now()
		bounded, cancel := context.WithDeadline(ctx, s.lease.attemptUntil(since))
		err := s.client.connection.Invoke(bounded, pb.Tracker_RenewSession_FullMethodName,
			request, &pb.RenewSessionResponse{}, staticMethod)
		cancel()
		if err == nil {
			s.lease.renewed(since)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		failure := s.client.understand(ctx, err)
		if failure.kind == errSessionNotFound {
			_ = s.lease.learn(typed(failure))
			return false
		}
		s.client.log.Warn("a session is not renewed yet", "session", s.lease.id, "error", failure)
		delay := min(s.client.retry.delay(attempt, failure, random()), s.lease.remaining())
		if sleep(ctx, delay) != nil {
			return false
		}
	}
}

// call makes a call that names the session.
func (s *Session) call(
	ctx context.Context, method string, request, reply proto.Message, write *pb.WriteOptions,
) error {
	if err := s.lease.check(); err != nil {
		return err
	}
	return s.lease.learn(s.client.write(ctx, 0, method, request, reply, write))
}

// Context names a context whose writes carry the session, and no fence.
func (s *Session) Context(id string, options ...ContextOption) *Context {
	named := s.client.Context(id, append([]ContextOption{InNamespace(s.namespace)}, options...)...)
	named.writer = &writer{lease: s.lease}
	return named
}

// Info gets what the server knows of the session.
func (s *Session) Info(ctx context.Context) (SessionInfo, error) {
	if err := s.lease.check(); err != nil {
		return SessionInfo{}, err
	}
	info, err := s.client.SessionInfo(ctx, s.lease.id, s.namespace)
	return info, s.lease.learn(err)
}
