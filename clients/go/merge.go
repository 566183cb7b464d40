package contextd

import (
	"context"

	"google.golang.org/grpc/codes"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// OnConflict says what a merge does where both sides changed the same.
type OnConflict int

// What a merge does with conflicts.
const (
	ConflictReport OnConflict = iota // Change nothing, and tell them.
	ConflictTarget                   // Take the target's.
	ConflictSource                   // Take the source's.
)

// Merge says how one context is brought into another.
type Merge struct {
	Ancestor        *State // What both came from. nil: it is found from forks and merges.
	OnConflict      OnConflict
	OnConflictByKey map[string]OnConflict // For single entries, whatever OnConflict says.
	DryRun          bool                  // Tell what would change, and change nothing.
	SafetyPoint     bool                  // Keep the state before as a recovery point.
}

// MergeConflict is an entry that both sides changed, each in its own way. nil: it was not there.
type MergeConflict struct {
	Key                      string
	InMetadata               bool // It is a label: the value is its text.
	Ancestor, Target, Source *Entry
}

// Merged is what became of a Merge.
type Merged struct {
	Applied           bool // Not of a dry run.
	ChangedEntryCount uint64
	Conflicts         []MergeConflict // Of a dry run: the first 1,000.
	ConflictCount     uint64
	SafetyPointID     string
	Written           Written
}

// MergeConflictsError: both sides of a merge changed the same, and nothing was merged. Merge again
// and say what becomes of them.
type MergeConflictsError struct {
	*Failure
	Conflicts     []MergeConflict // The first 1,000.
	ConflictCount uint64
}

// Merge brings into this context what changed in source since the state that both came from. Where
// conflicts are left nothing is changed, and it fails with ErrMergeConflicts, unless DryRun.
func (c *Context) Merge(
	ctx context.Context, source *State, how Merge, options ...WriteOption,
) (Merged, error) {
	wanted := writeOptionsOf(options)
	request := &pb.MergeContextRequest{
		Source: source.ref(), Namespace: c.namespace, TargetContextId: c.id,
		OnConflict: pb.MergeContextRequest_OnConflict(how.OnConflict), DryRun: how.DryRun,
		SafetyPoint: how.SafetyPoint, Preconditions: wanted.preconditions,
		Write: c.writer.options(wanted.requestID),
	}
	if how.Ancestor != nil {
		request.Ancestor = how.Ancestor.ref()
	}
	for key, rule := range how.OnConflictByKey {
		if request.OnConflictByKey == nil {
			request.OnConflictByKey = make(map[string]pb.MergeContextRequest_OnConflict)
		}
		request.OnConflictByKey[key] = pb.MergeContextRequest_OnConflict(rule)
	}
	reply := &pb.MergeContextResponse{}
	method := pb.Recovery_MergeContext_FullMethodName
	if err := c.write(ctx, method, request, reply, request.Write); err != nil {
		return Merged{}, err
	}
	return mergedOf(reply, how.DryRun, wanted.requestID)
}

func mergedOf(reply *pb.MergeContextResponse, dryRun bool, requestID string) (Merged, error) {
	merged := Merged{
		Applied: reply.GetApplied(), ChangedEntryCount: reply.GetChangedEntryCount(),
		ConflictCount: reply.GetConflictCount(), SafetyPointID: reply.GetSafetyPointId(),
		Written: writtenOf(reply.GetVersion(), reply.GetWrite(), requestID),
	}
	for _, conflict := range reply.GetConflicts() {
		merged.Conflicts = append(merged.Conflicts, MergeConflict{
			conflict.GetKey(), conflict.GetInMetadata(), entryOrNil(conflict.GetAncestor()),
			entryOrNil(conflict.GetTarget()), entryOrNil(conflict.GetSource()),
		})
	}
	if merged.Applied || dryRun {
		return merged, nil
	}
	if merged.ConflictCount == 0 {
		return merged, newerServer("a merge that was not made, and no conflict")
	}
	failure := newFailure(errMergeConflicts, codes.Aborted,
		"%d conflicts, nothing was merged", merged.ConflictCount)
	failure.RequestID = requestID
	return merged, &MergeConflictsError{failure, merged.Conflicts, merged.ConflictCount}
}

func entryOrNil(entry *pb.Entry) *Entry {
	if entry == nil {
		return nil
	}
	made := entryOf(entry)
	return &made
}
