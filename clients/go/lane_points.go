package contextd

import (
	"context"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// pointWire sends work on recovery points.
type pointWire struct{ *caller }

// pointKind is one kind of work on a point.
type pointKind struct {
	name   string           // Of the field in BatchRecoveryPointsRequest.Operation,
	number protowire.Number // and its number.
	method string
	reply  func() proto.Message
}

// pointsField is the number of BatchRecoveryPointsRequest.operations.
const pointsField protowire.Number = 1

var (
	createKind = &pointKind{"create", 1, pb.Recovery_CreateRecoveryPoint_FullMethodName,
		func() proto.Message { return &pb.CreateRecoveryPointResponse{} }}
	getKind = &pointKind{"get", 2, pb.Recovery_GetRecoveryPoint_FullMethodName,
		func() proto.Message { return &pb.GetRecoveryPointResponse{} }}
	updateKind = &pointKind{"update", 3, pb.Recovery_UpdateRecoveryPoint_FullMethodName,
		func() proto.Message { return &pb.UpdateRecoveryPointResponse{} }}
	deleteKind = &pointKind{"delete", 4, pb.Recovery_DeleteRecoveryPoint_FullMethodName,
		func() proto.Message { return &pb.DeleteRecoveryPointResponse{} }}
)

func pointKindOf(request proto.Message) *pointKind {
	switch request.(type) {
	case *pb.CreateRecoveryPointRequest:
		return createKind
	case *pb.GetRecoveryPointRequest:
		return getKind
	case *pb.UpdateRecoveryPointRequest:
		return updateKind
	default:
		return deleteKind
	}
}

func (w pointWire) single(ctx context.Context, op *operation) error {
	kind := pointKindOf(op.request)
	request, reply := op.message(), kind.reply()
	op.answer = reply
	return w.repeat(ctx, kind.method, op.requestID, func() error {
		return w.connection.Invoke(ctx, kind.method, request, reply, staticMethod)
	})
}

func (w pointWire) together(ctx context.Context, ops []*operation) ([]error, error) {
	encoded := make([]byte, 0, sizeTogether(ops))
	for _, op := range ops {
		kind := pointKindOf(op.request)
		size := protowire.SizeTag(kind.number) + protowire.SizeBytes(len(op.encoded))
		encoded = protowire.AppendTag(encoded, pointsField, protowire.BytesType)
		encoded = protowire.AppendVarint(encoded, uint64(size))
		encoded = protowire.AppendTag(encoded, kind.number, protowire.BytesType)
		encoded = protowire.AppendBytes(encoded, op.encoded)
	}
	request := ofBytes((&pb.BatchRecoveryPointsRequest{}).ProtoReflect(), encoded)
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
		results[i] = pointResult(result, ops[i], i)
	}
	return results, nil
}

// pointResult sets the answer of one operation, or gives its error. Where all answers do not fit
// into a message, the last ones tell less than the operation alone would have got.
func pointResult(result *pb.BatchRecoveryPointsResponse_Result, op *operation, index int) error {
	complete := true
	switch outcome := result.GetOutcome().(type) {
	case *pb.BatchRecoveryPointsResponse_Result_Create:
		op.answer = outcome.Create
		complete = outcome.Create.GetRecoveryPoint() != nil
	case *pb.BatchRecoveryPointsResponse_Result_Get:
		op.answer = outcome.Get
	case *pb.BatchRecoveryPointsResponse_Result_Update:
		op.answer = outcome.Update
		request, ok := op.request.(*pb.UpdateRecoveryPointRequest)
		complete = outcome.Update.GetRecoveryPoint() != nil || !ok || request.GetAllowMissing()
	case *pb.BatchRecoveryPointsResponse_Result_Delete:
		op.answer = outcome.Delete
	case *pb.BatchRecoveryPointsResponse_Result_Failure:
		place := at("operations", index) + "." + pointKindOf(op.request).name + "."
		failure := failureOfPart(outcome.Failure, place, "")
		complete = failure.kind != errResponseTooLarge
		if complete {
			return typed(failure)
		}
	default:
		return newerServer("an unknown result of an operation")
	}
	if !complete {
		return errAskAlone
	}
	return nil
}
