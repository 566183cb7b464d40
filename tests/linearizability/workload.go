package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/contextd/contextd/tests/linearizability/model"
)

// What a client knows of a context, from what it was told last. It may be old.
type knowledge struct {
	version uint64
	entries []model.Entry
	fence   uint64 // Of an activation of one's own, or of another.
}

// drawer draws what a client asks for. What it draws follows from the seed and from the
// answers.
type drawer struct {
	random   *rand.Rand
	client   int
	serial   int
	keys     int
	large    int // In 1,000 values: those that fill the log.
	known    map[string]*knowledge
	repeated []sent // Requests with an id that can be sent again.
}

// sent is a request and where it was sent to.
type sent struct {
	context string
	request *model.Request
}

func newDrawer(seed uint64, client, keys, large int) *drawer {
	return &drawer{
		random: rand.New(rand.NewPCG(seed, uint64(client))),
		client: client,
		keys:   keys,
		large:  large,
		known:  map[string]*knowledge{},
	}
}

func (d *drawer) chance(percent int) bool { return d.random.IntN(100) < percent }

// next draws a request, and where it goes.
func (d *drawer) next(contexts []string) sent {
	if len(d.repeated) > 0 && d.chance(8) {
		return d.again()
	}
	context := contexts[d.random.IntN(len(contexts))]
	if d.known[context] == nil {
		d.known[context] = &knowledge{}
	}
	request := d.draw(d.known[context])
	if request.Kind != model.Get && request.Kind != model.Status && d.chance(60) {
		d.serial++
		request.ID = fmt.Sprintf("%d.%d", d.client, d.serial)
	}
	next := sent{context, request}
	if request.ID != "" && d.chance(25) {
		d.remember(next)
	}
	return next
}

// remember keeps a request to be sent again, in the place of another if there are many.
func (d *drawer) remember(request sent) {
	if len(d.repeated) < 16 {
		d.repeated = append(d.repeated, request)
	} else {
		d.repeated[d.random.IntN(len(d.repeated))] = request
	}
}

// again draws a request that was sent before, or misuses its id for another.
func (d *drawer) again() sent {
	next := d.repeated[d.random.IntN(len(d.repeated))]
	if d.chance(10) {
		known := d.known[next.context]
		request := d.draw(known)
		if request.Kind != model.Get && request.Kind != model.Status {
			request.ID = next.request.ID
		}
		next.request = request
	}
	return next
}

func (d *drawer) draw(known *knowledge) *model.Request {
	if d.chance(15) {
		return d.fencing()
	}
	switch percent := d.random.IntN(100); {
	case percent < 24:
		return &model.Request{Kind: model.Get, Way: d.way()}
	case percent < 32:
		return &model.Request{Kind: model.Get, Way: d.way(), Version: d.earlier(known)}
	case percent < 35:
		return &model.Request{Kind: model.Get, NewerThan: known.version}
	case percent < 42:
		return &model.Request{Kind: model.Create, Mutations: d.mutations(known, 2)}
	case percent < 48:
		return d.delete(known)
	default:
		return d.update(known)
	}
}

// fencing draws what concerns activations.
func (d *drawer) fencing() *model.Request {
	session := sessionName(d.client)
	switch percent := d.random.IntN(100); {
	case percent < 35:
		return &model.Request{Kind: model.Status}
	case percent < 60:
		return &model.Request{Kind: model.Deactivate, Session: session}
	default:
		return &model.Request{
			Kind:     model.Activate,
			Session:  session,
			Takeover: d.chance(50),
			Guard:    d.chance(25),
		}
	}
}

// fence draws under which activation a write is made: mostly the last that is known.
func (d *drawer) fence(known *knowledge) uint64 {
	switch percent := d.random.IntN(100); {
	case known.fence == 0 || percent < 40:
		return 0
	case percent < 95:
		return known.fence
	default:
		return known.fence + 1 - d.random.Uint64N(min(known.fence, 2)+1)
	}
}

// way draws how a read or an update goes: mostly by itself.
func (d *drawer) way() model.Way {
	if d.chance(60) {
		return model.Unary
	}
	return []model.Way{model.Batch, model.Atomic, model.Stream}[d.random.IntN(3)]
}

// earlier draws a version that may be there, or have been, or come.
func (d *drawer) earlier(known *knowledge) uint64 {
	return uint64(max(1, int64(known.version)+2-d.random.Int64N(8)))
}

