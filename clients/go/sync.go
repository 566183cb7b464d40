package contextd

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Synced is what leads from a version that the program has to the newest one.
type Synced struct {
	FromVersion uint64
	Info        ContextInfo
	Full        bool         // Begin from nothing: the version is not kept any more, or was 0.
	Differences []Difference // In the order of their keys. Before comes without its value.
}

// Apply makes of the entries of FromVersion those of the newest version.
func (s *Synced) Apply(entries map[string]Entry) {
	if s.Full {
		clear(entries)
	}
	for _, found := range s.Differences {
		if found.After == nil {
			delete(entries, found.Key)
		} else {
			entries[found.Key] = *found.After
		}
	}
}

// Sync gets what a program needs that has a version of the context. 0: it has nothing.
func (c *Context) Sync(ctx context.Context, haveVersion uint64) (*Synced, error) {
	request := &pb.SyncContextRequest{
		Namespace: c.namespace, ContextId: c.id, HaveVersion: haveVersion,
	}
	if err := checkRequest(request, ""); err != nil {
		return nil, err
	}
	stub := pb.NewRecoveryClient(c.client.connection)
	timeout := c.patience()
	var synced *Synced
	streams := streaming[pb.SyncContextResponse]{
		caller: &c.client.caller, method: pb.Recovery_SyncContext_FullMethodName,
		timeout: timeout, patience: timeout,
		open: func(ctx context.Context) (
			grpc.ServerStreamingClient[pb.SyncContextResponse], error,
		) {
			synced = &Synced{} // Nothing of a stream that broke is kept.
			return stub.SyncContext(ctx, request)
		},
		accept: func(message *pb.SyncContextResponse) (bool, error) {
			synced.FromVersion, synced.Full = message.GetFromVersion(), message.GetFull()
			for _, entry := range message.GetEntries() {
				found := differenceOf(entry)
				if err := found.check(); err != nil {
					return false, err
				}
				synced.Differences = append(synced.Differences, found)
			}
			if message.GetContext() != nil {
				synced.Info = infoOf(message.GetContext())
			}
			return true, nil
		},
	}
	if err := streams.run(ctx); err != nil {
		return nil, err
	}
	return synced, nil
}
