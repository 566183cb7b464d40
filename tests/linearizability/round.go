package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/contextd/contextd/tests/linearizability/model"
)

// How long the search for an order may take. One that takes longer is a failure: histories
// are made so that it does not. The searches that make a wrong one shorter have less.
const (
	undecidedAfter = 2 * time.Minute
	shrinkAfter    = 10 * time.Second
)

// claim is what a round shows, each counted as one test.
type claim int

const (
	survives  claim = iota // The server starts after whatever was done to it, and stops in order.
	orderly                // Each context is linearizable.
	unique                 // Revisions are unique and in order, also across restarts.
	nothing                // Nothing that was acknowledged is lost.
	claimsMax              //
)

var claimNames = [claimsMax]string{
	"the server starts after every end, and stops in order",
	"every context is linearizable, and every search came to an end",
	"revisions are unique, in order, and never used again",
	"what was acknowledged is there in the end",
}

// round is one server on one fresh directory, with all that is drawn for it.
type round struct {
	seed      uint64
	random    *rand.Rand
	folder    string
	failures  string
	server    *server
	retention int
	contexts  []string
	clients   []*client
	progress  *progress
	stop      atomic.Bool
	counts    counts
	failed    [claimsMax][]string // What is wrong with each claim.
}

func newRound(seed uint64, binary, folder, failures string) *round {
	r := &round{
		seed:     seed,
		random:   rand.New(rand.NewPCG(seed, 0)),
		folder:   folder,
		failures: failures,
		progress: newProgress(),
	}
	r.retention = []int{1, 2, 3, 5, 16}[r.random.IntN(5)]
	settings := []string{
		"--version-retention", fmt.Sprint(r.retention),
		"--pollers", fmt.Sprint(r.random.IntN(4)),
		"--shutdown-grace", []string{"0s", "10ms", "10s"}[r.random.IntN(3)],
	}
	clock := clock{time.Now()}
	r.server = newServer(binary, folder, 1+r.random.IntN(4), settings, clock)
	for i := range 3 + r.random.IntN(4) {
		r.contexts = append(r.contexts, fmt.Sprintf("c%d", i))
	}
	keys := 2 + r.random.IntN(4)
	large := []int{2, 2, 200}[r.random.IntN(3)] // The last fills segments.
	r.server.note("gets %s; %d contexts, %d keys, %d large values in 1,000",
		strings.Join(settings, " "), len(r.contexts), keys, large)
	doubts := &doubts{counts: map[string]int{}}
	for i := range 8 + r.random.IntN(9) {
		r.clients = append(r.clients, &client{
			drawer:   newDrawer(seed, i+1, keys, large),
			server:   r.server,
			contexts: r.contexts,
			progress: r.progress,
			doubts:   doubts,
			stop:     &r.stop,
		})
	}
	return r
}

func (r *round) fail(claim claim, format string, values ...any) {
	r.failed[claim] = append(r.failed[claim], fmt.Sprintf(format, values...))
}

// run works until so many operations are done or the time is over, and then looks at what
// was recorded.
func (r *round) run(operations int, until time.Time) {
	defer r.server.abandon()
	if err := r.server.start(); err != nil {
		r.fail(survives, "%s", err)
		return
	}
	if err := r.startSessions(); err != nil {
		r.fail(survives, "%s", err)
		return
	}
	records, err := r.work(operations, until)
	if err == nil {
		var last []record
		last, err = r.readAll()
		r.look(records, last)
	}
	if err != nil {
		r.fail(survives, "%s", err)
	}
}

// startSessions gives each client one.
func (r *round) startSessions() error {
	sessions, err := startSessions(r.server.await().connections[0], len(r.clients))
	for _, client := range r.clients {
		client.sessions = sessions
	}
	return err
}

// work lets clients and nemesis loose, and returns what the clients saw.
func (r *round) work(operations int, until time.Time) ([]record, error) {
	var clients sync.WaitGroup
	for _, client := range r.clients {
		clients.Add(1)
		go func() {
			defer clients.Done()
			client.run()
		}()
	}
	timer := time.AfterFunc(time.Until(until), r.finish)
	defer timer.Stop()
	go func() {
		if r.progress.await(operations) {
			r.finish()
		}
	}()
	nemesis := &nemesis{
		random:   rand.New(rand.NewPCG(r.seed, 1<<32)),
		server:   r.server,
		progress: r.progress,
	}
	err := nemesis.run()
	r.finish()
	if err != nil {
		r.server.set(nil, true)
	}
	clients.Wait()
	r.counts = nemesis.counts
	var records []record
	for _, client := range r.clients {
		records = append(records, client.records...)
		r.counts.busy += client.busy
	}
	return records, err
}

