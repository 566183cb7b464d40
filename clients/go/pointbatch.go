package contextd

import (
	"context"

	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// PointBatch is operations on recovery points that go out in one call, in order, each on its own: for
// programs that collect the work of many agents. The zero value is empty. It can be given again: what
// was written is not written twice. One goroutine fills it.
type PointBatch struct {
	requests []proto.Message
	err      error // That of the first session that was lost.
}

// PointResult is what became of one operation of a batch.
type PointResult struct {
	Point RecoveryPoint // Of a create, get or update, where the answer had room for it.
	Err   error
}

func (b *PointBatch) add(c *Context, request proto.Message) {
	if b.err == nil {
		b.err = c.writer.check()
	}
	b.requests = append(b.requests, request)
}

// Create adds a Checkpoint.
func (b *PointBatch) Create(of *Context, point NewPoint) {
	b.add(of, of.createPoint(point, orNewID("")))
}

// Get adds a Point.
func (b *PointBatch) Get(of *Context, id string, view PointView) {
	b.add(of, of.getPoint(id, view))
}

// Update adds an UpdatePoint.
func (b *PointBatch) Update(of *Context, id string, change PointChange) {
	b.add(of, of.updatePoint(id, change, orNewID("")))
}

// Delete adds a DeletePoint.
func (b *PointBatch) Delete(of *Context, id string) {
	b.add(of, of.deletePoint(id, orNewID("")))
}

// BatchPoints does the operations of a batch, 1 to 1,000 of one namespace, and gives a result for
// each.
func (c *Client) BatchPoints(ctx context.Context, batch *PointBatch) ([]PointResult, error) {
	if batch.err != nil {
		return nil, batch.err
	}
	request := &pb.BatchRecoveryPointsRequest{}
	for _, operation := range batch.requests {
		request.Operations = append(request.Operations, pointOperation(operation))
	}
	reply := &pb.BatchRecoveryPointsResponse{}
	method := pb.Recovery_BatchRecoveryPoints_FullMethodName
	if err := c.invoke(ctx, 0, method, request, reply, ""); err != nil {
		return nil, err
	}
	results := make([]PointResult, len(reply.GetResults()))
	for i, result := range reply.GetResults() {
		switch outcome := result.GetOutcome().(type) {
		case *pb.BatchRecoveryPointsResponse_Result_Create:
			results[i].Point = pointOf(outcome.Create.GetRecoveryPoint(), nil)
		case *pb.BatchRecoveryPointsResponse_Result_Get:
			results[i].Point = pointOf(outcome.Get.GetRecoveryPoint(), outcome.Get.GetEntries())
		case *pb.BatchRecoveryPointsResponse_Result_Update:
			results[i].Point = pointOf(outcome.Update.GetRecoveryPoint(), nil)
		case *pb.BatchRecoveryPointsResponse_Result_Delete:
		case *pb.BatchRecoveryPointsResponse_Result_Failure:
			results[i].Err = typed(failureOfPart(outcome.Failure, ""))
		default:
			results[i].Err = newerServer("an unknown result of an operation")
		}
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
