package conformance

import (
	"sort"
	"sync"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

func init() {
	for name, operation := range map[string]func(*Call) (Tree, error){
		"view":          view,
		"view_until":    viewUntil,
		"view_contexts": viewContexts,
	} {
		operations[name] = operation
	}
}

// viewed is a view, and a signal that it has taken something.
type viewed struct {
	*contextd.View
	mu      sync.Mutex
	changed chan struct{} // Closed with the next event.
}

func (v *viewed) tell(contextd.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.changed)
	v.changed = make(chan struct{})
}

func (v *viewed) next() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.changed
}

func view(c *Call) (Tree, error) {
	made := &viewed{changed: make(chan struct{})}
	name := c.text("as")
	began, err := c.client.View(c.ctx(), contextd.ViewQuery{
		ContextIDs: c.texts("context_ids"), IDPrefix: c.text("id_prefix"), Type: c.text("type"),
		Metadata: c.labels("metadata"), KeyPrefix: c.text("key_prefix"), OnEvent: made.tell,
	})
	if err != nil {
		return nil, err
	}
	made.View = began
	c.world.atEnd(began.Close)
	put(c.world, c.world.views, name, made)
	select {
	case <-began.Ready():
		return Map{}, nil
	case <-began.Done():
		return nil, began.Err()
	case <-time.After(Patience):
		return nil, mismatch("the view was not ready in %v", Patience)
	}
}

// viewUntil waits until a view holds a version of a context, or no longer holds the context.
func viewUntil(c *Call) (Tree, error) {
	held, id := get(c.world, c.world.views, c.text("view")), c.text("context")
	version, gone := uint64(c.number("version")), c.flag("gone")
	patience := time.After(Patience)
	for {
		changed := held.next()
		found, is := held.Context(id)
		if gone && !is {
			return Map{}, nil
		}
		if !gone && is && found.Info.Version >= version {
			return viewedTree(found), nil
		}
		select {
		case <-changed:
		case <-held.Done():
			return nil, held.Err()
		case <-patience:
			return nil, mismatch("the view did not get there in %v", Patience)
		}
	}
}

func viewedTree(found contextd.ViewedContext) Tree {
	entries := Map{}
	for key, entry := range found.Entries {
		entries[key] = valueTree(entry.Value)
	}
	return Map{
		"version": int64(found.Info.Version), "metadata": treeOf(found.Info.Metadata),
		"entries": entries,
	}
}

func viewContexts(c *Call) (Tree, error) {
	ids := []string{}
	get(c.world, c.world.views, c.text("view")).Read(
		func(contexts map[string]*contextd.ViewedContext) {
			for id := range contexts {
				ids = append(ids, id)
			}
		})
	sort.Strings(ids)
	return Map{"contexts": treeOf(ids)}, nil
}
