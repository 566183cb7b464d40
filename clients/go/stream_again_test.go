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

func TestASubscriptionKeepsItsOwnCopyOfWhatItSelects(t *testing.T) {
	stopping := refusal(codes.Unavailable, "STOPPING", nil, nil)
	server := &newer{streams: [][]any{{caughtUp("1"), stopping}, {caughtUp("2")}}}
	query := SubscriptionQuery{
		ContextIDs: []string{"mine"}, Metadata: map[string]string{"team": "red"}, Progress: true,
	}
	subscription, err := server.client(t).Subscribe(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer subscription.Close()
	query.ContextIDs[0], query.Metadata["team"] = "other", "blue"
	for event := range subscription.Events() {
		if event.Cursor == "2" {
			break
		}
	}
	again := server.asked[1]
	if again.GetContextIds()[0] != "mine" || again.GetMetadata()["team"] != "red" {
		t.Errorf("it asks again for %v", again)
	}
}
