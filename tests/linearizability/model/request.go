package model

import (
	"fmt"
	"strings"
)

// Kind is the method that a request calls.
type Kind int

// What a request may ask for.
const (
	Get Kind = iota
	Create
	Update
	Delete
	Activate   // Exclusively.
	Deactivate //
	Status     // Who has the context, and its fence.
)

// MutationKind is what a step of a change does.
type MutationKind int

// The steps of a change.
const (
	Put MutationKind = iota
	Append
	Remove
	RemovePrefix
)

// Way is how a request goes to the server. What it is answered is the same.
type Way int

// The ways. Only Get and Update have all of them.
const (
	Unary  Way = iota
	Batch      // As the one part of a batch.
	Atomic     // As the one part of an atomic batch. Of Update.
	Stream     // Over a stream of its own.
)

// Mutation is one step of a change. They are applied in order, all or none.
type Mutation struct {
	Kind  MutationKind
	Key   string // Of RemovePrefix: the prefix.
	Value string // Compact.

	// Of Append: the size that the value must have before.
	CheckSize    bool
	ExpectedSize uint64
}

// Precondition is what must hold for a change to be applied.
type Precondition struct {
	Entry   bool   // About the entry `Key`; else about the context.
	Key     string //
	Version uint64 // 0: there must be none.
}

// Request is one call. It does not change once it was sent.
type Request struct {
	Kind Kind
	Way  Way
	ID   string // That makes a write safe to repeat. Empty: none.

	Version   uint64 // Of Get: which state. 0: the newest.
	NewerThan uint64 // Of Get: only if the context is newer. 0: always.

	Mutations       []Mutation
	Preconditions   []Precondition
	CreateIfMissing bool // Of Update.
	AllowMissing    bool // Of Delete.
	Purge           bool // Of Delete.

	Session  string // Who activates or deactivates.
	Takeover bool   // Of Activate.
	Guard    bool   // Of Activate.
	Fence    uint64 // Of Update and Delete. 0: not checked, unless the context is guarded.
}

// Entry is one named value of a context.
type Entry struct {
	Key     string
	Value   string // Compact.
	Version uint64 // The version of the context that set it.
}

// Answer is what a call was answered, as far as it follows from what happened to the
// context before. Revisions do not: see Revisions.
type Answer struct {
	Unknown bool   // There was none: the request may have been executed or not.
	Reason  string // Of a refusal. Empty: it was done.
	Detail  string // Of a refusal: its values, as "name=value", without the key of an entry.

	Version   uint64 // After the change, or of the state that was read. Not of Delete.
	Replayed  bool   // An earlier request with the same id made the change.
	Count     uint64 // Of Delete: how many contexts are gone, unless it is replayed.
	Unchanged bool   // Of Get with NewerThan.
	Entries   []Entry

	Fence   uint64 // Of the activation in force after Activate; of the last one, by Status.
	Holder  string // Of Status: the session that has the context exclusively. Empty: none.
	Guarded bool   // Of Status.
}

func (r *Request) isWrite() bool { return r.Kind != Get && r.Kind != Status }

// isTouch tells whether a request changes a context, but makes no version.
func (r *Request) isTouch() bool { return r.Kind == Activate || r.Kind == Deactivate }

// Content is what a request asks for, as text: all but its id, its fence and its way.
func (r *Request) Content() string {
	var text strings.Builder
	switch r.Kind {
	case Get:
		text.WriteString("get")
		describeGet(&text, r)
	case Create:
		text.WriteString("create")
	case Update:
		text.WriteString("update")
	case Delete:
		text.WriteString("delete")
	case Activate:
		text.WriteString("activate as " + r.Session)
	case Deactivate:
		text.WriteString("deactivate as " + r.Session)
	case Status:
		text.WriteString("status")
	}
	for _, condition := range r.Preconditions {
		if condition.Entry {
			fmt.Fprintf(&text, " if %s@%d", condition.Key, condition.Version)
		} else {
			fmt.Fprintf(&text, " if @%d", condition.Version)
		}
	}
	for _, mutation := range r.Mutations {
		text.WriteString(mutation.describe())
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{r.CreateIfMissing, " or create"}, {r.AllowMissing, " if there"}, {r.Purge, " and purge"},
		{r.Takeover, " from anybody"}, {r.Guard, " and guard"},
	} {
		if flag.set {
			text.WriteString(flag.name)
		}
	}
	return text.String()
}

func describeGet(text *strings.Builder, r *Request) {
	if r.Version != 0 {
		fmt.Fprintf(text, " @%d", r.Version)
	}
	if r.NewerThan != 0 {
		fmt.Fprintf(text, " if newer than %d", r.NewerThan)
	}
}

func (m *Mutation) describe() string {
	switch m.Kind {
	case Put:
		return " " + m.Key + "=" + m.Value
	case Append:
		if m.CheckSize {
			return fmt.Sprintf(" %s[%d]+=%s", m.Key, m.ExpectedSize, m.Value)
		}
		return " " + m.Key + "+=" + m.Value
	case Remove:
		return " -" + m.Key
	default:
		return " -" + m.Key + "*"
	}
}

// String describes a request in one line.
func (r *Request) String() string {
	text := r.Content() + []string{"", " by batch", " by atomic batch", " by stream"}[r.Way]
	if r.Fence != 0 {
		text += fmt.Sprintf(" fence %d", r.Fence)
	}
	if r.ID != "" {
		text += " id " + r.ID
	}
	return text
}

// String describes an answer in one line.
func (a *Answer) String() string {
	var text strings.Builder
	switch {
	case a.Unknown:
		return "?"
	case a.Reason != "":
		return strings.TrimSpace(a.Reason + " " + a.Detail)
	case a.Unchanged:
		return "unchanged"
	}
	text.WriteString("ok")
	if a.Version != 0 {
		fmt.Fprintf(&text, " @%d", a.Version)
	}
	if a.Count != 0 {
		fmt.Fprintf(&text, " %d gone", a.Count)
	}
	if a.Fence != 0 {
		fmt.Fprintf(&text, " fence %d", a.Fence)
	}
	if a.Holder != "" {
		text.WriteString(" of " + a.Holder)
	}
	if a.Guarded {
		text.WriteString(" guarded")
	}
	if a.Replayed {
		text.WriteString(" replayed")
	}
	for _, entry := range a.Entries {
		fmt.Fprintf(&text, " %s@%d=%s", entry.Key, entry.Version, entry.Value)
	}
	return text.String()
}

// Name tells what kind of answer it is.
func (a *Answer) Name() string {
	switch {
	case a.Unknown:
		return "none"
	case a.Reason != "":
		return a.Reason
	case a.Replayed:
		return "replayed"
	default:
		return "done"
	}
}

func (a *Answer) equal(b *Answer) bool {
	if a.Reason != b.Reason || a.Detail != b.Detail || a.Version != b.Version ||
		a.Replayed != b.Replayed || a.Count != b.Count || a.Unchanged != b.Unchanged ||
		a.Fence != b.Fence || a.Holder != b.Holder || a.Guarded != b.Guarded {
		return false
	}
	return entriesEqual(a.Entries, b.Entries)
}

func entriesEqual(a, b []Entry) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 || &a[0] == &b[0] {
		return true
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
