// The checker refuses what a server must not answer, and accepts what it may.
//
// Most histories here are a few lines, in the order of their calls; where nothing else
// is said, each call comes after the answer to the one before.
package model

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

const patience = time.Minute

// story builds a history. A call takes 10 ns, and the next begins after it.
type story struct {
	history History
	now     int64
}

func newStory() *story {
	return &story{history: History{Context: "c", Retention: 4}}
}

func (s *story) call(request Request, answer Answer) *Operation {
	return s.overlap(request, answer, s.now+10)
}

// overlap adds a call that begins now, and returns at a given moment.
func (s *story) overlap(request Request, answer Answer, end int64) *Operation {
	s.now += 20
	s.history.Operations = append(s.history.Operations, Operation{
		Client:  len(s.history.Operations),
		Call:    s.now,
		Return:  max(end, s.now) + 10,
		Request: &request,
		Answer:  &answer,
	})
	return &s.history.Operations[len(s.history.Operations)-1]
}

func (s *story) expect(t *testing.T, verdict Verdict) {
	t.Helper()
	if found := s.history.Check(patience); found != verdict {
		t.Errorf("%s, not %s:\n%s", found, verdict, strings.Join(s.history.Lines(100), "\n"))
	}
}

// changes makes positions of the log for the answers that have none: 10, 20, ...
func (s *story) positions() *story {
	for i := range s.history.Operations {
		s.history.Operations[i].Revision = uint64(i+1) * 10
	}
	return s
}

func put(value string) Request {
	return Request{
		Kind:            Update,
		Mutations:       []Mutation{{Kind: Put, Key: "k", Value: value}},
		CreateIfMissing: true,
	}
}

func (r Request) withID(id string) Request {
	r.ID = id
	return r
}

func (r Request) ifVersion(version uint64) Request {
	r.Preconditions = []Precondition{{Version: version}}
	return r
}

func made(version uint64) Answer     { return Answer{Version: version} }
func replayed(version uint64) Answer { return Answer{Version: version, Replayed: true} }

func holds(version uint64, value string, setBy uint64) Answer {
	return Answer{Version: version, Entries: []Entry{{"k", value, setBy}}}
}

var (
	read      = Request{Kind: Get}
	gone      = Request{Kind: Delete}
	unknown   = Answer{Unknown: true}
	notFound2 = Answer{Reason: "CONTEXT_NOT_FOUND", Detail: "deleted_version=2"}
)

const (
	a = "<1.1:0>"
	b = "<1.2:0>"
	c = "<1.3:0>"
)

const never = int64(1 << 40)

func TestAcceptsWhatOneServerMayAnswer(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b).ifVersion(1), made(2))
	s.call(put(c).ifVersion(1), Answer{Reason: "VERSION_CONFLICT", Detail: "current_version=2"})
	s.call(read, holds(2, b, 2))
	s.call(Request{Kind: Get, Version: 1}, holds(1, a, 1))
	s.call(gone, Answer{Count: 1})
	s.call(read, notFound2)
	s.call(Request{Kind: Create}, made(3))
	s.call(Request{Kind: Get, Version: 2}, holds(2, b, 2))
	s.call(Request{Kind: Get, NewerThan: 3}, Answer{Unchanged: true})
	s.expect(t, Right)
}

func TestAcceptsEitherOrderOfWhatOverlaps(t *testing.T) {
	for _, order := range [][]string{{a, b}, {b, a}} {
		s := newStory()
		s.overlap(put(order[0]), made(1), 100)
		s.overlap(put(order[1]), made(2), 100)
		s.now = 200
		s.call(read, holds(2, order[1], 2))
		s.expect(t, Right)
	}
}

func TestRefusesALostUpdate(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.overlap(put(b).ifVersion(1), made(2), 100)
	s.overlap(put(c).ifVersion(1), made(3), 100)
	s.expect(t, Wrong)
}

func TestRefusesAStaleReadAfterAnAcknowledgedWrite(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(2))
	s.call(read, holds(1, a, 1))
	s.expect(t, Wrong)
}

