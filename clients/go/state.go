package contextd

import (
	"bytes"
	"context"
	"iter"
	"time"

	"google.golang.org/grpc"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// State is one state of a context, to read: the newest of each call, or an earlier one. It holds
// nothing itself; any goroutine may use it.
type State struct {
	client    *Client
	namespace string
	id        string
	timeout   time.Duration // 0: the client's.
	at        At
}

// At says which state of a context is meant. The zero value is the newest.
type At struct {
	version uint64
	point   string
	time    time.Time
}

// AtVersion is the state of this number, while the server keeps it.
func AtVersion(version uint64) At { return At{version: version} }

// AtPoint is the state that a recovery point keeps.
func AtPoint(id string) At { return At{point: id} }

// AtTime is what was the newest state at a time.
func AtTime(time time.Time) At { return At{time: time} }

// ID is the context's id in its namespace.
func (s *State) ID() string { return s.id }

// Namespace is the namespace that isolates it.
func (s *State) Namespace() string { return s.namespace }

func (s *State) ref() *pb.StateRef {
	ref := &pb.StateRef{Namespace: s.namespace, ContextId: s.id}
	switch {
	case s.at.point != "":
		ref.At = &pb.StateRef_RecoveryPointId{RecoveryPointId: s.at.point}
	case s.at.version != 0:
		ref.At = &pb.StateRef_Version{Version: s.at.version}
	case !s.at.time.IsZero():
		ref.At = &pb.StateRef_Time{Time: timestamp(s.at.time)}
	}
	return ref
}

// get reads the context: all of it, just some keys, or all but the entries.
func (s *State) get(ctx context.Context, view pb.ContextView, keys []string) (*pb.Context, error) {
	request := &pb.GetContextRequest{State: s.ref(), View: view, Keys: keys}
	reply := &pb.GetContextResponse{}
	method := pb.ContextManager_GetContext_FullMethodName
	if err := s.client.invoke(ctx, s.timeout, method, request, reply, ""); err != nil {
		return nil, err
	}
	return reply.GetContext(), nil
}

// Get gets a value. It fails with ErrEntryNotFound and ErrContextNotFound.
func (s *State) Get(ctx context.Context, key string) ([]byte, error) {
	entry, err := s.GetEntry(ctx, key)
	return entry.Value, err
}

// GetText gets a value as text; ErrInvalidValue where it is no UTF-8.
func (s *State) GetText(ctx context.Context, key string) (string, error) {
	entry, err := s.GetEntry(ctx, key)
	if err != nil {
		return "", err
	}
	return entry.Text()
}

// GetJSON gets a value and decodes it into target; ErrInvalidValue where that cannot be.
func (s *State) GetJSON(ctx context.Context, key string, target any) error {
	entry, err := s.GetEntry(ctx, key)
	if err != nil {
		return err
	}
	return entry.JSON(target)
}

// GetEntry gets a value with its content type and version. It fails with ErrEntryNotFound.
func (s *State) GetEntry(ctx context.Context, key string) (Entry, error) {
	context, err := s.get(ctx, pb.ContextView_CONTEXT_VIEW_FULL, []string{key})
	if err != nil {
		return Entry{}, err
	}
	if len(context.GetEntries()) == 0 {
		return Entry{}, entryNotFound(key)
	}
	return entryOf(context.GetEntries()[0]), nil
}

// GetEntries gets those of some keys that are there, of one state, in the order of the keys.
func (s *State) GetEntries(ctx context.Context, keys ...string) ([]Entry, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	context, err := s.get(ctx, pb.ContextView_CONTEXT_VIEW_FULL, keys)
	return entriesOf(context.GetEntries()), err
}

// Contains tells whether there is an entry.
func (s *State) Contains(ctx context.Context, key string) (bool, error) {
	context, err := s.get(ctx, pb.ContextView_CONTEXT_VIEW_KEYS, []string{key})
	return len(context.GetEntries()) > 0, err
}

// Info gets all but the entries.
func (s *State) Info(ctx context.Context) (ContextInfo, error) {
	context, err := s.get(ctx, pb.ContextView_CONTEXT_VIEW_BASIC, nil)
	if err != nil {
		return ContextInfo{}, err
	}
	return infoOf(context), nil
}

// Version gets the number of the state.
func (s *State) Version(ctx context.Context) (uint64, error) {
	context, err := s.get(ctx, pb.ContextView_CONTEXT_VIEW_BASIC, nil)
	return context.GetVersion(), err
}

// EntryQuery selects entries. The zero value selects all.
type EntryQuery struct {
	Prefix    string
	AfterKey  string // Only keys behind it. Empty: no bound.
	BeforeKey string // Only keys before it. Empty: no bound.
	Reverse   bool   // From the last key to the first.
	Limit     uint64 // At most so many. 0: all.
	KeysOnly  bool   // Without the values.
}

// Entries streams the entries of one state in the order of their keys, over as many streams as it
// takes: all of one version, none twice, none left out.
func (s *State) Entries(ctx context.Context, query EntryQuery) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var version uint64
		err := s.readEntries(ctx, query, &version, func(entry *pb.Entry) bool {
			return yield(entryOf(entry), nil)
		})
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// readEntries gives each entry to take until that gives false, and tells the version. Of a recovery point
// it must be the given one, unless that is 0.
func (s *State) readEntries(
	ctx context.Context, query EntryQuery, version *uint64, take func(*pb.Entry) bool,
) error {
	reader := &entryReader{limited: query.Limit > 0, take: take, version: version}
	reader.request = &pb.ReadEntriesRequest{
		State: s.ref(), KeyPrefix: query.Prefix, AfterKey: query.AfterKey,
		BeforeKey: query.BeforeKey, Reverse: query.Reverse, Limit: query.Limit,
		KeysOnly: query.KeysOnly,
	}
	if err := checkRequest(reader.request, ""); err != nil {
		return err
	}
	timeout := s.patience()
	stub := pb.NewContextManagerClient(s.client.connection)
	streams := streaming[pb.ReadEntriesResponse]{
		caller: &s.client.caller, method: pb.ContextManager_ReadEntries_FullMethodName,
		timeout: timeout, patience: timeout, accept: reader.accept,
		open: func(ctx context.Context) (
			grpc.ServerStreamingClient[pb.ReadEntriesResponse], error,
		) {
			return stub.ReadEntries(ctx, reader.request)
		},
	}
	return streams.run(ctx)
}

// entryReader keeps where a stream of entries has come to.
type entryReader struct {
	request *pb.ReadEntriesRequest
	limited bool
	take    func(*pb.Entry) bool
	version *uint64
}

func (r *entryReader) accept(message *pb.ReadEntriesResponse) (bool, error) {
	if err := r.expect(message.GetVersion()); err != nil {
		return false, err
	}
	for _, entry := range message.GetEntries() {
		if r.request.Reverse {
			r.request.BeforeKey = entry.GetKey()
		} else {
			r.request.AfterKey = entry.GetKey()
		}
		if !r.take(entry) {
			return false, nil
		}
		if r.limited {
			if r.request.Limit--; r.request.Limit == 0 {
				return false, nil
			}
		}
	}
	return true, nil
}

// expect stays with the first version. A recovery point keeps its state longer than a version is
// kept: it is asked for again by its id, and is another only where it was replaced.
func (r *entryReader) expect(version uint64) error {
	if r.request.State.GetRecoveryPointId() == "" {
		r.request.State.At = &pb.StateRef_Version{Version: version}
	} else if *r.version != 0 && *r.version != version {
		return stateReplaced(*r.version)
	}
	*r.version = version
	return nil
}

// Snapshot is a whole state of a context in memory.
type Snapshot struct {
	Info    ContextInfo
	Entries []Entry // In the order of their keys.
}

// Get gives a value; ErrEntryNotFound where there is none.
func (s *Snapshot) Get(key string) ([]byte, error) {
	for low, high := 0, len(s.Entries); low < high; {
		middle := (low + high) / 2
		switch found := s.Entries[middle]; bytes.Compare([]byte(found.Key), []byte(key)) {
		case 0:
			return found.Value, nil
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return nil, entryNotFound(key)
}

// Snapshot reads a whole state, however large.
func (s *State) Snapshot(ctx context.Context) (*Snapshot, error) {
	info, err := s.Info(ctx)
	if err != nil {
		return nil, err
	}
	state := *s
	if s.at.point == "" {
		state.at = AtVersion(info.Version)
	}
	snapshot := &Snapshot{Info: info}
	version := info.Version
	err = state.readEntries(ctx, EntryQuery{}, &version, func(entry *pb.Entry) bool {
		snapshot.Entries = append(snapshot.Entries, entryOf(entry))
		return true
	})
	if err != nil {
		return nil, err
	}
	return snapshot, nil
}

// patience is how long a stream of this state may be silent.
func (s *State) patience() time.Duration {
	if s.timeout == 0 {
		return s.client.settings.timeout
	}
	return s.timeout
}
