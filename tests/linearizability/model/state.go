// Package model says what contextd must answer, and whether a history of real answers
// could have come from it.
//
// What always holds:
//
//  1. The model is one context and one thread: no network, no disk, no restart. It
//     shares nothing with the server but the comments in proto/contextd/v1.
//  2. A State never changes; a change makes another one.
package model

import (
	"fmt"
	"sort"
	"strings"
)

// Life is whether a context is there.
type Life int

// What a context may be.
const (
	Never   Life = iota // It has never been.
	Live                //
	Deleted             // Its earlier states are kept.
	Purged              // Only its version is known.
)

// State is one context at one moment.
type State struct {
	life      Life
	version   uint64
	entries   []Entry // By key.
	past      *past   // The newest of the states before this one.
	pastCount int     // Those of them that can still be read.
	retention int     // States that can be read, this one included.
	done      *done   // Which requests were executed.
	fence     uint64  // Of the last activation.
	holder    string  // Whose activation is in force. Empty: none is.
	guarded   bool    // By it.
}

// A state that was.
type past struct {
	version uint64
	entries []Entry
	older   *past
}

// A request with an id that was executed.
type done struct {
	id      string
	content string
	version uint64
	count   int // Of those done up to this one.
	before  *done
}

// NewState is a context that has never been.
func NewState(retention int) *State {
	return &State{retention: retention}
}

// Apply tells what a request does to a context, and what it is answered.
func (s *State) Apply(r *Request) (*State, *Answer) {
	if r.isWrite() && r.ID != "" {
		for record := s.done; record != nil; record = record.before {
			if record.id == r.ID {
				return s, s.repeat(r, record)
			}
		}
	}
	switch r.Kind {
	case Get:
		return s, s.get(r)
	case Create:
		if s.life == Live {
			return s, refuse("CONTEXT_EXISTS", "version", s.version)
		}
		return s.change(r)
	case Update:
		return s.update(r)
	case Activate:
		return s.activate(r)
	case Deactivate:
		return s.deactivate(r)
	case Status:
		return s, s.status()
	default:
		return s.remove(r)
	}
}

func refuse(reason, name string, value uint64) *Answer {
	return &Answer{Reason: reason, Detail: fmt.Sprintf("%s=%d", name, value)}
}

func (s *State) repeat(r *Request, record *done) *Answer {
	if record.content != r.Content() {
		return &Answer{Reason: "REQUEST_ID_REUSED"}
	}
	switch {
	case r.Kind == Activate && s.holder == r.Session:
		return &Answer{Replayed: true, Fence: s.fence}
	case r.Kind == Activate: // What it made is not in force any more.
		return refuse("STALE_FENCE", "current_fence", s.fence)
	case r.Kind == Delete || r.Kind == Deactivate:
		return &Answer{Replayed: true}
	}
	return &Answer{Version: record.version, Replayed: true}
}

func (s *State) notFound() *Answer {
	if s.life == Never {
		return &Answer{Reason: "CONTEXT_NOT_FOUND"}
	}
	return refuse("CONTEXT_NOT_FOUND", "deleted_version", s.version)
}

func (s *State) get(r *Request) *Answer {
	if s.life != Live {
		return s.notFound()
	}
	if r.NewerThan >= s.version {
		return &Answer{Unchanged: true}
	}
	if r.Version == 0 || r.Version == s.version {
		return &Answer{Version: s.version, Entries: s.entries}
	}
	oldest := s.version
	state := s.past
	for i := 0; i < s.pastCount; i++ {
		if state.version == r.Version {
			return &Answer{Version: state.version, Entries: state.entries}
		}
		oldest = state.version
		state = state.older
	}
	return &Answer{
		Reason: "STATE_NOT_RETAINED",
		Detail: fmt.Sprintf("newest_version=%d oldest_version=%d", s.version, oldest),
	}
}

func (s *State) update(r *Request) (*State, *Answer) {
	if s.life != Live && !r.CreateIfMissing {
		return s, s.notFound()
	}
	if refusal := s.checkFence(r.Fence); refusal != nil {
		return s, refusal
	}
	if refusal := s.check(r.Preconditions); refusal != nil {
		return s, refusal
	}
	return s.change(r)
}

func (s *State) remove(r *Request) (*State, *Answer) {
	if s.life == Never || s.life == Purged || (s.life == Deleted && !r.Purge) {
		if r.AllowMissing {
			return s, &Answer{}
		}
		return s, s.notFound()
	}
	if refusal := s.checkFence(r.Fence); refusal != nil {
		return s, refusal
	}
	if refusal := s.check(r.Preconditions); refusal != nil {
		return s, refusal
	}
	next := *s
	next.life = Deleted
	next.holder, next.guarded = "", false
	if r.Purge {
		next.life = Purged
		next.entries = nil
		next.past = nil
		next.pastCount = 0
	}
	next.remember(r)
	return &next, &Answer{Count: 1}
}

// activate begins an activation: the fence of each is one more than that of the last.
func (s *State) activate(r *Request) (*State, *Answer) {
	if s.life != Live {
		return s, s.notFound()
	}
	if s.holder != "" && s.holder != r.Session && !r.Takeover {
		return s, &Answer{Reason: "CONTEXT_BUSY", Detail: "owner=" + s.holder}
	}
	next := *s
	next.fence++
	next.holder, next.guarded = r.Session, r.Guard
	next.remember(r)
	return &next, &Answer{Fence: next.fence}
}

