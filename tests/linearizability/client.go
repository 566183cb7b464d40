package main

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/contextd/contextd/tests/linearizability/model"
)

// record is one operation as it was seen: where it was sent to, and in which life.
type record struct {
	context   string
	life      int
	operation model.Operation
}

// progress counts what all clients have done, and lets the nemesis wait for it.
type progress struct {
	mutex   sync.Mutex
	changed sync.Cond
	count   int
	closed  bool
}

func newProgress() *progress {
	p := &progress{}
	p.changed.L = &p.mutex
	return p
}

func (p *progress) add() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.count++
	p.changed.Broadcast()
	return p.count
}

// close lets nobody wait any more.
func (p *progress) close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.closed = true
	p.changed.Broadcast()
}

// await returns when so many operations more are done. False: none will be.
func (p *progress) await(more int) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for goal := p.count + more; p.count < goal && !p.closed; {
		p.changed.Wait()
	}
	return !p.closed
}

// doubts counts the calls without an answer of each context in one life: many of them
// at once would make the search for an order long.
type doubts struct {
	mutex  sync.Mutex
	life   int
	counts map[string]int
}

const doubtsMax = 3

func (d *doubts) add(life int, context string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.life != life {
		d.life, d.counts = life, map[string]int{}
	}
	d.counts[context]++
}

func (d *doubts) full(life int, context string) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.life == life && d.counts[context] >= doubtsMax
}

// client asks for one thing after the other, until it is told to stop.
type client struct {
	drawer   *drawer
	server   *server
	contexts []string
	sessions *sessions
	progress *progress
	doubts   *doubts
	stop     *atomic.Bool
	records  []record
	busy     int // Calls that the server refused to look at.
}

func (c *client) run() {
	for !c.stop.Load() {
		next := c.drawer.next(c.contexts)
		// What may be sent again is, until there is an answer.
		for !c.stop.Load() {
			answer := c.send(next)
			if answer == nil {
				return
			}
			c.drawer.learn(next.context, next.request, answer)
			if !answer.Unknown || next.request.ID == "" {
				break
			}
		}
	}
}

// send makes one call and records it. Returns nil when the server is gone for good.
func (c *client) send(next sent) *model.Answer {
	for {
		life := c.server.await()
		if life == nil {
			return nil
		}
		deadline := c.drawer.deadline()
		if c.doubts.full(life.number, next.context) {
			deadline = hangs
		}
		connection := life.connections[c.drawer.random.IntN(len(life.connections))]
		operation := model.Operation{
			Client:  c.drawer.client,
			Call:    c.server.clock.now(),
			Request: next.request,
		}
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		operation.Answer, operation.Revision = call(ctx, connection, c.sessions, next.context,
			next.request)
		cancel()
		operation.Return = c.server.clock.now()
		c.progress.add()
		if operation.Answer == nil {
			c.busy++
			continue
		}
		if operation.Answer.Unknown {
			c.doubts.add(life.number, next.context)
		}
		c.records = append(c.records, record{next.context, life.number, operation})
		return operation.Answer
	}
}

// histories sorts the records by context. What was not answered may have happened until
// the life that it was sent to was over; what was sent after that has not.
func histories(server *server, retention int, contexts []string,
	records []record) []*model.History {
	found := map[string]*model.History{}
	sorted := make([]*model.History, 0, len(contexts))
	for _, name := range contexts {
		found[name] = &model.History{Context: name, Retention: retention}
		sorted = append(sorted, found[name])
	}
	for _, record := range records {
		operation := record.operation
		if operation.Answer.Unknown {
			operation.Return = math.MaxInt64
			if end := server.end(record.life); end < operation.Call {
				continue
			} else if end < operation.Return {
				operation.Return = end
			}
		}
		history := found[record.context]
		history.Operations = append(history.Operations, operation)
	}
	return sorted
}
