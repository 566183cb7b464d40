package contextd

import (
	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Step is one part of a change. The steps of a change are applied in order, all or none. Events tell
// changes in the same types.
type Step interface {
	message() *pb.Mutation
}

type (
	// PutEntry sets an entry, whether or not there is one.
	PutEntry struct {
		Key         string
		Value       []byte
		ContentType string
	}

	// AppendEntry adds bytes to the end of an entry, creating it when missing.
	AppendEntry struct {
		Key          string
		Value        []byte
		ContentType  string  // Of a new entry.
		ExpectedSize *uint64 // The bytes that the value must have before. nil: any.
	}

	// DeleteEntry removes an entry. A missing one is no error.
	DeleteEntry struct{ Key string }

	// DeleteEntries removes each entry whose key begins with Prefix; the empty one removes all.
	DeleteEntries struct{ Prefix string }

	// SetMetadata sets a label.
	SetMetadata struct{ Key, Value string }

	// DeleteMetadata removes a label. A missing one is no error.
	DeleteMetadata struct{ Key string }

	// SetExpiry sets how long the context lives from now on.
	SetExpiry Expiry

	// RecordActivity adds to the history.
	RecordActivity struct{ Activity Activity }

	// SetRecoveryPolicy sets which recovery points the context gets and keeps. nil: the server's.
	SetRecoveryPolicy struct{ Policy *RecoveryPolicy }

	// SpliceEntry is what an event tells of a put whose value begins like the one before it: the
	// first KeptSize bytes of that stay, and Value follows them. It is never written.
	SpliceEntry struct {
		Key         string
		KeptSize    uint64
		Value       []byte
		ContentType string
	}
)

func (s PutEntry) message() *pb.Mutation {
	// The most frequent step is one piece of memory.
	made := &struct {
		mutation pb.Mutation
		kind     pb.Mutation_PutEntry
		put      pb.PutEntry
	}{}
	made.put.Key, made.put.Value, made.put.ContentType = s.Key, s.Value, s.ContentType
	made.kind.PutEntry = &made.put
	made.mutation.Kind = &made.kind
	return &made.mutation
}

func (s AppendEntry) message() *pb.Mutation {
	append := &pb.AppendEntry{Key: s.Key, Value: s.Value, ContentType: s.ContentType}
	if s.ExpectedSize != nil {
		append.ExpectedSize = &pb.ExpectedSize{Bytes: *s.ExpectedSize}
	}
	return &pb.Mutation{Kind: &pb.Mutation_AppendEntry{AppendEntry: append}}
}

func (s DeleteEntry) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_DeleteEntry{DeleteEntry: &pb.DeleteEntry{Key: s.Key}}}
}

func (s DeleteEntries) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_DeleteEntries{
		DeleteEntries: &pb.DeleteEntries{Prefix: s.Prefix},
	}}
}

func (s SetMetadata) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_SetMetadata{
		SetMetadata: &pb.SetMetadata{Key: s.Key, Value: s.Value},
	}}
}

func (s DeleteMetadata) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_DeleteMetadata{
		DeleteMetadata: &pb.DeleteMetadata{Key: s.Key},
	}}
}

func (s SetExpiry) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_SetExpiry{SetExpiry: (*Expiry)(&s).message()}}
}

func (s RecordActivity) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_RecordActivity{RecordActivity: s.Activity.message()}}
}

func (s SetRecoveryPolicy) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_SetRecoveryPolicy{
		SetRecoveryPolicy: &pb.SetRecoveryPolicy{Policy: s.Policy.message()},
	}}
}

func (s SpliceEntry) message() *pb.Mutation {
	return &pb.Mutation{Kind: &pb.Mutation_SpliceEntry{SpliceEntry: &pb.SpliceEntry{
		Key: s.Key, KeptSize: s.KeptSize, Value: s.Value, ContentType: s.ContentType,
	}}}
}

func mutations(steps []Step) []*pb.Mutation {
	made := make([]*pb.Mutation, len(steps))
	for i, step := range steps {
		made[i] = step.message()
	}
	return made
}

// stepOf reads a step of an event. nil: this version does not know it.
func stepOf(mutation *pb.Mutation) Step {
	switch kind := mutation.GetKind().(type) {
	case *pb.Mutation_PutEntry:
		put := kind.PutEntry
		return PutEntry{put.GetKey(), put.GetValue(), put.GetContentType()}
	case *pb.Mutation_AppendEntry:
		step := AppendEntry{
			Key:         kind.AppendEntry.GetKey(),
			Value:       kind.AppendEntry.GetValue(),
			ContentType: kind.AppendEntry.GetContentType(),
		}
		if size := kind.AppendEntry.GetExpectedSize(); size != nil {
			expected := size.GetBytes()
			step.ExpectedSize = &expected
		}
		return step
	case *pb.Mutation_DeleteEntry:
		return DeleteEntry{kind.DeleteEntry.GetKey()}
	case *pb.Mutation_DeleteEntries:
		return DeleteEntries{kind.DeleteEntries.GetPrefix()}
	case *pb.Mutation_SetMetadata:
		return SetMetadata{kind.SetMetadata.GetKey(), kind.SetMetadata.GetValue()}
	case *pb.Mutation_DeleteMetadata:
		return DeleteMetadata{kind.DeleteMetadata.GetKey()}
	case *pb.Mutation_SetExpiry:
		return SetExpiry{kind.SetExpiry.GetTtl().AsDuration(), kind.SetExpiry.GetSliding()}
	case *pb.Mutation_RecordActivity:
		return RecordActivity{activityOf(kind.RecordActivity)}
	case *pb.Mutation_SetRecoveryPolicy:
		return SetRecoveryPolicy{policyOf(kind.SetRecoveryPolicy.GetPolicy())}
	case *pb.Mutation_SpliceEntry:
		splice := kind.SpliceEntry
		return SpliceEntry{
			splice.GetKey(), splice.GetKeptSize(), splice.GetValue(), splice.GetContentType(),
		}
	}
	return nil
}