func (s *State) deactivate(r *Request) (*State, *Answer) {
	if s.holder != r.Session {
		return s, &Answer{Reason: "NOT_ACTIVE"}
	}
	next := *s
	next.holder, next.guarded = "", false
	next.remember(r)
	return &next, &Answer{}
}

func (s *State) status() *Answer {
	if s.life != Live {
		return &Answer{}
	}
	return &Answer{Version: s.version, Fence: s.fence, Holder: s.holder, Guarded: s.guarded}
}

// checkFence tells whether a write with this fence is too late, or in the way of another.
func (s *State) checkFence(fence uint64) *Answer {
	if (fence == 0 && !s.guarded) || (fence != 0 && s.holder != "" && fence == s.fence) {
		return nil
	}
	return refuse("STALE_FENCE", "current_fence", s.fence)
}

// check tells the first condition that does not hold. A context that is not there has
// version 0 and no entries.
func (s *State) check(conditions []Precondition) *Answer {
	for _, condition := range conditions {
		current := uint64(0)
		reason := "VERSION_CONFLICT"
		if condition.Entry {
			reason = "ENTRY_CONFLICT"
			if entry := s.find(condition.Key); entry != nil {
				current = entry.Version
			}
		} else if s.life == Live {
			current = s.version
		}
		if current != condition.Version {
			return refuse(reason, "current_version", current)
		}
	}
	return nil
}

func (s *State) find(key string) *Entry {
	for i := range s.entries {
		if s.life == Live && s.entries[i].Key == key {
			return &s.entries[i]
		}
	}
	return nil
}

// change makes the next state, of a context that may have been created by that.
func (s *State) change(r *Request) (*State, *Answer) {
	next := *s
	next.version++
	next.life = Live
	next.entries = nil
	if s.life == Live {
		next.entries = s.entries
	}
	for i := range r.Mutations {
		if refusal := next.mutate(&r.Mutations[i]); refusal != nil {
			return s, refusal
		}
	}
	if s.life == Live || s.life == Deleted {
		next.past = &past{s.version, s.entries, s.past}
		next.pastCount = min(s.pastCount+1, s.retention-1)
	}
	next.remember(r)
	return &next, &Answer{Version: next.version}
}

func (s *State) mutate(m *Mutation) *Answer {
	switch m.Kind {
	case Put:
		s.set(m.Key, m.Value)
	case Append:
		before := ""
		if entry := s.find(m.Key); entry != nil {
			before = entry.Value
		}
		if m.CheckSize && Size(before) != m.ExpectedSize {
			return refuse("SIZE_MISMATCH", "current_size", Size(before))
		}
		s.set(m.Key, before+m.Value)
	case Remove:
		s.drop(func(key string) bool { return key == m.Key })
	case RemovePrefix:
		s.drop(func(key string) bool { return strings.HasPrefix(key, m.Key) })
	}
	return nil
}

func (s *State) set(key, value string) {
	at := sort.Search(len(s.entries), func(i int) bool { return s.entries[i].Key >= key })
	entries := append([]Entry{}, s.entries[:at]...)
	entries = append(entries, Entry{key, value, s.version})
	if at < len(s.entries) && s.entries[at].Key == key {
		at++
	}
	s.entries = append(entries, s.entries[at:]...)
}

func (s *State) drop(gone func(string) bool) {
	var entries []Entry
	for _, entry := range s.entries {
		if !gone(entry.Key) {
			entries = append(entries, entry)
		}
	}
	s.entries = entries
}

func (s *State) remember(r *Request) {
	if r.ID != "" {
		count := 1
		if s.done != nil {
			count += s.done.count
		}
		s.done = &done{r.ID, r.Content(), s.version, count, s.done}
	}
}

// equal tells whether two states answer every request in the same way.
func (s *State) equal(t *State) bool {
	if s == t {
		return true
	}
	if s.life != t.life || s.version != t.version || s.pastCount != t.pastCount ||
		s.fence != t.fence || s.holder != t.holder || s.guarded != t.guarded ||
		!entriesEqual(s.entries, t.entries) {
		return false
	}
	a, b := s.past, t.past
	for i := 0; i < s.pastCount && a != b; i++ {
		if a.version != b.version || !entriesEqual(a.entries, b.entries) {
			return false
		}
		a, b = a.older, b.older
	}
	return s.done.equal(t.done)
}

func (d *done) equal(e *done) bool {
	for ; d != e; d, e = d.before, e.before {
		if d == nil || e == nil || d.count != e.count || d.id != e.id || d.version != e.version ||
			d.content != e.content {
			return false
		}
	}
	return true
}

// hash is the same for equal states.
func (s *State) hash() uint64 {
	hash := s.version*4 + uint64(s.life) + s.fence<<16
	if s.done != nil {
		hash += uint64(s.done.count) << 32
	}
	return hash * 0x9e3779b97f4a7c15
}

// String describes a state in one line.
func (s *State) String() string {
	words := []string{[]string{"never", "live", "deleted", "purged"}[s.life]}
	answer := Answer{Version: s.version, Entries: s.entries, Fence: s.fence, Holder: s.holder,
		Guarded: s.guarded}
	return words[0] + strings.TrimPrefix(answer.String(), "ok")
}
