package contextd

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Difference is an entry or label that differs between two states. nil: it is not there.
type Difference struct {
	Key           string
	InMetadata    bool // It is a label: the value is its text.
	Before, After *Entry
}

// DiffQuery selects differences. The zero value selects all.
type DiffQuery struct {
	Prefix        string // Of entries. Labels are compared as a whole.
	WithoutValues bool   // Entries come with their versions and content types alone.
}

// Diff streams what differs from this state to another one, labels first, then entries in the order of
// their keys. Where the stream breaks it goes on behind the last difference, in the same states.
func (s *State) Diff(
	ctx context.Context, after *State, query DiffQuery,
) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		reader := &diffReader{yield: yield}
		if err := s.diff(ctx, after, query, reader); err != nil {
			yield(Difference{}, err)
		}
	}
}

func (s *State) diff(
	ctx context.Context, after *State, query DiffQuery, reader *diffReader,
) error {
	request := &pb.DiffStatesRequest{
		Before: s.ref(), After: after.ref(), KeyPrefix: query.Prefix,
		WithoutValues: query.WithoutValues,
	}
	if err := checkRequest(request, ""); err != nil {
		return err
	}
	var err error
	if request.Before, err = s.pinned(ctx); err != nil {
		return err
	}
	if request.After, err = after.pinned(ctx); err != nil {
		return err
	}
	stub := pb.NewRecoveryClient(s.client.connection)
	timeout := s.patience()
	streams := streaming[pb.DiffStatesResponse]{
		caller: &s.client.caller, method: pb.Recovery_DiffStates_FullMethodName,
		timeout: timeout, patience: timeout, accept: reader.accept,
		open: func(ctx context.Context) (
			grpc.ServerStreamingClient[pb.DiffStatesResponse], error,
		) {
			reader.begin()
			return stub.DiffStates(ctx, request)
		},
	}
	return streams.run(ctx)
}

// pinned names the state so that it is the same one in each stream.
func (s *State) pinned(ctx context.Context) (*pb.StateRef, error) {
	if s.at.version != 0 || s.at.point != "" {
		return s.ref(), nil
	}
	version, err := s.Version(ctx)
	if err != nil {
		return nil, err
	}
	state := *s
	state.at = AtVersion(version)
	return state.ref(), nil
}

// diffReader hands out differences once, however often the stream begins anew: they come in the same
// order each time.
type diffReader struct {
	yield func(Difference, error) bool
	told  int // So many were handed out.
	seen  int // So many came in this stream.
}

func (r *diffReader) begin() { r.seen = 0 }

func (r *diffReader) accept(message *pb.DiffStatesResponse) (bool, error) {
	for _, label := range message.GetMetadata() {
		found := Difference{Key: label.GetKey(), InMetadata: true}
		found.Before = labelOf(label.GetKey(), label.GetBefore())
		found.After = labelOf(label.GetKey(), label.GetAfter())
		if more, err := r.hand(found); !more {
			return false, err
		}
	}
	for _, entry := range message.GetEntries() {
		if more, err := r.hand(differenceOf(entry)); !more {
			return false, err
		}
	}
	return true, nil
}

// hand hands out a difference, and tells whether more are wanted.
func (r *diffReader) hand(found Difference) (more bool, err error) {
	if err := found.check(); err != nil {
		return false, err
	}
	r.seen++
	if r.seen <= r.told {
		return true, nil
	}
	r.told++
	return r.yield(found, nil), nil
}

// check fails where the difference is none: a newer server tells it in a way that is not known here.
func (d *Difference) check() error {
	if d.Before == nil && d.After == nil {
		return newerServer("a difference of an unknown kind")
	}
	return nil
}

func differenceOf(entry *pb.EntryDiff) Difference {
	return Difference{
		Key: entry.GetKey(), Before: entryOrNil(entry.GetBefore()),
		After: entryOrNil(entry.GetAfter()),
	}
}

func labelOf(key string, label *pb.MetadataDiff_Label) *Entry {
	if label == nil {
		return nil
	}
	return &Entry{Key: key, Value: []byte(label.GetValue())}
}
