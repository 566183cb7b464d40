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
	parts []pointPart
}

// pointPart is one operation of a batch, and who writes.
type pointPart struct {
	request *pb.BatchRecoveryPointsRequest_Operation
	id      string // Of the request, where it is a write.
	writer  *writer
}

// PointResult is what became of one operation of a batch.
type PointResult struct {
	Point RecoveryPoint // Of a create, get or update, where the answer had room for it.
	Err   error
}

func (b *PointBatch) add(c *Context, request proto.Message, id string) {
	b.parts = append(b.parts, pointPart{pointOperation(request), id, c.writer})
}

// Create adds a Checkpoint.
func (b *PointBatch) Create(of *Context, point NewPoint) {
	requestID := orNewID("")
	b.add(of, of.createPoint(point, requestID), requestID)
}

// Get adds a Point.
func (b *PointBatch) Get(of *Context, id string, view PointView) {
	b.add(of, of.getPoint(id, view), "")
}

// Update adds an UpdatePoint.
func (b *PointBatch) Update(of *Context, id string, change PointChange) {
	requestID := orNewID("")
	b.add(of, of.updatePoint(id, change, requestID), requestID)
}

// Delete adds a DeletePoint.
func (b *PointBatch) Delete(of *Context, id string) {
	requestID := orNewID("")
	b.add(of, of.deletePoint(id, requestID), requestID)
}

// BatchPoints does the operations of a batch, 1 to 1,000 of one namespace, and gives a result for
// each: what is wrong with one, or that its session is lost, is told there, and the others are done.
func (c *Client) BatchPoints(ctx context.Context, batch *PointBatch) ([]PointResult, error) {
	if err := countError("operations", len(batch.parts)); err != nil {
		return nil, err
	}
	request := &pb.BatchRecoveryPointsRequest{}
	results := make([]PointResult, len(batch.parts))
	var sent []int // Their places in the batch.
	for i := range batch.parts {
		part := &batch.parts[i]
		if err := part.check(i); err != nil {
			results[i].Err = err
			continue
		}
		request.Operations = append(request.Operations, part.request)
		sent = append(sent, i)
	}
	if len(sent) == 0 {
		return results, nil
	}
	reply := &pb.BatchRecoveryPointsResponse{}
	method := pb.Recovery_BatchRecoveryPoints_FullMethodName
	if err := c.invoke(ctx, 0, method, request, reply, ""); err != nil {
		return nil, err
	}
	if len(reply.GetResults()) != len(sent) {
		return nil, newerServer("another number of results than there were operations")
	}
	for n, result := range reply.GetResults() {
		results[sent[n]] = batch.parts[sent[n]].result(result, n, sent[n])
	}
	return results, nil
}

// check gives why the operation number i is not sent, or nil.
func (p *pointPart) check(i int) error {
	err := partError("operations", i, operationChecks(p.request))
	if err == nil {
		return p.writer.check()
	}
	err.(failed).failure().RequestID = p.id
	return err
}

// result is that of the operation number i, which was sent as the number n.
func (p *pointPart) result(
	result *pb.BatchRecoveryPointsResponse_Result, n, i int,
) (made PointResult) {
	switch outcome := result.GetOutcome().(type) {
	case *pb.BatchRecoveryPointsResponse_Result_Create:
		made.Point = pointOf(outcome.Create.GetRecoveryPoint(), nil)
	case *pb.BatchRecoveryPointsResponse_Result_Get:
		made.Point = pointOf(outcome.Get.GetRecoveryPoint(), outcome.Get.GetEntries())
	case *pb.BatchRecoveryPointsResponse_Result_Update:
		made.Point = pointOf(outcome.Update.GetRecoveryPoint(), nil)
	case *pb.BatchRecoveryPointsResponse_Result_Delete:
	case *pb.BatchRecoveryPointsResponse_Result_Failure:
		failure := failureOfPart(outcome.Failure, at("operations", n)+".", at("operations", i)+".")
		failure.RequestID = p.id
		made.Err = p.writer.learn(typed(failure))
	default:
		made.Err = newerServer("an unknown result of an operation")
	}
	return made
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
