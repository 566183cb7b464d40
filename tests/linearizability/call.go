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
func call(ctx context.Context, connection *grpc.ClientConn, sessions *sessions, contextID string,
	request *model.Request) (*model.Answer, uint64) {
	client := pb.NewContextManagerClient(connection)
	var answer *model.Answer
	var revision uint64
	var err error
	switch request.Kind {
	case model.Get:
		if request.Way == model.Stream {
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
	default:
		tracker := pb.NewTrackerClient(connection)
		answer, revision, err = sessions.call(ctx, tracker, contextID, request)
	}
	if err != nil {
		return refusal(err), 0
	}
	return answer, revision
}

// notOne is no answer of any model.
var notOne = &model.Answer{Reason: "NOT_ONE_RESULT"}

// refusal makes an answer of an error.
func refusal(err error) *model.Answer {
	failed := status.Convert(err)
	if failed.Code() == codes.Internal && failed.Message() == io.ErrUnexpectedEOF.Error() {
		// What the library makes of a long answer that was cut off by the server's end.
		return &model.Answer{Unknown: true}
	}
	for _, detail := range failed.Details() {
		if info, found := detail.(*errdetails.ErrorInfo); found {
			return refused(failed.Code(), info.GetReason(), info.GetMetadata())
		}
	}
	return refused(failed.Code(), "", map[string]string{"message": failed.Message()})
}

// failure makes an answer of the failure of one part.
func failure(part *pb.Failure) *model.Answer {
	return refused(codes.Code(part.GetCode()), part.GetReason(), part.GetMetadata())
}

// refused makes an answer of what a failure says. After some codes the call may have been
// executed all the same. Returns nil where the server was too busy to look at it.
func refused(code codes.Code, reason string, values map[string]string) *model.Answer {
	switch {
	case code == codes.Unavailable || code == codes.DeadlineExceeded || code == codes.Canceled:
		return &model.Answer{Unknown: true}
	case reason == "OVERLOADED":
		return nil
	case reason == "":
		reason = "NO_REASON_WITH_" + code.String()
	}
	words := make([]string, 0, len(values))
	for name, value := range values {
		// What the request tells, or the owner.
		if name != "key" && name != "index" && name != "session_id" {
			words = append(words, name+"="+value)
		}
	}
	sort.Strings(words)
	return &model.Answer{Reason: reason, Detail: strings.Join(words, " ")}
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
	get := &pb.GetContextRequest{
		State:       stateRef(contextID, request),
		IfNewerThan: request.NewerThan,
	}
	if request.Way == model.Unary {
		response, err := client.GetContext(ctx, get)
		return state(response), response.GetContext().GetRevision(), err
	}
	responses, err := client.BatchGetContexts(ctx, &pb.BatchGetContextsRequest{
		Requests: []*pb.GetContextRequest{get},
	})
	if err != nil || len(responses.GetResults()) != 1 {
		return notOne, 0, err
	}
	result := responses.GetResults()[0]
	if result.GetFailure() != nil {
		return failure(result.GetFailure()), 0, nil
	}
	response := result.GetResponse()
	return state(response), response.GetContext().GetRevision(), nil
}

func state(response *pb.GetContextResponse) *model.Answer {
	return &model.Answer{
		Version:   response.GetContext().GetVersion(),
		Unchanged: response.GetUnchanged(),
		Entries:   entries(response.GetContext().GetEntries()),
	}
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
	}
	write := &pb.WriteOptions{RequestId: request.ID, Fence: request.Fence}
	if request.CreateIfMissing {
		update.CreateIfMissing = &pb.NewContext{}
	}
	batch := &pb.BatchUpdateContextsRequest{Requests: []*pb.UpdateContextRequest{update}}
	switch request.Way {
	case model.Batch:
		update.Write = write
		response, err := client.BatchUpdateContexts(ctx, batch)
		return onlyResult(response.GetResults(), err)
	case model.Atomic:
		batch.Atomic = true
		batch.Write = &pb.WriteOptions{RequestId: request.ID}
		update.Write = &pb.WriteOptions{Fence: request.Fence}
		response, err := client.BatchUpdateContexts(ctx, batch)
		return onlyResult(response.GetResults(), err)
	case model.Stream:
		update.Write = write
		response, err := streamUpdate(ctx, client, update)
		return onlyResult(response.GetResults(), err)
	default:
		update.Write = write
		response, err := client.UpdateContext(ctx, update)
		return updated(response), response.GetWrite().GetRevision(), err
	}
}

// streamUpdate sends an update over a stream of its own.
func streamUpdate(ctx context.Context, client pb.ContextManagerClient,
	update *pb.UpdateContextRequest) (*pb.StreamUpdatesResponse, error) {
	stream, err := client.StreamUpdates(ctx)
	if err != nil {
		return nil, err
	}
	// An error here is the end of the stream: receiving tells why.
	_ = stream.Send(&pb.StreamUpdatesRequest{Updates: []*pb.UpdateContextRequest{update}})
	_ = stream.CloseSend()
	response, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return &pb.StreamUpdatesResponse{}, nil
	}
	return response, err
}

func updated(response *pb.UpdateContextResponse) *model.Answer {
	return &model.Answer{
		Version:  response.GetVersion(),
		Replayed: response.GetWrite().GetReplayed(),
	}
}

// onlyResult makes the answer of a batch with one part.
func onlyResult(results []*pb.UpdateResult, err error) (*model.Answer, uint64, error) {
	if err != nil || len(results) != 1 {
		return notOne, 0, err
	}
	if results[0].GetFailure() != nil {
		return failure(results[0].GetFailure()), 0, nil
	}
	response := results[0].GetResponse()
	return updated(response), response.GetWrite().GetRevision(), nil
}

func deleteContext(ctx context.Context, client pb.ContextManagerClient, contextID string,
	request *model.Request) (*model.Answer, uint64, error) {
	response, err := client.DeleteContext(ctx, &pb.DeleteContextRequest{
		Namespace:     namespace,
		ContextId:     contextID,
		Preconditions: preconditions(request),
		AllowMissing:  request.AllowMissing,
		Purge:         request.Purge,
		Write:         &pb.WriteOptions{RequestId: request.ID, Fence: request.Fence},
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
