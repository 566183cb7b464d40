package contextd

import (
	"context"
	"testing"

	"google.golang.org/grpc"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// labelled is a fake that knows one context with a label.
type labelled struct{ *fake }

func (labelled) GetContext(context.Context, *pb.GetContextRequest) (*pb.GetContextResponse, error) {
	return &pb.GetContextResponse{Context: &pb.Context{
		Version: 4, Metadata: map[string]string{"owner": "mia"},
	}}, nil
}

func TestATransactionOfSomeKeysGuardsTheLabelsThatItReads(t *testing.T) {
	fake := &fake{answer: taken}
	client := serveAll(t, func(server *grpc.Server) {
		pb.RegisterContextManagerServer(server, labelled{fake})
	})
	ctx := context.Background()
	for _, reads := range []bool{false, true} {
		_, err := client.Context("chat").Transact(ctx, func(draft *Draft) error {
			if reads {
				draft.Label("owner")
			}
			draft.SetLabel("state", "done")
			return nil
		}, "k")
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, guarded := range []bool{false, true} {
		found := false
		for _, condition := range fake.plain[i].GetPreconditions() {
			found = found || condition.GetContextVersion() == 4
		}
		if found != guarded {
			t.Errorf("the conditions are %v", fake.plain[i].GetPreconditions())
		}
	}
}