func TestRefusesAReadThatGoesBack(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.overlap(put(b), made(2), 1000)
	s.call(read, holds(2, b, 2))
	s.call(read, holds(1, a, 1))
	s.expect(t, Wrong)
}

func TestRefusesALostAcknowledgedWrite(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(read, Answer{Reason: "CONTEXT_NOT_FOUND"})
	s.expect(t, Wrong)
}

func TestRefusesAReusedVersion(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(1))
	s.expect(t, Wrong)

	s = newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(2))
	s.call(gone, Answer{Count: 1})
	s.call(put(c), made(2))
	s.expect(t, Wrong)
}

func TestRefusesASkippedVersion(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(3))
	s.expect(t, Wrong)
}

func TestRefusesARetryThatIsAppliedTwice(t *testing.T) {
	s := newStory()
	s.call(put(a).withID("x"), made(1))
	s.call(put(a).withID("x"), made(2))
	s.expect(t, Wrong)

	appended := Request{
		Kind: Update, ID: "x", CreateIfMissing: true,
		Mutations: []Mutation{{Kind: Append, Key: "k", Value: a}},
	}
	s = newStory()
	s.call(appended, unknown).Return = 15
	s.call(appended, replayed(1))
	s.call(read, holds(2, a+a, 2))
	s.expect(t, Wrong)
}

func TestRefusesAReplayOfWhatWasNotSentBefore(t *testing.T) {
	s := newStory()
	s.call(put(a).withID("x"), replayed(1))
	s.expect(t, Wrong)
}

func TestAcceptsARetryOfWhatMayHaveBeenDone(t *testing.T) {
	for _, answer := range []Answer{made(1), replayed(1)} {
		s := newStory()
		s.call(put(a).withID("x"), unknown)
		s.call(put(a).withID("x"), answer)
		s.call(put(a).withID("x"), replayed(1))
		s.call(read, holds(1, a, 1))
		s.expect(t, Right)
	}
}

func TestRefusesAnIdThatAnotherRequestHadButWasTaken(t *testing.T) {
	s := newStory()
	s.call(put(a).withID("x"), made(1))
	s.call(put(b).withID("x"), Answer{Reason: "REQUEST_ID_REUSED"})
	s.expect(t, Right)

	s = newStory()
	s.call(put(a).withID("x"), made(1))
	s.call(put(b).withID("x"), made(2))
	s.expect(t, Wrong)
}

func TestAcceptsThatWhatWasNotAnsweredHappenedLaterOrNever(t *testing.T) {
	s := newStory()
	s.overlap(put(a), unknown, never)
	s.call(read, Answer{Reason: "CONTEXT_NOT_FOUND"})
	s.expect(t, Right)

	s.call(read, holds(1, a, 1))
	s.expect(t, Right)
}

func TestRefusesThatWhatWasNotAnsweredHappensTwice(t *testing.T) {
	s := newStory()
	s.overlap(put(a), unknown, never)
	s.call(read, holds(1, a, 1))
	s.call(put(b), made(2))
	s.call(read, holds(3, a, 3))
	s.expect(t, Wrong)
}

func TestRefusesThatWhatADeadServerDidNotDoAppearsLater(t *testing.T) {
	s := newStory()
	s.overlap(put(a), unknown, 50) // The server ended then.
	s.now = 100
	s.call(read, Answer{Reason: "CONTEXT_NOT_FOUND"})
	s.call(read, holds(1, a, 1))
	s.expect(t, Wrong)
}

func TestRefusesHalfAChange(t *testing.T) {
	s := newStory()
	both := put(a)
	both.Mutations = append(both.Mutations, Mutation{Kind: Put, Key: "l", Value: b})
	s.call(both, made(1))
	s.call(read, holds(1, a, 1))
	s.expect(t, Wrong)
}

func TestRefusesAWrongEarlierState(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(2))
	s.call(Request{Kind: Get, Version: 1}, holds(1, b, 1))
	s.expect(t, Wrong)
}

