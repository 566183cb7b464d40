package contextd

import (
	"context"
	"iter"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// PointQuery selects recovery points, the newest first. The zero value selects all.
type PointQuery struct {
	Metadata    map[string]string // Every pair must be in the point's.
	BeforeID    string            // Made before this one of the same context.
	AncestorsOf string            // Only ancestors of this one, the nearest first.
	View        PointView
	PageSize    int // Asked for at once, up to 1,000. 0: the server's 100.
}

// Points lists the recovery points of the context.
func (c *Context) Points(ctx context.Context, query PointQuery) iter.Seq2[RecoveryPoint, error] {
	if err := c.named(""); err != nil {
		return func(yield func(RecoveryPoint, error) bool) { yield(RecoveryPoint{}, err) }
	}
	request := query.request()
	request.Namespace, request.ContextId = c.namespace, c.id
	return c.client.listPoints(ctx, c.timeout, request)
}

// Points lists the recovery points of all contexts whose ids begin with a prefix.
func (c *Client) Points(
	ctx context.Context, namespace, idPrefix string, query PointQuery,
) iter.Seq2[RecoveryPoint, error] {
	request := query.request()
	request.Namespace, request.IdPrefix = c.orNamespace(namespace), idPrefix
	return c.listPoints(ctx, 0, request)
}

func (q PointQuery) request() *pb.ListRecoveryPointsRequest {
	return &pb.ListRecoveryPointsRequest{
		Metadata: q.Metadata, BeforeRecoveryPointId: q.BeforeID, AncestorsOf: q.AncestorsOf,
		WithEntries: q.View.Entries, WithAttachments: q.View.Attachments, Keys: q.View.Keys,
		PageSize: pageSize(q.PageSize),
	}
}

func (c *Client) listPoints(
	ctx context.Context, timeout time.Duration, request *pb.ListRecoveryPointsRequest,
) iter.Seq2[RecoveryPoint, error] {
	return pages(func(token string) ([]*pb.GetRecoveryPointResponse, string, error) {
		request.PageToken = token
		reply := &pb.ListRecoveryPointsResponse{}
		method := pb.Recovery_ListRecoveryPoints_FullMethodName
		err := c.invoke(ctx, timeout, method, request, reply, "")
		return reply.GetRecoveryPoints(), reply.GetNextPageToken(), err
	}, func(row *pb.GetRecoveryPointResponse) RecoveryPoint {
		return pointOf(row.GetRecoveryPoint(), row.GetEntries())
	})
}

// Prune says which recovery points to drop: one of Metadata and Policy must be set.
type Prune struct {
	Metadata map[string]string // Points with all these labels, unless they are pinned.
	Policy   *RetentionPolicy  // And those that no rule of it keeps.
	DryRun   bool              // Tell what would be dropped, and drop nothing.
}

// Pruned is how many points a Prune has dropped and kept.
type Pruned struct{ RemovedCount, KeptCount uint64 }

// PrunePoints drops recovery points of the context.
func (c *Context) PrunePoints(
	ctx context.Context, how Prune, options ...CallOption,
) (Pruned, error) {
	requestID := requestIDOf(options)
	if err := c.named(requestID); err != nil {
		return Pruned{}, err
	}
	request := how.request(c.namespace, c.writer.options(requestID))
	request.ContextId = c.id
	reply := &pb.PruneRecoveryPointsResponse{}
	method := pb.Recovery_PruneRecoveryPoints_FullMethodName
	err := c.write(ctx, method, request, reply, request.Write)
	return Pruned{reply.GetRemovedCount(), reply.GetKeptCount()}, err
}

// PrunePoints drops recovery points of all contexts whose ids begin with a prefix. It is not
// remembered by its request id: a repeat drops what is to be dropped then.
func (c *Client) PrunePoints(
	ctx context.Context, namespace, idPrefix string, how Prune, options ...CallOption,
) (Pruned, error) {
	write := &pb.WriteOptions{RequestId: requestIDOf(options)}
	request := how.request(c.orNamespace(namespace), write)
	request.IdPrefix = idPrefix
	reply := &pb.PruneRecoveryPointsResponse{}
	method := pb.Recovery_PruneRecoveryPoints_FullMethodName
	err := c.write(ctx, 0, method, request, reply, write)
	return Pruned{reply.GetRemovedCount(), reply.GetKeptCount()}, err
}

func (p Prune) request(
	namespace string, write *pb.WriteOptions,
) *pb.PruneRecoveryPointsRequest {
	return &pb.PruneRecoveryPointsRequest{
		Namespace: namespace, Metadata: p.Metadata, Policy: p.Policy.message(), DryRun: p.DryRun,
		Write: write,
	}
}
