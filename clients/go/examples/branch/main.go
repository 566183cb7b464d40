// Command branch tries something in a fork of a context, and merges it back.
//
//	go run ./examples/branch 127.0.0.1:7420
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
	client, err := contextd.New(address, contextd.WithNamespace("example-branch"))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	trip, err := client.Create(ctx, "", contextd.NewContext{Type: "trip"}, []contextd.Step{
		contextd.PutEntry{Key: "goal", Value: []byte("Rome")},
	})
	if err != nil {
		return err
	}
	err = trip.Branch(ctx, func(attempt *contextd.Context) error {
		if _, err := attempt.PutText(ctx, "by", "train"); err != nil {
			return err
		}
		if _, err := trip.PutText(ctx, "by", "bus"); err != nil { // Meanwhile, somebody else.
			return err
		}
		return merge(ctx, trip, attempt)
	})
	if err != nil {
		return err
	}
	by, err := trip.GetText(ctx, "by")
	if err != nil {
		return err
	}
	fmt.Println("to Rome by", by)
	_, err = trip.Delete(ctx, contextd.Deletion{})
	return err
}

// merge brings the attempt in; where both changed the same, the attempt wins.
func merge(ctx context.Context, trip, attempt *contextd.Context) error {
	_, err := trip.Merge(ctx, &attempt.State, contextd.Merge{})
	var unmerged *contextd.MergeConflictsError
	if !errors.As(err, &unmerged) {
		return err
	}
	for _, conflict := range unmerged.Conflicts {
		fmt.Printf("%s: %s or %s\n", conflict.Key, conflict.Target.Value, conflict.Source.Value)
	}
	_, err = trip.Merge(ctx, &attempt.State, contextd.Merge{OnConflict: contextd.ConflictSource})
	return err
}
