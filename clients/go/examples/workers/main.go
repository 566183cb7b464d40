// Command workers has two workers, of which the second takes a task over from the first: what the
// first one writes late is refused.
//
//	go run ./examples/workers 127.0.0.1:7420
package main

import (
	"context"
	"errors"
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
	client, err := contextd.New(address, contextd.WithNamespace("example-workers"))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	task, err := client.Create(ctx, "", contextd.NewContext{Type: "task"}, nil)
	if err != nil {
		return err
	}
	slow, err := client.StartSession(ctx, contextd.NewSession{Owner: "slow"})
	if err != nil {
		return err
	}
	defer func() { _ = slow.End(ctx) }()
	fast, err := client.StartSession(ctx, contextd.NewSession{Owner: "fast"})
	if err != nil {
		return err
	}
	defer func() { _ = fast.End(ctx) }()

	held, err := slow.Activate(ctx, task.ID(), contextd.Activation{Exclusive: true})
	if err != nil {
		return err
	}
	takeover := contextd.Activation{Exclusive: true, Takeover: true}
	err = fast.Within(ctx, task.ID(), takeover, func(taken *contextd.ActiveContext) error {
		_, err := taken.PutText(ctx, "result", "done by fast")
		return err
	})
	if err != nil {
		return err
	}
	_, err = held.PutText(ctx, "result", "done by slow, late")
	var stale *contextd.StaleFenceError
	if !errors.As(err, &stale) {
		return fmt.Errorf("the late write should have been refused, not %w", err)
	}
	fmt.Printf("fence %d is not in force: %d is\n", held.Fence, stale.CurrentFence)
	result, err := task.GetText(ctx, "result")
	if err != nil {
		return err
	}
	fmt.Println(result)
	_, err = task.Delete(ctx, contextd.Deletion{})
	return err
}
