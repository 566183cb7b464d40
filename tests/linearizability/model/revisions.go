package model

import (
	"fmt"
	"sort"
)

// Revisions checks what the answers of all contexts together say of the log's positions:
//
//  1. No two changes have the same, also across restarts.
//  2. A change that was sent after something was told lies behind what was told.
//  3. In one context a version has one, or those of activations behind it, and the next
//     version a later one. A state that ended with a delete has the delete's.
//  4. All answers to one request id tell the same change, and at most one says that it
//     made it.
//
// It returns what is wrong, a line each.
func Revisions(histories []*History) []string {
	var wrong []string
	owners := map[uint64]string{}
	for _, history := range histories {
		wrong = append(wrong, history.changesOnce(owners)...)
		wrong = append(wrong, history.versionsInOrder()...)
		wrong = append(wrong, history.repeatsAgree()...)
	}
	return append(wrong, realTime(histories)...)
}

// isChange tells whether an answer says that this call changed something.
func (o *Operation) isChange() bool {
	return o.Request.isWrite() && o.isDone() && !o.Answer.Replayed && o.Revision != 0
}

func (o *Operation) isDone() bool { return !o.Answer.Unknown && o.Answer.Reason == "" }

func (h *History) line(o *Operation) string {
	return fmt.Sprintf("%s: %s -> %s at %d", h.Context, o.Request, o.Answer, o.Revision)
}

// changesOnce adds the changes to those of the other contexts.
func (h *History) changesOnce(owners map[uint64]string) []string {
	var wrong []string
	for i := range h.Operations {
		operation := &h.Operations[i]
		if !operation.isChange() {
			continue
		}
		line := h.line(operation)
		if other, used := owners[operation.Revision]; used {
			wrong = append(wrong, fmt.Sprintf("revision used twice: %s; %s", other, line))
		}
		owners[operation.Revision] = line
	}
	return wrong
}

// versionsInOrder compares the positions of versions with each other.
func (h *History) versionsInOrder() []string {
	var wrong []string
	made := map[uint64]uint64{} // The first that is known.
	last := map[uint64]uint64{}
	isTouch := h.touches()
	for i := range h.Operations {
		operation := &h.Operations[i]
		version, revision := operation.Answer.Version, operation.Revision
		head := operation.Request.Kind != Get || operation.Request.Version == 0
		if !operation.isDone() || version == 0 || revision == 0 || !head {
			continue
		}
		before, known := made[version]
		if known && before != revision && !isTouch(max(before, revision)) {
			wrong = append(wrong, fmt.Sprintf("version %d was at %d: %s", version, before,
				h.line(operation)))
		}
		if !known || revision < before {
			made[version] = revision
		}
		last[version] = max(last[version], revision)
	}
	versions := make([]uint64, 0, len(made))
	for version := range made {
		versions = append(versions, version)
	}
	sort.Slice(versions, func(i, j int) bool { return versions[i] < versions[j] })
	for i := 1; i < len(versions); i++ {
		if last[versions[i-1]] >= made[versions[i]] {
			wrong = append(wrong, fmt.Sprintf("%s: version %d is at %d, version %d at %d", h.Context,
				versions[i-1], last[versions[i-1]], versions[i], made[versions[i]]))
		}
	}
	return append(wrong, h.earlierInOrder(made, versions)...)
}

// touches tells of a position whether an activation may have it: one that was answered says
// where it is, and one that was not may be anywhere.
func (h *History) touches() func(revision uint64) bool {
	known := map[uint64]bool{}
	unknown := false
	for i := range h.Operations {
		operation := &h.Operations[i]
		if operation.Request.isTouch() {
			known[operation.Revision] = true
			unknown = unknown || operation.Answer.Unknown
		}
	}
	return func(revision uint64) bool { return unknown || known[revision] }
}

