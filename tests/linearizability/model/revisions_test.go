package model

import (
	"strings"
	"testing"
)

func TestRevisionsAcceptsPositionsInOrder(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b).withID("x"), made(2))
	s.positions()
	s.call(put(b).withID("x"), replayed(2)).Revision = 20
	s.call(read, holds(2, b, 2)).Revision = 20
	s.call(Request{Kind: Get, Version: 1}, holds(1, a, 1)).Revision = 10
	s.call(gone, Answer{Count: 1}).Revision = 30
	s.call(put(c), made(3)).Revision = 40
	s.call(Request{Kind: Get, Version: 2}, holds(2, b, 2)).Revision = 30
	if wrong := Revisions([]*History{&s.history}); len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
}

func refuses(t *testing.T, what string, histories ...*History) {
	t.Helper()
	wrong := strings.Join(Revisions(histories), "\n")
	if !strings.Contains(wrong, what) {
		t.Errorf("%q is not in %q", what, wrong)
	}
}

func TestRevisionsRefusesOneThatIsUsedTwice(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	other := newStory()
	other.call(put(b), made(1))
	refuses(t, "revision used twice", &s.positions().history, &other.positions().history)
}

func TestRevisionsRefusesAChangeBeforeWhatWasTold(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1)).Revision = 50
	other := newStory()
	other.now = 1000
	other.call(put(b), made(1)).Revision = 40
	refuses(t, "told before", &s.history, &other.history)
}

func TestRevisionsRefusesTwoPositionsOfOneVersion(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1)).Revision = 10
	s.call(read, holds(1, a, 1)).Revision = 11
	refuses(t, "version 1 was at 10", &s.history)
}

func TestRevisionsRefusesVersionsOutOfOrder(t *testing.T) {
	s := newStory()
	s.call(put(b), made(2)).Revision = 10
	s.call(put(a), made(1)).Revision = 20
	refuses(t, "version 1 is at 20, version 2 at 10", &s.history)
}

func TestRevisionsRefusesAnEarlierStateFromBehindTheNext(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(2))
	s.positions()
	s.call(Request{Kind: Get, Version: 1}, holds(1, a, 1)).Revision = 20
	refuses(t, "an earlier state has another position", &s.history)
}

func TestRevisionsRefusesTwoChangesOfOneRequest(t *testing.T) {
	s := newStory()
	s.call(put(a).withID("x"), made(1)).Revision = 10
	s.call(put(a).withID("x"), made(2)).Revision = 20
	refuses(t, "one request, two changes", &s.history)
}

func TestKeptRefusesALostVersion(t *testing.T) {
	s := newStory()
	s.call(put(a), made(1))
	s.call(put(b), made(2))
	s.positions()
	last := holds(2, b, 2)
	if missing := Kept(&s.history, &last); len(missing) > 0 {
		t.Error(strings.Join(missing, "\n"))
	}
	last = notFound2
	if missing := Kept(&s.history, &last); len(missing) > 0 {
		t.Error(strings.Join(missing, "\n"))
	}
	last = holds(1, a, 1)
	if missing := Kept(&s.history, &last); len(missing) != 1 {
		t.Errorf("%q", missing)
	}
	last = holds(2, a, 2)
	if missing := Kept(&s.history, &last); len(missing) != 1 {
		t.Errorf("%q", missing)
	}
}
