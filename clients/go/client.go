package contextd

import (
	"context"
	"iter"
	"math"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// Client is a connection to a contextd server. Any number of goroutines may use it.
type Client struct {
	caller
	channel *grpc.ClientConn
	end     context.CancelFunc
	updates *lane
	points  *lane

	infoMu sync.Mutex
	info   *ServerInfo
}

// New makes a client of the server at an address: host:port, or what gRPC's resolvers know. It calls
// nobody; the first call connects. An empty address is DefaultAddress. It fails with ErrInvalidValue
// and ErrInvalidField where the address or an option is wrong.
func New(address string, options ...Option) (*Client, error) {
	settings, err := newSettings(address, options)
	if err != nil {
		return nil, err
	}
	channel, err := connect(&settings)
	if err != nil {
		return nil, err
	}
	client := &Client{channel: channel}
	client.settings = settings
	client.connection = channel
	client.done, client.end = context.WithCancel(context.Background())
	client.updates = newLane(&client.caller, updateWire{&client.caller})
	client.points = newLane(&client.caller, pointWire{&client.caller})
	return client, nil
}

// Close ends the calls under way with ErrClientClosed, closes subscriptions, and stops renewing
// sessions, which end by themselves. Closing twice is allowed.
func (c *Client) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.end()
	c.updates.close()
	c.points.close()
	_ = c.channel.Close() // It fails only where it was closed before.
	return nil
}

// Channel gives gRPC's channel, for the generated code of the package contextdpb.
func (c *Client) Channel() grpc.ClientConnInterface { return c.channel }

// ContextOption says how a context is named.
type ContextOption func(*Context)

// InNamespace names another namespace than the client's. Empty: the client's.
func InNamespace(namespace string) ContextOption {
	return func(c *Context) { c.namespace = c.client.orNamespace(namespace) }
}

// CreateIfMissing lets writes create the context like this when there is none. Reads create none.
func CreateIfMissing(begins NewContext) ContextOption {
	return func(c *Context) { c.createIfMissing = begins.message() }
}

// CallTimeout is for calls with this context, instead of the client's.
func CallTimeout(timeout time.Duration) ContextOption {
	return func(c *Context) { c.timeout = timeout }
}

// Context names a context, without a call.
func (c *Client) Context(id string, options ...ContextOption) *Context {
	named := &Context{State: State{client: c, namespace: c.namespace, id: id}}
	for _, option := range options {
		option(named)
	}
	return named
}

// Create creates a context with its first steps, and names it. An empty id: the server makes one up.
// It fails with ErrContextExists and ErrParentNotFound.
func (c *Client) Create(
	ctx context.Context, id string, begins NewContext, steps []Step, options ...CreateOption,
) (*Context, error) {
	created := c.Context(id)
	wanted := createOptions{context: created}
	for _, option := range options {
		option.applyCreate(&wanted)
	}
	made, _, err := created.create(ctx, begins, steps, orNewID(wanted.requestID))
	if err != nil {
		return nil, err
	}
	created.id = made
	return created, nil
}

// CreateOption says more of a Create: InNamespace, CallTimeout, RequestID.
type CreateOption interface{ applyCreate(*createOptions) }

type createOptions struct {
	context   *Context
	requestID string
}

func (o ContextOption) applyCreate(options *createOptions)   { o(options.context) }
func (o RequestIDOption) applyCreate(options *createOptions) { options.requestID = string(o) }

// write makes a call that carries a request id.
func (c *Client) write(
	ctx context.Context, timeout time.Duration, method string, request, reply proto.Message,
	write *pb.WriteOptions,
) error {
	return c.invoke(ctx, timeout, method, request, reply, write.GetRequestId())
}

func orNewID(id string) string {
	if id != "" {
		return id
	}
	return uuid.NewString()
}

// ContextQuery selects contexts. The zero value selects all of the client's namespace.
type ContextQuery struct {
	Namespace string // Empty: the client's.
	IDPrefix  string
	Type      string
	ParentID  string
	Metadata  map[string]string // Every pair must be in the context's.
	Deleted   bool              // Those that were deleted and can still be brought back, instead.
	PageSize  int               // Contexts asked for at once, up to 1,000. 0: the server's 100.
}

// Contexts lists contexts in the order of their ids, page after page.
func (c *Client) Contexts(ctx context.Context, query ContextQuery) iter.Seq2[ContextInfo, error] {
	request := &pb.ListContextsRequest{
		Namespace: c.orNamespace(query.Namespace),
		IdPrefix:  query.IDPrefix,
		Type:      query.Type,
		ParentId:  query.ParentID,
		Metadata:  query.Metadata,
		Deleted:   query.Deleted,
		PageSize:  pageSize(query.PageSize),
	}
	return pages(func(token string) ([]*pb.Context, string, error) {
		request.PageToken = token
		reply := &pb.ListContextsResponse{}
		err := c.invoke(ctx, 0, pb.ContextManager_ListContexts_FullMethodName, request, reply, "")
		return reply.GetContexts(), reply.GetNextPageToken(), err
	}, infoOf)
}

// Namespaces lists the namespaces that hold anything, by name.
func (c *Client) Namespaces(ctx context.Context) iter.Seq2[Namespace, error] {
	request := &pb.ListNamespacesRequest{}
	return pages(func(token string) ([]*pb.ListNamespacesResponse_Namespace, string, error) {
		request.PageToken = token
		reply := &pb.ListNamespacesResponse{}
		err := c.invoke(ctx, 0, pb.ContextManager_ListNamespaces_FullMethodName, request, reply, "")
		return reply.GetNamespaces(), reply.GetNextPageToken(), err
	}, func(row *pb.ListNamespacesResponse_Namespace) Namespace {
		return Namespace{row.GetName(), row.GetContextCount(), row.GetSizeBytes()}
	})
}

// ServerInfo tells what the server is. It is asked once; RefreshServerInfo asks again.
func (c *Client) ServerInfo(ctx context.Context) (ServerInfo, error) {
	c.infoMu.Lock()
	known := c.info
	c.infoMu.Unlock()
	if known != nil {
		return *known, nil
	}
	return c.RefreshServerInfo(ctx)
}

// RefreshServerInfo asks the server what it is.
func (c *Client) RefreshServerInfo(ctx context.Context) (ServerInfo, error) {
	reply := &pb.GetServerInfoResponse{}
	err := c.invoke(ctx, 0, pb.ContextManager_GetServerInfo_FullMethodName,
		&pb.GetServerInfoRequest{}, reply, "")
	if err != nil {
		return ServerInfo{}, err
	}
	info := ServerInfo{
		reply.GetVersion(), reply.GetLogId(), reply.GetSettings(), reply.GetFeatures(),
	}
	c.infoMu.Lock()
	defer c.infoMu.Unlock()
	c.info = &info
	return info, nil
}

func (c *Client) orNamespace(namespace string) string {
	if namespace == "" {
		return c.namespace
	}
	return namespace
}

// pages lists rows page after page, as they are iterated.
func pages[Row, T any](
	fetch func(token string) ([]Row, string, error), read func(Row) T,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for token := ""; ; {
			rows, next, err := fetch(token)
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(read(row), nil) {
					return
				}
			}
			if next == "" {
				return
			}
			token = next
		}
	}
}

// pageSize is a size as it is sent; what does not fit is refused as any that is too large.
func pageSize(size int) int32 { return int32(max(math.MinInt32, min(size, math.MaxInt32))) }
