package contextd

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
)

// ViewedContext is what a view knows of a context. Its entries are those of the version of Info. A
// restore brings entries back with the versions they had, which its event does not tell: here they
// have its own.
type ViewedContext struct {
	Info    ContextInfo
	Entries map[string]Entry
}

// ViewQuery selects what a view holds. The zero value selects all of the client's namespace.
type ViewQuery struct {
	Namespace  string
	ContextIDs []string
	IDPrefix   string
	Type       string
	Metadata   map[string]string // Contexts that no longer have all these leave the view.
	KeyPrefix  string            // Only entries of such keys.

	// OnEvent is told of each event that the view has taken, in order. It should be quick.
	OnEvent func(Event)

	// OnRestart is told when events were lost and the view begins anew with what there is.
	OnRestart func(cause error)
}

// View holds contexts in memory, as the events of a subscription tell them. Where an event alone does
// not tell what became of a context, the view reads it. Any goroutine may use it.
type View struct {
	client *Client
	query  ViewQuery
	cancel context.CancelFunc
	ready  chan struct{}
	done   chan struct{}

	mu       sync.RWMutex
	contexts map[string]*ViewedContext
	cursor   string
	closed   bool
	err      error
}

// View begins a view; Ready tells when it holds what there was. It ends with ctx, with Close, and with
// what a subscription ends with; see Err.
func (c *Client) View(ctx context.Context, query ViewQuery) (*View, error) {
	query.ContextIDs, query.Metadata = slices.Clone(query.ContextIDs), maps.Clone(query.Metadata)
	ctx, cancel := context.WithCancel(ctx)
	view := &View{
		client: c, query: query, cancel: cancel,
		ready: make(chan struct{}), done: make(chan struct{}),
		contexts: make(map[string]*ViewedContext),
	}
	subscription, err := view.subscribe(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	go view.run(ctx, subscription)
	return view, nil
}

func (v *View) subscribe(ctx context.Context) (*Subscription, error) {
	return v.client.Subscribe(ctx, SubscriptionQuery{
		Namespace: v.query.Namespace, ContextIDs: v.query.ContextIDs, IDPrefix: v.query.IDPrefix,
		Type: v.query.Type, Metadata: v.query.Metadata, KeyPrefix: v.query.KeyPrefix,
		Snapshot: true, Progress: true,
	})
}

// run applies events until the view ends.
func (v *View) run(ctx context.Context, subscription *Subscription) {
	defer close(v.done)
	defer v.cancel()
	for {
		err := v.follow(ctx, subscription)
		subscription.Close()
		if !errors.Is(err, ErrCursorCompacted) {
			v.finish(err)
			return
		}
		if v.query.OnRestart != nil {
			v.query.OnRestart(err)
		}
		v.mu.Lock()
		v.contexts = make(map[string]*ViewedContext)
		v.mu.Unlock()
		if subscription, err = v.subscribe(ctx); err != nil {
			v.finish(err)
			return
		}
	}
}

func (v *View) finish(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		err = newFailure(errClientClosed, codes.Canceled, "the view was closed")
	}
	v.err = err
}

func (v *View) follow(ctx context.Context, subscription *Subscription) error {
	for event, err := range subscription.Events() {
		if err != nil {
			return err
		}
		switch event.Type {
		case EventUnknown:
			return newerServer("an event of an unknown type")
		case EventCaughtUp:
			v.becomeReady()
		case EventProgress:
		default:
			if err := v.apply(ctx, &event); err != nil {
				return err
			}
		}
		v.mu.Lock()
		v.cursor = event.Cursor
		v.mu.Unlock()
		if v.query.OnEvent != nil && event.Type >= 0 {
			v.query.OnEvent(event)
		}
	}
	return newFailure(errClientClosed, codes.Canceled, "the view was closed")
}

func (v *View) becomeReady() {
	select {
	case <-v.ready:
	default:
		close(v.ready)
	}
}

// Ready is closed when the view holds all that there was when it began.
func (v *View) Ready() <-chan struct{} { return v.ready }

// Done is closed when the view has ended; Err tells why.
func (v *View) Done() <-chan struct{} { return v.done }

// Err is why the view has ended: ErrClientClosed where it was closed. nil: it goes on.
func (v *View) Err() error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.err
}

// Close ends the view; what it holds can still be read.
func (v *View) Close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	v.cancel()
	<-v.done
}

// Cursor is the position up to which events were taken.
func (v *View) Cursor() string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.cursor
}

// Context gives a copy of what is known of a context, and whether it is there.
func (v *View) Context(id string) (ViewedContext, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	known, ok := v.contexts[id]
	if !ok {
		return ViewedContext{}, false
	}
	return ViewedContext{known.Info, maps.Clone(known.Entries)}, true
}

// Read has a function look at all contexts by their ids, while the view stands still. It must not
// change or keep them.
func (v *View) Read(look func(contexts map[string]*ViewedContext)) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	look(v.contexts)
}

// apply does what an event tells; where that is not enough, it reads the context.
func (v *View) apply(ctx context.Context, event *Event) error {
	v.mu.Lock()
	known, err := v.take(event)
	v.mu.Unlock()
	if known || err != nil {
		return err
	}
	context := v.client.Context(event.ContextID(), InNamespace(v.query.Namespace))
	snapshot, err := context.Snapshot(ctx)
	for errors.Is(err, ErrStateNotRetained) && ctx.Err() == nil {
		snapshot, err = context.Snapshot(ctx) // Others wrote a lot while it was read.
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case errors.Is(err, ErrContextNotFound):
		delete(v.contexts, event.ContextID())
	case err != nil:
		return err
	case !v.selects(snapshot.Info.Metadata):
		delete(v.contexts, event.ContextID())
	default:
		v.set(snapshot.Info, snapshot.Entries)
	}
	return nil
}

func (v *View) selects(metadata map[string]string) bool {
	for key, value := range v.query.Metadata {
		if found, ok := metadata[key]; !ok || found != value {
			return false
		}
	}
	return true
}

func (v *View) set(info ContextInfo, entries []Entry) {
	known := &ViewedContext{info, make(map[string]Entry, len(entries))}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Key, v.query.KeyPrefix) {
			known.Entries[entry.Key] = entry
		}
	}
	v.contexts[info.ID] = known
}
