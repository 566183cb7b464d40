package contextd_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

// What the examples below have.
var (
	ctx    = context.Background()
	client *contextd.Client
)

func Example() {
	client, err := contextd.New("127.0.0.1:7420", contextd.WithNamespace("readme"))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	ctx := context.Background()
	chat := client.Context("chat-1", contextd.CreateIfMissing(contextd.NewContext{Type: "chat"}))
	if _, err := chat.PutText(ctx, "system", "You are helpful."); err != nil {
		log.Fatal(err)
	}
	for entry, err := range chat.Entries(ctx, contextd.EntryQuery{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", entry.Key, entry.Value)
	}
}

// Several steps are one change: all of it, or nothing.
func ExampleContext_Update() {
	chat := client.Context("chat-1")
	_, err := chat.Update(ctx, []contextd.Step{
		contextd.DeleteEntry{Key: "draft"},
		contextd.PutEntry{Key: "answer", Value: []byte("42"), ContentType: contextd.TextType},
		contextd.SetMetadata{Key: "state", Value: "answered"},
	}, contextd.IfVersion(7))
	if err != nil {
		log.Fatal(err)
	}
}

// A lost race is an error of its own, with the version that won.
func ExampleVersionConflictError() {
	chat := client.Context("chat-1")
	_, err := chat.PutText(ctx, "answer", "42", contextd.IfVersion(7))
	var conflict *contextd.VersionConflictError
	if errors.As(err, &conflict) {
		fmt.Println("somebody was faster: the version is", conflict.CurrentVersion)
	}
}

// A worker holds a context exclusively: once it is taken over, nothing that it writes is stored.
func ExampleSession_Within() {
	session, err := client.StartSession(ctx, contextd.NewSession{
		Owner: "worker-1", TTL: 30 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = session.End(context.WithoutCancel(ctx)) }()
	exclusive := contextd.Activation{Exclusive: true}
	err = session.Within(ctx, "task-1", exclusive, func(task *contextd.ActiveContext) error {
		_, err := task.PutText(ctx, "state", "done")
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

// To go on later where a program stopped, it stores the cursor with what it made of the event.
func ExampleClient_Subscribe() {
	cursor := "" // What was stored. Empty: from now on.
	subscription, err := client.Subscribe(ctx, contextd.SubscriptionQuery{
		IDPrefix: "chat-", Cursor: cursor,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer subscription.Close()
	for event, err := range subscription.Events() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Type, event.ContextID(), event.Cursor)
	}
}

// A view is a copy in memory that follows.
func ExampleClient_View() {
	view, err := client.View(ctx, contextd.ViewQuery{Type: "chat"})
	if err != nil {
		log.Fatal(err)
	}
	defer view.Close()
	select {
	case <-view.Ready():
	case <-view.Done():
		fmt.Println(view.Err())
		return
	}
	view.Read(func(contexts map[string]*contextd.ViewedContext) {
		fmt.Println(len(contexts), "chats")
	})
}

// An attempt that may fail goes into a branch, and what came of it is merged.
func ExampleContext_Branch() {
	plan := client.Context("plan-1")
	err := plan.Branch(ctx, func(branch *contextd.Context) error {
		if _, err := branch.PutText(ctx, "step-2", "by train"); err != nil {
			return err
		}
		_, err := plan.Merge(ctx, &branch.State, contextd.Merge{})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

// A point is a state that stays, to come back to.
func ExampleContext_Checkpoint() {
	plan := client.Context("plan-1")
	if _, err := plan.Checkpoint(ctx, contextd.NewPoint{ID: "before"}); err != nil {
		log.Fatal(err)
	}
	back := contextd.Restore{To: contextd.AtPoint("before")}
	if _, err := plan.Restore(ctx, back); err != nil {
		log.Fatal(err)
	}
}

// Certificates come as PEM files; a token is asked for before each attempt.
func ExampleWithTLSFiles() {
	client, err := contextd.New("contextd.example:7420",
		contextd.WithTLSFiles("ca.pem", "client.pem", "client.key"),
		contextd.WithToken(func(context.Context) (string, error) { return "secret", nil }))
	if err != nil {
		fmt.Println(errors.Is(err, contextd.ErrInvalidValue))
		return
	}
	defer func() { _ = client.Close() }()

	// Output: true
}
