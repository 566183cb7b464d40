package contextd

import (
	"context"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// PointOrigin is why a recovery point was made.
type PointOrigin int

// The origins. OriginUnknown is one that this version does not know.
const (
	OriginUnknown     PointOrigin = iota
	OriginClient                  // A client asked for it.
	OriginPolicy                  // The context's policy.
	OriginSafety                  // The state just before a restore or merge.
	OriginSessionLoss             // A session was lost.
)

// RecoveryPoint keeps a state of a context. Points order by Sequence, never by time.
type RecoveryPoint struct {
	Namespace   string
	ContextID   string
	ID          string
	ParentID    string // The point before it, or empty.
	Sequence    uint64
	Version     uint64 // Whose state it keeps.
	CreateTime  time.Time
	ExpireTime  time.Time // Zero: never.
	Pinned      bool
	Origin      PointOrigin
	Metadata    map[string]string
	EntryCount  uint64
	SizeBytes   uint64
	Revision    uint64
	Attachments []Entry // Where they were asked for.
	Entries     []Entry // Those of its state, where they were asked for.
}

func pointOf(point *pb.RecoveryPoint, entries []*pb.Entry) RecoveryPoint {
	made := RecoveryPoint{
		Namespace: point.GetNamespace(), ContextID: point.GetContextId(), ID: point.GetId(),
		ParentID: point.GetParentId(), Sequence: point.GetSequence(), Version: point.GetVersion(),
		CreateTime: timeOf(point.GetCreateTime()), ExpireTime: timeOf(point.GetExpireTime()),
		Pinned: point.GetPinned(), Metadata: point.GetMetadata(),
		EntryCount: point.GetEntryCount(), SizeBytes: point.GetSizeBytes(),
		Revision:    point.GetRevision(),
		Attachments: entriesOf(point.GetAttachments()), Entries: entriesOf(entries),
	}
	if point.GetOrigin() <= pb.RecoveryPoint_ORIGIN_SESSION_LOSS {
		made.Origin = PointOrigin(point.GetOrigin())
	}
	return made
}

// NewPoint is how a recovery point is made. The zero value keeps the newest state.
type NewPoint struct {
	ID            string // Empty: the server makes one up.
	FromPointID   string // Begin from this point's state instead.
	Steps         []Step // On top of that state, for the point alone.
	MoveHead      bool   // Make the point's state the context's too.
	Metadata      map[string]string
	Attachments   []PutEntry    // Data beside the state. No key twice.
	TTL           time.Duration // 0: it does not expire.
	Pinned        bool          // No policy drops it.
	Replace       bool          // A point of this id takes the new state, unless it is pinned.
	Preconditions []PreconditionOption
}

// CreatedPoint is what became of a Checkpoint.
type CreatedPoint struct {
	Point   RecoveryPoint // Without attachments. Of a repeat whose point is gone: empty.
	Written Written
}

func attachments(puts []PutEntry) []*pb.Entry {
	made := make([]*pb.Entry, len(puts))
	for i, put := range puts {
		made[i] = &pb.Entry{Key: put.Key, Value: put.Value, ContentType: put.ContentType}
	}
	return made
}

// pointOperation carries out work on a point, alone or with others.
func (c *Context) pointOperation(
	ctx context.Context, op *operation,
) error {
	if err := checkRequest(op.request, op.requestID); err != nil {
		return err
	}
	if err := c.writer.check(); err != nil {
		return err
	}
	key := laneKey{c.namespace, c.id}
	return c.writer.learn(c.client.points.do(ctx, c.timeout, key, op))
}

// Checkpoint makes a recovery point. It fails with ErrRecoveryPointExists where there is one of the
// id, unless Replace.
func (c *Context) Checkpoint(
	ctx context.Context, point NewPoint, options ...CallOption,
) (CreatedPoint, error) {
	id := requestIDOf(options)
	op := &operation{request: c.createPoint(point, id), requestID: id}
	if err := c.pointOperation(ctx, op); err != nil {
		return CreatedPoint{Written: Written{RequestID: id}}, err
	}
	reply := op.answer.(*pb.CreateRecoveryPointResponse)
	return CreatedPoint{
		pointOf(reply.GetRecoveryPoint(), nil), writtenOf(reply.GetVersion(), reply.GetWrite(), id),
	}, nil
}

func (c *Context) createPoint(
	point NewPoint, requestID string,
) *pb.CreateRecoveryPointRequest {
	request := &pb.CreateRecoveryPointRequest{
		Namespace: c.namespace, ContextId: c.id, RecoveryPointId: point.ID,
		FromRecoveryPointId: point.FromPointID, Mutations: mutations(point.Steps),
		MoveHead: point.MoveHead, Metadata: point.Metadata,
		Attachments: attachments(point.Attachments), Ttl: length(point.TTL),
		Pinned: point.Pinned, CreateIfMissing: c.createIfMissing, Replace: point.Replace,
		Write: c.writer.options(requestID),
	}
	for _, condition := range point.Preconditions {
		request.Preconditions = append(request.Preconditions, condition.message)
	}
	return request
}

// PointView says how much of a point is read. The zero value is neither entries nor attachments.
type PointView struct {
	Entries     bool
	Attachments bool
	Keys        []string // Only these of them. Empty: all.
}

// Point gets a recovery point; an empty id is the newest. It fails with ErrRecoveryPointNotFound and
// ErrNoRecoveryPoints.
func (c *Context) Point(ctx context.Context, id string, view PointView) (RecoveryPoint, error) {
	op := &operation{request: c.getPoint(id, view)}
	if err := c.pointOperation(ctx, op); err != nil {
		return RecoveryPoint{}, err
	}
	reply := op.answer.(*pb.GetRecoveryPointResponse)
	return pointOf(reply.GetRecoveryPoint(), reply.GetEntries()), nil
}

func (c *Context) getPoint(id string, view PointView) *pb.GetRecoveryPointRequest {
	return &pb.GetRecoveryPointRequest{
		Namespace: c.namespace, ContextId: c.id, RecoveryPointId: id,
		WithEntries: view.Entries, WithAttachments: view.Attachments, Keys: view.Keys,
	}
}

// PointChange is what changes of a recovery point; its state never does.
type PointChange struct {
	SetMetadata       map[string]string
	DeleteMetadata    []string
	PutAttachments    []PutEntry
	AddAttachments    []PutEntry // Only where there is none of the key.
	DeleteAttachments []string
	TTL               time.Duration // From now on. 0: as it is.
	ClearExpiry       bool
	Pinned            *bool // nil: as it is.
	AllowMissing      bool  // Keep attachments for a point that is not made yet.
}

// UpdatePoint changes what lies beside the state of a point.
func (c *Context) UpdatePoint(
	ctx context.Context, id string, change PointChange, options ...CallOption,
) (RecoveryPoint, error) {
	requestID := requestIDOf(options)
	op := &operation{request: c.updatePoint(id, change, requestID), requestID: requestID}
	if err := c.pointOperation(ctx, op); err != nil {
		return RecoveryPoint{}, err
	}
	reply := op.answer.(*pb.UpdateRecoveryPointResponse)
	return pointOf(reply.GetRecoveryPoint(), nil), nil
}

func (c *Context) updatePoint(
	id string, change PointChange, requestID string,
) *pb.UpdateRecoveryPointRequest {
	request := &pb.UpdateRecoveryPointRequest{
		Namespace: c.namespace, ContextId: c.id, RecoveryPointId: id,
		SetMetadata: change.SetMetadata, DeleteMetadata: change.DeleteMetadata,
		PutAttachments:    attachments(change.PutAttachments),
		AddAttachments:    attachments(change.AddAttachments),
		DeleteAttachments: change.DeleteAttachments, Ttl: length(change.TTL),
		ClearExpiry: change.ClearExpiry, AllowMissing: change.AllowMissing,
		Write: c.writer.options(requestID),
	}
	if change.Pinned != nil {
		request.Pin = pb.UpdateRecoveryPointRequest_PIN_OFF
		if *change.Pinned {
			request.Pin = pb.UpdateRecoveryPointRequest_PIN_ON
		}
	}
	return request
}

// Attach puts data beside a point, which may not be made yet.
func (c *Context) Attach(
	ctx context.Context, id string, puts []PutEntry, options ...CallOption,
) error {
	change := PointChange{PutAttachments: puts, AllowMissing: true}
	_, err := c.UpdatePoint(ctx, id, change, options...)
	return err
}

// DeletePoint deletes a recovery point.
func (c *Context) DeletePoint(ctx context.Context, id string, options ...CallOption) error {
	requestID := requestIDOf(options)
	op := &operation{request: c.deletePoint(id, requestID), requestID: requestID}
	return c.pointOperation(ctx, op)
}

func (c *Context) deletePoint(id, requestID string) *pb.DeleteRecoveryPointRequest {
	return &pb.DeleteRecoveryPointRequest{
		Namespace: c.namespace, ContextId: c.id, RecoveryPointId: id,
		Write: c.writer.options(requestID),
	}
}
