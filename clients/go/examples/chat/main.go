// Command chat keeps a conversation in a context: each turn is an entry, and the last ones are what a
// model would be given.
//
//	go run ./examples/chat 127.0.0.1:7420
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	contextd "github.com/contextd/contextd/clients/go"
)

// Turn is one message of a conversation.
type Turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address string) error {
	client, err := contextd.New(address, contextd.WithNamespace("example-chat"))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	chat, err := client.Create(ctx, "", contextd.NewContext{Type: "chat"}, nil)
	if err != nil {
		return err
	}
	for n, turn := range []Turn{
		{"system", "You are helpful."}, {"user", "Where is Rome?"}, {"assistant", "In Italy."},
	} {
		key := fmt.Sprintf("messages/%08d", n)
		if _, err := chat.PutJSON(ctx, key, turn); err != nil {
			return err
		}
	}
	last := contextd.EntryQuery{Prefix: "messages/", Reverse: true, Limit: 2}
	for entry, err := range chat.Entries(ctx, last) {
		if err != nil {
			return err
		}
		var turn Turn
		if err := entry.JSON(&turn); err != nil {
			return err
		}
		fmt.Println(turn.Role+":", turn.Content)
	}
	_, err = chat.Delete(ctx, contextd.Deletion{})
	return err
}
