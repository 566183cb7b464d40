package contextd

import (
	"context"
	"errors"
	"slices"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Edit reads a value, has change make another of it, and writes that, unless somebody else changed
// the entry meanwhile. Then it is done again, so change may be called more than once and should do
// nothing else. old is nil where there is no entry. Giving a nil entry removes it. It fails with
// ErrConflict where others were faster each time, and with the error of change.
func (c *Context) Edit(
	ctx context.Context, key string, change func(old *Entry) (*PutEntry, error),
) (Written, error) {
	var written Written
	err := c.winning(ctx, func() error {
		found, err := c.readable(ctx, pb.ContextView_CONTEXT_VIEW_FULL, []string{key})
		if err != nil {
			return err
		}
		var old *Entry
		guard := IfEntry(key, 0)
		if len(found.GetEntries()) > 0 {
			entry := entryOf(found.GetEntries()[0])
			old, guard = &entry, IfEntry(key, entry.Version)
		}
		put, err := change(old)
		if err != nil {
			return err
		}
		var step Step = DeleteEntry{key}
		if put != nil {
			step = PutEntry{key, put.Value, put.ContentType}
		}
		written, err = c.change(ctx, step, []WriteOption{guard})
		return err
	})
	return written, err
}

// Transact reads the context, has change work on a draft of it, and writes what it did in one step.
// If somebody changed the context meanwhile it is done again, so change may be called more than once
// and should do nothing else. Where it changes nothing, nothing is written. keys: read and guard only
// these entries, unless it reads a label; none: the whole context. It fails with ErrConflict where
// others were faster each time, and with the error of change.
func (c *Context) Transact(
	ctx context.Context, change func(draft *Draft) error, keys ...string,
) (Written, error) {
	var written Written
	err := c.winning(ctx, func() error {
		draft, err := c.draft(ctx, keys)
		if err != nil {
			return err
		}
		if err := change(draft); err != nil {
			return err
		}
		steps := draft.steps()
		if len(steps) == 0 {
			written = Written{Version: draft.Version}
			return nil
		}
		written, err = c.Update(ctx, steps, draft.conditions()...)
		return err
	})
	return written, err
}

// winning tries until nobody else was faster.
func (c *Context) winning(ctx context.Context, try func() error) error {
	for attempt := 0; ; attempt++ {
		err := try()
		lost := errors.Is(err, ErrConflict)
		if !lost || attempt+1 >= c.client.retry.ConflictAttempts {
			return err
		}
		delay := c.client.retry.conflictDelay(attempt, random())
		if stopped := c.client.sleep(ctx, delay); stopped != nil {
			return typed(c.client.understand(ctx, stopped))
		}
	}
}

// readable reads the context; one that a write would create is empty.
func (c *Context) readable(
	ctx context.Context, view pb.ContextView, keys []string,
) (*pb.Context, error) {
	if err := c.writer.check(); err != nil {
		return nil, err
	}
	found, err := c.get(ctx, view, keys)
	if c.createIfMissing != nil && errors.Is(err, ErrContextNotFound) {
		return &pb.Context{}, nil
	}
	return found, err
}

// draft reads what a transaction works on: some entries, or one whole state.
func (c *Context) draft(ctx context.Context, keys []string) (*Draft, error) {
	draft := &Draft{
		entries: make(map[string]Entry), puts: make(map[string]PutEntry),
		deletes: make(map[string]bool), labels: make(map[string]*string),
	}
	if len(keys) > 0 {
		found, err := c.readable(ctx, pb.ContextView_CONTEXT_VIEW_FULL, keys)
		if err != nil {
			return nil, err
		}
		draft.readable = slices.Clone(keys)
		draft.begin(found, entriesOf(found.GetEntries()))
		for _, key := range keys {
			draft.guards = append(draft.guards, IfEntry(key, draft.entries[key].Version))
		}
		return draft, nil
	}
	found, err := c.readable(ctx, pb.ContextView_CONTEXT_VIEW_BASIC, nil)
	if err != nil {
		return nil, err
	}
	draft.guards = []WriteOption{IfVersion(found.GetVersion())}
	draft.begin(found, nil)
	if found.GetVersion() == 0 {
		return draft, nil
	}
	for entry, err := range c.At(AtVersion(found.GetVersion())).Entries(ctx, EntryQuery{}) {
		if err != nil {
			return nil, draftMoved(err, found.GetVersion())
		}
		draft.entries[entry.Key] = entry
	}
	return draft, nil
}

// draftMoved makes a conflict of a state that was dropped while it was read: somebody else was faster.
func draftMoved(err error, version uint64) error {
	var gone *StateNotRetainedError
	if !errors.As(err, &gone) {
		return err
	}
	failure := *gone.Failure
	failure.kind = ErrVersionConflict.(*kind)
	failure.Message = "the context changed while it was read"
	return &VersionConflictError{&failure, max(gone.NewestVersion, version)}
}