func TestRefusesAConflictThatWasNone(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b).ifVersion(1), Answer{Reason: "VERSION_CONFLICT", Detail: "current_version=2"})
	s.expect(t, Wrong)
}

func TestRefusesReasonsItDoesNotKnow(t *testing.T) {
	s := newStory()
	s.call(put(a), Answer{Reason: "DAMAGED"})
	s.expect(t, Wrong)
}

func TestRefusesBytesThatNobodyWrote(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(read, holds(1, Compact([]byte("<1.1:0>?")), 1))
	s.expect(t, Wrong)
}

func TestShrinksToTheFirstAnswerThatCannotBe(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(3))
	for range 20 {
		s.call(read, holds(3, b, 3))
	}
	if found := s.history.Shrink(patience); len(found.Operations) != 2 {
		t.Errorf("shrunk to\n%s", strings.Join(found.Lines(100), "\n"))
	} else if line := found.Lines(1)[0]; !strings.HasSuffix(line, "ok @3  <-- cannot be") {
		t.Errorf("%q", line)
	}
}

// ---- Any history. -------------------------------------------------------------------

// draw makes the history of clients that overlap, with answers of the model itself, some
// of which got lost on the way back, and some requests on the way there.
func draw(random *rand.Rand) *History {
	s := newStory()
	state := NewState(s.history.Retention)
	for i := range 60 {
		moment := int64(i+1) * 100
		request := drawRequest(random, state, i)
		next, answer := state.Apply(&request)
		operation := Operation{
			Client: i, Call: moment - random.Int64N(300), Return: moment + random.Int64N(300),
			Request: &request, Answer: answer,
		}
		if lost := random.IntN(10); lost < 2 && request.isWrite() {
			operation.Answer = &Answer{Unknown: true}
			operation.Return = never
			if lost == 0 {
				next = state
			}
		}
		state = next
		s.history.Operations = append(s.history.Operations, operation)
	}
	return &s.history
}

func drawRequest(random *rand.Rand, state *State, serial int) Request {
	request := put(Piece("1."+strings.Repeat("1", serial+1), random.IntN(9)))
	session := []string{"s1", "s2"}[random.IntN(2)]
	switch random.IntN(13) {
	case 0:
		return gone
	case 1:
		return Request{Kind: Create}
	case 2:
		return request.withID(string(rune('a' + random.IntN(4))))
	case 3, 4:
		return request.ifVersion(state.version)
	case 5:
		return request
	case 6:
		return Request{Kind: Activate, Session: session, Takeover: true, Guard: serial%3 == 0}
	case 7:
		return request.under(state.fence)
	case 8:
		return from(session)
	case 9:
		return status
	default:
		return Request{Kind: Get, Version: uint64(random.Int64N(2)) * (state.version / 2)}
	}
}

func TestAcceptsAnyHistoryOfTheModelAndRefusesItWithOneAnswerChanged(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		history := draw(random)
		if verdict := history.Check(patience); verdict != Right {
			t.Fatalf("seed %d: %s\n%s", seed, verdict, strings.Join(history.Lines(100), "\n"))
		}
		for i := range history.Operations {
			operation := &history.Operations[i]
			if !operation.isDone() || operation.Answer.Version == 0 {
				continue
			}
			answer := *operation.Answer
			answer.Version += 1000
			operation.Answer = &answer
			break
		}
		if verdict := history.Check(patience); verdict != Wrong {
			t.Fatalf("seed %d: %s\n%s", seed, verdict, strings.Join(history.Lines(100), "\n"))
		}
	}
}

func TestDescribesWhatItShows(t *testing.T) {
	s := newStory()
	s.call(put(a).withID("x").ifVersion(0), made(1))
	lines := strings.Join(s.history.Lines(1), "\n")
	want := "update if @0 k=<1.1:0> or create id x -> ok @1"
	if !strings.Contains(lines, want) {
		t.Errorf("%q is not in %q", want, lines)
	}
}
