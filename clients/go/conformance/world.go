package conformance

import (
	"context"
	"sync"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// Patience is the timeout of a case's client, and how long a step waits for something.
const Patience = 30 * time.Second

// World is what the steps of one case work on.
type World struct {
	server    *realserver.Server
	own       bool              // The server is the case's own.
	security  *security         // nil: it has no TLS.
	addresses map[string]string // Of those that are no contextd.
	namespace string

	mu            sync.Mutex
	clients       map[string]*contextd.Client
	sessions      map[string]*contextd.Session
	activations   map[string]*contextd.ActiveContext
	subscriptions map[string]following
	views         map[string]*viewed
	background    map[string]<-chan error
	opened        []func() // What is closed at the end, the last first.
}

func newWorld(
	server *realserver.Server, own bool, addresses map[string]string, namespace string,
) *World {
	return &World{
		server: server, own: own, addresses: addresses, namespace: namespace,
		clients:       map[string]*contextd.Client{},
		sessions:      map[string]*contextd.Session{},
		activations:   map[string]*contextd.ActiveContext{},
		subscriptions: map[string]following{},
		views:         map[string]*viewed{},
		background:    map[string]<-chan error{},
	}
}

// openClient makes a client of the case. Its namespace and timeout may be set by options; tls says how
// it is secured.
func (w *World) openClient(name, address, tls string, options ...contextd.Option) error {
	where := w.addresses[address]
	if address == "server" {
		where = w.server.Address()
	}
	options = append([]contextd.Option{
		contextd.WithNamespace(w.namespace), contextd.WithTimeout(Patience),
	}, options...)
	if address == "server" {
		secured, err := w.security.options(tls)
		if err != nil {
			return err
		}
		options = append(options, secured...)
	}
	client, err := contextd.New(where, options...)
	if err != nil {
		return err
	}
	put(w, w.clients, name, client)
	w.atEnd(func() { _ = client.Close() })
	return nil
}

func (w *World) atEnd(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, do)
}

// end gives everything back, and waits for what was begun.
func (w *World) end() {
	for i := len(w.opened) - 1; i >= 0; i-- {
		w.opened[i]()
	}
	for _, running := range w.background {
		<-running
	}
}

func put[T any](w *World, in map[string]T, name string, value T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in[name] = value
}

func get[T any](w *World, from map[string]T, name string) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return from[name]
}

// Call is one operation under way.
type Call struct {
	*Arguments
	world  *World
	client *contextd.Client
	names  *Names
}

// ctx is that of all calls: the clients have their own timeouts.
func (c *Call) ctx() context.Context { return context.Background() }

// context is that of the arguments, with its session and fence where they name some.
func (c *Call) context() *contextd.Context {
	if c.has("activation") {
		return &get(c.world, c.world.activations, c.text("activation")).Context
	}
	var options []contextd.ContextOption
	if c.has("namespace") {
		options = append(options, contextd.InNamespace(c.text("namespace")))
	}
	if c.has("timeout") {
		options = append(options, contextd.CallTimeout(c.seconds("timeout")))
	}
	if begins := c.newContextOf("create_if_missing"); begins != nil {
		options = append(options, contextd.CreateIfMissing(*begins))
	}
	if c.has("session") {
		return c.session().Context(c.text("context"), options...)
	}
	return c.client.Context(c.text("context"), options...)
}

// state is the one of the arguments: the newest, or an earlier one.
func (c *Call) state() *contextd.State {
	at := atOf(c.take("at"))
	return c.context().At(at)
}

// stateOf is the one that an argument names.
func (c *Call) stateOf(name string) *contextd.State {
	fields := copied(c.fields(name))
	return (&Call{&Arguments{fields}, c.world, c.client, c.names}).state()
}

func (c *Call) session() *contextd.Session {
	return get(c.world, c.world.sessions, c.text("session"))
}
