package model

import (
	"strings"
	"testing"
)

func as(session string) Request          { return Request{Kind: Activate, Session: session} }
func from(session string) Request        { return Request{Kind: Deactivate, Session: session} }
func (r Request) takingOver() Request    { r.Takeover = true; return r }
func (r Request) guarding() Request      { r.Guard = true; return r }
func (r Request) under(f uint64) Request { r.Fence = f; return r }

var (
	status = Request{Kind: Status}
	stale1 = Answer{Reason: "STALE_FENCE", Detail: "current_fence=1"}
)

func active(fence uint64) Answer { return Answer{Fence: fence} }

func TestStateRefusesWritesUnderAFenceThatIsNotInForce(t *testing.T) {
	expectAnswer(t, "ok @2", put(a), as("s1"), put(b).under(1))
	expectAnswer(t, "STALE_FENCE current_fence=1", put(a), as("s1"), put(b).under(2))
	expectAnswer(t, "STALE_FENCE current_fence=2",
		put(a), as("s1"), as("s2").takingOver(), put(b).under(1))
	expectAnswer(t, "STALE_FENCE current_fence=1", put(a), as("s1"), from("s1"), put(b).under(1))
	expectAnswer(t, "STALE_FENCE current_fence=1", put(a), as("s1"), gone, put(b).under(1))
	expectAnswer(t, "STALE_FENCE current_fence=0", put(b).under(1))
}

func TestStateRefusesWritesWithoutAFenceWhileItIsGuarded(t *testing.T) {
	expectAnswer(t, "ok @2", put(a), as("s1"), put(b))
	expectAnswer(t, "STALE_FENCE current_fence=1", put(a), as("s1").guarding(), put(b))
	expectAnswer(t, "STALE_FENCE current_fence=1", put(a), as("s1").guarding(), gone)
	expectAnswer(t, "ok 1 gone", put(a), as("s1").guarding(), gone.under(1))
	expectAnswer(t, "ok @2", put(a), as("s1").guarding(), from("s1"), put(b))
}

func TestStateGivesEachActivationAFenceOfItsOwn(t *testing.T) {
	expectAnswer(t, "ok fence 2", put(a), as("s1"), as("s1"))
	expectAnswer(t, "ok fence 2", put(a), as("s1"), gone, put(b), as("s2"))
	expectAnswer(t, "CONTEXT_BUSY owner=s1", put(a), as("s1"), as("s2"))
	expectAnswer(t, "NOT_ACTIVE", put(a), as("s1"), as("s2").takingOver(), from("s1"))
	expectAnswer(t, "CONTEXT_NOT_FOUND", as("s1"))
	expectAnswer(t, "ok @1 fence 2 of s2 guarded",
		put(a), as("s1"), as("s2").takingOver().guarding(), status)
}

func TestStateRepeatsAnActivationOnlyWhileOneIsInForce(t *testing.T) {
	once := as("s1").withID("x")
	expectAnswer(t, "ok fence 1 replayed", put(a), once, once)
	expectAnswer(t, "ok fence 2 replayed", put(a), once, as("s1"), once)
	expectAnswer(t, "STALE_FENCE current_fence=2", put(a), once, as("s2").takingOver(), once)
	expectAnswer(t, "STALE_FENCE current_fence=1", put(a), once, gone, once)
	expectAnswer(t, "ok replayed", put(a), once, from("s1").withID("y"), as("s1"),
		from("s1").withID("y"))
}

func TestRefusesAWriteOfOneWhoWasTakenFrom(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(as("s1"), active(1))
	s.call(as("s2").takingOver(), active(2))
	s.call(put(b).under(1), made(2))
	s.expect(t, Wrong)
}

func TestAcceptsAWriteThatOverlapsTheTakeover(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(as("s1"), active(1))
	s.overlap(as("s2").takingOver(), active(2), 100)
	s.overlap(put(b).under(1), made(2), 100)
	s.expect(t, Right)
}

func TestRefusesAnUnfencedWriteOfWhatIsGuarded(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(as("s1").guarding(), active(1))
	s.call(put(b), made(2))
	s.expect(t, Wrong)
}

func TestRefusesAFenceThatGoesBack(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(as("s1"), active(1))
	s.call(gone, Answer{Count: 1})
	s.call(put(b), made(2))
	s.call(as("s1"), active(1))
	s.expect(t, Wrong)
}

func TestAcceptsThatAnActivationWithoutAnAnswerHappenedOrNot(t *testing.T) {
	for _, last := range []Answer{made(2), stale1} {
		s := newStory()
		s.call(put(a), made(1))
		s.call(as("s1").guarding(), unknown).Return = never
		s.call(put(b), last)
		s.expect(t, Right)
	}
}

func TestRefusesAnActivationThatALaterStatusDoesNotShow(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(as("s1"), active(1))
	s.call(status, Answer{Version: 1})
	s.expect(t, Wrong)
}

func TestRevisionsKnowsPositionsOfActivations(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1)).Revision = 10
	s.call(as("s1"), active(1)).Revision = 20
	s.call(read, holds(1, a, 1)).Revision = 20
	s.call(put(b), made(2)).Revision = 30
	if wrong := Revisions([]*History{&s.history}); len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
	s.call(read, holds(2, b, 2)).Revision = 31
	refuses(t, "version 2 was at 30", &s.history)
}

func TestRevisionsRefusesAVersionBehindTheNext(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1)).Revision = 10
	s.call(as("s1"), active(1)).Revision = 40
	s.call(put(b), made(2)).Revision = 30
	s.call(read, holds(1, a, 1)).Revision = 40
	refuses(t, "version 1 is at 40, version 2 at 30", &s.history)
}
