package contextd

import (
	"context"
	"iter"
	"time"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// SessionInfo is what the server knows of a session.
type SessionInfo struct {
	Namespace        string
	ID               string
	Owner            string
	Metadata         map[string]string
	CreateTime       time.Time
	ExpireTime       time.Time        // When it ends unless it is renewed.
	Activations      []ActivationInfo // The oldest first.
	CurrentContextID string           // Empty: there is none.
}

// ActivationInfo is what the server knows of an activation.
type ActivationInfo struct {
	ContextID string
	Fence     uint64 // 0: it is shared.
	Exclusive bool
	Time      time.Time
}

func sessionInfoOf(session *pb.Session) SessionInfo {
	info := SessionInfo{
		Namespace:        session.GetNamespace(),
		ID:               session.GetId(),
		Owner:            session.GetOwner(),
		Metadata:         session.GetMetadata(),
		CreateTime:       timeOf(session.GetCreateTime()),
		ExpireTime:       timeOf(session.GetExpireTime()),
		CurrentContextID: session.GetCurrentContextId(),
	}
	for _, activation := range session.GetActivations() {
		info.Activations = append(info.Activations, activationInfoOf(activation))
	}
	return info
}

func activationInfoOf(activation *pb.Activation) ActivationInfo {
	return ActivationInfo{
		activation.GetContextId(), activation.GetFence(), activation.GetExclusive(),
		timeOf(activation.GetTime()),
	}
}

// SessionInfo gets what the server knows of anybody's session. An empty namespace is the client's.
func (c *Client) SessionInfo(ctx context.Context, id, namespace string) (SessionInfo, error) {
	request := &pb.GetSessionRequest{Namespace: c.orNamespace(namespace), SessionId: id}
	reply := &pb.GetSessionResponse{}
	err := c.invoke(ctx, 0, pb.Tracker_GetSession_FullMethodName, request, reply, "")
	return sessionInfoOf(reply.GetSession()), err
}

// SessionQuery selects sessions. The zero value selects all of the client's namespace.
type SessionQuery struct {
	Namespace string // Empty: the client's.
	Owner     string // Empty: of all.
	PageSize  int    // Asked for at once, up to 1,000. 0: the server's 100.
}

// Sessions lists everybody's live sessions, the oldest first.
func (c *Client) Sessions(ctx context.Context, query SessionQuery) iter.Seq2[SessionInfo, error] {
	request := &pb.ListSessionsRequest{
		Namespace: c.orNamespace(query.Namespace), Owner: query.Owner,
		PageSize: pageSize(query.PageSize),
	}
	return pages(func(token string) ([]*pb.Session, string, error) {
		request.PageToken = token
		reply := &pb.ListSessionsResponse{}
		err := c.invoke(ctx, 0, pb.Tracker_ListSessions_FullMethodName, request, reply, "")
		return reply.GetSessions(), reply.GetNextPageToken(), err
	}, sessionInfoOf)
}
