package contextd

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// DefaultProgressInterval is how long the server of a subscription is silent at most.
const DefaultProgressInterval = 10 * time.Second

// A server that lives says something in each interval; it may miss some, and be late besides.
const (
	silentIntervals = 3
	silentGrace     = 5 * time.Second
)

// SubscriptionQuery selects what a subscription tells. The zero value tells everything that happens
// in the client's namespace from now on. At most one of Cursor, FromOldest and Snapshot is set.
type SubscriptionQuery struct {
	Namespace        string   // Empty: the client's.
	ContextIDs       []string // Only these, up to 1,000. Empty: all that the rest selects.
	IDPrefix         string
	Type             string
	Metadata         map[string]string // Every pair, before or after the change.
	EventTypes       []EventType       // Only these, and the snapshot. Empty: all.
	KeyPrefix        string            // Only changes of such an entry, or of none.
	Cursor           string            // Begin behind this position.
	FromOldest       bool              // Begin with the oldest event that is kept.
	Snapshot         bool              // Begin with the contexts as they are.
	WithoutValues    bool              // Leave the values out.
	Progress         bool              // Hand out positions too: EventCaughtUp, EventProgress.
	ProgressInterval time.Duration     // 100 ms to 1 h. 0: DefaultProgressInterval.
}

// Subscription tells what happens to contexts and sessions, each change once, in order. It goes on
// behind what it handed out last when the stream broke. One goroutine iterates; any may close it.
type Subscription struct {
	feed   *feed
	next   func() ([]Event, error, bool)
	stop   func() // Once is enough.
	cancel context.CancelFunc

	// Of the goroutine that iterates:
	first    []Event // What came and was not handed out.
	firstErr error

	mu        sync.Mutex
	cursor    string
	caughtUp  bool
	over      error // What is told once it was closed, or its context or its client ended.
	iterating bool
}

// Subscribe begins a subscription, and waits until the server has answered: what is done after it is
// told. It ends with ctx. It fails with ErrUnavailable where nobody answers for the client's timeout;
// ErrCursorCompacted tells that the cursor is too old: events were missed.
func (c *Client) Subscribe(
	ctx context.Context, query SubscriptionQuery,
) (*Subscription, error) {
	request, err := query.request(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	subscription := &Subscription{
		feed: &feed{request: request, progress: query.Progress}, cancel: cancel, cursor: query.Cursor,
	}
	next, stop := iter.Pull2(c.batches(ctx, subscription.feed))
	subscription.next, subscription.stop = next, sync.OnceFunc(stop)
	subscription.first, err, _ = subscription.next()
	if err != nil {
		subscription.stop()
		cancel()
		return nil, err
	}
	closing := context.AfterFunc(c.done, cancel)
	context.AfterFunc(ctx, func() { // Also where nobody iterates any more.
		closing()
		subscription.end(typed(c.understand(ctx, ctx.Err())))
	})
	return subscription, nil
}

// request is asked again with each stream: it shares nothing with the query.
func (q *SubscriptionQuery) request(c *Client) (*pb.SubscribeRequest, error) {
	interval := q.ProgressInterval
	if interval == 0 {
		interval = DefaultProgressInterval
	}
	request := &pb.SubscribeRequest{
		Namespace: c.orNamespace(q.Namespace), ContextIds: slices.Clone(q.ContextIDs),
		IdPrefix: q.IDPrefix, Type: q.Type, Metadata: maps.Clone(q.Metadata),
		KeyPrefix: q.KeyPrefix, WithoutValues: q.WithoutValues, ProgressInterval: length(interval),
	}
	starts := 0
	if q.Cursor != "" {
		starts++
		request.Start = &pb.SubscribeRequest_Cursor{Cursor: q.Cursor}
	}
	if q.FromOldest {
		starts++
		request.Start = &pb.SubscribeRequest_FromOldest{FromOldest: true}
	}
	if q.Snapshot {
		starts++
		request.Start = &pb.SubscribeRequest_WithSnapshot{WithSnapshot: true}
	}
	if starts > 1 {
		return nil, invalidValue("a subscription begins with Cursor, FromOldest or Snapshot, not several")
	}
	for _, wanted := range q.EventTypes {
		if wanted <= 0 {
			return nil, invalidValue("the server tells no events of the type %v", wanted)
		}
		request.EventTypes = append(request.EventTypes, pb.EventType(wanted))
	}
	return request, checkRequest(request, "")
}

// batches gives the events of each message of the server, over as many streams as it takes.
func (c *Client) batches(ctx context.Context, feed *feed) iter.Seq2[[]Event, error] {
	stub := pb.NewTrackerClient(c.connection)
	return func(yield func([]Event, error) bool) {
		streams := streaming[pb.SubscribeResponse]{
			caller: &c.caller, method: pb.Tracker_Subscribe_FullMethodName, timeout: c.timeout,
			patience: silentIntervals*feed.request.GetProgressInterval().AsDuration() + silentGrace,
			endless:  true,
			open: func(ctx context.Context) (
				grpc.ServerStreamingClient[pb.SubscribeResponse], error,
			) {
				return stub.Subscribe(ctx, feed.again())
			},
			accept: func(message *pb.SubscribeResponse) (bool, error) {
				events, err := feed.accept(message)
				if err != nil {
					return false, err
				}
				return yield(events, nil), nil
			},
		}
		if err := streams.run(ctx); err != nil {
			yield(nil, err)
		}
	}
}

// Events gives what happens, until the subscription is closed, its context ends, or nobody answers for
// the client's timeout. The error is the last that is given: ErrClientClosed where it was closed. An
// iteration that was broken off goes on with another one.
func (s *Subscription) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if !s.begin() {
			yield(Event{}, invalidValue("one goroutine at a time iterates over a subscription"))
			return
		}
		defer s.leave()
		for {
			for len(s.first) > 0 {
				event := s.first[0]
				s.first = s.first[1:]
				if over := s.handOut(&event); over {
					break
				}
				if s.wanted(event.Type) && !yield(event, nil) {
					return
				}
			}
			if err := s.more(); err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

func (s *Subscription) wanted(of EventType) bool { return of >= 0 || s.feed.progress }

func (s *Subscription) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.iterating
	s.iterating = true
	return !before
}

func (s *Subscription) leave() {
	s.mu.Lock()
	s.iterating = false
	over := s.over
	s.mu.Unlock()
	if over != nil {
		s.stop()
	}
}

// more gets the events of the next message. What a subscription ended with is told again and again.
func (s *Subscription) more() error {
	if over := s.isOver(); over != nil {
		return over
	}
	if s.firstErr != nil {
		return s.firstErr
	}
	events, err, _ := s.next()
	if over := s.isOver(); err != nil && over != nil {
		return over
	}
	s.first, s.firstErr = events, err
	return err
}

// handOut notes that an event is handed out, unless the subscription is over, which it tells.
func (s *Subscription) handOut(event *Event) (over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over != nil {
		return true
	}
	s.cursor = event.Cursor
	s.caughtUp = s.caughtUp || event.Type == EventCaughtUp
	s.feed.cursor = event.Cursor
	return false
}

func (s *Subscription) isOver() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// Cursor is the position behind what was handed out. Empty: it is not known yet.
func (s *Subscription) Cursor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// CaughtUp tells whether all that had happened when the subscription began was handed out.
func (s *Subscription) CaughtUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.caughtUp
}

