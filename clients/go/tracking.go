package contextd

import (
	"context"
	"iter"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Recorded is what became of activities: they have these sequences and all between.
type Recorded struct {
	FirstSequence uint64
	LastSequence  uint64
	Written
}

// Record adds to the history: all the activities, or none. RecordActivity does so in the same step as
// a change.
func (c *Context) Record(
	ctx context.Context, activities []Activity, options ...CallOption,
) (Recorded, error) {
	id := requestIDOf(options)
	request := &pb.RecordActivitiesRequest{
		Namespace: c.namespace, ContextId: c.id, CreateIfMissing: c.createIfMissing,
		Write: c.writer.options(id),
	}
	for _, activity := range activities {
		request.Activities = append(request.Activities, activity.message())
	}
	reply := &pb.RecordActivitiesResponse{}
	method := pb.Tracker_RecordActivities_FullMethodName
	err := c.write(ctx, method, request, reply, request.Write)
	return Recorded{
		reply.GetFirstSequence(), reply.GetLastSequence(), writtenOf(0, reply.GetWrite(), id),
	}, err
}

// HistoryQuery selects activities. The zero value selects all, the oldest first.
type HistoryQuery struct {
	Types        []string  // Only of these types, up to 100. Empty: of all.
	StartTime    time.Time // From this time on. Zero: no bound.
	EndTime      time.Time // Up to and without it. Zero: no bound.
	NewestFirst  bool
	FromSequence uint64 // Begin with this one, in either direction. 0: at the end.
	PageSize     int    // Asked for at once, up to 1,000. 0: the server's 100.
}

// History lists what was done, by sequence.
func (c *Context) History(ctx context.Context, query HistoryQuery) iter.Seq2[Activity, error] {
	request := &pb.ListActivitiesRequest{
		Namespace: c.namespace, ContextId: c.id, PageSize: pageSize(query.PageSize),
		Types: query.Types, StartTime: timestamp(query.StartTime),
		EndTime: timestamp(query.EndTime), NewestFirst: query.NewestFirst,
		FromSequence: query.FromSequence,
	}
	return pages(func(token string) ([]*pb.Activity, string, error) {
		request.PageToken = token
		reply := &pb.ListActivitiesResponse{}
		method := pb.Tracker_ListActivities_FullMethodName
		err := c.client.invoke(ctx, c.timeout, method, request, reply, "")
		return reply.GetActivities(), reply.GetNextPageToken(), err
	}, activityOf)
}

// Optimization says what of a history is kept. Duplicates are dropped first.
type Optimization struct {
	MaxBytes    uint64 // The newest activities of so much data and metadata. 0: no bound.
	MaxCount    uint64 // At most so many. 0: no bound.
	Deduplicate bool   // Of activities with the same type, data and detail, the newest.
	DryRun      bool   // Tell what would be dropped, and drop nothing.
}

// Optimized is what a history has lost and kept.
type Optimized struct {
	RemovedCount, RemovedBytes uint64
	KeptCount, KeptBytes       uint64
}

// OptimizeHistory makes the history smaller. The newest activity always stays.
func (c *Context) OptimizeHistory(
	ctx context.Context, how Optimization, options ...CallOption,
) (Optimized, error) {
	request := &pb.OptimizeHistoryRequest{
		Namespace: c.namespace, ContextId: c.id, MaxBytes: how.MaxBytes, MaxCount: how.MaxCount,
		Deduplicate: how.Deduplicate, DryRun: how.DryRun,
		Write: c.writer.options(requestIDOf(options)),
	}
	reply := &pb.OptimizeHistoryResponse{}
	method := pb.Tracker_OptimizeHistory_FullMethodName
	err := c.write(ctx, method, request, reply, request.Write)
	return Optimized{
		reply.GetRemovedCount(), reply.GetRemovedBytes(), reply.GetKeptCount(), reply.GetKeptBytes(),
	}, err
}

// TruncateHistory drops the activities before a sequence, and tells how many.
func (c *Context) TruncateHistory(
	ctx context.Context, fromSequence uint64, options ...CallOption,
) (uint64, error) {
	return c.truncate(ctx, &pb.TruncateHistoryRequest{
		Keep: &pb.TruncateHistoryRequest_FromSequence{FromSequence: fromSequence},
	}, options)
}

// TruncateHistoryBefore drops the activities before a time, and tells how many.
func (c *Context) TruncateHistoryBefore(
	ctx context.Context, from time.Time, options ...CallOption,
) (uint64, error) {
	return c.truncate(ctx, &pb.TruncateHistoryRequest{
		Keep: &pb.TruncateHistoryRequest_FromTime{FromTime: timestamp(from)},
	}, options)
}

func (c *Context) truncate(
	ctx context.Context, request *pb.TruncateHistoryRequest, options []CallOption,
) (uint64, error) {
	request.Namespace, request.ContextId = c.namespace, c.id
	request.Write = c.writer.options(requestIDOf(options))
	reply := &pb.TruncateHistoryResponse{}
	method := pb.Tracker_TruncateHistory_FullMethodName
	err := c.write(ctx, method, request, reply, request.Write)
	return reply.GetRemovedCount(), err
}
