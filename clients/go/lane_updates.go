package contextd

import (
	"context"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// updateWire sends changes of contexts.
type updateWire struct{ *caller }

func (w updateWire) single(ctx context.Context, op *operation) error {
	return w.repeat(ctx, pb.ContextManager_UpdateContext_FullMethodName, op.requestID, func() error {
		return w.connection.Invoke(ctx, pb.ContextManager_UpdateContext_FullMethodName,
			op.request, op.reply, staticMethod)
	})
}

func (w updateWire) together(ctx context.Context, ops []*operation) ([]error, error) {
	request := &pb.BatchUpdateContextsRequest{
		Requests: make([]*pb.UpdateContextRequest, len(ops)),
	}
	for i, op := range ops {
		request.Requests[i] = op.request.(*pb.UpdateContextRequest)
	}
	reply := &pb.BatchUpdateContextsResponse{}
	method := pb.ContextManager_BatchUpdateContexts_FullMethodName
	err := w.repeat(ctx, method, "", func() error {
		return w.connection.Invoke(ctx, method, request, reply, staticMethod)
	})
	if err != nil {
		return nil, err
	}
	if len(reply.GetResults()) != len(ops) {
		return nil, newerServer("another number of results than there were operations")
	}
	results := make([]error, len(ops))
	for i, result := range reply.GetResults() {
		switch outcome := result.GetOutcome().(type) {
		case *pb.UpdateResult_Response:
			answered(ops[i].reply.(*pb.UpdateContextResponse), outcome.Response)
		case *pb.UpdateResult_Failure:
			results[i] = typed(failureOfPart(outcome.Failure))
		default:
			results[i] = newerServer("an unknown result of an operation")
		}
	}
	return results, nil
}

// answered takes over an answer from that of a batch, which nobody else keeps.
func answered(reply, answer *pb.UpdateContextResponse) {
	reply.Version = answer.GetVersion()
	reply.Write = answer.GetWrite()
}
