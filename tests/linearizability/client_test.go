package main

import (
	"testing"
	"time"

	"github.com/contextd/contextd/tests/linearizability/model"
)

func unanswered(life int, call int64) record {
	return record{"c", life, model.Operation{
		Call:    call,
		Return:  call + 1,
		Request: &model.Request{Kind: model.Create},
		Answer:  &model.Answer{Unknown: true},
	}}
}

func TestWhatWasNotAnsweredEndsWithTheLifeItWasSentTo(t *testing.T) {
	server := &server{ends: []int64{100, 200}}
	records := []record{unanswered(0, 50), unanswered(0, 150), unanswered(1, 150)}
	operations := histories(server, 1, []string{"c"}, records)[0].Operations
	if len(operations) != 2 || operations[0].Return != 100 || operations[1].Return != 200 {
		t.Errorf("%+v", operations)
	}
}

func TestASeedDrawsTheSameRequests(t *testing.T) {
	one, other := newDrawer(7, 1, 3, 9), newDrawer(7, 1, 3, 9)
	for range 1000 {
		a, b := one.next([]string{"c", "d"}), other.next([]string{"c", "d"})
		if a.context != b.context || a.request.String() != b.request.String() {
			t.Fatalf("%s, and %s", a.request, b.request)
		}
	}
}

func TestNobodyWaitsForClientsThatAreDone(t *testing.T) {
	progress := newProgress()
	ended := make(chan bool)
	go func() { ended <- progress.await(1000) }()
	progress.add()
	progress.close()
	select {
	case goesOn := <-ended:
		if goesOn {
			t.Error("it goes on")
		}
	case <-time.After(hangs):
		t.Error("it waits")
	}
}

func TestDoubtsBeginAnewWithEachLife(t *testing.T) {
	doubts := &doubts{}
	for range doubtsMax {
		if doubts.full(1, "c") {
			t.Error("full too early")
		}
		doubts.add(1, "c")
	}
	if !doubts.full(1, "c") || doubts.full(1, "d") || doubts.full(2, "c") {
		t.Error("it counts others'")
	}
}
