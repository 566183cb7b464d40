package contextd

import (
	"context"

	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// pointWire sends work on recovery points.
type pointWire struct{ *caller }

func pointMethod(request proto.Message) string {
	switch request.(type) {
	case *pb.CreateRecoveryPointRequest:
		return pb.Recovery_CreateRecoveryPoint_FullMethodName
	case *pb.GetRecoveryPointRequest:
		return pb.Recovery_GetRecoveryPoint_FullMethodName
	case *pb.UpdateRecoveryPointRequest:
		return pb.Recovery_UpdateRecoveryPoint_FullMethodName
	default:
		return pb.Recovery_DeleteRecoveryPoint_FullMethodName
	}
}

func (w pointWire) single(ctx context.Context, op *operation) error {
	method := pointMethod(op.request)
	return w.repeat(ctx, method, op.requestID, func() error {
		return w.connection.Invoke(ctx, method, op.request, op.reply, staticMethod)
	})
}

func (w pointWire) together(ctx context.Context, ops []*operation) ([]error, error) {
	request := &pb.BatchRecoveryPointsRequest{
		Operations: make([]*pb.BatchRecoveryPointsRequest_Operation, len(ops)),
	}
	for i, op := range ops {
		request.Operations[i] = pointOperation(op.request)
	}
	reply := &pb.BatchRecoveryPointsResponse{}
	method := pb.Recovery_BatchRecoveryPoints_FullMethodName
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
		results[i] = pointResult(result, ops[i].reply)
	}
	return results, nil
}

func pointOperation(request proto.Message) *pb.BatchRecoveryPointsRequest_Operation {
	operation := &pb.BatchRecoveryPointsRequest_Operation{}
	switch request := request.(type) {
	case *pb.CreateRecoveryPointRequest:
		operation.Kind = &pb.BatchRecoveryPointsRequest_Operation_Create{Create: request}
	case *pb.GetRecoveryPointRequest:
		operation.Kind = &pb.BatchRecoveryPointsRequest_Operation_Get{Get: request}
	case *pb.UpdateRecoveryPointRequest:
		operation.Kind = &pb.BatchRecoveryPointsRequest_Operation_Update{Update: request}
	case *pb.DeleteRecoveryPointRequest:
		operation.Kind = &pb.BatchRecoveryPointsRequest_Operation_Delete{Delete: request}
	}
	return operation
}

// pointResult fills in the reply of one operation, or gives its error.
func pointResult(result *pb.BatchRecoveryPointsResponse_Result, reply proto.Message) error {
	switch outcome := result.GetOutcome().(type) {
	case *pb.BatchRecoveryPointsResponse_Result_Create:
		proto.Merge(reply, outcome.Create)
	case *pb.BatchRecoveryPointsResponse_Result_Get:
		proto.Merge(reply, outcome.Get)
	case *pb.BatchRecoveryPointsResponse_Result_Update:
		proto.Merge(reply, outcome.Update)
	case *pb.BatchRecoveryPointsResponse_Result_Delete:
		proto.Merge(reply, outcome.Delete)
	case *pb.BatchRecoveryPointsResponse_Result_Failure:
		return typed(failureOfPart(outcome.Failure))
	default:
		return newerServer("an unknown result of an operation")
	}
	return nil
}
