package contextd

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestASubscriptionGoesOnOverAnExpiredToken(t *testing.T) {
	expired := status.Error(codes.Unauthenticated, "the token has expired")
	server := &newer{streams: [][]any{{caughtUp("1"), expired}, {events(snapshotOf("chat", "2"))}}}
	subscription, err := server.client(t).Subscribe(context.Background(), hour)
	if err != nil {
		t.Fatal(err)
	}
	defer subscription.Close()
	for event, err := range subscription.Events() {
		if err != nil || event.ContextID() != "chat" {
			t.Errorf("it told %+v, %v", event, err)
		}
		break
	}
}

func TestASubscriptionWhoseTokenIsRefusedAgainEnds(t *testing.T) {
	refused := status.Error(codes.Unauthenticated, "who are you?")
	server := &newer{streams: [][]any{{caughtUp("1"), refused}, {refused}}}
	subscription, err := server.client(t).Subscribe(context.Background(), hour)
	if err != nil {
		t.Fatal(err)
	}
	defer subscription.Close()
	for _, err := range subscription.Events() {
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("it told %v", err)
		}
	}
}
