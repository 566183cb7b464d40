package main

import (
	"context"
	"errors"
	"io"
	"sort"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/contextd/contextd/tests/linearizability/contextdpb"
	"github.com/contextd/contextd/tests/linearizability/model"
)

const namespace = "linearizability"

// call sends a request, and returns what it was answered and the revision that the
// answer names. A nil answer: the server was too busy to look at it.
func call(ctx context.Context, connection *grpc.ClientConn, contextID string,
	request *model.Request) (*model.Answer, uint64) {
	client := pb.NewContextManagerClient(connection)
	var answer *model.Answer
	var revision uint64
	var err error
	switch request.Kind {
	case model.Get:
		if request.Streamed {
			answer, err = readEntries(ctx, client, contextID, request)
		} else {
			answer, revision, err = getContext(ctx, client, contextID, request)
		}
	case model.Create:
		answer, revision, err = createContext(ctx, client, contextID, request)
	case model.Update:
		answer, revision, err = updateContext(ctx, client, contextID, request)
	case model.Delete:
		answer, revision, err = deleteContext(ctx, client, contextID, request)
	}
	if err != nil {
		return refusal(err), 0
	}
	return answer, revision
}

// refusal makes an answer of an error. Without a reason the call may have been executed,
// and with UNAVAILABLE too.
func refusal(err error) *model.Answer {
	failure := status.Convert(err)
	for _, detail := range failure.Details() {
		info, found := detail.(*errdetails.ErrorInfo)
		if !found || failure.Code() == codes.Unavailable {
			continue
		}
		if info.GetReason() == "OVERLOADED" {
			return nil
		}
		return &model.Answer{Reason: info.GetReason(), Detail: details(info.GetMetadata())}
	}
	switch failure.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return &model.Answer{Unknown: true}
	}
	return &model.Answer{Reason: failure.Code().String(), Detail: failure.Message()}
}

// details lists the values of a refusal but for the key, which the request names.
func details(values map[string]string) string {
	words := make([]string, 0, len(values))
	for name, value := range values {
		if name != "key" {
			words = append(words, name+"="+value)
		}
	}
	sort.Strings(words)
	return strings.Join(words, " ")
}

func stateRef(contextID string, request *model.Request) *pb.StateRef {
	state := &pb.StateRef{Namespace: namespace, ContextId: contextID}
	if request.Version != 0 {
		state.At = &pb.StateRef_Version{Version: request.Version}
	}
	return state
}

func entries(messages []*pb.Entry) []model.Entry {
	var found []model.Entry
	for _, message := range messages {
		found = append(found, model.Entry{
			Key:     message.GetKey(),
			Value:   model.Compact(message.GetValue()),
			Version: message.GetVersion(),
		})
	}
	return found
}

func getContext(ctx context.Context, client pb.ContextManagerClient, contextID string,
	request *model.Request) (*model.Answer, uint64, error) {
	response, err := client.GetContext(ctx, &pb.GetContextRequest{
		State:       stateRef(contextID, request),
		IfNewerThan: request.NewerThan,
	})
	if err != nil {
		return nil, 0, err
	}
	return &model.Answer{
		Version:   response.GetContext().GetVersion(),
		Unchanged: response.GetUnchanged(),
		Entries:   entries(response.GetContext().GetEntries()),
	}, response.GetContext().GetRevision(), nil
}

// readEntries reads the same as getContext, message by message.
func readEntries(ctx context.Context, client pb.ContextManagerClient, contextID string,
	request *model.Request) (*model.Answer, error) {
	stream, err := client.ReadEntries(ctx, &pb.ReadEntriesRequest{
		State: stateRef(contextID, request),
	})
	if err != nil {
		return nil, err
	}
	answer := &model.Answer{}
	for first := true; ; first = false {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return answer, nil
		}
		if err != nil {
			return nil, err
		}
		if !first && response.GetVersion() != answer.Version {
			return &model.Answer{Reason: "TWO_VERSIONS_IN_ONE_STREAM"}, nil
		}
		answer.Version = response.GetVersion()
		answer.Entries = append(answer.Entries, entries(response.GetEntries())...)
	}
}