func (d *drawer) delete(known *knowledge) *model.Request {
	request := &model.Request{
		Kind:         model.Delete,
		AllowMissing: d.chance(30),
		Purge:        d.chance(20),
		Fence:        d.fence(known),
	}
	if d.chance(40) {
		request.Preconditions = d.preconditions(known)
	}
	return request
}

func (d *drawer) update(known *knowledge) *model.Request {
	request := &model.Request{
		Kind:            model.Update,
		Way:             d.way(),
		Mutations:       d.mutations(known, 1),
		CreateIfMissing: d.chance(50),
		Fence:           d.fence(known),
	}
	if d.chance(55) {
		request.Preconditions = d.preconditions(known)
	}
	return request
}

// preconditions draws conditions that held when the client was told last, mostly.
func (d *drawer) preconditions(known *knowledge) []model.Precondition {
	var conditions []model.Precondition
	if d.chance(60) {
		conditions = append(conditions, model.Precondition{Version: known.version})
	}
	for len(conditions) == 0 || d.chance(15) {
		condition := model.Precondition{Entry: true, Key: d.key()}
		for _, entry := range known.entries {
			if entry.Key == condition.Key {
				condition.Version = entry.Version
			}
		}
		conditions = append(conditions, condition)
	}
	return conditions
}

func (d *drawer) key() string { return fmt.Sprintf("k%d", d.random.IntN(d.keys)) }

func (d *drawer) piece(size int) string {
	d.serial++
	return model.Piece(fmt.Sprintf("%d.%d", d.client, d.serial), size)
}

func (d *drawer) mutations(known *knowledge, least int) []model.Mutation {
	var mutations []model.Mutation
	for len(mutations) < least || d.chance(20) {
		mutations = append(mutations, d.mutation(known))
	}
	return mutations
}

func (d *drawer) mutation(known *knowledge) model.Mutation {
	mutation := model.Mutation{Key: d.key()}
	switch percent := d.random.IntN(100); {
	case percent < 60:
		mutation.Kind = model.Put
		mutation.Value = d.piece(d.size())
		if d.chance(20) {
			mutation.Value = putBack(known, mutation.Key) + mutation.Value
		}
	case percent < 85:
		mutation.Kind = model.Append
		mutation.Value = d.piece(d.random.IntN(100))
		if d.chance(30) {
			mutation.CheckSize = true
			mutation.ExpectedSize = expectedSize(known, mutation.Key)
		}
	case percent < 95:
		mutation.Kind = model.Remove
	default:
		mutation.Kind = model.RemovePrefix
		mutation.Key = "k"
		if d.chance(50) {
			mutation.Key = d.key()
		}
	}
	return mutation
}

// putBack is what a put begins with that puts back what is there: the server keeps what it
// has. Empty where that would outgrow the largest value.
func putBack(known *knowledge, key string) string {
	for _, entry := range known.entries {
		if entry.Key == key && model.Size(entry.Value) < 100<<10 {
			return entry.Value
		}
	}
	return ""
}

// size draws a length: most values are small, some fill the log.
func (d *drawer) size() int {
	switch drawn := d.random.IntN(1000); {
	case drawn < d.large:
		return d.random.IntN(700 << 10) // So that a context fits into a message.
	case drawn < d.large+100:
		return d.random.IntN(8 << 10)
	default:
		return d.random.IntN(100)
	}
}

func expectedSize(known *knowledge, key string) uint64 {
	for _, entry := range known.entries {
		if entry.Key == key {
			return model.Size(entry.Value)
		}
	}
	return 0
}

// learn takes over what an answer says of the newest state.
func (d *drawer) learn(context string, request *model.Request, answer *model.Answer) {
	known := d.known[context]
	if known != nil && answer.Reason == "STALE_FENCE" && d.chance(50) {
		known.fence = 0
	} else if known != nil {
		known.fence = max(known.fence, answer.Fence)
	}
	if known == nil || answer.Unknown || answer.Reason != "" || answer.Version < known.version {
		return
	}
	known.version = answer.Version
	if request.Kind == model.Get {
		known.entries = answer.Entries
	}
}

// deadline draws how long a client waits for an answer.
func (d *drawer) deadline() time.Duration {
	if d.chance(20) {
		return time.Duration(30+d.random.IntN(200)) * time.Millisecond
	}
	return hangs
}
