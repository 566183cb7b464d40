package contextd

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// The content types that PutText and PutJSON write.
const (
	TextType = "text/plain; charset=utf-8"
	JSONType = "application/json"
)

// Entry is one named value of a context.
type Entry struct {
	Key         string
	Value       []byte // Empty where only keys were asked for.
	ContentType string
	Version     uint64 // The version of the context that set this value.
}

// Text gives the value as a string. It fails with ErrInvalidValue where it is no UTF-8.
func (e Entry) Text() (string, error) {
	if !utf8.Valid(e.Value) {
		return "", invalidValue("the value of %q is no UTF-8", e.Key)
	}
	return string(e.Value), nil
}

// JSON decodes the value into target. It fails with ErrInvalidValue where that cannot be.
func (e Entry) JSON(target any) error {
	if err := json.Unmarshal(e.Value, target); err != nil {
		return invalidValue("the value of %q as JSON: %v", e.Key, err)
	}
	return nil
}

// Expiry is how long a context lives from now on.
type Expiry struct {
	TTL     time.Duration // 0: for ever.
	Sliding bool          // The time begins again with every change of the context.
}

// RetentionPolicy says which recovery points to keep: those that any rule keeps, those that are
// pinned, and the newest of a context. At least one rule must be set.
type RetentionPolicy struct {
	KeepLast   uint64        // The newest so many. 0: no rule.
	KeepEvery  uint64        // Those whose sequence is a multiple of it. 0: no rule.
	KeepWithin time.Duration // Those younger than this. 0: no rule.
}

// RecoveryPolicy says which recovery points a context gets by itself, and which are kept.
type RecoveryPolicy struct {
	Retention         *RetentionPolicy // nil: the server's recovery_points_max newest.
	PointEveryChanges uint64           // 0: never.
	PointEvery        time.Duration    // When there was a change. 0: never.
}

// NewContext is how a context begins.
type NewContext struct {
	Type           string // Such as chat.
	ParentID       string
	Metadata       map[string]string // Labels.
	Expiry         *Expiry           // nil: never.
	RecoveryPolicy *RecoveryPolicy   // nil: the server's.
	CreateParent   bool              // Create a missing parent in the same change.
}

// StateRef names one state of one context, as the server tells it.
type StateRef struct {
	Namespace string
	ContextID string
	Version   uint64
	PointID   string
	Time      time.Time
}

// ContextInfo is all about one state of a context but its entries. Times are in UTC, and zero where
// there is none.
type ContextInfo struct {
	Namespace      string
	ID             string
	Type           string
	ParentID       string
	Metadata       map[string]string
	Version        uint64
	Revision       uint64 // The position of its last change in the log.
	CreateTime     time.Time
	UpdateTime     time.Time
	ExpireTime     time.Time // Zero: never.
	DeleteTime     time.Time // Zero: it was not deleted.
	EntryCount     uint64
	SizeBytes      uint64 // Of all keys and values.
	Fence          uint64 // Grows with each exclusive activation.
	ForkedFrom     *StateRef
	RecoveryPolicy *RecoveryPolicy // nil: the server's.
}

// Written is what became of a write; it is on stable storage.
type Written struct {
	Version   uint64 // Of the context, after the write.
	Revision  uint64 // The position of the change in the log. 0: there was nothing to change.
	Replayed  bool   // An earlier request with the same id had made the change.
	RequestID string // The id that the write carried.
}

// Namespace is one that holds something.
type Namespace struct {
	Name         string
	ContextCount uint64
	SizeBytes    uint64
}

// ServerInfo is what the server says of itself.
type ServerInfo struct {
	Version  string
	LogID    string            // Another one: the server began from nothing.
	Settings map[string]string // By the names of the configuration: value_size_max: 1MiB, ...
	Features []string
}

func entryOf(entry *pb.Entry) Entry {
	return Entry{entry.GetKey(), entry.GetValue(), entry.GetContentType(), entry.GetVersion()}
}

func entriesOf(entries []*pb.Entry) []Entry {
	made := make([]Entry, len(entries))
	for i, entry := range entries {
		made[i] = entryOf(entry)
	}
	return made
}

func infoOf(context *pb.Context) ContextInfo {
	return ContextInfo{
		Namespace:      context.GetNamespace(),
		ID:             context.GetId(),
		Type:           context.GetType(),
		ParentID:       context.GetParentId(),
		Metadata:       context.GetMetadata(),
		Version:        context.GetVersion(),
		Revision:       context.GetRevision(),
		CreateTime:     timeOf(context.GetCreateTime()),
		UpdateTime:     timeOf(context.GetUpdateTime()),
		ExpireTime:     timeOf(context.GetExpireTime()),
		DeleteTime:     timeOf(context.GetDeleteTime()),
		EntryCount:     context.GetEntryCount(),
		SizeBytes:      context.GetSizeBytes(),
		Fence:          context.GetFence(),
		ForkedFrom:     stateRefOf(context.GetForkedFrom()),
		RecoveryPolicy: policyOf(context.GetRecoveryPolicy()),
	}
}

func stateRefOf(state *pb.StateRef) *StateRef {
	if state == nil {
		return nil
	}
	return &StateRef{
		Namespace: state.GetNamespace(),
		ContextID: state.GetContextId(),
		Version:   state.GetVersion(),
		PointID:   state.GetRecoveryPointId(),
		Time:      timeOf(state.GetTime()),
	}
}

func policyOf(policy *pb.RecoveryPolicy) *RecoveryPolicy {
	if policy == nil {
		return nil
	}
	made := &RecoveryPolicy{
		PointEveryChanges: policy.GetPointEveryChanges(),
		PointEvery:        policy.GetPointEvery().AsDuration(),
	}
	if rules := policy.GetRetention(); rules != nil {
		made.Retention = &RetentionPolicy{
			rules.GetKeepLast(), rules.GetKeepEvery(), rules.GetKeepWithin().AsDuration(),
		}
	}
	return made
}

func timeOf(time *timestamppb.Timestamp) (made time.Time) {
	if time == nil {
		return made
	}
	return time.AsTime()
}

// message of a time; a zero time has none.
func timestamp(time time.Time) *timestamppb.Timestamp {
	if time.IsZero() {
		return nil
	}
	return timestamppb.New(time)
}

// message of a length of time; 0 has none.
func length(of time.Duration) *durationpb.Duration {
	if of == 0 {
		return nil
	}
	return durationpb.New(of)
}

func (e *Expiry) message() *pb.SetExpiry {
	if e == nil {
		return nil
	}
	return &pb.SetExpiry{Ttl: length(e.TTL), Sliding: e.Sliding}
}

func (p *RetentionPolicy) message() *pb.RetentionPolicy {
	if p == nil {
		return nil
	}
	return &pb.RetentionPolicy{
		KeepLast: p.KeepLast, KeepEvery: p.KeepEvery, KeepWithin: length(p.KeepWithin),
	}
}

func (p *RecoveryPolicy) message() *pb.RecoveryPolicy {
	if p == nil {
		return nil
	}
	return &pb.RecoveryPolicy{
		Retention:         p.Retention.message(),
		PointEveryChanges: p.PointEveryChanges,
		PointEvery:        length(p.PointEvery),
	}
}

func (n *NewContext) message() *pb.NewContext {
	if n == nil {
		return nil
	}
	return &pb.NewContext{
		Type:           n.Type,
		ParentId:       n.ParentID,
		Metadata:       n.Metadata,
		Expiry:         n.Expiry.message(),
		RecoveryPolicy: n.RecoveryPolicy.message(),
		CreateParent:   n.CreateParent,
	}
}