func (r *round) finish() {
	r.stop.Store(true)
	r.progress.close()
}

// readAll kills the server once more, and reads every context after the restart; then the
// same after a stop in order.
func (r *round) readAll() ([]record, error) {
	life, err := r.server.retire()
	if err != nil {
		return nil, err
	}
	r.server.note("is killed for the last time")
	r.server.kill(life)
	r.counts.kills++
	var records []record
	for range 2 {
		r.counts.restarts++
		if err := r.server.start(); err != nil {
			return records, err
		}
		reader := r.reader()
		for _, name := range r.contexts {
			reader.readContext(name)
		}
		records = append(records, reader.records...)
		if life, err = r.server.retire(); err != nil {
			return records, err
		}
		r.counts.stops++
		r.server.note("is asked to stop")
		if err := r.server.stop(life); err != nil {
			return records, err
		}
	}
	return records, nil
}

// reader is a client that reads when all others are gone.
func (r *round) reader() *client {
	reader := *r.clients[0]
	reader.drawer = newDrawer(r.seed, 0, 1, 0)
	reader.doubts = &doubts{counts: map[string]int{}}
	reader.records = nil
	return &reader
}

// readContext reads the newest state and those before it, and who has the context.
func (c *client) readContext(name string) {
	c.send(sent{name, &model.Request{Kind: model.Status}})
	answer := c.send(sent{name, &model.Request{Kind: model.Get}})
	for i := uint64(1); answer != nil && i <= 16 && i < answer.Version; i++ {
		c.send(sent{name, &model.Request{Kind: model.Get, Version: answer.Version - i}})
	}
}

// look checks what was recorded.
func (r *round) look(records, last []record) {
	begun := time.Now()
	r.counts.answers = map[string]int{}
	histories := histories(r.server, r.retention, r.contexts, append(records, last...))
	for _, history := range histories {
		r.counts.operations += len(history.Operations)
		for _, operation := range history.Operations {
			if operation.Answer.Unknown {
				r.counts.unknown++
			}
			r.counts.answers[operation.Answer.Name()]++
		}
	}
	if r.counts.answers["done"] == 0 {
		r.fail(survives, "nothing was done in this round")
	}
	segments, _ := filepath.Glob(filepath.Join(r.folder, "data", "log-*"))
	r.counts.segments = len(segments)
	r.failed[unique] = model.Revisions(histories)
	for _, record := range last {
		if record.operation.Request.Kind == model.Get && record.operation.Request.Version == 0 {
			for _, history := range histories {
				if history.Context == record.context {
					missing := model.Kept(history, record.operation.Answer)
					r.failed[nothing] = append(r.failed[nothing], missing...)
				}
			}
		}
	}
	r.lookForOrders(histories)
	r.counts.lookedAt = time.Since(begun)
}

func (r *round) lookForOrders(histories []*model.History) {
	verdicts := make([]model.Verdict, len(histories))
	var checks sync.WaitGroup
	for i := range histories {
		checks.Add(1)
		go func() {
			defer checks.Done()
			verdicts[i] = histories[i].Check(undecidedAfter)
		}()
	}
	checks.Wait()
	var wrong []*model.History
	for i, verdict := range verdicts {
		if verdict == model.Undecided {
			r.fail(orderly, "%s: could not decide in %s", histories[i].Context, undecidedAfter)
		}
		if verdict != model.Right {
			wrong = append(wrong, histories[i].Shrink(shrinkAfter))
		}
	}
	if len(wrong) == 0 {
		return
	}
	sort.Slice(wrong, func(i, j int) bool {
		return len(wrong[i].Operations) < len(wrong[j].Operations)
	})
	for _, history := range wrong {
		r.fail(orderly, "%s: found no order for its first %d operations", history.Context,
			len(history.Operations))
	}
	r.fail(orderly, "the last of them, of %s:\n%s\n%s",
		wrong[0].Context, strings.Join(wrong[0].Lines(30), "\n"), r.save(wrong[0]))
}

// save leaves behind what shows the failure, and tells where.
func (r *round) save(history *model.History) string {
	base := filepath.Join(r.failures, fmt.Sprintf("seed-%d-%s", r.seed, history.Context))
	lines := append(history.Lines(len(history.Operations)), r.server.events...)
	sort.Strings(lines)
	err := errors.Join(
		os.WriteFile(base+".txt", []byte(strings.Join(lines, "\n")+"\n"), 0o644),
		history.Visualize(base+".html", shrinkAfter))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("all of them: %s.txt; as a page: %s.html", base, base)
}
