package contextd

import (
	"context"
	"iter"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// TrackedFile is a file that was touched, with its last operation.
type TrackedFile struct {
	FileOperation
	Time           time.Time
	OperationCount uint64
}

// Files lists the files that were touched, by path. An empty prefix selects all.
func (c *Context) Files(ctx context.Context, pathPrefix string) iter.Seq2[TrackedFile, error] {
	request := &pb.ListFilesRequest{Namespace: c.namespace, ContextId: c.id, PathPrefix: pathPrefix}
	return pages(func(token string) ([]*pb.TrackedFile, string, error) {
		request.PageToken = token
		reply := &pb.ListFilesResponse{}
		method := pb.Tracker_ListFiles_FullMethodName
		err := c.client.invoke(ctx, c.timeout, method, request, reply, "")
		return reply.GetFiles(), reply.GetNextPageToken(), err
	}, func(file *pb.TrackedFile) TrackedFile {
		return TrackedFile{
			*fileOperationOf(file.GetLastOperation()), timeOf(file.GetTime()),
			file.GetOperationCount(),
		}
	})
}

// UsageTotal is what calls of one model add up to.
type UsageTotal struct {
	Provider, Model, Mode, Currency         string
	CallCount                               uint64
	InputTokens, OutputTokens, CachedTokens uint64
	CostMicros                              uint64 // In millionths of Currency.
	Latency                                 time.Duration
}

// Usage gets what models cost in this context.
func (c *Context) Usage(ctx context.Context) ([]UsageTotal, error) {
	if err := c.named(""); err != nil {
		return nil, err
	}
	return c.client.usage(ctx, c.timeout, c.namespace, c.id)
}

// Usage gets what models cost in a namespace, also in contexts that are gone. Empty: the client's.
func (c *Client) Usage(ctx context.Context, namespace string) ([]UsageTotal, error) {
	return c.usage(ctx, 0, c.orNamespace(namespace), "")
}

func (c *Client) usage(
	ctx context.Context, timeout time.Duration, namespace, id string,
) ([]UsageTotal, error) {
	request := &pb.SummarizeUsageRequest{Namespace: namespace, ContextId: id}
	reply := &pb.SummarizeUsageResponse{}
	err := c.invoke(ctx, timeout, pb.Tracker_SummarizeUsage_FullMethodName, request, reply, "")
	var totals []UsageTotal
	for _, total := range reply.GetTotals() {
		totals = append(totals, UsageTotal{
			Provider: total.GetProvider(), Model: total.GetModel(), Mode: total.GetMode(),
			Currency: total.GetCurrency(), CallCount: total.GetCallCount(),
			InputTokens: total.GetInputTokens(), OutputTokens: total.GetOutputTokens(),
			CachedTokens: total.GetCachedTokens(), CostMicros: total.GetCostMicros(),
			Latency: total.GetLatency().AsDuration(),
		})
	}
	return totals, err
}

// Presence says whether a context is there, and active.
type Presence int

// The presences. PresenceUnknown is one that this version does not know.
const (
	PresenceUnknown Presence = iota
	PresenceActive
	PresenceInactive
	PresenceNonExistent
)

// Status is who works on a context.
type Status struct {
	Presence           Presence
	Version            uint64
	Fence              uint64
	SessionIDs         []string // Those that have it active.
	ExclusiveSessionID string   // The one that has it exclusively, or empty.
	Guarded            bool     // Writes without a fence are refused.
}

// Status gets who works on the context.
func (c *Context) Status(ctx context.Context) (Status, error) {
	request := &pb.GetContextStatusRequest{Namespace: c.namespace, ContextId: c.id}
	reply := &pb.GetContextStatusResponse{}
	method := pb.Tracker_GetContextStatus_FullMethodName
	err := c.client.invoke(ctx, c.timeout, method, request, reply, "")
	status := Status{
		Version: reply.GetVersion(), Fence: reply.GetFence(), SessionIDs: reply.GetSessionIds(),
		ExclusiveSessionID: reply.GetExclusiveSessionId(), Guarded: reply.GetGuarded(),
	}
	if reply.GetStatus() <= pb.GetContextStatusResponse_STATUS_NON_EXISTENT {
		status.Presence = Presence(reply.GetStatus())
	}
	return status, err
}

// Resources lists the resources that are held, by name.
func (c *Context) Resources(ctx context.Context) iter.Seq2[Resource, error] {
	request := &pb.ListResourcesRequest{Namespace: c.namespace, ContextId: c.id}
	return pages(func(token string) ([]*pb.Resource, string, error) {
		request.PageToken = token
		reply := &pb.ListResourcesResponse{}
		method := pb.Tracker_ListResources_FullMethodName
		err := c.client.invoke(ctx, c.timeout, method, request, reply, "")
		return reply.GetResources(), reply.GetNextPageToken(), err
	}, resourceOf)
}
