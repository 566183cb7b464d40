package contextd_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	contextd "github.com/contextd/contextd/clients/go"
)

// firstError is the error with which an iteration begins.
func firstError[T any](rows iter.Seq2[T, error]) error {
	for _, err := range rows {
		return err
	}
	return nil
}

func TestWhatIsWrongIsRefusedBeforeItIsSent(t *testing.T) {
	client := clientOf(t, "127.0.0.1:1") // Nobody answers there.
	ctx := context.Background()
	chat := client.Context("chat")
	put := []contextd.PutEntry{{Key: ""}}
	for field, call := range map[string]func() error{
		"keys[0]": func() error { _, err := chat.Get(ctx, ""); return err },
		"state.context_id": func() error {
			_, err := client.Context("").Info(ctx)
			return err
		},
		"key_prefix": func() error {
			return firstError(chat.Entries(ctx, contextd.EntryQuery{Prefix: "\n"}))
		},
		"page_size": func() error {
			return firstError(client.Contexts(ctx, contextd.ContextQuery{PageSize: 1 << 32}))
		},
		"ttl": func() error {
			_, err := client.StartSession(ctx, contextd.NewSession{TTL: time.Millisecond})
			return err
		},
		"mutations[0].put_entry.key": func() error { _, err := chat.Put(ctx, "\xff", nil); return err },
		"properties.type": func() error {
			_, err := client.Create(ctx, "", contextd.NewContext{Type: "\n"}, nil)
			return err
		},
		"context_ids[0]": func() error {
			_, err := client.Subscribe(ctx, contextd.SubscriptionQuery{ContextIDs: []string{""}})
			return err
		},
		"put_attachments[0].key": func() error { return chat.Attach(ctx, "p", put) },
		"operations[0].create.attachments[0].key": func() error {
			var batch contextd.PointBatch
			batch.Create(chat, contextd.NewPoint{Attachments: put})
			results, err := client.BatchPoints(ctx, &batch)
			return errors.Join(err, results[0].Err)
		},
		"operations": func() error {
			_, err := client.BatchPoints(ctx, &contextd.PointBatch{})
			return err
		},
		"requests": func() error { _, err := client.Snapshots(ctx); return err },
		"requests[1].state.context_id": func() error {
			results, err := client.Snapshots(ctx, client.Context("\n").At(contextd.At{}), &client.Context("").State)
			return errors.Join(err, results[1].Err)
		},
		"policy": func() error { _, err := chat.PrunePoints(ctx, contextd.Prune{}); return err },
		"before.context_id": func() error {
			return firstError(client.Context("").Diff(ctx, &chat.State, contextd.DiffQuery{}))
		},
		"requests[0].mutations": func() error {
			_, err := client.UpdateAll(ctx, []contextd.ContextUpdate{{Context: chat}})
			return err
		},
	} {
		var refused *contextd.InvalidFieldError
		if err := call(); !errors.As(err, &refused) || refused.Field != field {
			t.Errorf("%s is told as %v", field, err)
		}
	}
}

func TestARefusalHasTheRequestIDOfItsWrite(t *testing.T) {
	chat := clientOf(t, "127.0.0.1:1").Context("chat")
	ctx := context.Background()
	_, update := chat.Put(ctx, "", nil, contextd.RequestID("r"))
	_, call := chat.Delete(ctx, contextd.Deletion{}, contextd.RequestID("r"), contextd.IfEntry("", 1))
	point := chat.DeletePoint(ctx, "", contextd.RequestID("r"))
	for _, err := range []error{update, call, point} {
		var refused *contextd.InvalidFieldError
		if !errors.As(err, &refused) || refused.RequestID != "r" {
			t.Errorf("the error is %#v", err)
		}
	}
}