// earlierInOrder compares the states before the newest with what is known of the versions.
func (h *History) earlierInOrder(made map[uint64]uint64, versions []uint64) []string {
	var wrong []string
	for i := range h.Operations {
		operation := &h.Operations[i]
		version := operation.Answer.Version
		if operation.Request.Kind != Get || !operation.isDone() || version == 0 ||
			operation.Revision == 0 {
			continue
		}
		after := sort.Search(len(versions), func(i int) bool { return versions[i] > version })
		if operation.Revision < made[version] ||
			(after < len(versions) && operation.Revision >= made[versions[after]]) {
			wrong = append(wrong, "an earlier state has another position: "+h.line(operation))
		}
	}
	return wrong
}

// repeatsAgree compares the answers to the calls of one request.
func (h *History) repeatsAgree() []string {
	var wrong []string
	first := map[string]*Operation{}
	makers := map[string]int{}
	for i := range h.Operations {
		operation := &h.Operations[i]
		id := operation.Request.ID
		if id == "" || !operation.isDone() || operation.Revision == 0 {
			continue
		}
		if operation.isChange() {
			makers[id]++
		}
		if first[id] == nil {
			first[id] = operation
		}
		if first[id].Revision != operation.Revision || makers[id] > 1 {
			wrong = append(wrong, fmt.Sprintf("one request, two changes: %s; %s",
				h.line(first[id]), h.line(operation)))
		}
	}
	return wrong
}

// realTime compares what was told before a change was sent with where it lies.
func realTime(histories []*History) []string {
	type event struct {
		at       int64
		call     bool
		revision uint64
		line     string
	}
	var events []event
	for _, history := range histories {
		for i := range history.Operations {
			operation := &history.Operations[i]
			if !operation.isDone() || operation.Revision == 0 {
				continue
			}
			line := history.line(operation)
			if operation.isChange() {
				events = append(events, event{operation.Call, true, operation.Revision, line})
			}
			events = append(events, event{operation.Return, false, operation.Revision, line})
		}
	}
	sort.Slice(events, func(i, j int) bool {
		if events[i].at != events[j].at {
			return events[i].at < events[j].at
		}
		return events[i].call && !events[j].call
	})
	var wrong []string
	var told event
	for _, event := range events {
		if event.call && event.revision <= told.revision {
			wrong = append(wrong, fmt.Sprintf("told before: %s; sent after: %s", told.line, event.line))
		}
		if !event.call && event.revision > told.revision {
			told = event
		}
	}
	return wrong
}

// Kept checks the answers of a last reader, who was alone: what was acknowledged is
// there. It looks at nothing but single answers. It returns what is missing, a line each.
func Kept(history *History, last *Answer) []string {
	var missing []string
	for i := range history.Operations {
		operation := &history.Operations[i]
		if !operation.isChange() || operation.Request.Kind == Delete {
			continue
		}
		line := history.line(operation)
		if last.newestVersion() < operation.Answer.Version {
			missing = append(missing, fmt.Sprintf("%s; in the end: %s", line, last))
		}
		for _, entry := range last.Entries {
			if entry.Version == operation.Answer.Version && !operation.Request.set(entry) {
				missing = append(missing, fmt.Sprintf("%s; in the end: %s@%d=%s", line, entry.Key,
					entry.Version, entry.Value))
			}
		}
	}
	return missing
}

// newestVersion is the version that an answer to a read tells, also of a context that was
// deleted.
func (a *Answer) newestVersion() uint64 {
	version := a.Version
	if a.Reason != "" {
		_, _ = fmt.Sscanf(a.Detail, "deleted_version=%d", &version)
	}
	return version
}

// set tells whether a request can have set an entry.
func (r *Request) set(entry Entry) bool {
	piece := lastPiece(entry.Value)
	for _, mutation := range r.Mutations {
		if mutation.Key == entry.Key && piece != "" && lastPiece(mutation.Value) == piece {
			return true
		}
	}
	return false
}