// Close ends the subscription, and an iteration that waits. Closing twice is allowed.
func (s *Subscription) Close() {
	s.end(newFailure(errClientClosed, codes.Canceled, "the subscription was closed"))
}

// end ends the subscription, unless it is over. Whoever iterates ends the stream, else it is done here.
func (s *Subscription) end(why error) {
	s.mu.Lock()
	before, iterating := s.over, s.iterating
	if before == nil {
		s.over = why
	}
	s.mu.Unlock()
	s.cancel()
	if before == nil && !iterating {
		s.stop()
	}
}

// feed is where a subscription has come to. Only the goroutine that iterates uses it.
type feed struct {
	request  *pb.SubscribeRequest
	progress bool
	cursor   string    // Behind what was handed out. Empty: nothing was.
	parts    *pb.Event // Of an event that goes on in the next message.
}

// again is the request of the next stream: where to go on.
func (f *feed) again() *pb.SubscribeRequest {
	f.parts = nil
	if f.cursor != "" {
		f.request.Start = &pb.SubscribeRequest_Cursor{Cursor: f.cursor}
	}
	return f.request
}

// accept gives the whole events in a message.
func (f *feed) accept(message *pb.SubscribeResponse) ([]Event, error) {
	switch kind := message.GetKind().(type) {
	case *pb.SubscribeResponse_Events:
		events := make([]Event, 0, len(kind.Events.GetEvents()))
		for _, part := range kind.Events.GetEvents() {
			if f.parts == nil {
				f.parts = part
			} else {
				proto.Merge(f.parts, part) // Lists are joined, the cursor is that of the newest.
			}
			if !part.GetMore() {
				f.parts.More = false
				events = append(events, eventOf(f.parts))
				f.parts = nil
			}
		}
		return events, nil
	case *pb.SubscribeResponse_CaughtUp:
		return f.position(EventCaughtUp, kind.CaughtUp.GetCursor()), nil
	case *pb.SubscribeResponse_Progress:
		return f.position(EventProgress, kind.Progress.GetCursor()), nil
	}
	return nil, newerServer("a message of a subscription")
}

func (f *feed) position(of EventType, cursor string) []Event {
	if f.parts != nil {
		return nil // Behind the first part of an event there would be a gap.
	}
	return []Event{{Type: of, Namespace: f.request.GetNamespace(), Cursor: cursor}}
}
