package contextd

import (
	"context"
	"errors"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// SnapshotResult is one of several states that were asked for.
type SnapshotResult struct {
	Snapshot *Snapshot // nil where Err is set.
	Err      error
}

// Snapshots gets whole states of 1 to 1,000 contexts of one namespace in one call, each with its own
// result. One for which a message has no room is read by itself.
func (c *Client) Snapshots(ctx context.Context, states ...*State) ([]SnapshotResult, error) {
	request := &pb.BatchGetContextsRequest{}
	for _, state := range states {
		request.Requests = append(request.Requests, &pb.GetContextRequest{State: state.ref()})
	}
	reply := &pb.BatchGetContextsResponse{}
	method := pb.ContextManager_BatchGetContexts_FullMethodName
	if err := c.invoke(ctx, 0, method, request, reply, ""); err != nil {
		return nil, err
	}
	if len(reply.GetResults()) != len(states) {
		return nil, newerServer("another number of results than there were requests")
	}
	results := make([]SnapshotResult, len(states))
	for i, result := range reply.GetResults() {
		results[i] = snapshotResult(result)
		if errors.Is(results[i].Err, ErrResponseTooLarge) {
			results[i].Snapshot, results[i].Err = states[i].Snapshot(ctx)
		}
	}
	return results, nil
}

func snapshotResult(result *pb.BatchGetContextsResponse_Result) SnapshotResult {
	switch outcome := result.GetOutcome().(type) {
	case *pb.BatchGetContextsResponse_Result_Response:
		found := outcome.Response.GetContext()
		return SnapshotResult{Snapshot: &Snapshot{infoOf(found), entriesOf(found.GetEntries())}}
	case *pb.BatchGetContextsResponse_Result_Failure:
		return SnapshotResult{Err: typed(failureOfPart(outcome.Failure, ""))}
	}
	return SnapshotResult{Err: newerServer("an unknown result of a read")}
}

// ContextUpdate is what changes of one context in UpdateAll.
type ContextUpdate struct {
	Context    *Context
	Steps      []Step
	Conditions []PreconditionOption
}

// UpdateAll changes 1 to 1,000 contexts of one namespace, no one twice, in one step: everything, or
// nothing. It fails with the error of the part that failed, whose place is in the details as index.
func (c *Client) UpdateAll(
	ctx context.Context, updates []ContextUpdate, options ...CallOption,
) ([]Written, error) {
	id := requestIDOf(options)
	request := &pb.BatchUpdateContextsRequest{
		Atomic: true, Write: &pb.WriteOptions{RequestId: id},
	}
	for _, update := range updates {
		if err := update.Context.writer.check(); err != nil {
			return nil, err
		}
		request.Requests = append(request.Requests, update.request())
	}
	reply := &pb.BatchUpdateContextsResponse{}
	method := pb.ContextManager_BatchUpdateContexts_FullMethodName
	if err := c.write(ctx, 0, method, request, reply, request.Write); err != nil {
		return nil, err
	}
	written := make([]Written, len(reply.GetResults()))
	for i, result := range reply.GetResults() {
		response := result.GetResponse()
		if response == nil {
			return nil, newerServer("an unknown result of a change")
		}
		written[i] = writtenOf(response.GetVersion(), response.GetWrite(), id)
	}
	return written, nil
}

func (u *ContextUpdate) request() *pb.UpdateContextRequest {
	part := &pb.UpdateContextRequest{
		Namespace: u.Context.namespace, ContextId: u.Context.id, Mutations: mutations(u.Steps),
		CreateIfMissing: u.Context.createIfMissing, Write: u.Context.writer.options(""),
	}
	for _, condition := range u.Conditions {
		part.Preconditions = append(part.Preconditions, condition.message)
	}
	return part
}
