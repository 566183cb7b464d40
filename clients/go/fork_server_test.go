package contextd_test

import (
	"context"
	"errors"
	"testing"

	contextd "github.com/contextd/contextd/clients/go"
)

func TestARepeatedForkThatIsGoneIsNoContext(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	trip := createTrip(t, client)
	once := contextd.RequestID("once")
	fork := must[*contextd.Context](t)(trip.Fork(ctx, contextd.Fork{}, once))
	must[uint64](t)(fork.Delete(ctx, contextd.Deletion{Purge: true}))
	again, err := trip.Fork(ctx, contextd.Fork{}, once)
	if !errors.Is(err, contextd.ErrContextNotFound) {
		t.Errorf("it gives %+v, %v", again, err)
	}
}

func TestAForkOfASessionCarriesIt(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	createTrip(t, client)
	session := startSession(t, client, contextd.NewSession{})
	held := must[*contextd.ActiveContext](t)(
		session.Activate(ctx, "trip", contextd.Activation{Exclusive: true}))
	subscription := subscribe(t, client, contextd.SubscriptionQuery{
		EventTypes: []contextd.EventType{contextd.EventForked, contextd.EventUpdated},
	})
	fork := must[*contextd.Context](t)(held.Fork(ctx, contextd.Fork{ID: "fork"}))
	must[contextd.Written](t)(fork.PutText(ctx, "k", "v"))
	told := 0
	for event, err := range subscription.Events() {
		if err != nil || event.SessionID != session.ID() {
			t.Errorf("it told %+v, %v", event, err)
		}
		if told++; told == 2 {
			break
		}
	}
	if err := client.EndSession(ctx, session.ID(), ""); err != nil {
		t.Fatal(err)
	}
	_, err := held.Fork(ctx, contextd.Fork{})
	if !errors.Is(err, contextd.ErrSessionLost) {
		t.Errorf("a fork of a lost session gives %v", err)
	}
}
