package contextd

import (
	"strings"

	"google.golang.org/grpc/codes"
)

// take does what an event tells. False: nothing was done, the context must be read. The lock is held.
func (v *View) take(event *Event) (bool, error) {
	if event.Context == nil {
		return true, nil
	}
	info := *event.Context
	known := v.contexts[info.ID]
	switch {
	case event.Type == EventSnapshot:
		v.set(info, event.Entries)
	case known != nil && info.Version < known.Info.Version:
		// It is known already: the context was read since.
	case event.Type == EventDeleted || event.Type == EventExpired:
		delete(v.contexts, info.ID)
	case known != nil && info.Version == known.Info.Version:
		known.Info = info
	case isBeside(event):
	case !v.selects(info.Metadata):
		delete(v.contexts, info.ID)
	case event.Type == EventCreated || known != nil:
		return v.change(event, info)
	default:
		return !isChange(event.Type), nil
	}
	return true, nil
}

// isBeside tells that an event of a recovery point tells no change of the state. Where the point comes
// with one, another event of the same version tells it.
func isBeside(event *Event) bool {
	switch event.Type {
	case EventRecoveryPointCreated, EventRecoveryPointUpdated, EventRecoveryPointDeleted:
		return len(event.Steps) == 0 && !event.Reset
	}
	return false
}

// isChange tells that what there is to know of a context may begin with such an event.
func isChange(of EventType) bool {
	switch of {
	case EventCreated, EventUpdated, EventRestored, EventForked, EventMerged:
		return true
	}
	return false
}

func (v *View) change(event *Event, info ContextInfo) (bool, error) {
	if event.Reset || event.Type == EventForked {
		return false, nil
	}
	for _, step := range event.Steps {
		if step == nil {
			return false, nil // Of a newer server: the context tells what it came to.
		}
	}
	if event.Type == EventCreated {
		v.set(info, nil)
	}
	known := v.contexts[info.ID]
	for _, step := range event.Steps {
		if err := v.step(step, known.Entries, info.Version); err != nil {
			return false, err
		}
	}
	known.Info = info
	return true, nil
}

func (v *View) step(step Step, entries map[string]Entry, version uint64) error {
	switch step := step.(type) {
	case PutEntry:
		v.put(entries, Entry{step.Key, step.Value, step.ContentType, version})
	case AppendEntry:
		entry := Entry{step.Key, step.Value, step.ContentType, version}
		if old, ok := entries[step.Key]; ok {
			entry.ContentType = old.ContentType
			entry.Value = append(old.Value[:len(old.Value):len(old.Value)], step.Value...)
		}
		v.put(entries, entry)
	case SpliceEntry:
		if !strings.HasPrefix(step.Key, v.query.KeyPrefix) {
			return nil
		}
		old := entries[step.Key].Value
		if uint64(len(old)) < step.KeptSize {
			return newFailure(errInvalidValue, codes.DataLoss,
				"the value of %q is shorter than what is kept of it: the view lost events", step.Key)
		}
		value := append(old[:step.KeptSize:step.KeptSize], step.Value...)
		v.put(entries, Entry{step.Key, value, step.ContentType, version})
	case DeleteEntry:
		delete(entries, step.Key)
	case DeleteEntries:
		for key := range entries {
			if strings.HasPrefix(key, step.Prefix) {
				delete(entries, key)
			}
		}
	}
	return nil
}

func (v *View) put(entries map[string]Entry, entry Entry) {
	if strings.HasPrefix(entry.Key, v.query.KeyPrefix) {
		entries[entry.Key] = entry
	}
}
