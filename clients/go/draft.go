package contextd

import (
	"maps"
	"slices"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Draft is what a transaction works on: the entries and labels as they were read, and what was done
// to them since. One goroutine uses it, while the function of Transact runs.
type Draft struct {
	// Version is that of the state that was read. 0: there is no context yet.
	Version uint64

	entries  map[string]Entry
	metadata map[string]string
	readable []string // nil: all.
	guards   []WriteOption
	labelled bool // A label was read as it was.
	puts     map[string]PutEntry
	deletes  map[string]bool
	labels   map[string]*string // nil: removed.
}

func (d *Draft) begin(found *pb.Context, entries []Entry) {
	d.Version = found.GetVersion()
	d.metadata = found.GetMetadata()
	for _, entry := range entries {
		d.entries[entry.Key] = entry
	}
}

// Get gives a value as the draft has it; ErrEntryNotFound where there is none, ErrInvalidValue where
// the transaction did not name the key.
func (d *Draft) Get(key string) ([]byte, error) {
	if d.readable != nil && !slices.Contains(d.readable, key) {
		return nil, invalidValue("the transaction does not read %q: name it among its keys", key)
	}
	if put, ok := d.puts[key]; ok {
		return put.Value, nil
	}
	entry, ok := d.entries[key]
	if !ok || d.deletes[key] {
		return nil, entryNotFound(key)
	}
	return entry.Value, nil
}

// Keys gives the keys as the draft has them, in order.
func (d *Draft) Keys() []string {
	keys := slices.Collect(maps.Keys(d.puts))
	for key := range d.entries {
		if _, put := d.puts[key]; !put && !d.deletes[key] {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Put sets a value without a content type.
func (d *Draft) Put(key string, value []byte) { d.PutEntry(PutEntry{Key: key, Value: value}) }

// PutText sets a value to text, with the content type TextType.
func (d *Draft) PutText(key, value string) { d.PutEntry(PutEntry{key, []byte(value), TextType}) }

// PutEntry sets a value with its content type.
func (d *Draft) PutEntry(put PutEntry) {
	delete(d.deletes, put.Key)
	d.puts[put.Key] = put
}

// Remove removes an entry. A missing one is no error.
func (d *Draft) Remove(key string) {
	delete(d.puts, key)
	d.deletes[key] = true
}

// Label gives a label as the draft has it, and whether there is one. A transaction that reads one guards
// the whole context: labels have no versions of their own.
func (d *Draft) Label(key string) (string, bool) {
	if changed, ok := d.labels[key]; ok {
		if changed == nil {
			return "", false
		}
		return *changed, true
	}
	d.labelled = true
	value, ok := d.metadata[key]
	return value, ok
}

// conditions are that nothing that was read has changed.
func (d *Draft) conditions() []WriteOption {
	if d.labelled {
		return []WriteOption{IfVersion(d.Version)}
	}
	return d.guards
}

// SetLabel sets a label.
func (d *Draft) SetLabel(key, value string) { d.labels[key] = &value }

// RemoveLabel removes a label.
func (d *Draft) RemoveLabel(key string) { d.labels[key] = nil }

// steps are what was done, removals first.
func (d *Draft) steps() []Step {
	var steps []Step
	for _, key := range slices.Sorted(maps.Keys(d.deletes)) {
		steps = append(steps, DeleteEntry{key})
	}
	for _, key := range slices.Sorted(maps.Keys(d.puts)) {
		steps = append(steps, d.puts[key])
	}
	for _, key := range slices.Sorted(maps.Keys(d.labels)) {
		if value := d.labels[key]; value != nil {
			steps = append(steps, SetMetadata{key, *value})
		} else {
			steps = append(steps, DeleteMetadata{key})
		}
	}
	return steps
}