func createContext(ctx context.Context, client pb.ContextManagerClient, contextID string,
	request *model.Request) (*model.Answer, uint64, error) {
	response, err := client.CreateContext(ctx, &pb.CreateContextRequest{
		Namespace: namespace,
		ContextId: contextID,
		Mutations: mutations(request),
		Write:     &pb.WriteOptions{RequestId: request.ID},
	})
	if err != nil {
		return nil, 0, err
	}
	return &model.Answer{
		Version:  response.GetContext().GetVersion(),
		Replayed: response.GetWrite().GetReplayed(),
	}, response.GetWrite().GetRevision(), nil
}

func updateContext(ctx context.Context, client pb.ContextManagerClient, contextID string,
	request *model.Request) (*model.Answer, uint64, error) {
	update := &pb.UpdateContextRequest{
		Namespace:     namespace,
		ContextId:     contextID,
		Mutations:     mutations(request),
		Preconditions: preconditions(request),
		Write:         &pb.WriteOptions{RequestId: request.ID},
	}
	if request.CreateIfMissing {
		update.CreateIfMissing = &pb.NewContext{}
	}
	response, err := client.UpdateContext(ctx, update)
	if err != nil {
		return nil, 0, err
	}
	return &model.Answer{
		Version:  response.GetVersion(),
		Replayed: response.GetWrite().GetReplayed(),
	}, response.GetWrite().GetRevision(), nil
}

func deleteContext(ctx context.Context, client pb.ContextManagerClient, contextID string,
	request *model.Request) (*model.Answer, uint64, error) {
	response, err := client.DeleteContext(ctx, &pb.DeleteContextRequest{
		Namespace:     namespace,
		ContextId:     contextID,
		Preconditions: preconditions(request),
		AllowMissing:  request.AllowMissing,
		Purge:         request.Purge,
		Write:         &pb.WriteOptions{RequestId: request.ID},
	})
	if err != nil {
		return nil, 0, err
	}
	answer := &model.Answer{
		Replayed: response.GetWrite().GetReplayed(),
		Count:    response.GetDeletedCount(),
	}
	if answer.Replayed {
		answer.Count = 0 // As of now, which says nothing of the change.
	}
	return answer, response.GetWrite().GetRevision(), nil
}

func mutations(request *model.Request) []*pb.Mutation {
	messages := make([]*pb.Mutation, 0, len(request.Mutations))
	for _, mutation := range request.Mutations {
		messages = append(messages, mutationMessage(&mutation))
	}
	return messages
}

func mutationMessage(mutation *model.Mutation) *pb.Mutation {
	switch mutation.Kind {
	case model.Put:
		put := &pb.PutEntry{Key: mutation.Key, Value: model.Expand(mutation.Value)}
		return &pb.Mutation{Kind: &pb.Mutation_PutEntry{PutEntry: put}}
	case model.Append:
		appended := &pb.AppendEntry{Key: mutation.Key, Value: model.Expand(mutation.Value)}
		if mutation.CheckSize {
			appended.ExpectedSize = &pb.ExpectedSize{Bytes: mutation.ExpectedSize}
		}
		return &pb.Mutation{Kind: &pb.Mutation_AppendEntry{AppendEntry: appended}}
	case model.Remove:
		remove := &pb.DeleteEntry{Key: mutation.Key}
		return &pb.Mutation{Kind: &pb.Mutation_DeleteEntry{DeleteEntry: remove}}
	default:
		remove := &pb.DeleteEntries{Prefix: mutation.Key}
		return &pb.Mutation{Kind: &pb.Mutation_DeleteEntries{DeleteEntries: remove}}
	}
}

func preconditions(request *model.Request) []*pb.Precondition {
	messages := make([]*pb.Precondition, 0, len(request.Preconditions))
	for _, condition := range request.Preconditions {
		message := &pb.Precondition{
			Kind: &pb.Precondition_ContextVersion{ContextVersion: condition.Version},
		}
		if condition.Entry {
			entry := &pb.EntryCondition{Key: condition.Key, Version: condition.Version}
			message.Kind = &pb.Precondition_Entry{Entry: entry}
		}
		messages = append(messages, message)
	}
	return messages
}
