package contextd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/contextd/contextd/clients/go/internal/realserver"
)

// methodOf finds the method that takes a request.
func methodOf(t *testing.T, request proto.Message) protoreflect.MethodDescriptor {
	t.Helper()
	file := request.ProtoReflect().Descriptor().ParentFile()
	for i := range file.Services().Len() {
		methods := file.Services().Get(i).Methods()
		for j := range methods.Len() {
			if methods.Get(j).Input() == request.ProtoReflect().Descriptor() {
				return methods.Get(j)
			}
		}
	}
	t.Fatalf("no method takes %T", request)
	return nil
}

// refusedBy is what a server itself says of a request.
func refusedBy(t *testing.T, connection grpc.ClientConnInterface, request proto.Message) *Failure {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	method := methodOf(t, request)
	path := fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
	description := &grpc.StreamDesc{ServerStreams: method.IsStreamingServer()}
	stream, err := connection.NewStream(ctx, description, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	_ = stream.CloseSend()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		err = stream.RecvMsg(kind.New().Interface())
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return failureOf(err)
}

func show(request proto.Message) string {
	text := prototext.MarshalOptions{}.Format(request)
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return fmt.Sprintf("%T %s", request, text)
}

func TestWhatIsWrongIsToldInTheWordsOfTheServer(t *testing.T) {
	client, err := New(realserver.Start(t).Address())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, request := range wrongRequests() {
		theirs := refusedBy(t, client.Channel(), request)
		ours := checkRequest(request, "")
		var found *InvalidFieldError
		switch {
		case theirs == nil || theirs.kind != errInvalidField:
			t.Errorf("the server does not refuse %s: %v", show(request), theirs)
		case !errors.As(ours, &found):
			t.Errorf("%s\npasses; the server says %s", show(request), theirs.Message)
		case found.Message != theirs.Message || found.Field != theirs.Details["field"] ||
			found.Rule != theirs.Details["rule"]:
			t.Errorf("%s\nour words: %s\nthe server's: %s", show(request), found.Message, theirs.Message)
		}
	}
}
