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
// result: a name that is wrong is told there, and the others are read. One for which a message has no
// room is read by itself.
func (c *Client) Snapshots(ctx context.Context, states ...*State) ([]SnapshotResult, error) {
	if err := countError("requests", len(states)); err != nil {
		return nil, err
	}
	request := &pb.BatchGetContextsRequest{}
	results := make([]SnapshotResult, len(states))
	var sent []int // Their places among the states.
	for i, state := range states {
		part := &pb.GetContextRequest{State: state.ref()}
		if err := partError("requests", i, getContextChecks(part)); err != nil {
			results[i].Err = err
			continue
		}
		request.Requests = append(request.Requests, part)
		sent = append(sent, i)
	}
	if len(sent) == 0 {
		return results, nil
	}
	reply := &pb.BatchGetContextsResponse{}
	method := pb.ContextManager_BatchGetContexts_FullMethodName
	if err := c.invoke(ctx, 0, method, request, reply, ""); err != nil {
		return nil, err
	}
	if len(reply.GetResults()) != len(sent) {
		return nil, newerServer("another number of results than there were requests")
	}
	for n, result := range reply.GetResults() {
		i := sent[n]
		results[i] = snapshotResult(result, n, i)
		if errors.Is(results[i].Err, ErrResponseTooLarge) {
			results[i].Snapshot, results[i].Err = states[i].Snapshot(ctx)
		}
	}
	return results, nil
}

// countError is what the server would say of the number of parts of a batch.
func countError(field string, count int) error {
	var whole checks
	whole.count(field, count, 1, batchMax)
	return whole.err()
}

// partError is what the server would say of a part of a batch.
func partError(field string, index int, wrong checks) error {
	var whole checks
	whole.inside(at(field, index), wrong)
	return whole.err()
}

// snapshotResult is the result of the state number i, which was sent as the number n.
func snapshotResult(result *pb.BatchGetContextsResponse_Result, n, i int) SnapshotResult {
	switch outcome := result.GetOutcome().(type) {
	case *pb.BatchGetContextsResponse_Result_Response:
		found := outcome.Response.GetContext()
		return SnapshotResult{Snapshot: &Snapshot{infoOf(found), entriesOf(found.GetEntries())}}
	case *pb.BatchGetContextsResponse_Result_Failure:
		failure := failureOfPart(outcome.Failure, at("requests", n)+".", at("requests", i)+".")
		return SnapshotResult{Err: typed(failure)}
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
		return nil, learnAll(updates, err)
	}
	if len(reply.GetResults()) != len(updates) {
		return nil, newerServer("another number of results than there were changes")
	}
	written := make([]Written, len(updates))
	for i, result := range reply.GetResults() {
		response := result.GetResponse()
		if response == nil {
			return nil, newerServer("an unknown result of a change")
		}
		written[i] = writtenOf(response.GetVersion(), response.GetWrite(), id)
	}
	return written, nil
}

// learnAll has the session learn of an error that the server means: of several it names one.
func learnAll(updates []ContextUpdate, err error) error {
	var gone *SessionNotFoundError
	if !errors.As(err, &gone) {
		return err
	}
	for _, update := range updates {
		if writer := update.Context.writer; writer != nil && writer.lease.id == gone.SessionID {
			return writer.learn(err)
		}
	}
	return err
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
