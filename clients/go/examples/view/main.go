// Command view has a subscriber keep contexts in memory while somebody else changes them.
//
//	go run ./examples/view 127.0.0.1:7420
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	contextd "github.com/contextd/contextd/clients/go"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address string) error {
	client, err := contextd.New(address, contextd.WithNamespace("example-view"))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	note, err := client.Create(ctx, "", contextd.NewContext{Type: "note"}, nil)
	if err != nil {
		return err
	}
	taken := make(chan contextd.Event, 10)
	view, err := client.View(ctx, contextd.ViewQuery{
		ContextIDs: []string{note.ID()}, OnEvent: func(event contextd.Event) { taken <- event },
	})
	if err != nil {
		return err
	}
	defer view.Close()
	<-view.Ready()

	if _, err := note.PutText(ctx, "text", "Hello"); err != nil {
		return err
	}
	written, err := note.Append(ctx, "text", []byte(", world!"))
	if err != nil {
		return err
	}
	for event := range taken {
		fmt.Println(event.Type)
		if event.Context.Version == written.Version {
			break
		}
	}
	known, _ := view.Context(note.ID())
	text, err := known.Entries["text"].Text()
	if err != nil {
		return err
	}
	fmt.Println(text)
	_, err = note.Delete(ctx, contextd.Deletion{})
	return err
}
