package model

import "testing"

// apply follows requests, and compares the answer to the last.
func expectAnswer(t *testing.T, want string, requests ...Request) {
	t.Helper()
	state := NewState(3)
	answer := &Answer{}
	for i := range requests {
		state, answer = state.Apply(&requests[i])
	}
	if answer.String() != want {
		t.Errorf("%q, not %q", answer, want)
	}
}

func TestStateGoesOnCountingAfterADelete(t *testing.T) {
	expectAnswer(t, "ok @3", put(a), put(b), gone, put(c))
	expectAnswer(t, "ok @3", put(a), put(b), gone, Request{Kind: Create})
	expectAnswer(t, "CONTEXT_NOT_FOUND deleted_version=2", put(a), put(b), gone, gone)
}

func TestStateKeepsSoManyVersionsAndNoneAfterAPurge(t *testing.T) {
	purge := Request{Kind: Delete, Purge: true}
	first := Request{Kind: Get, Version: 1}

	expectAnswer(t, "ok @1 k@1=<1.1:0>", put(a), put(b), put(c), first)
	expectAnswer(t, "STATE_NOT_RETAINED newest_version=4 oldest_version=2",
		put(a), put(b), put(c), put(a), first)
	expectAnswer(t, "ok @1 k@1=<1.1:0>", put(a), gone, put(b), first)
	expectAnswer(t, "STATE_NOT_RETAINED newest_version=2 oldest_version=2",
		put(a), purge, put(b), first)
	expectAnswer(t, "ok 1 gone", put(a), gone, purge)
	expectAnswer(t, "CONTEXT_NOT_FOUND deleted_version=1", put(a), gone, purge, purge)
}

func TestStateTellsTheFirstConditionThatDoesNotHold(t *testing.T) {
	entry := func(version uint64) Precondition {
		return Precondition{Entry: true, Key: "k", Version: version}
	}
	both := put(b)
	both.Preconditions = []Precondition{entry(7), {Version: 8}}

	expectAnswer(t, "ENTRY_CONFLICT current_version=1", put(a), both)
	expectAnswer(t, "ENTRY_CONFLICT current_version=0", both)
	both.Preconditions[0] = entry(1)
	expectAnswer(t, "VERSION_CONFLICT current_version=1", put(a), both)
	expectAnswer(t, "VERSION_CONFLICT current_version=0", put(a), gone, put(b).ifVersion(1))
	expectAnswer(t, "ok @2", put(a), gone, put(b).ifVersion(0))
}

func TestStateAppendsToTheSizeThatIsExpected(t *testing.T) {
	appended := Request{Kind: Update, Mutations: []Mutation{
		{Kind: Append, Key: "k", Value: b, CheckSize: true, ExpectedSize: 16},
	}}
	long := put(Piece("1.9", 9))

	expectAnswer(t, "ok @2", long, appended)
	expectAnswer(t, "SIZE_MISMATCH current_size=7", put(a), appended)
	expectAnswer(t, "ok @2 k@2=<1.9:9>"+b, long, appended, read)
}

func TestStateRemembersRequestsAfterADelete(t *testing.T) {
	expectAnswer(t, "ok @1 replayed", put(a).withID("x"), gone, put(a).withID("x"))
	expectAnswer(t, "REQUEST_ID_REUSED", put(a).withID("x"), put(b).withID("x"))
	expectAnswer(t, "ok replayed", put(a), gone.withID("x"), put(b), gone.withID("x"))
	expectAnswer(t, "ok @1", gone.withID("x"), put(a).withID("x"))
}

func TestValuesSurviveTheWayToTheServerAndBack(t *testing.T) {
	value := Piece("1.1", 0) + Piece("12.3", 4000) + Piece("1.2", 1)
	expanded := Expand(value)
	if Size(value) != uint64(len(expanded)) || Compact(expanded) != value {
		t.Errorf("%d bytes, not %d: %q", len(expanded), Size(value), Compact(expanded))
	}
	expanded[100] ^= 1
	if Compact(expanded) == value {
		t.Error("damage was not seen")
	}
	if Compact(expanded[:4000]) == value {
		t.Error("a lost end was not seen")
	}
}
