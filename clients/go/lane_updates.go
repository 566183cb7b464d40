package contextd

import (
	"context"

	"google.golang.org/protobuf/encoding/protowire"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// updateWire sends changes of contexts.
type updateWire struct{ *caller }

// updatesField is the number of BatchUpdateContextsRequest.requests.
const updatesField protowire.Number = 1

func (w updateWire) single(ctx context.Context, op *operation) error {
	request, reply := op.message(), &pb.UpdateContextResponse{}
	op.answer = reply
	return w.repeat(ctx, pb.ContextManager_UpdateContext_FullMethodName, op.requestID, func() error {
		return w.connection.Invoke(ctx, pb.ContextManager_UpdateContext_FullMethodName,
			request, reply, staticMethod)
	})
}

func (w updateWire) together(ctx context.Context, ops []*operation) ([]error, error) {
	encoded := make([]byte, 0, sizeTogether(ops))
	for _, op := range ops {
		encoded = protowire.AppendTag(encoded, updatesField, protowire.BytesType)
		encoded = protowire.AppendBytes(encoded, op.encoded)
	}
	request := ofBytes((&pb.BatchUpdateContextsRequest{}).ProtoReflect(), encoded)
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
			ops[i].answer = outcome.Response
		case *pb.UpdateResult_Failure:
			results[i] = typed(failureOfPart(outcome.Failure, at("requests", i)+".", ""))
		default:
			results[i] = newerServer("an unknown result of an operation")
		}
	}
	return results, nil
}

// headSizeMax is what stands before an operation in a batch, at most.
const headSizeMax = 16

func sizeTogether(ops []*operation) int {
	size := 0
	for _, op := range ops {
		size += headSizeMax + len(op.encoded)
	}
	return size
}
