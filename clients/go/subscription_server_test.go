package contextd_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	contextd "github.com/contextd/contextd/clients/go"
	"github.com/contextd/contextd/clients/go/internal/realserver"
)

func subscribe(
	t testing.TB, client *contextd.Client, query contextd.SubscriptionQuery,
) *contextd.Subscription {
	t.Helper()
	subscription := must[*contextd.Subscription](t)(client.Subscribe(context.Background(), query))
	t.Cleanup(subscription.Close)
	return subscription
}

func TestASubscriptionTellsWhatIsDoneAfterItBegan(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	subscription := subscribe(t, client, contextd.SubscriptionQuery{})
	chat := must[*contextd.Context](t)(client.Create(ctx, "chat", contextd.NewContext{}, nil))
	must[contextd.Written](t)(chat.Append(ctx, "log", []byte("Hello!")))
	must[uint64](t)(chat.Delete(ctx, contextd.Deletion{}))
	var told []string
	for event, err := range subscription.Events() {
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprintf("%v %T", event.Type, event.Steps))
		if event.Type == contextd.EventUpdated {
			step, ok := event.Steps[0].(contextd.AppendEntry)
			if !ok || string(step.Value) != "Hello!" || event.ContextID() != "chat" {
				t.Errorf("the event is %+v", event)
			}
		}
		if event.Type == contextd.EventDeleted {
			break
		}
	}
	if len(told) != 3 || subscription.Cursor() == "" {
		t.Errorf("it told %v", told)
	}
}

func TestASubscriptionGoesOnBehindItsCursor(t *testing.T) {
	ctx := context.Background()
	client := connect(t)
	chat := must[*contextd.Context](t)(client.Create(ctx, "chat", contextd.NewContext{}, nil))
	first := subscribe(t, client, contextd.SubscriptionQuery{FromOldest: true})
	for _, err := range first.Events() {
		if err != nil {
			t.Fatal(err)
		}
		break // The creation.
	}
	must[contextd.Written](t)(chat.PutText(ctx, "a", "1"))
	second := subscribe(t, client, contextd.SubscriptionQuery{Cursor: first.Cursor()})
	for event, err := range second.Events() {
		if err != nil || event.Type != contextd.EventUpdated {
			t.Errorf("the event is %+v, %v", event, err)
		}
		break
	}
}

func TestASubscriptionOutlivesARestart(t *testing.T) {
	ctx := context.Background()
	server := realserver.Start(t)
	client := clientOf(t, server.Address())
	chat := must[*contextd.Context](t)(client.Create(ctx, "chat", contextd.NewContext{}, nil))
	subscription := subscribe(t, client, contextd.SubscriptionQuery{})
	must[contextd.Written](t)(chat.PutText(ctx, "a", "1"))
	server.Kill()
	server.Restart()
	must[contextd.Written](t)(chat.PutText(ctx, "a", "2"))
	version := uint64(2)
	for event, err := range subscription.Events() {
		if err != nil || event.Context.Version != version {
			t.Fatalf("the event is %+v, %v", event, err)
		}
		if version++; version == 4 {
			break
		}
	}
}

func TestAClosedSubscriptionEnds(t *testing.T) {
	client := connect(t)
	subscription := subscribe(t, client, contextd.SubscriptionQuery{})
	ended := make(chan error)
	go func() {
		for _, err := range subscription.Events() {
			ended <- err
		}
	}()
	subscription.Close()
	if err := <-ended; !errors.Is(err, contextd.ErrClientClosed) {
		t.Errorf("it ended with %v", err)
	}
}

func TestAClosedClientEndsSubscriptionsAndCalls(t *testing.T) {
	client := connect(t)
	subscription := subscribe(t, client, contextd.SubscriptionQuery{})
	_ = client.Close()
	_ = client.Close()
	for _, err := range subscription.Events() {
		if err != nil && !errors.Is(err, contextd.ErrClientClosed) {
			t.Errorf("it ended with %v", err)
		}
	}
	_, err := client.Context("chat").Get(context.Background(), "a")
	if !errors.Is(err, contextd.ErrClientClosed) {
		t.Errorf("a call gives %v", err)
	}
}

func TestAnUnknownPositionIsRefused(t *testing.T) {
	_, err := connect(t).Subscribe(
		context.Background(), contextd.SubscriptionQuery{Cursor: "nonsense"})
	if !errors.Is(err, contextd.ErrInvalidField) {
		t.Errorf("the error is %v", err)
	}
}

func TestAViewHoldsWhatTheServerHolds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := connect(t)
	begins := contextd.NewContext{Metadata: map[string]string{"user": "mia"}}
	chat := must[*contextd.Context](t)(client.Create(ctx, "chat", begins, []contextd.Step{
		contextd.PutEntry{Key: "system", Value: []byte("Be brief.")},
	}))
	seen := make(chan contextd.Event, 100)
	view := must[*contextd.View](t)(client.View(ctx, contextd.ViewQuery{
		Metadata: map[string]string{"user": "mia"},
		OnEvent:  func(event contextd.Event) { seen <- event },
	}))
	<-view.Ready()
	must[contextd.CreatedPoint](t)(chat.Checkpoint(ctx, contextd.NewPoint{ID: "p"}))
	must[contextd.Written](t)(chat.Append(ctx, "log", []byte("a")))
	must[contextd.Written](t)(chat.Append(ctx, "log", []byte("b")))
	must[contextd.Written](t)(chat.PutText(ctx, "system", "Be brief. And kind."))
	must[contextd.Restored](t)(chat.Restore(ctx, contextd.Restore{To: contextd.AtPoint("p")}))
	fork := must[*contextd.Context](t)(chat.Fork(ctx, contextd.Fork{ID: "fork"})) // It is read.
	must[contextd.Written](t)(fork.Append(ctx, "log", []byte("c")))
	must[contextd.Written](t)(fork.Update(ctx, []contextd.Step{contextd.DeleteEntries{Prefix: "s"}}))
	must[*contextd.Context](t)(client.Create(ctx, "end", begins, nil))
	for event := range seen {
		if event.ContextID() == "end" {
			break
		}
	}
	for _, context := range []*contextd.Context{chat, fork} {
		known, ok := view.Context(context.ID())
		snapshot := must[*contextd.Snapshot](t)(context.Snapshot(ctx))
		want := make(map[string]string)
		for _, entry := range snapshot.Entries {
			want[entry.Key] = string(entry.Value)
		}
		got := make(map[string]string)
		for key, entry := range known.Entries {
			got[key] = string(entry.Value)
		}
		if !ok || !maps.Equal(got, want) || known.Info.Version != snapshot.Info.Version {
			t.Errorf("%s: the view has %v, the server %v", context.ID(), got, want)
		}
	}
	view.Close()
	if err := view.Err(); !errors.Is(err, contextd.ErrClientClosed) {
		t.Errorf("it ended with %v", err)
	}
}
