package contextd_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/status"

	contextd "github.com/contextd/contextd/clients/go"
	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// bareUpdate is what the server itself says of a change with such names, without the client's checks.
func bareUpdate(t *testing.T, client *contextd.Client, namespace, id, key, label string) string {
	t.Helper()
	stub := pb.NewContextManagerClient(client.Channel())
	_, err := stub.UpdateContext(context.Background(), &pb.UpdateContextRequest{
		Namespace: namespace,
		ContextId: id,
		Mutations: []*pb.Mutation{
			{Kind: &pb.Mutation_PutEntry{PutEntry: &pb.PutEntry{Key: key}}},
			{Kind: &pb.Mutation_SetMetadata{SetMetadata: &pb.SetMetadata{Key: label}}},
		},
	})
	if err == nil {
		t.Errorf("the server takes %q %q %q %q", namespace, id, key, label)
		return ""
	}
	return status.Convert(err).Message()
}
